//===- Diagnostics.h - Every error a user sees ----------------------------===//
//
// What it is for: one place that collects the errors of a compilation, so that all of them are reported at once, in one
// format, each with the file, node, operator, opset and reason:
//
//   onnx-aot: error: model.onnx: node "conv1" (Conv, opset 13): input 1 has rank 3, expected 4
//
// How it works: layers that hold a NodeProto call `user` or `unsupported` with a NodeRef; layers that hold IR emit
// ordinary MLIR diagnostics, which a DiagnosticCapture turns into the same entries by reading the node back from the
// location NameLoc("\"conv1\" (Conv)", "model.onnx":3:0). Nothing is printed before `flush`.
//
// Three kinds: *user* (the model or a flag is wrong), *unsupported* (valid, but we lack it), *internal* (our fault).
//
// Holds after: `exitStatus()` is 0 without errors, 2 when one of them is internal, 1 otherwise.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_DIAGNOSTICS_H
#define ONNX_AOT_COMPILER_DIAGNOSTICS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mlir {
class Diagnostic;
class Location;
class MLIRContext;
} // namespace mlir

namespace onnx_aot {

/// The node that an error is about. An unnamed node goes by its first output.
struct NodeRef {
  std::string name;
  std::string opType; // with its domain where that is not the default one: "com.microsoft.Gelu"
  int64_t opset = 0;  // 0: the version that the model imports for the operator's domain (Diagnostics::setOpset)
};

enum class ErrorKind { User, Unsupported, Internal };

struct ErrorEntry {
  ErrorKind kind;
  std::string text; // everything after "onnx-aot: error: "
  std::vector<std::string> notes;
};

class Diagnostics {
public:
  explicit Diagnostics(llvm::StringRef tool = "onnx-aot") : tool(tool.str()) {}
  Diagnostics(const Diagnostics &) = delete;
  Diagnostics &operator=(const Diagnostics &) = delete;

  /// The file that later errors name; errors reported before it is set are about flags.
  void setFile(llvm::StringRef path) { file = path.str(); }
  llvm::StringRef getFile() const { return file; }

  /// The opset version that the model imports for `domain` ("" or "ai.onnx": the default domain).
  void setOpset(llvm::StringRef domain, int64_t version);

  void user(const NodeRef &node, const llvm::Twine &reason);
  void unsupported(const NodeRef &node, const llvm::Twine &reason);

  /// A user error of the whole file, or of a flag when `reason` begins with "--" (then the file is not named).
  void fault(const llvm::Twine &reason, std::vector<std::string> notes = {});
  /// The same for what is valid but lacking.
  void unsupported(const llvm::Twine &reason);
  /// A fault of the compiler itself.
  void internal(const llvm::Twine &reason);

  /// Printed at once (there is no reason to wait), never when quiet.
  void warning(const llvm::Twine &text);
  void setQuiet(bool value) { quiet = value; }

  bool hasErrors() const { return !entries.empty(); }
  llvm::ArrayRef<ErrorEntry> errors() const { return entries; }
  /// Takes back the errors behind the first `count`: what was tried is done in another way.
  std::vector<ErrorEntry> withdraw(size_t count);
  int exitStatus() const;
  /// Forgets the internal errors from entry `first` on.
  void dropInternal(size_t first);

  /// Prints the collected errors once, to stderr; the entries stay readable.
  void flush();
  void print(llvm::raw_ostream &os) const;

  /// Adds an error that MLIR reported.
  void add(mlir::Diagnostic &diagnostic);

private:
  void report(ErrorKind kind, std::string text, std::vector<std::string> notes = {});
  std::string inFile(llvm::StringRef text) const;
  std::string inNode(const NodeRef &node, llvm::StringRef reason) const;

  std::string tool;
  std::string file;
  std::map<std::string, int64_t> opsets;
  std::vector<ErrorEntry> entries;
  std::set<std::string> seen; // several passes may meet the same fault
  size_t printed = 0;
  bool quiet = false;
  std::mutex mutex; // MLIR passes report from threads
};

/// The node that `location` names, looking through fused, call-site and nested name locations; an empty `opType` when
/// it names none.
NodeRef nodeOfLocation(mlir::Location location);

/// While it lives, errors that MLIR reports in `context` go to `diagnostics`.
class DiagnosticCapture {
public:
  DiagnosticCapture(mlir::MLIRContext &context, Diagnostics &diagnostics);
  ~DiagnosticCapture();
  DiagnosticCapture(const DiagnosticCapture &) = delete;
  DiagnosticCapture &operator=(const DiagnosticCapture &) = delete;

private:
  mlir::MLIRContext &context;
  uint64_t handler;
};

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_DIAGNOSTICS_H
