//===- CrashHandler.h - A crash ends with exit status 2 -------------------===//
//
// What it is for: whatever goes wrong inside a tool (a signal, an assertion, a fatal error of LLVM, no memory), the
// user reads one line that says it is our fault, no half-written file stays behind, and the exit status is 2.
//
// How it works: LLVM's signal handler removes the files registered with llvm::sys::RemoveFileOnSignal first and then
// calls ours, which writes the line and leaves. No child process is started to symbolise a stack.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_CRASHHANDLER_H
#define ONNX_AOT_COMPILER_CRASHHANDLER_H

namespace onnx_aot {

/// To be called once, at the start of main. `tool` must live as long as the program.
void installCrashHandler(const char *tool);

/// From here on LLVM's code generator may refuse: that of `target` is experimental. Then the user reads this rather
/// than of an error of ours, and the exit status is 1. Null where a refusal is our fault again.
void expectRefusals(const char *target);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_CRASHHANDLER_H
