// The objects behind the handles of the driver API, and how every call of it is taken.
#ifndef ONNX_AOT_TEST_DEVICE_DRIVER_DRIVER_H
#define ONNX_AOT_TEST_DEVICE_DRIVER_DRIVER_H

#include "test/device/driver/FakeCuda.h"
#include "test/device/driver/Memory.h"
#include "test/device/driver/Settings.h"
#include "test/device/emulator/Ptx.h"
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace onnx_aot::fake {

/// Something that a stream does; a CUresult.
using Work = std::function<int(cu_opaque_context &)>;

/// The live objects of one kind, by their handles.
template <typename T> class Pool {
public:
  template <typename... Fields> T *make(Fields &&...fields) {
    auto object = std::make_unique<T>(T{std::forward<Fields>(fields)...});
    T *handle = object.get();
    live.emplace(handle, std::move(object));
    return handle;
  }
  T *find(T *handle) const { return live.count(handle) != 0 ? handle : nullptr; }
  bool destroy(T *handle) { return live.erase(handle) != 0; }
  size_t size() const { return live.size(); }
  void clear() { live.clear(); }
  auto begin() const { return live.begin(); }
  auto end() const { return live.end(); }

private:
  std::unordered_map<T *, std::unique_ptr<T>> live;
};

} // namespace onnx_aot::fake

struct cu_opaque_module {
  std::unique_ptr<onnx_aot::ptx::Module> code;
};

struct cu_opaque_function {
  cu_module module;
  const onnx_aot::ptx::Kernel *kernel;
  std::string name;
  uint32_t dynamicShared = 0; ///< That launches may ask for.
};

struct cu_opaque_stream {
  std::vector<onnx_aot::fake::Work> pending;
  bool isCapturing = false, isInvalidated = false;
  int captureMode = 0;
  std::thread::id capturer;
  std::vector<onnx_aot::fake::Work> captured;

  void add(onnx_aot::fake::Work work) { (isCapturing ? captured : pending).push_back(std::move(work)); }
};

/// What has been added to a stream when the event was recorded is done once `isDone`.
struct cu_opaque_event {
  std::shared_ptr<bool> isDone = std::make_shared<bool>(true);
  cu_stream stream = nullptr;
};

struct cu_opaque_graph {
  std::vector<onnx_aot::fake::Work> nodes;
};

struct cu_opaque_graph_exec {
  std::vector<onnx_aot::fake::Work> nodes;
};

/// The primary context of a device; all else belongs to one.
struct cu_opaque_context {
  uint64_t retained = 0;
  int lost = 0; ///< The error that lost the device.
  onnx_aot::fake::Memory memory;
  onnx_aot::fake::Pool<cu_opaque_module> modules;
  onnx_aot::fake::Pool<cu_opaque_function> functions;
  onnx_aot::fake::Pool<cu_opaque_stream> streams;
  onnx_aot::fake::Pool<cu_opaque_event> events;
  onnx_aot::fake::Pool<cu_opaque_graph> graphs;
  onnx_aot::fake::Pool<cu_opaque_graph_exec> execs;
  cu_opaque_stream legacy, perThread; ///< The streams of fixed handles.

  /// NULL and 1 are the legacy stream, 2 is that of the thread.
  cu_stream find(cu_stream handle);
  /// Does what the stream was given.
  int finish(cu_opaque_stream &stream);
  int finishAll();
  /// Whether this thread captures a stream, or another one does in global mode. Calls that may not happen then
  /// invalidate the capture.
  bool disturbsCapture();
  size_t live() const;
  std::string describeLive() const;
  void clear();
};

namespace onnx_aot::fake {

class Driver {
public:
  static Driver &get();

  std::recursive_mutex mutex;
  Settings settings;
  bool isInitialized = false;

  /// The primary context of a device, which need not be retained.
  cu_opaque_context *context(cu_device device);
  /// The one that is current for this thread, or NULL.
  static std::vector<cu_context> &stack();

  /// The error that the environment wants of this call, else 0.
  int injected(const std::string &function);
  void log(const std::string &line);
  void reset();
  uint64_t live() const;
  void reportLeaks(const cu_opaque_context &context) const;

private:
  Driver();
  ~Driver();

  std::map<cu_device, std::unique_ptr<cu_opaque_context>> contexts;
  std::map<std::string, uint64_t> calls;
  std::ofstream logStream;
};

/// Whether a real driver would answer every call of the process with this error from then on.
bool losesDevice(int result);

/// A mistake of the caller that a real driver might let pass: says so and gives CU_INVALID_VALUE.
int misuse(const std::string &text);

template <typename... Parts> std::string text(const Parts &...parts) {
  std::ostringstream stream;
  (stream << ... << parts);
  return stream.str();
}

/// A call of `function`: counted, logged with `details`, and failed where the environment says so.
template <typename Body> int call(const std::string &function, const std::string &details, Body body) {
  Driver &driver = Driver::get();
  std::lock_guard<std::recursive_mutex> lock(driver.mutex);
  int result = driver.injected(function);
  if (result == CU_OK)
    result = body(driver);
  else if (!Driver::stack().empty() && losesDevice(result))
    Driver::stack().back()->lost = result;
  driver.log(function + (details.empty() ? "" : " ") + details + " = " + std::to_string(result));
  return result;
}

/// A call that needs a current context whose device is not lost.
template <typename Body> int callInContext(const std::string &function, const std::string &details, Body body) {
  return call(function, details, [&](Driver &) -> int {
    if (Driver::stack().empty() || Driver::stack().back()->retained == 0)
      return CU_INVALID_CONTEXT;
    cu_opaque_context &context = *Driver::stack().back();
    return context.lost != 0 ? context.lost : body(context);
  });
}

} // namespace onnx_aot::fake

#endif // ONNX_AOT_TEST_DEVICE_DRIVER_DRIVER_H
