/* Runs pick.onnxtext. With an index that its dim does not have, the status says so and nothing is read; with one that
   the check lets pass but the caller's buffer does not hold, the read itself goes outside of it. */
#include "pick.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  (void)argv;
  static _Alignas(PICK_ARENA_ALIGN) unsigned char arena[PICK_ARENA_BYTES + 1];
  int64_t indices[2] = {0, argc > 1 ? 3 : 4};
  float *x = calloc(argc > 1 ? 3 : 4, sizeof *x), y[2];
  char text[200];
  onnx_aot_status status = pick_run(x, indices, y, arena);
  onnx_aot_status_text(&pick_model, status, text, sizeof text);
  puts(text);
  free(x);
  return status == ONNX_AOT_OK;
}
