/*
 * platform/cuda/error.c: what went wrong, as a code and in the driver's words.
 */
#include "runtime_lib/platform/cuda/device.h"

void onnx_aot_cuda_say(struct onnx_aot_cuda_device *device, const char *text) {
  for (; *text != '\0' && device->length + 1u < sizeof(device->text); ++text)
    device->text[device->length++] = *text;
  device->text[device->length] = '\0';
}

void onnx_aot_cuda_say_number(struct onnx_aot_cuda_device *device, uint32_t value) {
  char digits[11];
  uint32_t begin = 10;
  digits[begin] = '\0';
  do {
    digits[--begin] = (char)('0' + value % 10u);
    value /= 10u;
  } while (value != 0u);
  onnx_aot_cuda_say(device, digits + begin);
}

void onnx_aot_cuda_say_size(struct onnx_aot_cuda_device *device, uint64_t bytes) {
  uint64_t mebibytes = (bytes >> 20) + 1u;
  onnx_aot_cuda_say(device, " for less than ");
  onnx_aot_cuda_say_number(device, mebibytes > UINT32_MAX ? UINT32_MAX : (uint32_t)mebibytes);
  onnx_aot_cuda_say(device, " MiB");
}

void onnx_aot_cuda_clear_error(struct onnx_aot_cuda_device *device) {
  if (device->is_lost)
    return;
  device->status = 0;
  device->length = 0;
  device->text[0] = '\0';
}

void onnx_aot_cuda_fail(struct onnx_aot_cuda_device *device, uint32_t code, const char *text) {
  device->length = 0;
  device->status = code;
  onnx_aot_cuda_say(device, text);
}

static uint32_t codeOf(int result) {
  if (result == CU_OUT_OF_MEMORY)
    return ONNX_AOT_DEVICE_OUT_OF_MEMORY;
  if (result == CU_NO_DEVICE || result == CU_STUB_LIBRARY)
    return ONNX_AOT_NO_DEVICE;
  if (result == CU_INVALID_IMAGE || result == CU_NO_BINARY_FOR_GPU || result == CU_INVALID_PTX ||
      result == CU_JIT_COMPILER_NOT_FOUND || result == CU_UNSUPPORTED_PTX_VERSION ||
      result == CU_JIT_COMPILATION_DISABLED || result == CU_SYSTEM_DRIVER_MISMATCH || result == CU_COMPAT_NOT_SUPPORTED)
    return ONNX_AOT_DEVICE_UNSUPPORTED;
  return ONNX_AOT_DEVICE_ERROR;
}

/* Errors after which every call of the process fails. */
static uint32_t isLoss(int result) {
  return result == CU_DEINITIALIZED || result == CU_DEVICE_UNAVAILABLE || result == CU_ECC_UNCORRECTABLE ||
         result == CU_NVLINK_UNCORRECTABLE || result == CU_ILLEGAL_ADDRESS || result == CU_LAUNCH_TIMEOUT ||
         result == CU_CONTEXT_IS_DESTROYED || result == CU_ASSERT ||
         (result >= CU_HARDWARE_STACK_ERROR && result <= CU_LAUNCH_FAILED) || result == CU_UNKNOWN;
}

int onnx_aot_cuda_check(struct onnx_aot_cuda_device *device, const char *function, int result) {
  if (result == CU_OK)
    return 1;
  if (device->status != 0u)
    return 0;
  onnx_aot_cuda_fail(device, codeOf(result), function);
  device->is_lost = isLoss(result);
  const char *name = 0, *description = 0;
  onnx_aot_cuda_say(device, ": ");
  if (device->driver.cuGetErrorName(result, &name) == CU_OK && name) {
    onnx_aot_cuda_say(device, name);
  } else {
    onnx_aot_cuda_say(device, "error ");
    onnx_aot_cuda_say_number(device, (uint32_t)result);
  }
  if (device->driver.cuGetErrorString(result, &description) == CU_OK && description) {
    onnx_aot_cuda_say(device, " (");
    onnx_aot_cuda_say(device, description);
    onnx_aot_cuda_say(device, ")");
  }
  return 0;
}
