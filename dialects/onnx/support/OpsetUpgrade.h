//===- OpsetUpgrade.h - from old opsets to the newest form of an operator -----------------------------------------===//
//
// What it is for: the onnx dialect holds the newest form of an operator only. A family lists how its operators changed
// in one table (dialects/onnx/<family>/<Family>Upgrades.cpp), and the importer applies the rows above a node's opset in
// ascending order before an operation is made. How it works: a row edits a `NodeForm`: the node's operator, its inputs
// (already SSA values, so that types and constants can be looked at) and its attributes (already MLIR attributes); it
// may add constants and nodes before, and wrap results with nodes after.
//
//   {"Squeeze", 13, attributeToInput("axes", 1)},
//     Squeeze(x) {axes = [0]}        ->        axes = Constant([0]); Squeeze(x, axes)
//
// Holds after a row (op, V): the node has the form that opset V gives to it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_OPSETUPGRADE_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_OPSETUPGRADE_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <functional>
#include <string>

namespace onnx_aot::onnx {

/// What rows need from the importer.
class NodeBuilder {
public:
  virtual ~NodeBuilder() = default;

  /// Makes the operation `onnx.<op>` in its newest form, with one result. Null after a reported error.
  virtual mlir::Value create(llvm::StringRef op, mlir::ValueRange inputs,
                             llvm::ArrayRef<mlir::NamedAttribute> attributes) = 0;
  /// The value of a name in the graph at this place; null where it has none.
  virtual mlir::Value lookup(llvm::StringRef) { return {}; }
  /// A constant.
  virtual mlir::Value constant(mlir::ElementsAttr value) = 0;
  /// Reports that the node is wrong, or that its old form is not supported.
  virtual void error(const llvm::Twine &reason, bool isUnsupported) = 0;
};

/// One node on its way to the newest opset.
class NodeForm {
public:
  NodeForm(NodeBuilder &builder, mlir::MLIRContext *context) : builder(&builder), context(context) {}

  /// The operation's name without "onnx.".
  std::string op;
  /// Null where an optional input is absent.
  llvm::SmallVector<mlir::Value> inputs;
  mlir::NamedAttrList attributes;
  /// Per output up to the last one that the node names: whether it has a name.
  llvm::SmallVector<bool> outputs;

  using Wrap = std::function<mlir::Value(NodeForm &, mlir::Value)>;
  /// What becomes of result `first` after the node was made, in order.
  llvm::SmallVector<std::pair<unsigned, Wrap>> wraps;

  mlir::MLIRContext *getContext() const { return context; }

  /// Input `index`, null where it is absent or the node has fewer.
  mlir::Value input(unsigned index) const { return index < inputs.size() ? inputs[index] : mlir::Value(); }
  void setInput(unsigned index, mlir::Value value);
  bool hasOutput(unsigned index) const { return index < outputs.size() && outputs[index]; }

  /// Removes an attribute and returns it; null where it is absent.
  mlir::Attribute take(llvm::StringRef name) { return attributes.erase(name); }
  /// The same for known kinds; the attribute's kind is wrong in a malformed model, which counts as a failure.
  llvm::FailureOr<int64_t> takeInt(llvm::StringRef name, int64_t absent);

  mlir::Value create(llvm::StringRef newOp, mlir::ValueRange newInputs,
                     llvm::ArrayRef<mlir::NamedAttribute> newAttributes = {}) {
    return builder->create(newOp, newInputs, newAttributes);
  }
  mlir::Value constant(mlir::ElementsAttr value) { return builder->constant(value); }
  mlir::Value lookup(llvm::StringRef name) { return builder->lookup(name); }
  /// 1-D int64.
  mlir::Value integers(llvm::ArrayRef<int64_t> values);
  /// `value` in the element type of `like` (a float type), rank 0.
  mlir::Value scalarLike(double value, mlir::Value like);
  mlir::NamedAttribute intAttribute(llvm::StringRef name, int64_t value) const;
  mlir::NamedAttribute stringAttribute(llvm::StringRef name, llvm::StringRef value) const;

  void wrapResult(unsigned index, Wrap wrap) { wraps.emplace_back(index, std::move(wrap)); }

  llvm::LogicalResult fail(const llvm::Twine &reason);
  llvm::LogicalResult unsupported(const llvm::Twine &reason);

private:
  NodeBuilder *builder;
  mlir::MLIRContext *context;
};

using UpgradeFn = std::function<llvm::LogicalResult(NodeForm &)>;

/// One row: nodes of opsets below `version` become nodes of opset `version`.
struct OpsetUpgrade {
  llvm::StringRef op;
  int version;
  UpgradeFn apply;
};

//===-- Moves that most rows are made of --------------------------------------------------------------------------===//

/// The attribute (INT, INTS, FLOAT or FLOATS) becomes input `index`: INTS and INT a 1-D int64 tensor.
UpgradeFn attributeToInput(llvm::StringRef name, unsigned index);
/// The same for a scalar: rank 0; a FLOAT takes the element type of input 0.
UpgradeFn attributeToScalarInput(llvm::StringRef name, unsigned index);
UpgradeFn renameAttribute(llvm::StringRef from, llvm::StringRef to);
/// For attributes that say nothing about the result.
UpgradeFn dropAttribute(llvm::StringRef name);
/// The value that an absent attribute had.
UpgradeFn defaultInt(llvm::StringRef name, int64_t value);
UpgradeFn defaultString(llvm::StringRef name, llvm::StringRef value);
UpgradeFn renameOp(llvm::StringRef to);
/// One after the other.
UpgradeFn sequence(std::initializer_list<UpgradeFn> steps);

} // namespace onnx_aot::onnx

#endif
