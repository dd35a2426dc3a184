//===- Plugin.cpp - from a specification to bitcode ---------------------------------------------------------------===//
//
// The functions of PluginInterface.h. Kernels are compiled without Halide's runtime, without its checks and with strict
// floating point: what is computed is what the specification says.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/plugin/Families.h"
#include "codegen/halide/plugin/PluginInterface.h"
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <unistd.h>

using namespace onnx_aot::halide;

namespace {
/// A file that is there as long as this object.
class TemporaryFile {
public:
  TemporaryFile() {
    const char *folder = std::getenv("TMPDIR");
    path = std::string(folder && *folder ? folder : "/tmp") + "/onnx-aot-halide-XXXXXX.bc";
    int file = mkstemps(path.data(), 3);
    if (file < 0)
      throw Refusal("no temporary file can be made: " + path);
    close(file);
  }
  ~TemporaryFile() { unlink(path.c_str()); }

  std::string read() const {
    std::ifstream stream(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  }

  std::string path;
};
} // namespace

Halide::ImageParam onnx_aot::halide::flatParameter(Halide::Type type, int extent, const std::string &name) {
  Halide::ImageParam parameter(type, 1, name);
  parameter.dim(0).set_bounds(0, extent).set_stride(1);
  return parameter;
}

static std::string compile(const std::string &text) {
  Specification spec = parseSpecification(text);
  Halide::Target target(spec.target);
  for (Halide::Target::Feature feature : {Halide::Target::NoRuntime, Halide::Target::NoAsserts,
                                          Halide::Target::NoBoundsQuery, Halide::Target::StrictFloat})
    target.set_feature(feature);
  Kernel kernel = spec.family == "resize"   ? buildResize(spec)
                  : spec.family == "window" ? buildWindow(spec)
                                            : throw Refusal("the unknown family " + spec.family);
  TemporaryFile file;
  Halide::Pipeline(kernel.output)
      .compile_to({{Halide::OutputFileType::bitcode, file.path}}, kernel.arguments, ONNX_AOT_HALIDE_FUNCTION, target);
  return file.read();
}

int onnx_aot_halide_interface(void) { return ONNX_AOT_HALIDE_INTERFACE; }

const char *onnx_aot_halide_version(void) { return ONNX_AOT_HALIDE_VERSION; }

int onnx_aot_halide_compile(const char *specification, size_t size,
                            void (*take)(void *receiver, const char *bytes, size_t size), void *receiver) {
  std::string result;
  int status = 1;
  try {
    result = compile(std::string(specification, size));
    status = 0;
  } catch (const std::exception &error) {
    result = error.what();
  }
  take(receiver, result.data(), result.size());
  return status;
}
