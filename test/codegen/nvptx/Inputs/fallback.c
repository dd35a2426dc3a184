/* Runs a model with a symbolic batch on whatever is there, and says where that was and why. */
#include "../../../device/driver_calls.h"
#include "model.h"

int main(void) {
  static float x[3][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}}, y[3][4];
  onnx_aot_context ctx;
  uint64_t bytes = 0;
  int64_t batch = 3, dims[2], *output_dims[1] = {dims};
  const void *inputs[1] = {x};
  void *outputs[1] = {y};
  if (model_model.plan(&batch, &bytes, output_dims) != ONNX_AOT_OK)
    return 1;
  void *arena = aligned_alloc(MODEL_ARENA_ALIGN, (bytes + MODEL_ARENA_ALIGN) / MODEL_ARENA_ALIGN * MODEL_ARENA_ALIGN);
  onnx_aot_context_init(&ctx, allocate, release, NULL);
  for (int run = 0; run < 3; ++run) {
    char text[512];
    onnx_aot_status status = model_model.entry(inputs, outputs, &batch, output_dims, arena, &ctx);
    if (status != ONNX_AOT_OK) {
      onnx_aot_status_text(&model_model, status, text, sizeof text);
      printf("failed: %s", text);
      onnx_aot_context_error(&ctx, text, sizeof text);
      printf(": %s\n", text);
      break;
    }
    onnx_aot_context_error(&ctx, text, sizeof text);
    printf("%s: %g %g %g\n", onnx_aot_context_on_device(&ctx) ? "device" : "CPU", y[0][0], y[1][1], y[2][3]);
    if (text[0] != '\0')
      printf("because: %s\n", text);
  }
  onnx_aot_context_destroy(&ctx);
  free(arena);
  return 0;
}
