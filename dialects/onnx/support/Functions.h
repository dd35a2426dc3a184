//===- Functions.h - operators that are graphs of other operators -------------------------------------------------===//
//
// What it is for: an operator that a few others can express has no lowering of its own. A family lists such operators
// in one table (dialects/onnx/<family>/<Family>Functions.cpp); the pass aot-expand-functions puts the graph in the
// operator's place. How it works: an `Expansion` makes the other operators through a FunctionBuilder, which infers
// their types; their shapes are also those of the operator, so that it needs no inference of its own
// (inferByExpansion).
//
//   {"com_microsoft.QuickGelu", [](Operation *op, FunctionBuilder &f, auto &results) { ... }},
//     QuickGelu(x) {alpha = 1.702}       ->        Mul(x, Sigmoid(Mul(x, 1.702)))
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_FUNCTIONS_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_FUNCTIONS_H

#include "dialects/onnx/support/ShapeContext.h"
#include "mlir/IR/Builders.h"

namespace onnx_aot::onnx {

/// Makes operators in front of one that is expanded. After an operator could not be made (an error was emitted), all
/// values are null and hasFailed() is true; so only the end of an expansion has to ask.
class FunctionBuilder {
public:
  FunctionBuilder(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  bool hasFailed() const { return isBad; }

  /// The operator `name` in its newest form. Null inputs are absent ones.
  mlir::Value op(llvm::StringRef name, llvm::ArrayRef<mlir::Value> inputs,
                 llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  /// The same with the first `outputs` outputs.
  llvm::SmallVector<mlir::Value> ops(llvm::StringRef name, llvm::ArrayRef<mlir::Value> inputs,
                                     llvm::ArrayRef<mlir::NamedAttribute> attributes, unsigned outputs);
  /// onnx.Scan over axis `axis` of `inputs`, whose results are stacked along the same axis. The body maps (states,
  /// slices) to (states, `outputs` values). Returns the final states, then the stacked values.
  llvm::SmallVector<mlir::Value>
  scan(llvm::ArrayRef<mlir::Value> states, llvm::ArrayRef<mlir::Value> inputs, int64_t axis, unsigned outputs,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(llvm::ArrayRef<mlir::Value>)> body);
  /// onnx.Scan with a copy of `body`.
  llvm::SmallVector<mlir::Value> scanWith(llvm::ArrayRef<mlir::Value> operands,
                                          llvm::ArrayRef<mlir::NamedAttribute> attributes, unsigned results,
                                          mlir::Region &body);
  /// Puts the operations of a body of one block here, with `arguments` for the block's; returns what it yields.
  llvm::SmallVector<mlir::Value> inlineBody(mlir::Region &body, llvm::ArrayRef<mlir::Value> arguments);

  //===-- Attributes ----------------------------------------------------------------------------------------------===//
  mlir::NamedAttribute integer(llvm::StringRef name, int64_t value);
  mlir::NamedAttribute integers(llvm::StringRef name, llvm::ArrayRef<int64_t> values);
  mlir::NamedAttribute real(llvm::StringRef name, double value);
  mlir::NamedAttribute text(llvm::StringRef name, llvm::StringRef value);
  /// `attribute` of `op` under the name `name`, if it is there.
  void copy(mlir::Operation *op, llvm::StringRef name, llvm::SmallVectorImpl<mlir::NamedAttribute> &to);

  //===-- Constants -----------------------------------------------------------------------------------------------===//
  mlir::Value constant(mlir::ElementsAttr value);
  /// Rank 0, of type `element`.
  mlir::Value number(double value, mlir::Type element);
  /// Rank 0, of the element type of `like`.
  mlir::Value like(double value, mlir::Value like);
  /// int64, rank 1.
  mlir::Value list(llvm::ArrayRef<int64_t> values);

  //===-- Short forms ---------------------------------------------------------------------------------------------===//
  mlir::Value add(mlir::Value a, mlir::Value b) { return op("Add", {a, b}); }
  mlir::Value sub(mlir::Value a, mlir::Value b) { return op("Sub", {a, b}); }
  mlir::Value mul(mlir::Value a, mlir::Value b) { return op("Mul", {a, b}); }
  mlir::Value div(mlir::Value a, mlir::Value b) { return op("Div", {a, b}); }
  mlir::Value matmul(mlir::Value a, mlir::Value b) { return op("MatMul", {a, b}); }
  /// `value` itself where it has that type already.
  mlir::Value cast(mlir::Value value, mlir::Type element);
  /// 0 keeps an extent, -1 is what is left.
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<int64_t> shape) { return op("Reshape", {value, list(shape)}); }
  mlir::Value reshape(mlir::Value value, mlir::Value shape) { return op("Reshape", {value, shape}); }
  mlir::Value transpose(mlir::Value value, llvm::ArrayRef<int64_t> order);
  mlir::Value concat(llvm::ArrayRef<mlir::Value> values, int64_t axis);
  /// The extents first .. last - 1 as a list.
  mlir::Value extents(mlir::Value value, int64_t first, int64_t last);
  mlir::Value unsqueeze(mlir::Value value, llvm::ArrayRef<int64_t> axes) {
    return op("Unsqueeze", {value, list(axes)});
  }
  mlir::Value squeeze(mlir::Value value, llvm::ArrayRef<int64_t> axes) { return op("Squeeze", {value, list(axes)}); }
  mlir::Value slice(mlir::Value value, int64_t axis, int64_t start, int64_t end);
  mlir::Value reduce(llvm::StringRef name, mlir::Value value, llvm::ArrayRef<int64_t> axes, bool keepdims);

  mlir::OpBuilder &builder;
  mlir::Location loc;

private:
  /// Makes the operation of `state`, whose `results` results get the types that are inferred.
  llvm::SmallVector<mlir::Value> finish(mlir::OperationState &state, unsigned results);
  /// The results of `op`, or what it folds to: so the shapes that are computed are known at once where they can be.
  llvm::SmallVector<mlir::Value> fold(mlir::Operation *op);

  bool isBad = false;
};

mlir::Type elementOf(mlir::Value value);
/// The rank of a ranked tensor, otherwise nullopt.
std::optional<int64_t> rankOf(mlir::Value value);

/// Fills `results`, one value per result. Nothing is filled in where the operator stays as it is: it has a lowering for
/// this form, or a rank that the expansion needs is not known yet. Errors are emitted on `op`.
using Expansion = llvm::LogicalResult (*)(mlir::Operation *op, FunctionBuilder &f,
                                          llvm::SmallVectorImpl<mlir::Value> &results);

struct FunctionRow {
  llvm::StringRef op; // without the dialect's prefix
  Expansion expand;
};

/// Null where `op` is no function.
Expansion expansionOf(mlir::Operation *op);

/// inferResults of an operator: expands it for the types alone.
llvm::LogicalResult inferByExpansion(mlir::Operation *op, llvm::SmallVectorImpl<ResultShape> &results);

} // namespace onnx_aot::onnx

#endif
