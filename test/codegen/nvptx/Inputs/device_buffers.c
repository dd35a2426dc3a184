/* Runs a model whose inputs and outputs lie on the device: doubles and adds them, four times, so that the third run replays a graph. */
#include "model.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static void *allocate(void *user, uint64_t bytes) { (void)user; return malloc(bytes); }
static void release(void *user, void *memory) { (void)user; free(memory); }

typedef uint64_t device_pointer;
typedef int (*allocate_function)(device_pointer *, size_t);
typedef int (*to_device)(device_pointer, const void *, size_t);
typedef int (*to_host)(void *, device_pointer, size_t);
typedef int (*retain_function)(void **, int);
typedef int (*current_function)(void *);

int main(void) {
  void *driver = dlopen("libcuda.so.1", RTLD_NOW);
  onnx_aot_context ctx;
  void *primary = NULL;
  device_pointer x, y;
  float values[4] = {1, 2, 3, 4}, results[4] = {0};
  if (!driver || ((int (*)(unsigned))dlsym(driver, "cuInit"))(0) ||
      ((retain_function)dlsym(driver, "cuDevicePrimaryCtxRetain"))(&primary, 0) ||
      ((current_function)dlsym(driver, "cuCtxPushCurrent_v2"))(primary))
    return 1;
  allocate_function make = (allocate_function)dlsym(driver, "cuMemAlloc_v2");
  if (make(&x, sizeof values) || make(&y, sizeof results) ||
      ((to_device)dlsym(driver, "cuMemcpyHtoD_v2"))(x, values, sizeof values))
    return 2;
  onnx_aot_context_init(&ctx, allocate, release, NULL);
  for (int run = 0; run < 4; ++run) {
    onnx_aot_status status = model_run((const float *)(uintptr_t)x, (float *)(uintptr_t)y, NULL, &ctx);
    char text[256] = "";
    onnx_aot_context_error(&ctx, text, sizeof text);
    if (status != ONNX_AOT_OK || ((to_host)dlsym(driver, "cuMemcpyDtoH_v2"))(results, y, sizeof results)) {
      printf("status %u: %s\n", (unsigned)status, text);
      return 3;
    }
  }
  printf("%g %g %g %g\n", results[0], results[1], results[2], results[3]);
  onnx_aot_context_destroy(&ctx);
  return 0;
}
