//===- SharedLibrary.cpp - Links a shared library in this process ---------===//
//
// See ObjectWriter.h. lld runs as a library: no linker is started, and nothing but the object goes in. What is visible
// was decided by the symbols' visibility in the module, so no version script is needed.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/ObjectWriter.h"

#include "lld/Common/Driver.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace onnx_aot {

Error writeSharedLibrary(const EmittedModel &emitted, StringRef object, StringRef soname, StringRef path) {
  const Triple &triple = emitted.machine.getTargetTriple();
  if (!triple.isOSBinFormatELF() || emitted.machine.getRelocationModel() != Reloc::PIC_)
    return createStringError(std::make_error_code(std::errc::not_supported),
                             "shared libraries are written for hosted ELF targets only, not for " + triple.str() +
                                 "; write a static library (.a)");

  std::string objectPath = object.str(), outputPath = path.str(), name = soname.str();
  const char *arguments[] = {
      "ld.lld",      "-shared", "-Bsymbolic", "-z", "noexecstack",      "--build-id=none", "--gc-sections",
      "--threads=1", "-soname", name.c_str(), "-o", outputPath.c_str(), objectPath.c_str()};
  static std::mutex once; // lld keeps its state in globals
  static bool canRun = true;
  std::lock_guard<std::mutex> lock(once);
  if (!canRun)
    return createStringError("the linker failed before and cannot run again");
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  canRun = result.canRunAgain;
  if (result.retCode != 0)
    return createStringError("linking the shared library failed: " + StringRef(messages).trim());
  return Error::success();
}

} // namespace onnx_aot
