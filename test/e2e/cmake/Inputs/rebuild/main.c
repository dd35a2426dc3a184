#include "scale.h"
#include <stdlib.h>

/* The model multiplies by what scale.bin holds: usage: program EXPECTED */
int main(int argc, char **argv) {
  float x[1] = {1}, y[1] = {0};
  static _Alignas(SCALE_ARENA_ALIGN) unsigned char arena[SCALE_ARENA_BYTES + 1];
  if (argc != 2 || scale_run(x, y, arena) != ONNX_AOT_OK)
    return 1;
  return y[0] == (float)atof(argv[1]) ? 0 : 2;
}
