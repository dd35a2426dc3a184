//===- Diagnostics.cpp - Every error a user sees --------------------------===//
//
// How an MLIR diagnostic becomes an entry:
//   1. its location is searched for a NameLoc of the form `"conv1" (Conv)`: that is the node;
//   2. a prefix `'onnx.Conv' op ` is dropped where the node already says it;
//   3. the kind follows from the text: what begins with "unsupported", or says that an onnx operation has no lowering,
//      is unsupported; with a node, and about an onnx operation or none, it is the user's; everything else is ours.
//
//===----------------------------------------------------------------------===//

#include "compiler/Diagnostics.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

using namespace onnx_aot;
using llvm::StringRef;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

void Diagnostics::setOpset(StringRef domain, int64_t version) {
  opsets[domain == "ai.onnx" ? std::string() : domain.str()] = version;
}

std::string Diagnostics::inFile(StringRef text) const {
  if (file.empty() || text.starts_with("--") || text.starts_with(file))
    return text.str();
  return file + ": " + text.str();
}

std::string Diagnostics::inNode(const NodeRef &node, StringRef reason) const {
  int64_t opset = node.opset;
  if (!opset) {
    StringRef domain = StringRef(node.opType).rsplit('.').first;
    auto it = opsets.find(domain == node.opType ? std::string() : domain.str());
    if (it != opsets.end())
      opset = it->second;
  }
  std::string text = "node \"" + node.name + "\" (" + node.opType;
  if (opset)
    text += ", opset " + std::to_string(opset);
  return text + "): " + reason.str();
}

//===----------------------------------------------------------------------===//
// Collecting and printing
//===----------------------------------------------------------------------===//

void Diagnostics::report(ErrorKind kind, std::string text, std::vector<std::string> notes) {
  std::lock_guard<std::mutex> lock(mutex);
  if (seen.insert(text).second)
    entries.push_back({kind, std::move(text), std::move(notes)});
}

std::vector<ErrorEntry> Diagnostics::withdraw(size_t count) {
  std::lock_guard<std::mutex> lock(mutex);
  std::vector<ErrorEntry> taken(std::make_move_iterator(entries.begin() + count),
                                std::make_move_iterator(entries.end()));
  entries.resize(count);
  for (const ErrorEntry &entry : taken)
    seen.erase(entry.text);
  return taken;
}

void Diagnostics::user(const NodeRef &node, const Twine &reason) {
  report(ErrorKind::User, inFile(inNode(node, reason.str())));
}

void Diagnostics::unsupported(const NodeRef &node, const Twine &reason) {
  report(ErrorKind::Unsupported, inFile(inNode(node, reason.str())));
}

void Diagnostics::fault(const Twine &reason, std::vector<std::string> notes) {
  report(ErrorKind::User, inFile(reason.str()), std::move(notes));
}

void Diagnostics::unsupported(const Twine &reason) { report(ErrorKind::Unsupported, inFile(reason.str())); }

void Diagnostics::internal(const Twine &reason) {
  report(ErrorKind::Internal, inFile("internal error: " + reason.str()));
}

void Diagnostics::warning(const Twine &text) {
  if (!quiet)
    llvm::errs() << tool << ": warning: " << inFile(text.str()) << "\n";
}

void Diagnostics::dropInternal(size_t first) {
  auto isInternal = [](const ErrorEntry &entry) { return entry.kind == ErrorKind::Internal; };
  entries.erase(std::remove_if(entries.begin() + first, entries.end(), isInternal), entries.end());
}

int Diagnostics::exitStatus() const {
  int status = 0;
  for (const ErrorEntry &entry : entries)
    status = std::max(status, entry.kind == ErrorKind::Internal ? 2 : 1);
  return status;
}

void Diagnostics::print(llvm::raw_ostream &os) const {
  for (const ErrorEntry &entry : llvm::ArrayRef(entries).drop_front(printed)) {
    os << tool << ": error: " << entry.text << "\n";
    for (const std::string &note : entry.notes)
      os << tool << ": note: " << note << "\n";
  }
}

void Diagnostics::flush() {
  std::lock_guard<std::mutex> lock(mutex);
  print(llvm::errs());
  printed = entries.size();
}

//===----------------------------------------------------------------------===//
// From MLIR
//===----------------------------------------------------------------------===//

/// Reads `"conv1" (Conv)`. A node's name may hold quotes and parentheses itself, so the ends are what counts.
static std::optional<NodeRef> parseNodeName(StringRef text) {
  size_t middle = text.rfind("\" (");
  if (!text.starts_with("\"") || !text.ends_with(")") || middle == StringRef::npos || middle == 0)
    return std::nullopt;
  NodeRef node;
  node.name = text.slice(1, middle).str();
  node.opType = text.slice(middle + 3, text.size() - 1).str();
  return node;
}

NodeRef onnx_aot::nodeOfLocation(mlir::Location location) {
  std::optional<NodeRef> node;
  // The walk goes from the outside in: of several nodes (an operation made from two that were fused) the first counts.
  location->walk([&](mlir::Location inner) {
    if (auto name = llvm::dyn_cast<mlir::NameLoc>(inner))
      node = parseNodeName(name.getName().strref());
    return node ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
  });
  return node.value_or(NodeRef());
}

namespace {
struct Classified {
  ErrorKind kind;
  std::string reason;
};
} // namespace

static Classified classify(StringRef text, bool hasNode) {
  // `'onnx.Conv' op reason`, as emitOpError writes it.
  StringRef reason = text, operation;
  if (text.consume_front("'")) {
    auto [name, rest] = text.split("' op ");
    if (!rest.empty())
      operation = name, reason = rest;
  }
  if (StringRef(reason).starts_with_insensitive("unsupported"))
    return {ErrorKind::Unsupported, reason.str()};

  // What the conversion drivers say about an operation that no pattern took.
  StringRef rest = reason;
  if (rest.consume_front("failed to legalize operation 'onnx."))
    return {ErrorKind::Unsupported, (rest.take_until([](char c) { return c == '\''; }) +
                                     " with these types and attributes cannot be compiled yet")
                                        .str()};

  if (reason.starts_with("internal error: "))
    return {ErrorKind::Internal, reason.drop_front(16).str()};
  if (!hasNode || !(operation.empty() || operation.starts_with("onnx.")) || reason.starts_with("failed to legalize"))
    return {ErrorKind::Internal, operation.empty() ? reason.str() : ("'" + operation + "': " + reason).str()};
  return {ErrorKind::User, reason.str()};
}

void Diagnostics::add(mlir::Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Warning)
      warning(diagnostic.str());
    return;
  }
  NodeRef node = nodeOfLocation(diagnostic.getLocation());
  Classified error = classify(diagnostic.str(), !node.opType.empty());
  bool isInternal = error.kind == ErrorKind::Internal;
  std::string text = node.opType.empty() ? error.reason : inNode(node, error.reason);
  std::vector<std::string> notes;
  for (mlir::Diagnostic &note : diagnostic.getNotes()) {
    std::string noteText = note.str();
    // Users know their nodes, not our operations.
    if (isInternal || !StringRef(noteText).starts_with("see current operation"))
      notes.push_back(std::move(noteText));
  }
  report(error.kind, inFile(isInternal ? "internal error: " + text : text), std::move(notes));
}

DiagnosticCapture::DiagnosticCapture(mlir::MLIRContext &context, Diagnostics &diagnostics) : context(context) {
  handler = context.getDiagEngine().registerHandler([&diagnostics](mlir::Diagnostic &diagnostic) {
    diagnostics.add(diagnostic);
    return mlir::success();
  });
}

DiagnosticCapture::~DiagnosticCapture() { context.getDiagEngine().eraseHandler(handler); }
