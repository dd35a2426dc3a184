/*
 * platform/cuda/open.c: the life of a context's device.
 *
 * The struct for it stays from the first open to the close of the context, even if opening fails, for the sake of the
 * error's text. `program` is set while everything else is there.
 */
#include "runtime_lib/platform/cuda/device.h"

extern void *memset(void *to, int value, __SIZE_TYPE__ bytes);

static int makeCurrent(struct onnx_aot_cuda_device *device) {
  if (!device->is_current)
    device->is_current = (uint32_t)CALL(device, cuCtxPushCurrent_v2, device->context);
  return device->is_current != 0u;
}

static void restoreCurrent(struct onnx_aot_cuda_device *device) {
  cu_context old;
  if (device->is_current)
    device->driver.cuCtxPopCurrent_v2(&old);
  device->is_current = 0;
}

/* Gives back what the device has. Failures do not matter any more: a lost device refuses all of it. */
static void giveBack(uint64_t *state, struct onnx_aot_cuda_device *device) {
  const struct onnx_aot_cuda_driver *driver = &device->driver;
  uint32_t isRunning = device->is_current; /* a caller's stream may be gone between runs */
  if (device->context && !device->is_current)
    device->is_current = driver->cuCtxPushCurrent_v2(device->context) == CU_OK;
  if (device->is_pending)
    driver->cuEventSynchronize(device->event);
  if (isRunning && device->stream) {
    onnx_aot_cuda_abandon_capture(device);
    driver->cuStreamSynchronize(device->stream);
  }
  onnx_aot_cuda_drop_graph(device);
  onnx_aot_release(state, device->graph.key);
  for (uint32_t i = 0; i < device->num_blocks; ++i)
    if (device->blocks[i].address != 0u)
      driver->cuMemFree_v2(device->blocks[i].address);
  onnx_aot_release(state, device->blocks);
  if (device->weights != 0u)
    driver->cuMemFree_v2(device->weights);
  if (device->event)
    driver->cuEventDestroy_v2(device->event);
  if (device->own_stream)
    driver->cuStreamDestroy_v2(device->own_stream);
  onnx_aot_release(state, device->functions);
  if (device->module)
    driver->cuModuleUnload(device->module);
  restoreCurrent(device);
  if (device->context)
    driver->cuDevicePrimaryCtxRelease_v2(device->device);
  device->context = 0;
  device->module = 0;
  device->functions = 0;
  device->stream = device->own_stream = 0;
  device->event = 0;
  device->is_pending = 0;
  device->weights = 0;
  device->blocks = 0;
  device->num_blocks = 0;
  memset(&device->graph, 0, sizeof(device->graph));
  device->program = 0;
}

void onnx_aot_cuda_close(uint64_t *state) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_device_of(state);
  if (device) {
    giveBack(state, device);
    onnx_aot_release(state, device);
  }
  state[ONNX_AOT_CELL_DEVICE] = 0u;
  state[ONNX_AOT_CELL_CLOSE] = 0u;
  state[ONNX_AOT_CELL_ERROR] = 0u;
}

static struct onnx_aot_cuda_device *makeDevice(uint64_t *state) {
  struct onnx_aot_cuda_device *device = onnx_aot_allocate(state, sizeof(*device));
  if (!device)
    return 0;
  memset(device, 0, sizeof(*device));
  state[ONNX_AOT_CELL_DEVICE] = (uint64_t)(uintptr_t)device;
  state[ONNX_AOT_CELL_CLOSE] = (uint64_t)(uintptr_t)onnx_aot_cuda_close;
  state[ONNX_AOT_CELL_ERROR] = (uint64_t)(uintptr_t)device->text;
  return device;
}

int onnx_aot_cuda_make_own_stream(struct onnx_aot_cuda_device *device) {
  return device->own_stream || CALL(device, cuStreamCreate, &device->own_stream, CU_STREAM_NON_BLOCKING);
}

/*
 * The stream of this run: the caller's, or our own, which is made when it is first needed. It goes on after the last
 * run, which used the same memory and may still be under way: in another stream, or in one that has been destroyed.
 */
static int chooseStream(const uint64_t *state, struct onnx_aot_cuda_device *device) {
  cu_stream stream = (cu_stream)(uintptr_t)state[ONNX_AOT_CELL_STREAM];
  if (!stream && !onnx_aot_cuda_make_own_stream(device))
    return 0;
  device->stream = stream ? stream : device->own_stream;
  return !device->is_pending || CALL(device, cuStreamWaitEvent, device->stream, device->event, 0);
}

static int openProgram(uint64_t *state, struct onnx_aot_cuda_device *device,
                       const struct onnx_aot_cuda_program *program) {
  if (!onnx_aot_cuda_load_driver(device) || !onnx_aot_cuda_find_device(device) ||
      !CALL(device, cuDevicePrimaryCtxRetain, &device->context, device->device) || !makeCurrent(device) ||
      !chooseStream(state, device) || !onnx_aot_cuda_load_program(state, device, program))
    return 0;
  device->program = program;
  return 1;
}

/* Notes that there is no device for `program`, where that is no error of its runs. */
static void refuse(struct onnx_aot_cuda_device *device, const struct onnx_aot_cuda_program *program, uint32_t status) {
  if (!program->has_fallback || (status != ONNX_AOT_NO_DEVICE && status != ONNX_AOT_DEVICE_UNSUPPORTED))
    return;
  device->refused = program;
  device->refusal = status;
}

uint32_t onnx_aot_cuda_open(uint64_t *state, const struct onnx_aot_cuda_program *program) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_device_of(state);
  state[ONNX_AOT_CELL_ON_DEVICE] = 0u;
  if (!device)
    device = makeDevice(state);
  if (!device) {
    state[ONNX_AOT_CELL_ERROR] = (uint64_t)(uintptr_t)"the context's allocator gave no memory";
    return ONNX_AOT_OUT_OF_MEMORY;
  }
  if (device->refused == program)
    return device->refusal;
  device->refused = 0;
  onnx_aot_cuda_clear_error(device);
  if (device->is_lost)
    return device->status;
  if (device->program && device->program != program)
    giveBack(state, device);
  int isOpen =
      device->program ? makeCurrent(device) && chooseStream(state, device) : openProgram(state, device, program);
  uint32_t status = device->status;
  if (isOpen) {
    state[ONNX_AOT_CELL_ON_DEVICE] = 1u;
    return ONNX_AOT_OK;
  }
  if (device->program) {
    restoreCurrent(device);
  } else {
    giveBack(state, device);
    device->is_lost = 0; /* what could not be opened may be there the next time */
    refuse(device, program, status);
  }
  return status;
}

uint32_t onnx_aot_cuda_wait(uint64_t *state) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_device_of(state);
  if (!device || !device->program)
    return ONNX_AOT_DEVICE_ERROR;
  onnx_aot_cuda_abandon_capture(device);
  /* After an error too: what was issued before it may still write to the caller's memory. */
  if (CALL(device, cuStreamSynchronize, device->stream))
    device->is_pending = 0;
  uint32_t status = device->status;
  if (status != 0u)
    onnx_aot_cuda_drop_graph(device);
  if (!device->is_lost)
    device->status = 0;
  return status;
}

uint32_t onnx_aot_cuda_end(uint64_t *state) {
  uint32_t status = onnx_aot_cuda_wait(state);
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_device_of(state);
  if (device)
    restoreCurrent(device);
  return status;
}

uint32_t onnx_aot_cuda_leave(uint64_t *state) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_working(state);
  if (!device || device->stream == device->own_stream)
    return onnx_aot_cuda_end(state);
  onnx_aot_cuda_abandon_capture(device);
  if ((!device->event && !CALL(device, cuEventCreate, &device->event, CU_EVENT_DISABLE_TIMING)) ||
      !CALL(device, cuEventRecord, device->event, device->stream))
    return onnx_aot_cuda_end(state);
  device->is_pending = 1;
  restoreCurrent(device);
  return ONNX_AOT_OK;
}
