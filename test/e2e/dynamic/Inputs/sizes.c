/*
 * sizes.c: scores.onnxtext at several sizes, and at sizes that it does not take. BOUNDED: compiled for 1 to 4.
 */
#include "scores.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(int line) {
  printf("line %d\n", line);
  return 1;
}

int main(void) {
  enum { most = 1000 };
  static float x[most][3], y[most][2], z[most];
  int64_t y_dims[2], z_dims[1];
#ifdef BOUNDED
  static const int64_t sizes[] = {1, 4, 2}, wrong[] = {0, 5, -1, INT64_MIN};
  size_t bytes = SCORES_ARENA_BYTES;
  if (SCORES_DIM_BATCH_MIN != 1 || SCORES_DIM_BATCH_MAX != 4 || SCORES_OUTPUT_Y_MAX_BYTES != 32)
    return fail(__LINE__);
#else
  static const int64_t sizes[] = {1, most, 0, 17}, wrong[] = {-1, INT64_MIN};
  size_t bytes = 1 << 16;
#endif
  char *memory = malloc(bytes + SCORES_ARENA_ALIGN);
  void *arena = memory + (SCORES_ARENA_ALIGN - (uintptr_t)memory % SCORES_ARENA_ALIGN);
  for (int i = 0; i < most; ++i)
    for (int j = 0; j < 3; ++j)
      x[i][j] = (float)(i % 7 - j);

  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s) {
    int64_t n = sizes[s];
    memset(y, 0, sizeof y);
    if (scores_output_dims(n, y_dims, z_dims) != ONNX_AOT_OK || y_dims[0] != n || y_dims[1] != 2 || z_dims[0] != n)
      return fail(__LINE__);
    y_dims[0] = z_dims[0] = -7;
    if (scores_run(&x[0][0], &y[0][0], z, n, y_dims, z_dims, arena) != ONNX_AOT_OK)
      return fail(__LINE__);
    if (y_dims[0] != n || y_dims[1] != 2 || z_dims[0] != n)
      return fail(__LINE__);
    for (int64_t i = 0; i < n; ++i) {
      float a = x[i][0] + 3 * x[i][1] + 5 * x[i][2] - 20, b = 2 * x[i][0] + 4 * x[i][1] + 6 * x[i][2] + 1;
      a = a > 0 ? a : 0;
      b = b > 0 ? b : 0;
      if (y[i][0] != a || y[i][1] != b || z[i] != a + b)
        return fail(__LINE__);
    }
    if (n < most && (y[n][0] != 0 || y[n][1] != 0))
      return fail(__LINE__);
  }
  for (size_t s = 0; s < sizeof wrong / sizeof *wrong; ++s) {
    char text[200];
    onnx_aot_status status = scores_run(&x[0][0], &y[0][0], z, wrong[s], y_dims, z_dims, arena);
    if ((status & 255) != ONNX_AOT_DIM_OUT_OF_BOUNDS)
      return fail(__LINE__);
    onnx_aot_status_text(&scores_model, status, text, sizeof text);
    if (!strstr(text, "dimension"))
      return fail(__LINE__);
    if ((scores_output_dims(wrong[s], y_dims, z_dims) & 255) != ONNX_AOT_DIM_OUT_OF_BOUNDS)
      return fail(__LINE__);
  }
  if (scores_run(NULL, &y[0][0], z, 1, y_dims, z_dims, arena) != ONNX_AOT_NULL_ARGUMENT)
    return fail(__LINE__);
  free(memory);
  puts("fine");
  return 0;
}
