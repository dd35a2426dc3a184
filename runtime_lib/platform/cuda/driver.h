/*
 * platform/cuda/driver.h: the part of the CUDA driver API (libcuda.so.1) that the runtime uses.
 *
 * Only facts of its ABI, so that nothing of CUDA is needed to build. ONNX_AOT_CUDA_FUNCTIONS lists each function as the
 * library exports it, with its parameters; from it come the table that open.c fills and the names it looks for.
 */
#ifndef ONNX_AOT_PLATFORM_CUDA_DRIVER_H
#define ONNX_AOT_PLATFORM_CUDA_DRIVER_H

#include <stdint.h>

/* CUresult */
enum cu_result {
  CU_OK = 0,
  CU_INVALID_VALUE = 1,
  CU_OUT_OF_MEMORY = 2,
  CU_NOT_INITIALIZED = 3,
  CU_DEINITIALIZED = 4,
  CU_STUB_LIBRARY = 34,
  CU_DEVICE_UNAVAILABLE = 46,
  CU_NO_DEVICE = 100,
  CU_INVALID_IMAGE = 200,
  CU_INVALID_CONTEXT = 201,
  CU_NO_BINARY_FOR_GPU = 209,
  CU_ECC_UNCORRECTABLE = 214,
  CU_INVALID_PTX = 218,
  CU_NVLINK_UNCORRECTABLE = 220,
  CU_JIT_COMPILER_NOT_FOUND = 221,
  CU_UNSUPPORTED_PTX_VERSION = 222,
  CU_JIT_COMPILATION_DISABLED = 223,
  CU_INVALID_HANDLE = 400,
  CU_NOT_FOUND = 500,
  CU_ILLEGAL_ADDRESS = 700,
  CU_LAUNCH_TIMEOUT = 702,
  CU_CONTEXT_IS_DESTROYED = 709,
  CU_ASSERT = 710,
  CU_HARDWARE_STACK_ERROR = 714,
  CU_LAUNCH_FAILED = 719,
  CU_SYSTEM_DRIVER_MISMATCH = 803,
  CU_COMPAT_NOT_SUPPORTED = 804,
  CU_CAPTURE_UNSUPPORTED = 900,
  CU_CAPTURE_INVALIDATED = 901,
  CU_UNKNOWN = 999
};

enum {
  CU_COMPUTE_CAPABILITY_MAJOR = 75, /* CUdevice_attribute */
  CU_COMPUTE_CAPABILITY_MINOR = 76,
  CU_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8, /* CUfunction_attribute */
  CU_JIT_ERROR_LOG_BUFFER = 5,          /* CUjit_option */
  CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6,
  CU_STREAM_NON_BLOCKING = 1,
  CU_EVENT_DISABLE_TIMING = 2,
  CU_CAPTURE_MODE_GLOBAL = 0,
  CU_CAPTURE_MODE_THREAD_LOCAL = 1
};

/* The stream that every thread shares and that waits for all others: it cannot be captured. */
#define CU_STREAM_LEGACY ((void *)1)

/* The first driver that has all functions below: that of CUDA 11.4. */
#define CU_OLDEST_DRIVER 11040

typedef uint64_t cu_address; /* CUdeviceptr */
typedef int cu_device;       /* CUdevice */
typedef struct cu_opaque_context *cu_context;
typedef struct cu_opaque_module *cu_module;
typedef struct cu_opaque_function *cu_function;
typedef struct cu_opaque_stream *cu_stream;
typedef struct cu_opaque_event *cu_event;
typedef struct cu_opaque_graph *cu_graph;
typedef struct cu_opaque_graph_exec *cu_graph_exec;

/* CUtensorMapDataType of elements of 1, 2 and 4 bytes; CUtensorMapSwizzle; CUtensorMapL2promotion */
enum { CU_MAP_UINT8 = 0, CU_MAP_UINT16 = 1, CU_MAP_UINT32 = 2, CU_MAP_SWIZZLE_128B = 3, CU_MAP_PROMOTE_128B = 2 };

/* Since CUDA 12.0, which a GPU of compute capability 9.0 may do without for code of 8.0. */
#define ONNX_AOT_CUDA_TENSOR_MAP_ENCODE "cuTensorMapEncodeTiled"
typedef int cu_tensor_map_encode(void *map, int type, uint32_t rank, void *address, const uint64_t *extents,
                                 const uint64_t *strides, const uint32_t *box, const uint32_t *element_strides,
                                 int interleave, int swizzle, int promotion, int fill);

/* X(name, parameters) */
#define ONNX_AOT_CUDA_FUNCTIONS(X)                                                                                     \
  X(cuInit, (unsigned flags))                                                                                          \
  X(cuDriverGetVersion, (int *version))                                                                                \
  X(cuGetErrorName, (int result, const char **text))                                                                   \
  X(cuGetErrorString, (int result, const char **text))                                                                 \
  X(cuDeviceGetCount, (int *count))                                                                                    \
  X(cuDeviceGet, (cu_device * device, int ordinal))                                                                    \
  X(cuDeviceGetAttribute, (int *value, int attribute, cu_device device))                                               \
  X(cuDevicePrimaryCtxRetain, (cu_context * context, cu_device device))                                                \
  X(cuDevicePrimaryCtxRelease_v2, (cu_device device))                                                                  \
  X(cuCtxPushCurrent_v2, (cu_context context))                                                                         \
  X(cuCtxPopCurrent_v2, (cu_context * context))                                                                        \
  X(cuModuleLoadDataEx, (cu_module * module, const void *image, unsigned count, int *options, void **values))          \
  X(cuModuleUnload, (cu_module module))                                                                                \
  X(cuModuleGetFunction, (cu_function * function, cu_module module, const char *name))                                 \
  X(cuFuncSetAttribute, (cu_function function, int attribute, int value))                                              \
  X(cuMemAlloc_v2, (cu_address * address, uint64_t bytes))                                                             \
  X(cuMemFree_v2, (cu_address address))                                                                                \
  X(cuMemcpyHtoDAsync_v2, (cu_address to, const void *from, uint64_t bytes, cu_stream stream))                         \
  X(cuMemcpyDtoHAsync_v2, (void *to, cu_address from, uint64_t bytes, cu_stream stream))                               \
  X(cuMemcpyDtoDAsync_v2, (cu_address to, cu_address from, uint64_t bytes, cu_stream stream))                          \
  X(cuStreamCreate, (cu_stream * stream, unsigned flags))                                                              \
  X(cuStreamDestroy_v2, (cu_stream stream))                                                                            \
  X(cuStreamSynchronize, (cu_stream stream))                                                                           \
  X(cuStreamWaitEvent, (cu_stream stream, cu_event event, unsigned flags))                                             \
  X(cuEventCreate, (cu_event * event, unsigned flags))                                                                 \
  X(cuEventDestroy_v2, (cu_event event))                                                                               \
  X(cuEventRecord, (cu_event event, cu_stream stream))                                                                 \
  X(cuEventSynchronize, (cu_event event))                                                                              \
  X(cuStreamBeginCapture_v2, (cu_stream stream, int mode))                                                             \
  X(cuStreamEndCapture, (cu_stream stream, cu_graph * graph))                                                          \
  X(cuGraphInstantiateWithFlags, (cu_graph_exec * exec, cu_graph graph, unsigned long long flags))                     \
  X(cuGraphDestroy, (cu_graph graph))                                                                                  \
  X(cuGraphLaunch, (cu_graph_exec exec, cu_stream stream))                                                             \
  X(cuGraphExecDestroy, (cu_graph_exec exec))                                                                          \
  X(cuLaunchKernel, (cu_function function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,            \
                     unsigned bz, unsigned shared_bytes, cu_stream stream, void **params, void **extra))

#endif
