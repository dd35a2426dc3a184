//===- TargetMachine.h - LLVM's target, configured for freestanding code ---------===//
//
// What it is for: the one place that turns a triple, a CPU and features into an llvm::TargetMachine, and that runs
// LLVM's optimiser on an emitted module.
//
// How it works: names are checked against the target's own tables first, because LLVM itself only warns on stderr about
// an unknown CPU or feature and then compiles for something else. The optimiser is told that no library function
// exists but memcpy, memmove, memset and memcmp, so it never turns code into calls that nobody links.
//
//   TargetSpec spec = {"x86_64-linux-gnu", "x86-64-v3"};
//   auto machine = createTargetMachine(spec, error);
//   prepareModule(module, *machine);      // triple, data layout, attributes of every function
//   optimizeModule(module, *machine, {OptLevel::O3});
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_CODEGEN_CPU_TARGETMACHINE_H
#define ONNX_AOT_CODEGEN_CPU_TARGETMACHINE_H

#include "llvm/ADT/StringRef.h"
#include <memory>
#include <string>

namespace llvm {
class Module;
class TargetLibraryInfoImpl;
class TargetMachine;
class Triple;
} // namespace llvm

namespace onnx_aot {

/// What code is made for. Empty fields are filled with the defaults: this machine's triple (never its CPU), and per
/// architecture a CPU that every machine of the last years has (x86-64-v3 on x86-64).
struct TargetSpec {
  std::string triple;
  std::string cpu;      // a CPU of the target, also as GCC spells it (cortex-m33+nodsp), or "native": this machine's
  std::string features; // "+F,-F"
  std::string floatAbi; // "", "soft" or "hard": ARM and RISC-V
};

enum class OptLevel { O0, O1, O2, O3, Os };
enum class Sanitizer { None, Address, Thread };

struct OptOptions {
  OptLevel level = OptLevel::O3;
  Sanitizer sanitize = Sanitizer::None;
};

/// Whether nothing runs below the program: no operating system, and no allocator.
bool isBareMetal(const llvm::Triple &triple);

/// The CPU that code is made for when the user names none.
std::string defaultCpu(const llvm::Triple &triple);

/// `spec` with every field filled in: the triple normalised, "native" replaced by the CPU and its features. Returns
/// false and says why in `error` when the triple, the CPU, a feature or the float ABI is not known.
bool completeTargetSpec(TargetSpec &spec, std::string &error);

/// Returns null and says why in `error` when the spec does not name a target that this build knows. Code is position
/// independent, except on bare metal; every function and every object has a section of its own.
std::unique_ptr<llvm::TargetMachine> createTargetMachine(const TargetSpec &spec, std::string &error,
                                                         OptLevel level = OptLevel::O3);

/// Sets triple, data layout and, on every function with a body, the attributes that code generation and inlining go by:
/// target-cpu, target-features, no unwinding and no frame pointer. To be called again when functions were linked in.
void prepareModule(llvm::Module &module, const llvm::TargetMachine &machine);

/// The library functions that emitted code may call: memcpy, memmove, memset and memcmp.
llvm::TargetLibraryInfoImpl freestandingLibraryInfo(const llvm::Triple &triple);

/// LLVM's pipeline for the level, then the sanitizer's instrumentation. The module must be valid.
void optimizeModule(llvm::Module &module, llvm::TargetMachine &machine, OptOptions options);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_CPU_TARGETMACHINE_H
