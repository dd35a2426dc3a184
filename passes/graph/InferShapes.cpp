//===- InferShapes.cpp - folding and shape refinement in one walk -------------------------------------------------===//
//
// Imported types are as precise as the graph alone allows; once input dims are fixed, more can be known. Operations are
// visited in order, bodies before the operator around them: each is folded if its operands are constant by now (so that
// chains such as Shape -> Gather -> Concat -> Reshape vanish), otherwise its result types are computed anew from its
// operands' and refined. The branch that a constant condition takes replaces its If: the other one's shapes do not
// matter.
//
// Before: types as imported.  After: no operation's types can be refined further.
//
//   %s = onnx.Shape %x : (tensor<2x3xf32>) -> tensor<1xi64>     =>  %s = onnx.Constant dense<[2, 3]> : tensor<2xi64>
//   %r = onnx.Reshape %x, %s : ... -> tensor<*xf32>             =>  ... -> tensor<2x3xf32>
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/controlflow/Controlflow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/FoldUtils.h"

namespace onnx_aot {
#define GEN_PASS_DEF_INFERSHAPES
#include "passes/graph/Passes.h.inc"

using namespace mlir;

namespace {
struct InferShapes : impl::InferShapesBase<InferShapes> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    OperationFolder folder(&getContext());
    if (mlir::failed(visit(function.getBody().front(), folder)))
      return signalPassFailure();
    adoptDeclarations(function);
    refineSignature(function);
  }

  /// Visits the operations of a block in order, and of each operation the bodies first.
  static LogicalResult visit(Block &block, OperationFolder &folder) {
    bool failed = false;
    for (Block::iterator next = block.begin(); next != block.end();) {
      Operation *op = &*next++;
      if (!isa<onnx::OnnxOpInterface>(op) || succeeded(folder.tryToFold(op)))
        continue;
      if (auto branches = dyn_cast<onnx::IfOp>(op))
        if (Region *taken = branches.getTakenBranch()) {
          next = replaceByBody(op, taken->front());
          continue;
        }
      if (auto loop = dyn_cast<onnx::LoopOp>(op))
        failed |= mlir::failed(loop.refineBody());
      if (auto scan = dyn_cast<onnx::ScanOp>(op))
        failed |= mlir::failed(scan.refineBody());
      for (Region &body : op->getRegions())
        failed |= mlir::failed(visit(body.front(), folder));
      failed |= mlir::failed(refine(op));
    }
    return failure(failed);
  }

  /// Puts the operations of `body` in the place of `op`; returns the first of them, or what follows.
  static Block::iterator replaceByBody(Operation *op, Block &body) {
    Operation *terminator = body.getTerminator();
    Block::iterator before(op), first = body.begin();
    if (first == Block::iterator(terminator))
      first = std::next(before);
    op->getBlock()->getOperations().splice(before, body.getOperations(), body.begin(), Block::iterator(terminator));
    for (auto [result, value] : llvm::zip(op->getResults(), terminator->getOperands()))
      result.replaceAllUsesWith(value);
    op->erase();
    return first;
  }

  /// An output whose shape depends on data has the shape that the model declares, if it declares one: the operator's
  /// lowering decides whether that is all it needs to know.
  static void adoptDeclarations(func::FuncOp function) {
    for (auto [index, operand] : llvm::enumerate(function.getBody().back().getTerminator()->getOperands())) {
      auto declared = function.getResultAttrOfType<TypeAttr>(index, "onnx.declared");
      auto present = dyn_cast<RankedTensorType>(operand.getType());
      bool isOpen = !present || !present.hasStaticShape();
      if (declared && isOpen && succeeded(verifyCompatibleShape(declared.getValue(), operand.getType())) &&
          isa_and_nonnull<onnx::OnnxOpInterface>(operand.getDefiningOp()))
        operand.setType(declared.getValue());
      function.removeResultAttr(index, StringAttr::get(function.getContext(), "onnx.declared"));
    }
  }

  static LogicalResult refine(Operation *op) {
    FailureOr<SmallVector<Type>> types = onnx::inferResultTypes(op);
    if (mlir::failed(types))
      return failure();
    for (auto [result, type] : llvm::zip(op->getResults(), *types))
      if (isMorePrecise(type, result.getType()))
        result.setType(type);
    return success();
  }

  /// A type is replaced by one that says more, never by one that says less.
  static bool isMorePrecise(Type next, Type present) {
    auto ranked = dyn_cast<RankedTensorType>(next);
    auto before = dyn_cast<RankedTensorType>(present);
    if (!ranked || next == present)
      return false;
    return !before || ranked.getNumDynamicDims() < before.getNumDynamicDims();
  }

  static void refineSignature(func::FuncOp function) {
    Operation *terminator = function.getBody().back().getTerminator();
    function.setType(FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(),
                                       terminator->getOperandTypes()));
  }
};
} // namespace
} // namespace onnx_aot
