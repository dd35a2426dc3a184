//===- RuntimeLink.cpp - Links the runtime library into a module ----------===//
//
// See RuntimeLink.h.
//
//===----------------------------------------------------------------------===//

#include "codegen/RuntimeLink.h"

#include "codegen/RuntimeBitcode.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Transforms/IPO/Internalize.h"

using namespace llvm;

namespace onnx_aot {

StringRef runtimeBitcode() {
  static const unsigned char bytes[] = {
#include "runtime_lib/runtime_bc.inc"
  };
  return StringRef(reinterpret_cast<const char *>(bytes), sizeof(bytes));
}

/// Removes what the bitcode's own target left: its CPU and features would keep functions from being inlined.
static void stripTarget(Module &runtime) {
  for (Function &function : runtime) {
    for (StringRef attribute : {"target-cpu", "target-features", "tune-cpu", "frame-pointer", "min-legal-vector-width",
                                "no-builtins", "stack-protector-buffer-size", "no-trapping-math"})
      function.removeFnAttr(attribute);
    function.removeFnAttr(Attribute::UWTable);
  }
  // Flags such as the PIC level and wchar_size contradict those of other targets.
  for (StringRef name : {"llvm.module.flags", "llvm.ident", "llvm.errno.tbaa"})
    if (NamedMDNode *node = runtime.getNamedMetadata(name))
      runtime.eraseNamedMetadata(node);
}

Error linkRuntime(Module &module) {
  auto runtime = parseBitcodeFile(MemoryBufferRef(runtimeBitcode(), "onnx_aot_runtime"), module.getContext());
  if (!runtime)
    return runtime.takeError();
  stripTarget(**runtime);
  (*runtime)->setTargetTriple(module.getTargetTriple());
  (*runtime)->setDataLayout(module.getDataLayout());

  bool failed = Linker::linkModules(module, std::move(*runtime), Linker::Flags::LinkOnlyNeeded,
                                    [](Module &linked, const StringSet<> &names) {
                                      internalizeModule(linked, [&](const GlobalValue &value) {
                                        return !value.hasName() || !names.contains(value.getName());
                                      });
                                    });
  if (failed)
    return createStringError("the runtime library does not link with the emitted module");
  return Error::success();
}

} // namespace onnx_aot
