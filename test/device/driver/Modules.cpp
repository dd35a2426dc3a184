// The driver API: modules and launches.
#include "test/device/driver/Driver.h"
#include "test/device/emulator/TensorMap.h"
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>

using namespace onnx_aot;
using namespace onnx_aot::fake;

static constexpr uint32_t kSharedOfAll = 48 << 10;

//===-- Modules ---------------------------------------------------------------------------------------------------===//

namespace {
/// The error log that a caller of cuModuleLoadDataEx may ask for.
struct Log {
  char *buffer = nullptr;
  uint64_t size = 0;

  Log(unsigned count, const int *options, void **values) {
    for (unsigned i = 0; i < count; ++i) {
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER)
        buffer = static_cast<char *>(values[i]);
      if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES)
        size = reinterpret_cast<uintptr_t>(values[i]);
    }
  }

  int refuse(int result, const std::string &why) const {
    std::fprintf(stderr, "fake CUDA: %s\n", why.c_str());
    if (buffer && size != 0)
      std::snprintf(buffer, size, "%s", why.c_str());
    return result;
  }
};
} // namespace

/// Whether code for `target` ("sm_90a") runs on the device.
static int checkTarget(const Settings &settings, std::string_view target, const Log &log) {
  unsigned capability = 0;
  char suffix = '\0';
  if (std::sscanf(std::string(target).c_str(), "sm_%u%c", &capability, &suffix) < 1)
    return log.refuse(CU_INVALID_PTX, text("unknown .target ", target));
  if (suffix != '\0' && capability != settings.capability)
    return log.refuse(CU_NO_BINARY_FOR_GPU,
                      text(".target ", target, " is not that of the device, sm_", settings.capability));
  if (capability > settings.capability)
    return log.refuse(CU_INVALID_PTX, text(".target ", target, " is newer than the device, sm_", settings.capability));
  return CU_OK;
}

int cuModuleLoadDataEx(cu_module *module, const void *image, unsigned count, int *options, void **values) {
  constexpr std::string_view elf = "\177ELF", ours = "\177ELF of fake CUDA\n";
  std::string ptx = static_cast<const char *>(image);
  bool isCode = ptx.rfind(elf, 0) == 0, isOurs = ptx.rfind(ours, 0) == 0;
  std::string details = isOurs ? "cubin" : isCode ? "machine code" : text("bytes=", ptx.size());
  return callInContext("cuModuleLoadDataEx", details, [&](cu_opaque_context &context) -> int {
    const Settings &settings = Driver::get().settings;
    Log log(count, options, values);
    if (isCode && !isOurs)
      return log.refuse(CU_NO_BINARY_FOR_GPU, "machine code cannot be interpreted");
    ptx.erase(0, isOurs ? ours.size() : 0);
    if (context.disturbsCapture())
      return CU_CAPTURE_UNSUPPORTED;
    auto parsed = ptx::Module::parse(ptx);
    if (auto *fault = std::get_if<ptx::Fault>(&parsed))
      return log.refuse(CU_INVALID_PTX, fault->text);
    auto &code = std::get<std::unique_ptr<ptx::Module>>(parsed);
    auto [major, minor] = code->version();
    if (code->version() > settings.ptxVersion())
      return log.refuse(CU_UNSUPPORTED_PTX_VERSION,
                        text("Unsupported .version ", major, ".", minor, "; the driver's is ",
                             settings.ptxVersion().first, ".", settings.ptxVersion().second));
    if (int result = checkTarget(settings, code->target(), log); result != CU_OK)
      return result;
    *module = context.modules.make(std::move(code));
    return CU_OK;
  });
}

int cuModuleUnload(cu_module module) {
  return callInContext("cuModuleUnload", "", [&](cu_opaque_context &context) -> int {
    context.finishAll();
    std::vector<cu_function> functions;
    for (auto &[handle, function] : context.functions)
      if (handle->module == module)
        functions.push_back(handle);
    for (cu_function function : functions)
      context.functions.destroy(function);
    return context.modules.destroy(module) ? CU_OK : CU_INVALID_HANDLE;
  });
}

int cuModuleGetFunction(cu_function *function, cu_module module, const char *name) {
  return callInContext("cuModuleGetFunction", name, [&](cu_opaque_context &context) -> int {
    if (!context.modules.find(module))
      return CU_INVALID_HANDLE;
    const ptx::Kernel *kernel = module->code->find(name);
    if (!kernel)
      return CU_NOT_FOUND;
    uint32_t left = kSharedOfAll - std::min(kSharedOfAll, kernel->staticSharedBytes());
    *function = context.functions.make(module, kernel, std::string(name), left);
    return CU_OK;
  });
}

int cuFuncSetAttribute(cu_function function, int attribute, int value) {
  return callInContext("cuFuncSetAttribute", text("attribute=", attribute, " value=", value),
                       [&](cu_opaque_context &context) -> int {
                         if (!context.functions.find(function))
                           return CU_INVALID_HANDLE;
                         if (attribute != CU_MAX_DYNAMIC_SHARED_SIZE_BYTES || value < 0)
                           return misuse(text("function attribute ", attribute, " is not known"));
                         uint32_t most = Driver::get().settings.sharedBytes();
                         if (uint64_t(value) + function->kernel->staticSharedBytes() > most)
                           return CU_INVALID_VALUE;
                         function->dynamicShared = uint32_t(value);
                         return CU_OK;
                       });
}

//===-- Tensor maps -----------------------------------------------------------------------------------------------===//

int cuTensorMapEncodeTiled(void *map, int type, uint32_t rank, void *address, const uint64_t *extents,
                           const uint64_t *strides, const uint32_t *box, const uint32_t *element_strides,
                           int interleave, int swizzle, int promotion, int fill) {
  return callInContext("cuTensorMapEncodeTiled", text("rank=", rank), [&](cu_opaque_context &context) -> int {
    constexpr uint32_t kElementBytes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2};
    constexpr uint64_t kMostExtent = uint64_t(1) << 32, kMostStride = uint64_t(1) << 40;
    constexpr uint32_t kMostOfBox = 256;
    bool isKnown = type >= 0 && size_t(type) < std::size(kElementBytes) && rank >= 1 && rank <= 5 && interleave == 0 &&
                   swizzle >= 0 && swizzle <= 3 && promotion >= 0 && promotion <= 3 && (fill == 0 || fill == 1);
    auto begin = reinterpret_cast<uintptr_t>(address);
    if (!isKnown || reinterpret_cast<uintptr_t>(map) % alignof(ptx::TensorMap) != 0 || begin % 16 != 0)
      return CU_INVALID_VALUE;
    ptx::TensorMap content;
    content.address = begin;
    content.rank = uint8_t(rank);
    content.elementBytes = uint8_t(kElementBytes[type]);
    content.swizzle = uint8_t(swizzle);
    content.fill = uint8_t(fill);
    uint64_t bytes = content.elementBytes;
    for (uint32_t dim = 0; dim < rank; ++dim) {
      if (extents[dim] == 0 || extents[dim] > kMostExtent || box[dim] == 0 || box[dim] > kMostOfBox ||
          element_strides[dim] != 1)
        return CU_INVALID_VALUE;
      if (dim != 0 && (strides[dim - 1] % 16 != 0 || strides[dim - 1] >= kMostStride))
        return CU_INVALID_VALUE;
      content.extents[dim] = uint32_t(extents[dim]);
      content.box[dim] = uint16_t(box[dim]);
      if (dim != 0)
        content.strides[dim - 1] = strides[dim - 1];
      bytes += (extents[dim] - 1) * (dim == 0 ? content.elementBytes : strides[dim - 1]);
    }
    if (box[0] * content.elementBytes % 16 != 0 || (swizzle != 0 && box[0] * content.elementBytes > 16u << swizzle))
      return CU_INVALID_VALUE;
    if (!context.memory.holds(begin, bytes))
      return misuse("a tensor map reaches beyond the device's memory");
    std::memcpy(map, &content, sizeof(content));
    return CU_OK;
  });
}

//===-- Launches --------------------------------------------------------------------------------------------------===//

namespace {
struct LaunchOf {
  cu_function function;
  ptx::Dim3 grid, block;
  uint32_t sharedBytes;
  std::vector<char> values; ///< Of the parameters, at their offsets.

  int run(cu_opaque_context &context) const;
};
} // namespace

int LaunchOf::run(cu_opaque_context &context) const {
  if (!context.functions.find(function)) {
    std::fprintf(stderr, "fake CUDA: a kernel runs after its module was unloaded\n");
    return CU_LAUNCH_FAILED;
  }
  std::vector<char> copy = values;
  std::vector<void *> params;
  for (const ptx::ParameterSlot &slot : function->kernel->parameters())
    params.push_back(copy.data() + slot.offset);
  bool isAddress = false;
  auto check = [&](uint64_t address, uint64_t size, bool) {
    bool isAllowed = context.memory.holds(address, size);
    isAddress |= !isAllowed;
    return isAllowed;
  };
  auto fault = ptx::launch(*function->kernel,
                           {grid, block, sharedBytes, params.data(), Driver::get().settings.checksRaces}, check);
  if (!fault)
    return CU_OK;
  std::fprintf(stderr, "fake CUDA: %s\n", fault->text.c_str());
  return isAddress ? CU_ILLEGAL_ADDRESS : CU_LAUNCH_FAILED;
}

/// What a launch must keep to.
static int checkLaunch(const LaunchOf &launch) {
  const ptx::Dim3 &grid = launch.grid, &block = launch.block;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || block.x == 0 || block.y == 0 || block.z == 0)
    return misuse("a launch has an empty grid or block");
  if (grid.x > INT32_MAX || grid.y > 65535 || grid.z > 65535)
    return misuse(text("a launch has a grid of ", grid.x, ",", grid.y, ",", grid.z));
  if (uint64_t(block.x) * block.y * block.z > std::min(1024u, launch.function->kernel->maxThreadsPerBlock()))
    return misuse(text("a launch of ", launch.function->name, " has too many threads in a block"));
  if (launch.sharedBytes > launch.function->dynamicShared)
    return misuse(text("a launch of ", launch.function->name, " asks for ", launch.sharedBytes,
                       " bytes of shared memory and may have ", launch.function->dynamicShared));
  return CU_OK;
}

int cuLaunchKernel(cu_function function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared_bytes, cu_stream stream, void **params, void **extra) {
  LaunchOf launch = {function, {gx, gy, gz}, {bx, by, bz}, shared_bytes, {}};
  auto isKnown = [&] {
    std::lock_guard<std::recursive_mutex> lock(Driver::get().mutex);
    return !Driver::stack().empty() && Driver::stack().back()->functions.find(function);
  };
  std::string details = text(isKnown() ? function->name : "?", " grid=", gx, ",", gy, ",", gz, " block=", bx, ",", by,
                             ",", bz, " shared=", shared_bytes);
  return callInContext("cuLaunchKernel", details, [&](cu_opaque_context &context) -> int {
    if (!context.functions.find(function) || !context.find(stream))
      return CU_INVALID_HANDLE;
    if (extra)
      return misuse("parameters in a buffer are not supported");
    if (int result = checkLaunch(launch); result != CU_OK)
      return result;
    const auto &slots = function->kernel->parameters();
    for (size_t i = 0; i < slots.size(); ++i) {
      launch.values.resize(slots[i].offset + slots[i].size);
      std::memcpy(launch.values.data() + slots[i].offset, params[i], slots[i].size);
    }
    context.find(stream)->add([launch](cu_opaque_context &context) { return launch.run(context); });
    return CU_OK;
  });
}
