/*
 * platform/cuda/device.h: what a context keeps of its device, shared by the files of this folder.
 */
#ifndef ONNX_AOT_PLATFORM_CUDA_DEVICE_H
#define ONNX_AOT_PLATFORM_CUDA_DEVICE_H

#include "onnx_aot/runtime.h"

#include "runtime_lib/core/context.h"
#include "runtime_lib/platform/cuda/cuda.h"
#include "runtime_lib/platform/cuda/driver.h"

/* The driver's functions, in the order of the list. */
struct onnx_aot_cuda_driver {
#define MEMBER(name, parameters) int(*name) parameters;
  ONNX_AOT_CUDA_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* Memory of one slot. */
struct onnx_aot_cuda_block {
  cu_address address;
  uint64_t bytes;
};

/* The last key, and its graph from its second run on. */
struct onnx_aot_cuda_graph {
  uint64_t *key;
  uint32_t cells, room; /* of the key, and how many fit */
  uint32_t is_seen;     /* a run with this key was issued */
  uint32_t is_capturing;
  cu_stream stream; /* while one is captured: the run's */
  cu_graph_exec exec;
};

struct onnx_aot_cuda_device {
  struct onnx_aot_cuda_driver driver;
  const struct onnx_aot_cuda_program *program; /* NULL: not open */
  cu_device device;
  cu_context context;
  uint32_t is_current; /* between open and end */
  cu_module module;
  uint32_t is_specific; /* the module is that of an image for exactly this architecture */
  cu_tensor_map_encode *encode_tensor_map; /* NULL where the driver has none */
  cu_function *functions; /* the program's kernels */
  cu_stream stream;       /* that of this run */
  cu_stream own_stream;
  cu_event event;      /* the end of the last run that did not wait; NULL before the first such run */
  uint32_t is_pending; /* that run may not have ended */
  cu_address weights;
  struct onnx_aot_cuda_block *blocks;
  uint32_t num_blocks;
  struct onnx_aot_cuda_graph graph;
  const struct onnx_aot_cuda_program *refused; /* has a fallback, for good, because of `refusal` */
  uint32_t refusal;
  uint32_t status; /* the first error, as an onnx_aot_code */
  uint32_t is_lost;
  uint32_t length; /* of `text` */
  char text[1024]; /* what the error is */
  char log[1024];  /* of the driver's compiler */
};

/* Calls a function of the driver; whether it went well. The first that does not is what the run returns. */
#define CALL(device, function, ...) onnx_aot_cuda_check(device, #function, (device)->driver.function(__VA_ARGS__))

/* error.c */
int onnx_aot_cuda_check(struct onnx_aot_cuda_device *device, const char *function, int result);
void onnx_aot_cuda_fail(struct onnx_aot_cuda_device *device, uint32_t code, const char *text);
void onnx_aot_cuda_say(struct onnx_aot_cuda_device *device, const char *text);
void onnx_aot_cuda_say_number(struct onnx_aot_cuda_device *device, uint32_t value);
/* Of memory that was refused: " for less than 3 MiB". */
void onnx_aot_cuda_say_size(struct onnx_aot_cuda_device *device, uint64_t bytes);
void onnx_aot_cuda_clear_error(struct onnx_aot_cuda_device *device);

/* load.c: the driver, and the program's image for the device. */
int onnx_aot_cuda_load_driver(struct onnx_aot_cuda_device *device);
int onnx_aot_cuda_find_device(struct onnx_aot_cuda_device *device);
int onnx_aot_cuda_load_program(uint64_t *state, struct onnx_aot_cuda_device *device,
                               const struct onnx_aot_cuda_program *program);

/* open.c: whether there is a stream of our own. */
int onnx_aot_cuda_make_own_stream(struct onnx_aot_cuda_device *device);

/* graph.c */
void onnx_aot_cuda_settle_graph(struct onnx_aot_cuda_device *device);
void onnx_aot_cuda_abandon_capture(struct onnx_aot_cuda_device *device);
void onnx_aot_cuda_drop_graph(struct onnx_aot_cuda_device *device);

/* The context's device, or NULL. */
static inline struct onnx_aot_cuda_device *onnx_aot_cuda_device_of(const uint64_t *state) {
  return (struct onnx_aot_cuda_device *)(uintptr_t)state[ONNX_AOT_CELL_DEVICE];
}

/* The same where it is to do what a run asks: NULL after an error too. */
static inline struct onnx_aot_cuda_device *onnx_aot_cuda_working(const uint64_t *state) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_device_of(state);
  return device && device->program && device->status == 0u ? device : 0;
}

#endif
