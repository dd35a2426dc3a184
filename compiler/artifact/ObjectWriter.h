//===- ObjectWriter.h - From an LLVM module to files a linker takes -------===//
//
// What it is for: writes objects, archives, shared libraries, assembly and LLVM IR of a module that has its entry
// points. How it works, for an object:
//
//   1. LLVM emits the object, with zeros where the weights are;
//   2. the weights' symbol is looked up in the object, which gives their place in the file;
//   3. the file is mapped and the weights are written there (writeWeights);
//   4. its undefined symbols are compared with those that emitted code may need (UndefinedSymbols.def).
//
// An archive or a shared library is then made of that object, in this process.
//
// Holds before: the module is optimised and valid. Holds after: the same module gives the same bytes.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_OBJECTWRITER_H
#define ONNX_AOT_COMPILER_ARTIFACT_OBJECTWRITER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace llvm {
class Module;
class TargetMachine;
class raw_pwrite_stream;
} // namespace llvm

namespace onnx_aot {

struct ModelInterface;

/// What is to be written. The writers change the module: it serves for one of them.
struct EmittedModel {
  llvm::Module &module;
  llvm::TargetMachine &machine;
  const ModelInterface &model;
  std::string prefix;
};

/// Writes the object to the existing file `path`.
llvm::Error writeObject(const EmittedModel &emitted, llvm::StringRef path);

/// Makes the archive `path` of the object in the file `object`.
llvm::Error writeStaticLibrary(const EmittedModel &emitted, llvm::StringRef object, llvm::StringRef path);

/// Links the object in the file `object` into the shared library `path`, known to the loader as `soname`.
llvm::Error writeSharedLibrary(const EmittedModel &emitted, llvm::StringRef object, llvm::StringRef soname,
                               llvm::StringRef path);

/// Text, with the weights in it.
llvm::Error writeAssembly(const EmittedModel &emitted, llvm::raw_pwrite_stream &stream);
llvm::Error writeLLVMIR(const EmittedModel &emitted, llvm::raw_pwrite_stream &stream);

/// The undefined symbols of the object in the file `path` that emitted code must not have, sorted.
llvm::Expected<std::vector<std::string>> forbiddenSymbols(llvm::StringRef path, const llvm::TargetMachine &machine);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_OBJECTWRITER_H
