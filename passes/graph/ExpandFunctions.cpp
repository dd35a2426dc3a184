//===- ExpandFunctions.cpp - operators become the graphs that they stand for --------------------------------------===//
//
// Operators are visited in order, bodies too; one that a family's table of functions lists is replaced by the operators
// that its expansion makes, which are visited next. Shapes are inferred before (expansions ask for ranks) and after.
//
// Before: any operators.  After: no function is left but forms that have a lowering.
//
//   %y = onnx.com_microsoft.QuickGelu %x     =>   %s = onnx.Mul %x, %alpha
//                                                 %t = onnx.Sigmoid %s
//                                                 %y = onnx.Mul %x, %t
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/OnnxDialect.h"
#include "dialects/onnx/support/Functions.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Pass/Pass.h"

namespace onnx_aot {
#define GEN_PASS_DEF_EXPANDFUNCTIONS
#include "passes/graph/Passes.h.inc"

using namespace mlir;

namespace {
struct ExpandFunctions : impl::ExpandFunctionsBase<ExpandFunctions> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (mlir::failed(visit(function.getBody().front())))
      return signalPassFailure();
    Operation *terminator = function.getBody().back().getTerminator();
    function.setType(
        FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(), terminator->getOperandTypes()));
  }

  static LogicalResult visit(Block &block) {
    bool failed = false;
    for (Block::iterator next = block.begin(); next != block.end();) {
      Operation *op = &*next;
      FailureOr<Operation *> first = expand(op);
      failed |= mlir::failed(first);
      if (succeeded(first) && *first) {
        next = Block::iterator(*first);
        continue;
      }
      ++next;
      for (Region &body : op->getRegions())
        for (Block &inner : body)
          failed |= mlir::failed(visit(inner));
    }
    return failure(failed);
  }

  static bool saysMore(Type type, Type other) {
    auto ranked = dyn_cast<RankedTensorType>(type), present = dyn_cast<RankedTensorType>(other);
    return ranked && succeeded(verifyCompatibleShape(type, other)) &&
           (!present || ranked.getNumDynamicDims() < present.getNumDynamicDims());
  }

  /// The first operation that stands in the place of `op`; null where it stays.
  static FailureOr<Operation *> expand(Operation *op) {
    onnx::Expansion expansion = onnx::expansionOf(op);
    if (!expansion)
      return static_cast<Operation *>(nullptr);
    OpBuilder builder(op);
    onnx::FunctionBuilder f(builder, op->getLoc());
    Operation *before = op->getPrevNode();
    SmallVector<Value> results;
    if (mlir::failed(expansion(op, f, results)) || f.hasFailed())
      return failure();
    if (results.empty())
      return static_cast<Operation *>(nullptr);
    for (auto [result, value] : llvm::zip(op->getResults(), results)) {
      // The operator's type may say more: by the model's declaration.
      if (value.getDefiningOp() && saysMore(result.getType(), value.getType()))
        value.setType(result.getType());
      result.replaceAllUsesWith(value);
    }
    Block *block = op->getBlock();
    op->erase();
    return before ? before->getNextNode() : &block->front();
  }
};
} // namespace
} // namespace onnx_aot
