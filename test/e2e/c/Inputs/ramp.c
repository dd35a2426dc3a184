/*
 * ramp.c: runs the model that reads digits, compiled with --name=net, on a ramp, and prints its outputs, rounded so that
 * the last places of floats do not matter.
 */
#include "net.h"
#include <stdio.h>

static unsigned char memory[NET_ARENA_BYTES + NET_ARENA_ALIGN];

int main(void) {
  float image[8 * 8], probabilities[10];
  unsigned char *arena = memory + (NET_ARENA_ALIGN - (uintptr_t)memory % NET_ARENA_ALIGN) % NET_ARENA_ALIGN;
  onnx_aot_status status;
  int i;
  for (i = 0; i < 8 * 8; ++i)
    image[i] = (float)(i % 17) / 16.0f;
  status = net_run(image, probabilities, arena);
  if (status != ONNX_AOT_OK)
    return 1;
  for (i = 0; i < 10; ++i)
    printf("%d: %ld\n", i, (long)(probabilities[i] * 10000.0f + 0.5f));
  return 0;
}
