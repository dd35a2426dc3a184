//===- PlaceRegionResults.cpp - buffers for what branches and loops yield -----------------------------------------===//
//
// Bufferization wants the values that a loop carries to stay in the buffers that they came in, and results of branches
// are best buffers of one layout. So copies are made explicit:
//
// - What a branch yields is put into a buffer of the branch.
// - What a loop's body yields is put into a buffer of the body and, behind all of the body, copied into the buffer that
//   the value came in: values may be exchanged. Nothing is copied where elements or a slice are inserted into a carried
//   value that is not used elsewhere.
// - Slices of a loop's body at places that vary lie in buffers of their own: kernels need addresses that are known.
//
// Loops over strips of rows are made to work in place, and stay as they are.
//
//   scf.yield %v        =>   %t = bufferization.materialize_in_destination %v in %alloc_tensor
//                            %c = bufferization.materialize_in_destination %t in %iter_arg
//                            scf.yield %c
//
// A carried value whose size only the run knows may have another size in the next iteration. It is not copied back, but
// yielded in the body's buffer, for which aot-plan-arena has two places in turn; where its producer can write into that
// buffer, nothing is copied at all.
//
//   %e = tensor.empty(%n) ; %v = linalg.exp outs(%e)     =>   %e = bufferization.alloc_tensor(%n) ; %v = ... outs(%e)
//   scf.yield %v                                              scf.yield %v
//
// Runs before empty tensors are eliminated, so that producers write into these buffers.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PLACEREGIONRESULTS
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
struct PlaceRegionResults : impl::PlaceRegionResultsBase<PlaceRegionResults> {
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<bufferization::BufferizationDialect>();
  }

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      if (auto branches = dyn_cast<scf::IfOp>(op))
        placeBranches(branches);
      else if (auto loop = dyn_cast<scf::ForOp>(op); loop && !loop->hasAttr(aot::kStripsAttr))
        placeCarried(loop.getBody()->getTerminator()->getOpOperands(), loop.getRegionIterArgs());
      else if (auto loop = dyn_cast<scf::WhileOp>(op))
        placeCarried(loop);
      else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
        if (inLoop(op) && !slice.getOffsets().empty()) {
          OpBuilder builder(op->getBlock(), std::next(op->getIterator()));
          SmallVector<OpOperand *> uses;
          for (OpOperand &use : slice.getResult().getUses())
            uses.push_back(&use);
          Value buffer = place(builder, slice.getResult());
          for (OpOperand *use : uses)
            use->set(buffer);
        }
      } else if (auto slice = dyn_cast<tensor::InsertSliceOp>(op)) {
        if (inLoop(op) && !slice.getOffsets().empty()) {
          OpBuilder builder(op);
          slice.getSourceMutable().assign(place(builder, slice.getSource()));
        }
      }
    }
  }

  static bool inLoop(Operation *op) {
    if (op->getParentOp()->hasAttr(aot::kStripsAttr))
      return false;
    return op->getParentOfType<scf::ForOp>() || op->getParentOfType<scf::WhileOp>();
  }

  /// The extent of dim `dim` of `value`, by what it is made from as far as possible.
  static Value sizeOf(OpBuilder &builder, Value value, int64_t dim) {
    while (auto result = dyn_cast<OpResult>(value)) {
      Operation *op = result.getOwner();
      if (auto made = dyn_cast<DestinationStyleOpInterface>(op))
        value = made.getTiedOpOperand(result)->get();
      else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
        value = insert.getDest();
      else if (auto cast = dyn_cast<tensor::CastOp>(op); cast && cast.getSource().getType().hasRank())
        value = cast.getSource();
      else if (auto empty = dyn_cast<tensor::EmptyOp>(op))
        return empty.getDynamicSize(dim);
      else if (auto buffer = dyn_cast<bufferization::AllocTensorOp>(op); buffer && !buffer.getCopy())
        return buffer.getDynamicSize(builder, dim);
      else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
        llvm::SmallBitVector dropped = slice.getDroppedDims();
        for (auto [position, size] : llvm::enumerate(slice.getMixedSizes()))
          if (!dropped.test(position) && dim-- == 0)
            return getValueOrCreateConstantIndexOp(builder, op->getLoc(), size);
      } else
        break;
      if (!cast<RankedTensorType>(value.getType()).isDynamicDim(dim))
        break;
    }
    return builder.createOrFold<tensor::DimOp>(value.getLoc(), value, dim);
  }

  /// `value` in a dense buffer of its own.
  static Value place(OpBuilder &builder, Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<Value> sizes;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        sizes.push_back(sizeOf(builder, value, dim));
    Value buffer = bufferization::AllocTensorOp::create(builder, value.getLoc(), type, sizes);
    return store(builder, value, buffer);
  }

  /// Whether `value` is made in `body`, out of nothing: it gets a buffer for it alone then, which may be yielded.
  static bool isPlaced(Value value, Block *body) {
    OpOperand *init = nullptr;
    while (auto made = value.getDefiningOp<DestinationStyleOpInterface>()) {
      bool isShared = init && !value.hasOneUse();
      if (isShared || made->getBlock() != body || isa<bufferization::MaterializeInDestinationOp>(made))
        return false;
      init = made.getTiedOpOperand(cast<OpResult>(value));
      value = init->get();
    }
    auto empty = value.getDefiningOp<tensor::EmptyOp>();
    if (!empty || !init)
      return false;
    OpBuilder builder(init->getOwner());
    init->set(bufferization::AllocTensorOp::create(builder, empty.getLoc(), empty.getType(), empty.getDynamicSizes()));
    return true;
  }

  static Value store(OpBuilder &builder, Value value, Value buffer) {
    return bufferization::MaterializeInDestinationOp::create(builder, value.getLoc(), value.getType(), value, buffer)
        .getResult();
  }

  static void placeBranches(scf::IfOp branches) {
    if (branches.getNumResults() == 0)
      return;
    for (scf::YieldOp yield : {branches.thenYield(), branches.elseYield()}) {
      OpBuilder builder(yield);
      for (OpOperand &operand : yield->getOpOperands())
        if (isa<RankedTensorType>(operand.get().getType()))
          operand.set(place(builder, operand.get()));
    }
  }

  /// Whether `op` is the last that looks at `value`, and looks at it once.
  static bool isLastUse(Value value, Operation *op) {
    return llvm::all_of(value.getUses(),
                        [&](OpOperand &use) {
                          Operation *user = op->getBlock()->findAncestorOpInBlock(*use.getOwner());
                          bool isRead = isa<tensor::ExtractOp, tensor::DimOp>(use.getOwner());
                          return use.getOwner() == op || (isRead && user && user != op && user->isBeforeInBlock(op));
                        }) &&
           llvm::count_if(value.getUses(), [&](OpOperand &use) { return use.getOwner() == op; }) == 1;
  }

  /// Whether `yielded` is `carried` with elements written one after the other, each after all that is read before it.
  static bool isFilled(Value yielded, Value carried) {
    while (yielded != carried) {
      auto result = dyn_cast<OpResult>(yielded);
      Operation *op = result ? result.getOwner() : nullptr;
      if (auto insert = dyn_cast_if_present<tensor::InsertOp>(op)) {
        yielded = insert.getDest();
      } else if (auto loop = dyn_cast_if_present<scf::ForOp>(op)) {
        unsigned number = result.getResultNumber();
        if (!isFilled(loop.getYieldedValues()[number], loop.getRegionIterArgs()[number]))
          return false;
        yielded = loop.getInitArgs()[number];
      } else {
        return false;
      }
      if (!isLastUse(yielded, op))
        return false;
    }
    return true;
  }

  /// Whether what is yielded is the carried value itself, or that with elements or a slice put into it.
  static bool isInPlace(Value yielded, Value carried) {
    if (isFilled(yielded, carried))
      return true;
    auto insert = yielded.getDefiningOp<tensor::InsertSliceOp>();
    return insert && insert.getDest() == carried && insert.getSource() != carried &&
           llvm::all_of(carried.getUsers(),
                        [&](Operation *user) { return user == insert || isa<tensor::DimOp>(user); });
  }

  static bool isDynamic(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && !type.hasStaticShape();
  }

  static void placeCarried(scf::WhileOp loop) {
    // Which values of unknown size pass the condition as they came in.
    SmallVector<bool> passed;
    for (auto [operand, argument] : llvm::zip(loop.getConditionOp().getArgs(), loop.getBeforeArguments()))
      passed.push_back(isInPlace(operand, argument));
    placeCarried(loop.getConditionOp().getArgsMutable(), loop.getBeforeArguments());
    // One that the first half made may not be yielded by the second: it would live for too long.
    scf::YieldOp yield = loop.getYieldOp();
    for (auto [operand, argument, isPassed] : llvm::zip(yield->getOpOperands(), loop.getAfterArguments(), passed)) {
      if (!isPassed && isDynamic(argument) && isInPlace(operand.get(), argument)) {
        OpBuilder builder(yield);
        operand.set(place(builder, operand.get()));
      }
    }
    placeCarried(yield->getOpOperands(), loop.getAfterArguments());
  }

  static void placeCarried(MutableArrayRef<OpOperand> yielded, ArrayRef<BlockArgument> carried) {
    SmallVector<std::pair<OpOperand *, Value>> changed;
    SmallPtrSet<void *, 4> placed;
    for (auto [operand, argument] : llvm::zip(yielded, carried)) {
      if (!isa<RankedTensorType>(argument.getType()) || isInPlace(operand.get(), argument))
        continue;
      if (!isDynamic(argument)) {
        changed.emplace_back(&operand, argument);
        continue;
      }
      // Carried in the body's buffer. A value at two places needs two.
      Operation *owner = operand.getOwner();
      bool isFirst = placed.insert(operand.get().getAsOpaquePointer()).second;
      auto stored = operand.get().getDefiningOp<bufferization::MaterializeInDestinationOp>();
      bool isStored = stored && stored->getBlock() == owner->getBlock() &&
                      stored.getDest().getDefiningOp<bufferization::AllocTensorOp>() && stored->hasOneUse();
      if (isFirst && (isStored || isPlaced(operand.get(), owner->getBlock())))
        continue;
      OpBuilder builder(owner);
      operand.set(place(builder, operand.get()));
    }
    if (changed.empty())
      return;
    OpBuilder builder(changed.front().first->getOwner());
    // All are read before the first is written.
    for (auto [operand, argument] : changed)
      operand->set(place(builder, operand->get()));
    for (auto [operand, argument] : changed)
      operand->set(store(builder, operand->get(), argument));
  }
};
} // namespace
} // namespace onnx_aot
