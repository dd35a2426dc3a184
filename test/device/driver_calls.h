/*
 * What C programs around a model on a GPU need: the driver's functions without its header, and a context's allocator.
 */
#ifndef ONNX_AOT_TEST_DEVICE_DRIVER_CALLS_H
#define ONNX_AOT_TEST_DEVICE_DRIVER_CALLS_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint64_t device_pointer; /* CUdeviceptr */

static void *driver; /* libcuda.so.1, which the program opens */

/* Ends the program where the driver reports an error. */
#define CALL(name, parameters, ...)                                                                                    \
  do {                                                                                                                 \
    int result = ((int(*) parameters)dlsym(driver, #name))(__VA_ARGS__);                                               \
    if (result != 0) {                                                                                                 \
      fprintf(stderr, #name " gave %d\n", result);                                                                     \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

static void *allocate(void *user, uint64_t bytes) {
  (void)user;
  return malloc(bytes);
}
static void release(void *user, void *memory) {
  (void)user;
  free(memory);
}

#endif
