//===- ResolveSequences.h - sequences and optionals become tensors ------------------------------------------------===//
//
// Sequences and optionals exist at compile time only. InferShapes calls the resolver for every operation that uses or
// makes one, in the order of the program; it replaces the operation by others on tensors, which are visited next. What
// is known of a value is the operation that makes it, in one of these forms:
//
//   SequenceConstruct, SequenceEmpty      a sequence of these tensors
//   SplitToSequence without split and     a stacked sequence: the slices of a tensor along an axis, of a number that
//   may
//     with keepdims = 0                   be known at run time only
//   Optional                              a value that is there, or is not
//
// An If with sequences of equal form in both branches passes on their tensors. A Loop that appends one tensor in every
// iteration makes a scan output, which is a stacked sequence; another one that carries sequences is unrolled, which
// takes a trip count and a condition that are known, or carries the tensors of a sequence whose form does not change.
//
//   %s = onnx.SequenceConstruct %a, %b                  =>   %y = onnx.Concat %a, %b
//   %t = onnx.SequenceErase %s, %zero
//   %u = onnx.SequenceInsert %t, %a
//   ...
//
// Holds after: no value that is used has a type of SequenceTypes.h, or an error says which could not be resolved.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_GRAPH_RESOLVESEQUENCES_H
#define ONNX_AOT_PASSES_GRAPH_RESOLVESEQUENCES_H

#include "dialects/onnx/controlflow/Controlflow.h"
#include "dialects/onnx/sequence/Sequence.h"
#include "dialects/onnx/support/ShapeAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace onnx_aot {

/// What a value consists of.
struct ValueForm {
  enum Kind { Tensor, Sequence, Stacked, Absent };
  Kind kind;
  llvm::SmallVector<mlir::Value> tensors; // Tensor, Stacked: one; Sequence: its elements
  int64_t axis = 0;                       // Stacked
  bool isOptional = false;
  mlir::Type type;

  /// Whether values of both forms can be told apart by their tensors alone.
  bool matches(const ValueForm &other) const {
    return kind == other.kind && tensors.size() == other.tensors.size() && axis == other.axis;
  }
};

class SequenceResolver {
public:
  /// Folds and refines the operations from one up to another, as the walk that calls the resolver does.
  using Visit = std::function<llvm::LogicalResult(mlir::Block::iterator, mlir::Block::iterator)>;

  SequenceResolver(onnx::ShapeAnalysis &shapes, Visit visit) : shapes(shapes), visit(std::move(visit)) {}

  /// Whether `op` uses or makes a value that is not a tensor.
  static bool concerns(mlir::Operation *op);
  /// Resolves such an operation; returns where the walk goes on. Fails after a reported error.
  llvm::FailureOr<mlir::Block::iterator> resolve(mlir::Operation *op);
  /// Gives every tensor of a sequence that the function returns a result of its own, and removes what is not used.
  llvm::LogicalResult finish(mlir::func::FuncOp function);

private:
  using Result = llvm::FailureOr<mlir::Block::iterator>;

  //===-- ResolveSequences.cpp
  //--------------------------------------------------------------------------------------===//
  Result dispatch(mlir::Operation *op);
  Result resolveInsert(onnx::SequenceInsertOp op);
  Result resolveErase(onnx::SequenceEraseOp op);
  Result resolveSplit(onnx::SplitToSequenceOp op);
  Result resolveAt(onnx::SequenceAtOp op);
  Result resolveLength(onnx::SequenceLengthOp op);
  Result resolveConcat(onnx::ConcatFromSequenceOp op);
  Result resolveGetElement(onnx::OptionalGetElementOp op);
  Result resolveHasElement(onnx::OptionalHasElementOp op);
  llvm::LogicalResult expandResults(mlir::func::FuncOp function);

  //===-- ResolveSequenceBodies.cpp
  //---------------------------------------------------------------------------------===//
  Result resolveIf(onnx::IfOp op);
  Result resolveMap(onnx::SequenceMapOp op);
  Result resolveLoop(onnx::LoopOp op);
  bool collectAppended(onnx::LoopOp op, Result &result);
  std::optional<int64_t> constantScalar(mlir::Value value) const;
  Result unroll(onnx::LoopOp op, std::optional<int64_t> trips);
  Result carryTensors(onnx::LoopOp op);
  /// Clones the body in front of `op` with these arguments, visits the clones and gives what the body yields.
  llvm::FailureOr<llvm::SmallVector<mlir::Value>> inlineClone(mlir::Operation *op, mlir::Block &body,
                                                              mlir::ValueRange arguments);

  //===-- Shared
  //----------------------------------------------------------------------------------------------------===//
  /// What `value` consists of; nothing where that is not known.
  std::optional<ValueForm> formOf(mlir::Value value) const;
  /// The same with elements in the place of a stack, where their number is known; `builder` makes them.
  std::optional<ValueForm> unstackedFormOf(mlir::OpBuilder &builder, mlir::Value value);
  std::optional<llvm::SmallVector<mlir::Value>> elementsOf(mlir::OpBuilder &builder, mlir::Value sequence);
  /// A value of this form.
  mlir::Value rebuild(mlir::OpBuilder &builder, mlir::Location loc, const ValueForm &form,
                      llvm::ArrayRef<mlir::Value> tensors);
  /// One tensor with the elements along a new axis 0; null where their shapes are not the same.
  mlir::Value stack(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::Value> elements);
  bool haveSameShape(llvm::ArrayRef<mlir::Value> tensors);
  std::optional<llvm::SmallVector<int64_t>> integersOf(mlir::Value value) const;
  /// Where a position points in a list of `count` entries; an error on `op` where that is outside.
  llvm::FailureOr<int64_t> positionOf(mlir::Operation *op, int64_t position, int64_t count);

  /// Replaces `op` by values and removes it. The walk goes on behind `before`, which stood in front of it.
  mlir::Block::iterator replace(mlir::Operation *op, mlir::Operation *before, mlir::ValueRange values);
  void erase(mlir::Operation *op);

  onnx::ShapeAnalysis &shapes;
  Visit visit;
  llvm::DenseSet<mlir::Value> poisoned; // results of operations that could not be resolved
};

/// Opens the types of what `op` and its bodies make, where they are inferred anew from other operands: those of an
/// earlier inference may be wrong.
void openTypes(mlir::Operation *op);

/// Makes operations whose result types the walk finds out.
class TensorOps {
public:
  TensorOps(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::Operation *make(llvm::StringRef op, mlir::TypeRange types, mlir::ValueRange operands,
                        llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  mlir::Value scalar(int64_t value);
  mlir::Value boolean(bool value);
  mlir::Value integers(llvm::ArrayRef<int64_t> values);
  mlir::Value concat(mlir::ValueRange tensors, int64_t axis);
  mlir::Value unsqueeze(mlir::Value tensor, int64_t axis);
  mlir::Value squeeze(mlir::Value tensor, int64_t axis);
  mlir::Value gather(mlir::Value tensor, mlir::Value indices, int64_t axis);
  mlir::Value transpose(mlir::Value tensor, llvm::ArrayRef<int64_t> permutation);
  mlir::Value reshape(mlir::Value tensor, mlir::Value shape);
  mlir::Value shape(mlir::Value tensor, int64_t start, int64_t end);
  llvm::SmallVector<mlir::Value> split(mlir::Value tensor, llvm::ArrayRef<int64_t> sizes, int64_t axis);
  mlir::Value construct(mlir::Type type, mlir::ValueRange elements);
  /// The slices of `tensor` along `axis`.
  mlir::Value stacked(mlir::Value tensor, int64_t axis);

private:
  mlir::Type open(mlir::Value like);
  mlir::NamedAttribute integer(llvm::StringRef name, int64_t value);

  mlir::OpBuilder &builder;
  mlir::Location loc;
};

} // namespace onnx_aot

#endif
