//===- BufferRoots.cpp - which memory a buffer may lie in ---------------------------------------------------------===//
//
// See BufferRoots.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/BufferRoots.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace onnx_aot::c {

static constexpr int64_t kEverything = INT64_MAX;

/// The values that `value`, carried by control flow, may be equal to; empty where it is not carried.
static SmallVector<Value> carriedFrom(Value value) {
  SmallVector<Value> sources;
  auto addYields = [&](Region &region, unsigned index) {
    for (Block &block : region)
      if (Operation *end = block.getTerminator(); isa<scf::YieldOp>(end))
        sources.push_back(end->getOperand(index));
  };
  auto argument = dyn_cast<BlockArgument>(value);
  Operation *op = argument ? argument.getOwner()->getParentOp() : value.getDefiningOp();
  unsigned index = argument ? argument.getArgNumber() : cast<OpResult>(value).getResultNumber();
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    index -= argument ? 1 : 0; // the induction variable
    sources.push_back(loop.getInitArgs()[index]);
    addYields(loop.getRegion(), index);
  } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    if (argument && argument.getOwner()->getParent() == &loop.getBefore()) {
      sources.push_back(loop.getInits()[index]);
      addYields(loop.getAfter(), index);
    } else {
      sources.push_back(loop.getConditionOp().getArgs()[index]);
    }
  } else if (isa<scf::IfOp, scf::IndexSwitchOp, scf::ExecuteRegionOp>(op)) {
    for (Region &region : op->getRegions())
      addYields(region, index);
  } else if (auto select = dyn_cast<arith::SelectOp>(op)) {
    sources = {select.getTrueValue(), select.getFalseValue()};
  }
  return sources;
}

static int64_t bytesOf(MemRefType type) {
  return type.hasStaticShape() ? type.getNumElements() * int64_t(llvm::divideCeil(type.getElementTypeBitWidth(), 8))
                               : kEverything;
}

BufferRoots::Roots BufferRoots::rootsOf(Value buffer) {
  Roots roots;
  DenseSet<Value> seen;
  SmallVector<Root> pending = {{buffer, 0, kEverything}};
  while (!pending.empty()) {
    Root next = pending.pop_back_val();
    Operation *op = next.source.getDefiningOp();
    if (auto view = dyn_cast_or_null<memref::ViewOp>(op)) {
      std::optional<int64_t> shift = getConstantIntValue(view.getByteShift());
      int64_t bytes = bytesOf(view.getType());
      bool isKnown = shift && bytes != kEverything && next.begin == 0 && next.end == kEverything;
      // Views of views are not known any better than by their outermost one.
      pending.push_back({view.getSource(), isKnown ? *shift : 0, isKnown ? *shift + bytes : kEverything});
      continue;
    }
    if (isa_and_nonnull<memref::ReinterpretCastOp, memref::CastOp, memref::ExtractStridedMetadataOp, memref::SubViewOp,
                        memref::CollapseShapeOp, memref::ExpandShapeOp>(op)) {
      pending.push_back({op->getOperand(0), next.begin, next.end});
      continue;
    }
    SmallVector<Value> sources = carriedFrom(next.source);
    if (!sources.empty() && !seen.insert(next.source).second)
      continue;
    for (Value source : sources)
      pending.push_back({source, 0, kEverything});
    if (sources.empty())
      roots.push_back(next);
  }
  return roots;
}

bool BufferRoots::mayShare(const Roots &a, const Roots &b) {
  for (const Root &left : a)
    for (const Root &right : b) {
      bool bothSlots = left.source.getDefiningOp<aot::SlotOp>() && right.source.getDefiningOp<aot::SlotOp>();
      auto global = left.source.getDefiningOp<memref::GetGlobalOp>();
      bool isSame =
          left.source == right.source || bothSlots || (global && right.source.getDefiningOp<memref::GetGlobalOp>());
      if (isSame && left.begin < right.end && right.begin < left.end)
        return true;
    }
  return false;
}

BufferRoots::BufferRoots(ModuleOp module) {
  findWritten(module);
  module.walk([&](func::CallOp call) {
    auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
    if (callee && !callee.isDeclaration())
      findShared(call, callee);
  });
}

/// A function that calls another one writes what that one writes: repeated until nothing is added.
void BufferRoots::findWritten(ModuleOp module) {
  size_t before;
  do {
    before = written.size();
    auto write = [&](Value buffer) {
      for (const Root &root : rootsOf(buffer))
        if (isa<BlockArgument>(root.source))
          written.insert(root.source);
    };
    module.walk([&](Operation *op) {
      if (auto store = dyn_cast<memref::StoreOp>(op))
        write(store.getMemRef());
      else if (auto copy = dyn_cast<memref::CopyOp>(op))
        write(copy.getTarget());
      else if (auto call = dyn_cast<func::CallOp>(op)) {
        auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee());
        if (callee && !callee.isDeclaration())
          for (auto [operand, parameter] : llvm::zip(call.getOperands(), callee.getArguments()))
            if (isa<MemRefType>(operand.getType()) && isWritten(parameter))
              write(operand);
      }
    });
  } while (written.size() != before);
}

void BufferRoots::findShared(func::CallOp call, func::FuncOp callee) {
  SmallVector<std::pair<BlockArgument, Roots>> buffers;
  for (auto [operand, parameter] : llvm::zip(call.getOperands(), callee.getArguments()))
    if (isa<MemRefType>(operand.getType()))
      buffers.push_back({parameter, rootsOf(operand)});
  for (auto &[left, leftRoots] : buffers)
    for (auto &[right, rightRoots] : buffers)
      if (left != right && (isWritten(left) || isWritten(right)) && mayShare(leftRoots, rightRoots)) {
        shared.insert(left);
        shared.insert(right);
      }
}

} // namespace onnx_aot::c
