//===- Plugin.cpp - Halide's plugin as the compiler sees it -------------------------------------------------------===//
//
// See Plugin.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/Plugin.h"
#include "codegen/halide/plugin/PluginInterface.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include <dlfcn.h>

using namespace llvm;
using namespace onnx_aot;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
static constexpr bool kIsSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
static constexpr bool kIsSanitized = false;
#endif

/// `name` beside the program, or in the folder for what belongs to it.
static Expected<std::string> findBeside(StringRef name) {
  std::string program = sys::fs::getMainExecutable(nullptr, reinterpret_cast<void *>(&findBeside));
  StringRef folder = sys::path::parent_path(program);
  for (StringRef where : {StringRef("."), StringRef(ONNX_AOT_PLUGIN_DIR)}) {
    SmallString<128> path(folder);
    sys::path::append(path, where, name);
    sys::path::remove_dots(path, /*remove_dot_dot=*/true);
    if (sys::fs::exists(path))
      return path.str().str();
  }
  return createStringError(name + " is neither beside " + program + " nor in " + ONNX_AOT_PLUGIN_DIR + " from there");
}

static Error wrongInterface(StringRef path, const Twine &found) {
  return createStringError(path + " has interface " + found + ", and this compiler needs " +
                           Twine(ONNX_AOT_HALIDE_INTERFACE));
}

namespace {
class LoadedPlugin : public HalidePlugin {
public:
  static Expected<std::unique_ptr<HalidePlugin>> load() {
    Expected<std::string> path = findBeside("libonnx_aot_halide.so");
    if (!path)
      return path.takeError();
    int flags = RTLD_NOW | RTLD_LOCAL;
#ifdef RTLD_DEEPBIND
    flags |= RTLD_DEEPBIND;
#endif
    void *library = dlopen(path->c_str(), flags);
    if (!library)
      return createStringError(dlerror());
    auto plugin = std::make_unique<LoadedPlugin>();
    auto *interface =
        reinterpret_cast<decltype(&onnx_aot_halide_interface)>(dlsym(library, "onnx_aot_halide_interface"));
    auto *version = reinterpret_cast<decltype(&onnx_aot_halide_version)>(dlsym(library, "onnx_aot_halide_version"));
    plugin->compileFunction =
        reinterpret_cast<decltype(&onnx_aot_halide_compile)>(dlsym(library, "onnx_aot_halide_compile"));
    if (!interface || !version || !plugin->compileFunction)
      return createStringError(*path + " is not Halide's plugin");
    if (interface() != ONNX_AOT_HALIDE_INTERFACE)
      return wrongInterface(*path, Twine(interface()));
    plugin->halideVersion = version();
    return plugin;
  }

  Expected<std::string> compile(StringRef specification) override {
    std::string bytes;
    auto take = [](void *receiver, const char *data, size_t size) {
      static_cast<std::string *>(receiver)->assign(data, size);
    };
    if (compileFunction(specification.data(), specification.size(), take, &bytes) != 0)
      return createStringError(StringRef(bytes).trim());
    return bytes;
  }

private:
  decltype(&onnx_aot_halide_compile) compileFunction = nullptr;
};

class PluginProgram : public HalidePlugin {
public:
  static Expected<std::unique_ptr<HalidePlugin>> load() {
    Expected<std::string> path = findBeside("onnx-aot-halide");
    if (!path)
      return path.takeError();
    auto plugin = std::make_unique<PluginProgram>();
    plugin->path = *path;
    Expected<std::string> told = plugin->run("", {"--interface"});
    if (!told)
      return told.takeError();
    auto [interface, version] = StringRef(*told).trim().split(' ');
    if (interface != std::to_string(ONNX_AOT_HALIDE_INTERFACE))
      return wrongInterface(*path, interface);
    plugin->halideVersion = version.str();
    return plugin;
  }

  Expected<std::string> compile(StringRef specification) override { return run(specification, {}); }

private:
  /// What the program writes for `input`.
  Expected<std::string> run(StringRef input, ArrayRef<StringRef> flags) const {
    SmallString<128> inputPath, outputPath;
    int descriptor;
    if (std::error_code code = sys::fs::createTemporaryFile("onnx-aot-halide", "spec", descriptor, inputPath))
      return errorCodeToError(code);
    FileRemover removeInput(inputPath);
    raw_fd_ostream(descriptor, /*shouldClose=*/true) << input;
    if (std::error_code code = sys::fs::createTemporaryFile("onnx-aot-halide", "bc", outputPath))
      return errorCodeToError(code);
    FileRemover removeOutput(outputPath);
    SmallVector<StringRef> arguments = {path};
    arguments.append(flags.begin(), flags.end());
    std::string reason;
    int status = sys::ExecuteAndWait(path, arguments, std::nullopt, {inputPath.str(), outputPath.str(), std::nullopt},
                                     /*SecondsToWait=*/0, /*MemoryLimit=*/0, &reason);
    auto buffer = MemoryBuffer::getFile(outputPath);
    if (!buffer)
      return errorCodeToError(buffer.getError());
    std::string bytes = (*buffer)->getBuffer().str();
    if (status == 0)
      return bytes;
    return createStringError(status == 1 ? StringRef(bytes).trim() : StringRef(path + " failed: " + reason));
  }

  std::string path;
};
} // namespace

Expected<std::unique_ptr<HalidePlugin>> HalidePlugin::load() {
  return kIsSanitized ? PluginProgram::load() : LoadedPlugin::load();
}
