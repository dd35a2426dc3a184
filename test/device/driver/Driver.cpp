#include "test/device/driver/Driver.h"

#include <cstdio>

using namespace onnx_aot::fake;

//===-- Contexts --------------------------------------------------------------------------------------------------===//

cu_stream cu_opaque_context::find(cu_stream handle) {
  auto number = reinterpret_cast<uintptr_t>(handle);
  if (number <= 1)
    return &legacy;
  return number == 2 ? &perThread : streams.find(handle);
}

int cu_opaque_context::finish(cu_opaque_stream &stream) {
  std::vector<Work> work = std::move(stream.pending);
  stream.pending.clear();
  for (const Work &step : work) {
    if (lost == 0)
      lost = step(*this);
    if (lost != 0)
      return lost;
  }
  return CU_OK;
}

int cu_opaque_context::finishAll() {
  finish(legacy);
  finish(perThread);
  for (auto &[handle, stream] : streams)
    finish(*handle);
  return lost;
}

bool cu_opaque_context::disturbsCapture() {
  bool disturbs = false;
  auto disturb = [&](cu_opaque_stream &stream) {
    bool isOurs = stream.isCapturing &&
                  (stream.captureMode == CU_CAPTURE_MODE_GLOBAL || stream.capturer == std::this_thread::get_id());
    stream.isInvalidated |= isOurs;
    disturbs |= isOurs;
  };
  disturb(perThread);
  for (auto &[handle, stream] : streams)
    disturb(*handle);
  return disturbs;
}

size_t cu_opaque_context::live() const {
  return memory.count() + modules.size() + streams.size() + events.size() + graphs.size() + execs.size();
}

std::string cu_opaque_context::describeLive() const {
  return text(memory.count(), " blocks of memory (", memory.bytes(), " bytes), ", modules.size(), " modules, ",
              streams.size(), " streams, ", events.size(), " events, ", graphs.size(), " graphs, ", execs.size(),
              " executable graphs");
}

void cu_opaque_context::clear() {
  legacy = perThread = {};
  execs.clear();
  graphs.clear();
  events.clear();
  streams.clear();
  functions.clear();
  modules.clear();
  memory.clear();
}

//===-- The driver ------------------------------------------------------------------------------------------------===//

namespace onnx_aot::fake {

Driver &Driver::get() {
  static Driver driver;
  return driver;
}

Driver::Driver() { reset(); }

Driver::~Driver() {
  for (auto &[device, context] : contexts)
    if (settings.reportsLeaks && context->lost == 0 && context->retained != 0)
      std::fprintf(stderr, "fake CUDA: at exit the context of device %d is still retained, with %s\n", device,
                   context->describeLive().c_str());
}

std::vector<cu_context> &Driver::stack() {
  static thread_local std::vector<cu_context> contexts;
  return contexts;
}

cu_opaque_context *Driver::context(cu_device device) {
  if (device < 0 || device >= settings.count)
    return nullptr;
  std::unique_ptr<cu_opaque_context> &context = contexts[device];
  if (!context)
    context = std::make_unique<cu_opaque_context>();
  return context.get();
}

void Driver::reset() {
  settings = Settings::fromEnvironment();
  calls.clear();
  logStream.close();
  logStream.clear();
  if (!settings.log.empty())
    logStream.open(settings.log, std::ios::app);
  for (auto &[device, context] : contexts)
    context->lost = 0;
}

int Driver::injected(const std::string &function) {
  uint64_t nth = ++calls[function];
  for (const Failure &failure : settings.failures)
    if ((failure.function == function || failure.function + "_v2" == function) &&
        (failure.nth == 0 || failure.nth == nth))
      return failure.code;
  return CU_OK;
}

void Driver::log(const std::string &line) {
  if (logStream.is_open())
    logStream << line << std::endl;
}

uint64_t Driver::live() const {
  uint64_t count = 0;
  for (auto &[device, context] : contexts)
    count += context->retained + context->live();
  return count;
}

void Driver::reportLeaks(const cu_opaque_context &context) const {
  if (settings.reportsLeaks && context.lost == 0 && context.live() != 0)
    std::fprintf(stderr, "fake CUDA: a context is released with %s\n", context.describeLive().c_str());
}

bool losesDevice(int result) {
  return result == CU_DEINITIALIZED || result == CU_DEVICE_UNAVAILABLE || result == CU_ECC_UNCORRECTABLE ||
         result == CU_NVLINK_UNCORRECTABLE || (result >= CU_ILLEGAL_ADDRESS && result <= CU_LAUNCH_FAILED) ||
         result == CU_UNKNOWN;
}

int misuse(const std::string &text) {
  std::fprintf(stderr, "fake CUDA: %s\n", text.c_str());
  return CU_INVALID_VALUE;
}

} // namespace onnx_aot::fake

void onnx_aot_fake_cuda_reset() {
  std::lock_guard<std::recursive_mutex> lock(Driver::get().mutex);
  Driver::get().reset();
}

uint64_t onnx_aot_fake_cuda_live() {
  std::lock_guard<std::recursive_mutex> lock(Driver::get().mutex);
  return Driver::get().live();
}
