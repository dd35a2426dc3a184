/* Runs small.onnxtext with an output buffer one float too small. */
#include "small.h"
#include <stdlib.h>

int main(void) {
  static const float x[6] = {1, 2, 3, -1, 0.5f, 0.25f};
  static _Alignas(SMALL_ARENA_ALIGN) unsigned char arena[SMALL_ARENA_BYTES + 1];
  float *y = malloc(7 * sizeof *y);
  return (int)small_run(x, y, arena);
}
