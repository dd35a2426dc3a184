/*
 * platform/cuda/cuda.h: what generated code calls to run a graph on an NVIDIA GPU.
 *
 * `state` is that of an onnx_aot_context. Everything a context has on the device hangs on its cell for the device: the
 * module, the weights, memory by slots, a stream and a captured graph. A run is
 *
 *   open, [memory, upload], begin_graph, launch ..., end_graph, [download], end or leave
 *
 * Errors are sticky: after the first driver call that fails all others do nothing, until `wait` or `end` returns what
 * it was as an onnx_aot_code. Only a device that is lost stays so. The driver's words are what onnx_aot_context_error
 * gives, up to the next run.
 *
 * The driver is loaded when a context is first opened, by dlopen, so programs link without CUDA. 64-bit hosts only:
 * unlike core/ these functions keep pointers in structs.
 */
#ifndef ONNX_AOT_PLATFORM_CUDA_CUDA_H
#define ONNX_AOT_PLATFORM_CUDA_CUDA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The device code for one architecture: PTX for all after it, or machine code for those of its generation after it. */
struct onnx_aot_cuda_image {
  uint32_t compute_capability; /* 80, 90 */
  uint32_t is_specific;        /* 1: for exactly that one, as sm_90a is */
  uint32_t is_cubin;
  const char *content; /* PTX is NUL-terminated */
  uint64_t bytes;      /* without the NUL */
};

struct onnx_aot_cuda_kernel {
  const char *name;
  uint32_t shared_bytes; /* the dynamic shared memory that it takes in an image for exactly one architecture */
};

struct onnx_aot_cuda_program {
  uint32_t num_images, num_kernels;
  const struct onnx_aot_cuda_image *images;
  const struct onnx_aot_cuda_kernel *kernels;
  const void *weights;
  uint64_t weight_bytes;
  uint32_t has_fallback; /* what a run does where there is no device: see open */
};

/*
 * Makes the device ready for `program` and its driver context current, until `end` or `leave`. Costs next to nothing
 * when the same program was open before; another one takes its place. The stream is that of the context's cell, or one
 * of our own. Returns an onnx_aot_code; unless it is ONNX_AOT_OK nothing is current and no `end` is needed. For a
 * program with a fallback ONNX_AOT_NO_DEVICE and ONNX_AOT_DEVICE_UNSUPPORTED are final: the driver is not asked again.
 */
uint32_t onnx_aot_cuda_open(uint64_t *state, const struct onnx_aot_cuda_program *program);

/* The address of the program's weights on the device. */
uint64_t onnx_aot_cuda_weights(uint64_t *state);

/* Device memory of at least `bytes`, kept for `slot`: what it held is lost when it grows. 0 after an error. */
uint64_t onnx_aot_cuda_memory(uint64_t *state, uint32_t slot, uint64_t bytes);

/* Copies in the stream's order. What `download` writes may be read after `wait` or `end`. */
void onnx_aot_cuda_upload(uint64_t *state, uint64_t device, const void *host, uint64_t bytes);
void onnx_aot_cuda_download(uint64_t *state, void *host, uint64_t device, uint64_t bytes);
void onnx_aot_cuda_copy(uint64_t *state, uint64_t to, uint64_t from, uint64_t bytes);

/*
 * Describes a tensor at `address` for copies of boxes of it (a CUtensorMap of 128 bytes), in an image for exactly one
 * architecture; elsewhere, or where the tensor is empty, `map` is left as it is. `facts` has `rank` extents, the first
 * of the dim that varies fastest, the rank - 1 strides of the others in bytes, and the `rank` extents of the box, whose
 * rows are swizzled by 128 bytes. What is beyond the ends is zeros.
 */
void onnx_aot_cuda_tensor_map(uint64_t *state, void *map, uint64_t address, uint32_t element_bytes, uint32_t rank,
                              const uint64_t *facts);

/* Launches the program's kernel of that index, unless the grid is empty. */
void onnx_aot_cuda_launch(uint64_t *state, uint32_t kernel, uint32_t gx, uint32_t gy, uint32_t gz, uint32_t bx,
                          uint32_t shared_bytes, void **params);

/*
 * Around launches and copies on the device that are the same whenever the key is. 1: they have been launched as a graph
 * and are not to be issued; 0: issue them. The first run with a key is plain, the second is captured.
 */
uint32_t onnx_aot_cuda_begin_graph(uint64_t *state, const uint64_t *key, uint32_t key_cells);
void onnx_aot_cuda_end_graph(uint64_t *state);

/* Waits for the stream. Returns the first error since `open` as an onnx_aot_code. */
uint32_t onnx_aot_cuda_wait(uint64_t *state);

/* Waits, and makes current what was so before `open`. */
uint32_t onnx_aot_cuda_end(uint64_t *state);

/*
 * The same for a run that left nothing to be done on the host: it does not wait in a stream of the caller's. Errors of
 * what is in the stream then come up in the next run.
 */
uint32_t onnx_aot_cuda_leave(uint64_t *state);

/* Gives everything back; onnx_aot_context_destroy does so too. */
void onnx_aot_cuda_close(uint64_t *state);

#ifdef __cplusplus
}
#endif

#endif
