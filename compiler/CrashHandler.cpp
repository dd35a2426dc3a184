//===- CrashHandler.cpp - A crash ends with exit status 2 -----------------===//
//
// See CrashHandler.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/CrashHandler.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Signals.h"
#include <cstring>
#include <unistd.h>

// Runs in a signal handler: write(2) only.
static void writeText(const char *text) {
  ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
  (void)ignored;
}

/// The target whose code generator is experimental; null for others.
static const char *experimentalTarget = nullptr;

void onnx_aot::expectRefusals(const char *target) { experimentalTarget = target; }

static void refuse(void *tool, const char *reason) {
  writeText(static_cast<const char *>(tool));
  writeText(": error: LLVM's code generator for ");
  writeText(experimentalTarget);
  writeText(" is experimental and cannot compile this model; choose another target (");
  writeText(reason);
  writeText(")\n");
  _exit(1);
}

static void leave(void *tool, const char *reason) {
  writeText(static_cast<const char *>(tool));
  writeText(": error: internal error: ");
  writeText(reason);
  writeText("; please report it with the model and the command line\n");
  _exit(2);
}

void onnx_aot::installCrashHandler(const char *tool) {
  void *cookie = const_cast<char *>(tool);
  llvm::sys::AddSignalHandler([](void *cookie) { leave(cookie, "the program crashed"); }, cookie);
  llvm::install_fatal_error_handler(
      [](void *cookie, const char *reason, bool) {
        llvm::sys::RunInterruptHandlers(); // removes the files
        if (experimentalTarget)
          refuse(cookie, reason);
        leave(cookie, reason);
      },
      cookie);
  llvm::install_bad_alloc_error_handler(
      [](void *cookie, const char *, bool) {
        llvm::sys::RunInterruptHandlers();
        leave(cookie, "out of memory");
      },
      cookie);
}
