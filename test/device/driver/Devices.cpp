// The driver API: errors, devices, contexts.
#include "test/device/driver/Driver.h"

using namespace onnx_aot::fake;

static const struct {
  int code;
  const char *name, *text;
} results[] = {
    {CU_OK, "CUDA_SUCCESS", "no error"},
    {CU_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CU_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {CU_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {CU_NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {CU_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {CU_NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {CU_INVALID_PTX, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {CU_UNSUPPORTED_PTX_VERSION, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
     "the provided PTX was compiled with an unsupported toolchain."},
    {CU_INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {CU_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {CU_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {CU_LAUNCH_TIMEOUT, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch timed out and was terminated"},
    {CU_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {CU_CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
     "operation not permitted when stream is capturing"},
    {CU_CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
     "operation failed due to a previous error during capture"},
    {CU_UNKNOWN, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

int cuGetErrorName(int result, const char **text) {
  for (const auto &row : results)
    if (row.code == result)
      return *text = row.name, CU_OK;
  return *text = nullptr, CU_INVALID_VALUE;
}

int cuGetErrorString(int result, const char **text) {
  for (const auto &row : results)
    if (row.code == result)
      return *text = row.text, CU_OK;
  return *text = nullptr, CU_INVALID_VALUE;
}

int cuInit(unsigned flags) {
  return call("cuInit", "", [&](Driver &driver) -> int {
    if (flags != 0)
      return CU_INVALID_VALUE;
    if (driver.settings.count == 0)
      return CU_NO_DEVICE;
    driver.isInitialized = true;
    return CU_OK;
  });
}

int cuDriverGetVersion(int *version) {
  return call("cuDriverGetVersion", "", [&](Driver &driver) -> int {
    *version = driver.settings.driver;
    return CU_OK;
  });
}

int cuDeviceGetCount(int *count) {
  return call("cuDeviceGetCount", "", [&](Driver &driver) -> int {
    *count = driver.settings.count;
    return driver.isInitialized ? CU_OK : CU_NOT_INITIALIZED;
  });
}

int cuDeviceGet(cu_device *device, int ordinal) {
  return call("cuDeviceGet", text("ordinal=", ordinal), [&](Driver &driver) -> int {
    if (!driver.isInitialized)
      return CU_NOT_INITIALIZED;
    *device = ordinal;
    return driver.context(ordinal) ? CU_OK : 101;
  });
}

int cuDeviceGetAttribute(int *value, int attribute, cu_device device) {
  return call("cuDeviceGetAttribute", text("attribute=", attribute), [&](Driver &driver) -> int {
    if (!driver.context(device))
      return 101;
    if (attribute == CU_COMPUTE_CAPABILITY_MAJOR)
      *value = int(driver.settings.capability / 10);
    else if (attribute == CU_COMPUTE_CAPABILITY_MINOR)
      *value = int(driver.settings.capability % 10);
    else
      return misuse(text("device attribute ", attribute, " is not known"));
    return CU_OK;
  });
}

int cuDevicePrimaryCtxRetain(cu_context *context, cu_device device) {
  return call("cuDevicePrimaryCtxRetain", text("device=", device), [&](Driver &driver) -> int {
    cu_opaque_context *primary = driver.context(device);
    if (!primary)
      return 101;
    if (primary->lost != 0)
      return primary->lost;
    ++primary->retained;
    *context = primary;
    return CU_OK;
  });
}

int cuDevicePrimaryCtxRelease_v2(cu_device device) {
  return call("cuDevicePrimaryCtxRelease_v2", text("device=", device), [&](Driver &driver) -> int {
    cu_opaque_context *primary = driver.context(device);
    if (!primary || primary->retained == 0)
      return CU_INVALID_CONTEXT;
    if (--primary->retained == 0) {
      driver.reportLeaks(*primary);
      primary->clear();
    }
    return CU_OK;
  });
}

int cuCtxPushCurrent_v2(cu_context context) {
  return call("cuCtxPushCurrent_v2", "", [&](Driver &) -> int {
    if (!context)
      return CU_INVALID_CONTEXT;
    Driver::stack().push_back(context);
    return CU_OK;
  });
}

int cuCtxPopCurrent_v2(cu_context *context) {
  return call("cuCtxPopCurrent_v2", "", [&](Driver &) -> int {
    if (Driver::stack().empty())
      return CU_INVALID_CONTEXT;
    if (context)
      *context = Driver::stack().back();
    Driver::stack().pop_back();
    return CU_OK;
  });
}

int cuCtxGetCurrent(cu_context *context) {
  return call("cuCtxGetCurrent", "", [&](Driver &) -> int {
    *context = Driver::stack().empty() ? nullptr : Driver::stack().back();
    return CU_OK;
  });
}

int cuCtxSynchronize() {
  return callInContext("cuCtxSynchronize", "", [](cu_opaque_context &context) { return context.finishAll(); });
}
