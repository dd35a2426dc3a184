/*
 * Times a model of fixed shapes that was compiled with --device=cuda --io=device --name=model.
 *
 * usage: gpu_measure RUNS
 *
 * Prints a line of JSON: the median time of a run that is waited for, and the time per run where RUNS of them are put
 * into a stream and waited for together, which is what the device takes; microseconds. Floats are random, integers 1.
 */
#include "../device/driver_calls.h"
#include "model.h"

#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static device_pointer placeOf(const onnx_aot_tensor_info *tensor) {
  device_pointer place = 0;
  char *bytes = calloc(tensor->bytes + 1u, 1);
  for (uint64_t i = 0; i < tensor->bytes / tensor->element_bytes; ++i) {
    if (tensor->dtype == ONNX_AOT_FLOAT)
      ((float *)bytes)[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    else
      bytes[i * tensor->element_bytes] = 1;
  }
  CALL(cuMemAlloc_v2, (device_pointer *, size_t), &place, tensor->bytes + 16u);
  CALL(cuMemcpyHtoD_v2, (device_pointer, const void *, size_t), place, bytes, tensor->bytes);
  free(bytes);
  return place;
}

static void wait(void *stream) { CALL(cuStreamSynchronize, (void *), stream); }

static void runOnce(const onnx_aot_model *model, const void *const *inputs, void *const *outputs, void *arena,
                    onnx_aot_context *ctx) {
  onnx_aot_status status = model->entry(inputs, outputs, NULL, NULL, arena, ctx);
  if (status == ONNX_AOT_OK)
    return;
  char text[512];
  onnx_aot_status_text(model, status, text, sizeof text);
  fprintf(stderr, "%s: ", text);
  onnx_aot_context_error(ctx, text, sizeof text);
  fprintf(stderr, "%s\n", text);
  exit(1);
}

int main(int argc, char **argv) {
  const onnx_aot_model *model = &model_model;
  int runs = argc > 1 ? atoi(argv[1]) : 100;
  void *primary = NULL, *stream = NULL;
  onnx_aot_context ctx;
  driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (!driver || runs < 1 || model->num_dims != 0) {
    fprintf(stderr, "%s\n", driver ? "a number of runs and a model of fixed shapes are wanted" : dlerror());
    return 1;
  }
  CALL(cuInit, (unsigned), 0);
  CALL(cuDevicePrimaryCtxRetain, (void **, int), &primary, 0);
  CALL(cuCtxPushCurrent_v2, (void *), primary);
  CALL(cuStreamCreate, (void **, unsigned), &stream, 1);
  const void **inputs = calloc(model->num_inputs + 1u, sizeof(void *));
  void **outputs = calloc(model->num_outputs + 1u, sizeof(void *));
  for (uint32_t i = 0; i < model->num_inputs; ++i)
    inputs[i] = (const void *)(uintptr_t)placeOf(&model->inputs[i]);
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    outputs[i] = (void *)(uintptr_t)placeOf(&model->outputs[i]);
  void *arena = aligned_alloc(4096, (model->arena_bytes + 4096u) & ~(uint64_t)4095u);
  onnx_aot_context_init(&ctx, allocate, release, NULL);
  onnx_aot_context_set_stream(&ctx, stream);

  double *times = calloc((size_t)runs, sizeof(double));
  for (int run = -3; run < runs; ++run) { /* the first ones load, size memory and capture */
    double start = now();
    runOnce(model, inputs, outputs, arena, &ctx);
    wait(stream);
    if (run >= 0)
      times[run] = now() - start;
  }
  qsort(times, (size_t)runs, sizeof(double), ascending);
  double start = now();
  for (int run = 0; run < runs; ++run)
    runOnce(model, inputs, outputs, arena, &ctx);
  wait(stream);
  printf("{\"latency_us\": %.2f, \"device_us\": %.2f}\n", times[runs / 2], (now() - start) / runs);
  onnx_aot_context_destroy(&ctx);
  return 0;
}
