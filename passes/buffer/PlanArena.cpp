//===- PlanArena.cpp - every buffer a slice of one arena ----------------------------------------------------------===//
//
// 1. Each memref.alloc gets a lifetime in operations of the entry's block, from its first to its last use; views count
//    as uses of what they view, operations inside of loops as the loop.
// 2. In place: an elementwise operation that reads a dying buffer at exactly the positions that it writes, and nowhere
//    else, shares it.
// 3. The planner packs what is left; each allocation becomes a view of the new last argument, the arena.
//
//   %0 = memref.alloc() : memref<64xf32>    =>    %0 = memref.view %arena[%c128][] : memref<256xi8> to memref<64xf32>
//
// From here sizes are fixed: later passes may move slices, not grow them, and nothing allocates.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/buffer/ArenaPlanner.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PLANARENA
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
struct PlanArena : impl::PlanArenaBase<PlanArena> {
  static constexpr int64_t kAlignment = 64;

  struct Buffer {
    memref::AllocOp alloc;
    int64_t bytes;
    int64_t first = INT64_MAX, last = -1;
    int sharesWith = -1; // the buffer whose place this one takes over
  };

  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!function.isExternal())
        plan(function);
  }

  void plan(func::FuncOp function) {
    step.clear();
    owner.clear();
    aliases.clear();
    buffers.clear();
    Block &body = function.getBody().front();
    number(body);
    if (failed(collect(function, body)))
      return signalPassFailure();
    shareInPlace(body);

    // One planned buffer per group that shares a place.
    SmallVector<int> root(buffers.size());
    SmallVector<PlannedBuffer> planned;
    SmallVector<int> slot(buffers.size(), -1);
    for (auto [index, buffer] : llvm::enumerate(buffers)) {
      root[index] = buffer.sharesWith < 0 ? int(index) : root[buffer.sharesWith];
      if (root[index] == int(index)) {
        slot[index] = planned.size();
        planned.push_back({buffer.bytes, buffer.first, buffer.last});
        continue;
      }
      PlannedBuffer &shared = planned[slot[root[index]]];
      shared.first = std::min(shared.first, buffer.first);
      shared.last = std::max(shared.last, buffer.last);
    }
    ArenaPlan plan = planArena(planned, kAlignment);

    OpBuilder builder(&getContext());
    auto arenaType = MemRefType::get({plan.size}, builder.getI8Type());
    unsigned position = function.getNumArguments();
    if (failed(function.insertArgument(position, arenaType, DictionaryAttr(), function.getLoc())))
      return signalPassFailure();
    Value arena = function.getArgument(position);
    for (auto [index, buffer] : llvm::enumerate(buffers)) {
      builder.setInsertionPoint(buffer.alloc);
      Location loc = buffer.alloc.getLoc();
      Value offset = arith::ConstantIndexOp::create(builder, loc, plan.offsets[slot[root[index]]]);
      Value view = memref::ViewOp::create(builder, loc, buffer.alloc.getType(), arena, offset, ValueRange());
      buffer.alloc.replaceAllUsesWith(view);
      buffer.alloc.erase();
    }
    for (auto dealloc : llvm::to_vector(function.getOps<memref::DeallocOp>()))
      dealloc.erase();
  }

  void number(Block &body) {
    for (Operation &op : body)
      step[&op] = step.size();
  }

  LogicalResult collect(func::FuncOp function, Block &body) {
    WalkResult result = function.walk([&](memref::AllocOp alloc) {
      MemRefType type = alloc.getType();
      if (!type.hasStaticShape() || !type.getLayout().isIdentity()) {
        alloc.emitError("unsupported: a buffer whose size depends on data");
        return WalkResult::interrupt();
      }
      // Not sizeof(element) * product alone: an empty tensor still needs a place.
      Buffer buffer{alloc, std::max<int64_t>(1, type.getNumElements() * onnx::bytesPerElement(type.getElementType()))};
      if (failed(addUses(alloc.getResult(), body, buffer, buffers.size())))
        return WalkResult::interrupt();
      // A buffer of a loop's body lives as long as the loop.
      if (alloc->getBlock() != &body) {
        int64_t at = step[body.findAncestorOpInBlock(*alloc)];
        buffer.first = std::min(buffer.first, at);
        buffer.last = std::max(buffer.last, at);
      }
      if (buffer.last < 0)
        buffer.first = buffer.last = step[body.findAncestorOpInBlock(*alloc)];
      owner[alloc.getResult()] = buffers.size();
      buffers.push_back(buffer);
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  /// Extends the lifetime of buffer `index` to all uses of `value`, which may be (a part of) it.
  LogicalResult addUses(Value value, Block &body, Buffer &buffer, size_t index) {
    if (mayBe(value, index))
      return success(); // visited
    aliases[value].push_back(index);
    for (Operation *user : value.getUsers()) {
      Operation *ancestor = body.findAncestorOpInBlock(*user);
      if (isa<memref::DeallocOp>(user))
        continue;
      bool isView = isa<ViewLikeOpInterface>(user);
      if (!isView || user->getBlock() != &body) {
        buffer.first = std::min(buffer.first, step[ancestor]);
        buffer.last = std::max(buffer.last, step[ancestor]);
      }
      // Results that are memrefs may be views of it (loops and branches included).
      SmallVector<Value> results(user->getResults());
      if (isa<RegionBranchTerminatorOpInterface>(user)) {
        Operation *parent = user->getParentOp();
        // Each iteration would write the one place that the buffer has while it still reads the last iteration's.
        if (isa<LoopLikeOpInterface>(parent) && parent->isAncestor(buffer.alloc))
          return buffer.alloc.emitError("internal error: a loop carries a buffer that its body allocates");
        llvm::append_range(results, parent->getResults());
      }
      for (Value result : results)
        if (isa<MemRefType>(result.getType()) && failed(addUses(result, body, buffer, index)))
          return failure();
    }
    return success();
  }

  /// Whether `value` may be (a part of) buffer `index`.
  bool mayBe(Value value, size_t index) const {
    auto found = aliases.find(value);
    return found != aliases.end() && llvm::is_contained(found->second, index);
  }

  /// Whether one operand of `generic`, and nothing in its body, reads buffer `index`.
  bool readsOnce(linalg::GenericOp generic, size_t index) const {
    bool inBody = false;
    visitUsedValuesDefinedAbove(generic->getRegions(),
                                [&](OpOperand *operand) { inBody |= mayBe(operand->get(), index); });
    return !inBody && llvm::count_if(generic->getOperands(), [&](Value value) { return mayBe(value, index); }) == 1;
  }

  /// The allocation that a chain of whole-buffer views starts from.
  static Value wholeBuffer(Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (!isa<memref::ExpandShapeOp, memref::CollapseShapeOp, memref::CastOp>(op))
        break;
      value = op->getOperand(0);
    }
    return value;
  }

  void shareInPlace(Block &body) {
    for (Operation &op : body) {
      auto generic = dyn_cast<linalg::GenericOp>(op);
      if (!generic)
        continue;
      FailureOr<aot::LoopNest> nest = aot::LoopNest::of(generic);
      if (failed(nest))
        continue;
      auto output = owner.find(wholeBuffer(nest->output.operand));
      if (output == owner.end())
        continue;
      Buffer &target = buffers[output->second];
      int64_t at = step[&op];
      if (target.first != at || target.sharesWith >= 0)
        continue;
      for (const aot::Access &access : nest->inputs) {
        auto input = owner.find(wholeBuffer(access.operand));
        if (input == owner.end() || input->second == output->second)
          continue;
        Buffer &source = buffers[input->second];
        bool samePlaces = access.strides == nest->output.strides && access.offset == nest->output.offset;
        if (source.last != at || !samePlaces || !readsOnce(generic, input->second) || source.bytes != target.bytes ||
            onnx::bytesPerElement(access.elementType) != onnx::bytesPerElement(nest->output.elementType) ||
            input->second > output->second)
          continue;
        target.sharesWith = input->second;
        break;
      }
    }
  }

  DenseMap<Operation *, int64_t> step;
  DenseMap<Value, size_t> owner;
  DenseMap<Value, SmallVector<size_t, 2>> aliases; // the buffers that a value may be (a part of)
  SmallVector<Buffer> buffers;
};
} // namespace
} // namespace onnx_aot
