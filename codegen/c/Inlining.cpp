//===- Inlining.cpp - which operations become parts of larger expressions -----------------------------------------===//
//
// See Inlining.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/Inlining.h"
#include "codegen/c/Expressions.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace onnx_aot::c {

/// Operations that one expression is made of at most.
static constexpr unsigned kLongest = 14;

static bool mayWrite(Operation *op) {
  if (isa<memref::StoreOp, memref::CopyOp, aot::SlotOp>(op))
    return true;
  if (isa<func::CallOp>(op))
    return !Expressions::isExpression(op);
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (llvm::any_of(block, [](Operation &inner) { return mayWrite(&inner); }))
        return true;
  return false;
}

/// Whether the statement evaluates the operand once, where it stands.
static bool takesExpression(OpOperand &operand) {
  Operation *op = operand.getOwner();
  if (isa<memref::LoadOp>(op))
    return true;
  if (isa<memref::StoreOp, func::CallOp, func::ReturnOp, aot::RequireOp, scf::IfOp, scf::YieldOp, scf::ConditionOp>(op))
    return true;
  // The bound of a loop is looked at again in each iteration.
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return operand.get() == loop.getLowerBound() || llvm::is_contained(loop.getInitArgs(), operand.get());
  return false;
}

DenseSet<Operation *> findInlined(Block &block) {
  DenseSet<Operation *> inlined;
  DenseMap<Operation *, unsigned> position, length;
  DenseMap<Operation *, Operation *> statement; // that an inlined operation ends up in
  SmallVector<unsigned> writers;
  for (Operation &op : block) {
    if (mayWrite(&op))
      writers.push_back(position.size());
    position[&op] = position.size();
  }
  auto isWrittenBetween = [&](Operation *from, Operation *to) {
    auto next = llvm::upper_bound(writers, position[from]);
    return next != writers.end() && *next < position[to];
  };
  for (Operation &op : llvm::reverse(block)) {
    statement[&op] = &op;
    length[&op] = 1;
    bool isLoad = isa<memref::LoadOp>(op);
    if ((!isLoad && !Expressions::isExpression(&op)) || !op.getResult(0).hasOneUse())
      continue;
    OpOperand &use = *op.getResult(0).use_begin();
    Operation *user = use.getOwner();
    bool isInExpression = Expressions::isExpression(user);
    if (user->getBlock() != &block || (!isInExpression && !takesExpression(use)) || Expressions::repeats(use))
      continue;
    Operation *end = statement[user];
    if ((isLoad && isWrittenBetween(&op, end)) || length[end] >= kLongest)
      continue;
    inlined.insert(&op);
    statement[&op] = end;
    ++length[end];
  }
  return inlined;
}

} // namespace onnx_aot::c
