//===- Assembler.cpp - machine code of GPUs -----------------------------------------------------------------------===//
//
// See Assembler.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/Assembler.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

std::string onnx_aot::nvptx::findAssembler() {
  if (ErrorOr<std::string> found = sys::findProgramByName("ptxas"))
    return *found;
  SmallVector<std::string> toolkits;
  for (StringRef variable : {"CUDA_HOME", "CUDA_PATH"})
    if (std::optional<std::string> folder = sys::Process::GetEnv(variable))
      toolkits.push_back(*folder);
  toolkits.push_back("/usr/local/cuda");
  for (const std::string &folder : toolkits) {
    SmallString<128> programs(folder);
    sys::path::append(programs, "bin");
    if (ErrorOr<std::string> found = sys::findProgramByName("ptxas", {programs}))
      return *found;
  }
  return "";
}

namespace {
/// A file that is gone with its object.
struct Scratch {
  explicit Scratch(StringRef suffix) : error(sys::fs::createTemporaryFile("onnx-aot", suffix, path)), remover(path) {}

  SmallString<128> path;
  std::error_code error;
  FileRemover remover;
};
} // namespace

Expected<std::string> onnx_aot::nvptx::assemble(StringRef ptxas, StringRef ptx, StringRef architecture) {
  Scratch source("ptx"), object("cubin"), messages("txt");
  for (const Scratch *file : {&source, &object, &messages})
    if (file->error)
      return createStringError(file->error, "no temporary file: " + file->error.message());
  {
    std::error_code error;
    raw_fd_ostream stream(source.path, error);
    if (!error)
      stream << ptx;
    stream.close();
    if (error || stream.has_error()) {
      error = error ? error : stream.error();
      stream.clear_error();
      return createStringError(error, source.path + ": " + error.message());
    }
  }
  std::string target = ("-arch=" + architecture).str(), reason;
  // Its messages may go to either stream.
  std::optional<StringRef> redirects[] = {StringRef(""), messages.path.str(), messages.path.str()};
  int status = sys::ExecuteAndWait(ptxas, {ptxas, target, source.path, "-o", object.path}, std::nullopt, redirects, 0,
                                   0, &reason);
  auto contentOf = [](const Scratch &file) -> std::string {
    auto buffer = MemoryBuffer::getFile(file.path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    return buffer ? (*buffer)->getBuffer().str() : "";
  };
  if (status != 0)
    return createStringError(ptxas + " failed: " + (reason.empty() ? contentOf(messages) : reason));
  std::string content = contentOf(object);
  if (content.empty())
    return createStringError(ptxas + " wrote nothing");
  return content;
}
