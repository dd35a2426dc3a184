/*
 * Runs a model with --io=device in a stream of its own, between copies in the same stream, and waits once for each run.
 * What came before it would be told: the driver of the tests does nothing before somebody waits.
 */
#include "../../../device/driver_calls.h"
#include "model.h"

int main(void) {
  onnx_aot_context ctx;
  void *primary = NULL, *stream = NULL;
  device_pointer x = 0, y = 0;
  float values[4] = {1, 2, 3, 4}, results[4] = {0};
  driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (!driver)
    return 1;
  CALL(cuInit, (unsigned), 0);
  CALL(cuDevicePrimaryCtxRetain, (void **, int), &primary, 0);
  CALL(cuCtxPushCurrent_v2, (void *), primary);
  CALL(cuStreamCreate, (void **, unsigned), &stream, 0);
  CALL(cuMemAlloc_v2, (device_pointer *, size_t), &x, sizeof values);
  CALL(cuMemAlloc_v2, (device_pointer *, size_t), &y, sizeof results);
  onnx_aot_context_init(&ctx, allocate, release, NULL);
  onnx_aot_context_set_stream(&ctx, stream);
  for (int run = 0; run < 4; ++run) {
    values[0] = (float)run;
    results[0] = -1;
    CALL(cuMemcpyHtoDAsync_v2, (device_pointer, const void *, size_t, void *), x, values, sizeof values, stream);
    onnx_aot_status status = model_run((const float *)(uintptr_t)x, (float *)(uintptr_t)y, NULL, &ctx);
    if (status != ONNX_AOT_OK) {
      printf("status %u\n", (unsigned)status);
      return 2;
    }
    CALL(cuMemcpyDtoHAsync_v2, (void *, device_pointer, size_t, void *), results, y, sizeof results, stream);
    printf("before %g", results[0]);
    CALL(cuStreamSynchronize, (void *), stream);
    printf(" after %g\n", results[0]);
  }
  onnx_aot_context_destroy(&ctx);
  CALL(cuStreamDestroy_v2, (void *), stream);
  return 0;
}
