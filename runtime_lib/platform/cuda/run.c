/*
 * platform/cuda/run.c: memory, copies and launches of a run.
 */
#include "runtime_lib/platform/cuda/device.h"

/* The driver aligns to this much at least, so smaller blocks save nothing. */
#define GRANULE 256u

uint64_t onnx_aot_cuda_weights(uint64_t *state) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_working(state);
  return device ? device->weights : 0u;
}

/* Makes room for slot `slot` in the table. */
static int reach(uint64_t *state, struct onnx_aot_cuda_device *device, uint32_t slot) {
  if (slot < device->num_blocks)
    return 1;
  uint32_t count = slot + 8u;
  struct onnx_aot_cuda_block *blocks = onnx_aot_allocate(state, count * sizeof(*blocks));
  if (!blocks) {
    onnx_aot_cuda_fail(device, ONNX_AOT_OUT_OF_MEMORY, "no memory for the table of device memory");
    return 0;
  }
  for (uint32_t i = 0; i < count; ++i) {
    blocks[i].address = i < device->num_blocks ? device->blocks[i].address : 0u;
    blocks[i].bytes = i < device->num_blocks ? device->blocks[i].bytes : 0u;
  }
  onnx_aot_release(state, device->blocks);
  device->blocks = blocks;
  device->num_blocks = count;
  return 1;
}

/* Grows by at least half where that much is there, so that a loop which appends does not allocate in every iteration.
 */
static int grow(struct onnx_aot_cuda_device *device, struct onnx_aot_cuda_block *block, uint64_t bytes) {
  uint64_t generous = block->bytes + block->bytes / 2u;
  if (block->address != 0u || device->graph.is_capturing)
    onnx_aot_cuda_settle_graph(device);
  if (device->status != 0u || (block->address != 0u && !CALL(device, cuMemFree_v2, block->address)))
    return 0;
  block->address = 0u;
  block->bytes = 0u;
  if (generous > bytes && device->driver.cuMemAlloc_v2(&block->address, generous) == CU_OK) {
    block->bytes = generous;
    return 1;
  }
  if (!CALL(device, cuMemAlloc_v2, &block->address, bytes)) {
    block->address = 0u;
    onnx_aot_cuda_say_size(device, bytes);
    return 0;
  }
  block->bytes = bytes;
  return 1;
}

uint64_t onnx_aot_cuda_memory(uint64_t *state, uint32_t slot, uint64_t bytes) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_working(state);
  if (!device || !reach(state, device, slot))
    return 0u;
  struct onnx_aot_cuda_block *block = &device->blocks[slot];
  if (block->address != 0u && bytes <= block->bytes)
    return block->address;
  if (bytes > UINT64_MAX / 2u) {
    onnx_aot_cuda_fail(device, ONNX_AOT_DEVICE_OUT_OF_MEMORY, "a buffer is larger than any memory");
    return 0u;
  }
  uint64_t rounded = bytes == 0u ? GRANULE : (bytes + (GRANULE - 1u)) & ~(uint64_t)(GRANULE - 1u);
  return grow(device, block, rounded) ? block->address : 0u;
}

void onnx_aot_cuda_upload(uint64_t *state, uint64_t to, const void *host, uint64_t bytes) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_working(state);
  if (device && bytes != 0u)
    CALL(device, cuMemcpyHtoDAsync_v2, to, host, bytes, device->stream);
}

void onnx_aot_cuda_download(uint64_t *state, void *host, uint64_t from, uint64_t bytes) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_working(state);
  if (device && bytes != 0u)
    CALL(device, cuMemcpyDtoHAsync_v2, host, from, bytes, device->stream);
}

void onnx_aot_cuda_copy(uint64_t *state, uint64_t to, uint64_t from, uint64_t bytes) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_working(state);
  if (device && bytes != 0u)
    CALL(device, cuMemcpyDtoDAsync_v2, to, from, bytes, device->stream);
}

#define MOST_DIMS 5u

void onnx_aot_cuda_tensor_map(uint64_t *state, void *map, uint64_t address, uint32_t element_bytes, uint32_t rank,
                              const uint64_t *facts) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_working(state);
  if (!device || !device->is_specific)
    return;
  if (!device->encode_tensor_map) {
    onnx_aot_cuda_fail(device, ONNX_AOT_DEVICE_UNSUPPORTED,
                       "the driver is too old: libcuda.so.1 has no " ONNX_AOT_CUDA_TENSOR_MAP_ENCODE);
    return;
  }
  const uint64_t *strides = facts + rank, *extents_of_box = strides + rank - 1u;
  uint32_t box[MOST_DIMS], ones[MOST_DIMS];
  for (uint32_t dim = 0; dim < rank; ++dim) {
    if (facts[dim] == 0u)
      return;
    box[dim] = (uint32_t)extents_of_box[dim];
    ones[dim] = 1u;
  }
  int type = element_bytes == 1u ? CU_MAP_UINT8 : element_bytes == 2u ? CU_MAP_UINT16 : CU_MAP_UINT32;
  onnx_aot_cuda_check(device, ONNX_AOT_CUDA_TENSOR_MAP_ENCODE,
                      device->encode_tensor_map(map, type, rank, (void *)(uintptr_t)address, facts, strides, box, ones, 0,
                                                CU_MAP_SWIZZLE_128B, CU_MAP_PROMOTE_128B, 0));
}

void onnx_aot_cuda_launch(uint64_t *state, uint32_t kernel, uint32_t gx, uint32_t gy, uint32_t gz, uint32_t bx,
                          uint32_t shared_bytes, void **params) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_working(state);
  if (!device || gx == 0u || gy == 0u || gz == 0u || bx == 0u)
    return;
  if (!device->is_specific)
    shared_bytes = 0;
  if (CALL(device, cuLaunchKernel, device->functions[kernel], gx, gy, gz, bx, 1, 1, shared_bytes, device->stream,
           params, 0))
    return;
  onnx_aot_cuda_say(device, " for kernel ");
  onnx_aot_cuda_say(device, device->program->kernels[kernel].name);
}
