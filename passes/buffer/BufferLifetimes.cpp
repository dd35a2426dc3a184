//===- BufferLifetimes.cpp - from when to when a buffer is in use -------------------------------------------------===//
//
// See BufferLifetimes.h.
//
// 1. Views count as uses of what they view. Values follow their way into and out of branches and loops.
// 2. In place: an elementwise operation that reads a dying buffer at exactly the positions that it writes, and nowhere
//    else, shares it. So may the first operation that writes an output.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/buffer/BufferLifetimes.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace onnx_aot;

FailureOr<SmallVector<Buffer>> BufferLifetimes::find(func::FuncOp function, BufferSizes &sizes,
                                                     ArrayRef<Output> outputs) {
  BufferLifetimes lifetimes;
  lifetimes.steps = number(function);
  if (failed(lifetimes.collect(function, sizes)))
    return failure();
  lifetimes.shareInPlace(function);
  lifetimes.endInOutputs(function, outputs);
  return std::move(lifetimes.buffers);
}

static void numberRegion(Region &region, BufferLifetimes::Steps &steps) {
  for (Block &block : region)
    for (Operation &op : block) {
      int64_t first = steps.size();
      steps[&op] = {first, first};
      if (isa<RegionBranchOpInterface>(op))
        for (Region &inner : op.getRegions())
          numberRegion(inner, steps);
      steps[&op].last = int64_t(steps.size()) - 1;
    }
}

BufferLifetimes::Steps BufferLifetimes::number(func::FuncOp function) {
  Steps steps;
  numberRegion(function.getBody(), steps);
  return steps;
}

/// The step of the first use of `value`, which is (a view of) an argument; a use in a loop takes as long as the loop.
static int64_t firstUse(Value value, Block &body, const BufferLifetimes::Steps &steps) {
  int64_t first = INT64_MAX;
  for (Operation *user : value.getUsers()) {
    if (!isa<ViewLikeOpInterface>(user) || user->getBlock() != &body) {
      first = std::min(first, steps.lookup(body.findAncestorOpInBlock(*user)).first);
      continue;
    }
    for (Value view : user->getResults())
      first = std::min(first, firstUse(view, body, steps));
  }
  return first;
}

SmallVector<Output> BufferLifetimes::outputs(func::FuncOp function) {
  SmallVector<Output> outputs;
  Steps steps = number(function);
  unsigned number = 0;
  for (BlockArgument argument : function.getArguments()) {
    if (!function.getArgAttr(argument.getArgNumber(), "bufferize.result"))
      continue;
    auto type = cast<MemRefType>(argument.getType());
    bool isPointer = bool(function.getArgAttr(argument.getArgNumber(), "aot.tensor"));
    if (!isPointer && type.hasStaticShape() && type.getLayout().isIdentity() && type.getNumElements() > 0)
      outputs.push_back({argument, number, type.getNumElements() * onnx::bytesPerElement(type.getElementType()),
                         firstUse(argument, function.getBody().front(), steps)});
    ++number;
  }
  return outputs;
}

LogicalResult BufferLifetimes::collect(func::FuncOp function, BufferSizes &sizes) {
  WalkResult result = function.walk([&](memref::AllocOp alloc) {
    if (!alloc.getType().getLayout().isIdentity()) {
      alloc.emitError("internal error: a buffer whose elements are not dense");
      return WalkResult::interrupt();
    }
    Buffer buffer{alloc, sizes.of(alloc)};
    visited.clear();
    if (failed(addUses(alloc.getResult(), buffer, buffers.size(), /*carrier=*/nullptr)))
      return WalkResult::interrupt();
    if (buffer.last < 0)
      buffer.first = buffer.last = steps[alloc].first;
    owner[alloc.getResult()] = buffers.size();
    buffers.push_back(buffer);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// The steps that a use takes: those of the outermost loop around it that the buffer is not allocated in.
BufferLifetimes::Span BufferLifetimes::spanOf(Operation *user, const Buffer &buffer) const {
  while (!steps.contains(user))
    user = user->getParentOp();
  Span span = steps.lookup(user);
  for (Operation *parent = user->getParentOp(); parent && !parent->isAncestor(buffer.alloc);
       parent = parent->getParentOp())
    if (isa<LoopLikeOpInterface>(parent))
      span = steps.lookup(parent);
  return span;
}

/// Extends the lifetime of buffer `index` to all uses of `value`, which may be (a part of) it. In the next iteration of
/// `carrier`, if that is not null.
LogicalResult BufferLifetimes::addUses(Value value, Buffer &buffer, size_t index, Operation *carrier) {
  if (!visited.insert({value, carrier}).second)
    return success();
  if (!mayBe(value, index))
    aliases[value].push_back(index);
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (isa<memref::DeallocOp>(user))
      continue;
    if (!isa<ViewLikeOpInterface>(user) || user->getBlock() != buffer.alloc->getBlock()) {
      Span span = spanOf(user, buffer);
      buffer.first = std::min(buffer.first, span.first);
      buffer.last = std::max(buffer.last, span.last);
    }
    if (failed(passOn(use, buffer, index, carrier)))
      return failure();
  }
  return success();
}

LogicalResult BufferLifetimes::passOn(OpOperand &operand, Buffer &buffer, size_t index, Operation *carrier) {
  Operation *user = operand.getOwner();
  unsigned position = operand.getOperandNumber();
  auto follow = [&](ValueRange values, Operation *next) {
    for (Value value : values)
      if (isa<MemRefType>(value.getType()) && failed(addUses(value, buffer, index, next)))
        return failure();
    return success();
  };
  // Into the next iteration. Each would write the place that the last one's value has, so that there are two.
  auto carry = [&](Operation *loop, ValueRange values) -> LogicalResult {
    if (!loop->isAncestor(buffer.alloc))
      return follow(values, carrier);
    if (carrier == loop)
      return buffer.alloc.emitError("internal error: a loop carries a buffer beyond the next iteration");
    buffer.alternates = true;
    buffer.first = std::min(buffer.first, steps[loop].first);
    buffer.last = std::max(buffer.last, steps[loop].last);
    return follow(values, loop);
  };
  Operation *parent = user->getParentOp();
  if (auto loop = dyn_cast<scf::ForOp>(user)) {
    unsigned at = position - loop.getNumControlOperands();
    return follow({loop.getRegionIterArgs()[at], loop.getResult(at)}, carrier);
  }
  if (auto loop = dyn_cast<scf::WhileOp>(user))
    return follow(loop.getBeforeArguments()[position], carrier);
  if (auto condition = dyn_cast<scf::ConditionOp>(user)) {
    auto loop = cast<scf::WhileOp>(parent);
    return follow({loop.getAfterArguments()[position - 1], loop.getResult(position - 1)}, carrier);
  }
  if (isa<scf::YieldOp>(user)) {
    if (auto loop = dyn_cast<scf::ForOp>(parent)) {
      if (failed(follow(loop.getResult(position), carrier)))
        return failure();
      return carry(loop, loop.getRegionIterArg(position));
    }
    if (auto loop = dyn_cast<scf::WhileOp>(parent))
      return carry(loop, loop.getBeforeArguments()[position]);
    if (isa<scf::IfOp, scf::IndexSwitchOp, scf::ExecuteRegionOp>(parent))
      return follow(parent->getResult(position), carrier);
  }
  if (isa<RegionBranchTerminatorOpInterface>(user) && !isa<func::FuncOp>(parent)) {
    if (isa<LoopLikeOpInterface>(parent) && parent->isAncestor(buffer.alloc))
      return buffer.alloc.emitError("internal error: '") << parent->getName() << "' carries a buffer of its body";
    if (failed(follow(parent->getResults(), carrier)))
      return failure();
  }
  // Results that are memrefs may be views of it.
  return follow(user->getResults(), carrier);
}

/// Whether `value` may be (a part of) buffer `index`.
bool BufferLifetimes::mayBe(Value value, size_t index) const {
  auto found = aliases.find(value);
  return found != aliases.end() && llvm::is_contained(found->second, index);
}

/// Whether one operand of `generic`, and nothing in its body, reads buffer `index`.
bool BufferLifetimes::readsOnce(linalg::GenericOp generic, size_t index) const {
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

/// Whether `generic` may write its result where it reads `input`, a buffer that nothing needs later.
bool BufferLifetimes::mayWriteOver(linalg::GenericOp generic, const aot::Access &input,
                                   const aot::Access &output) const {
  size_t index = owner.lookup(wholeBuffer(input.operand));
  const Buffer &source = buffers[index];
  return source.last == steps.lookup(generic).first && !source.alternates && input.strides == output.strides &&
         input.offset == output.offset && readsOnce(generic, index) &&
         onnx::bytesPerElement(input.elementType) == onnx::bytesPerElement(output.elementType);
}

void BufferLifetimes::shareInPlace(func::FuncOp function) {
  function.walk([&](linalg::GenericOp generic) {
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(generic);
    if (failed(nest) || !steps.contains(generic))
      return;
    auto output = owner.find(wholeBuffer(nest->output.operand));
    if (output == owner.end())
      return;
    Buffer &target = buffers[output->second];
    if (target.first != steps.lookup(generic).first || target.sharesWith >= 0 || target.alternates)
      return;
    for (const aot::Access &access : nest->inputs) {
      auto input = owner.find(wholeBuffer(access.operand));
      if (input == owner.end() || input->second >= output->second || !(buffers[input->second].size == target.size) ||
          !mayWriteOver(generic, access, nest->output))
        continue;
      target.sharesWith = input->second;
      break;
    }
  });
}

void BufferLifetimes::endInOutputs(func::FuncOp function, ArrayRef<Output> outputs) {
  if (outputs.empty())
    return;
  for (auto generic : function.getOps<linalg::GenericOp>()) {
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(generic);
    if (failed(nest))
      continue;
    Value written = wholeBuffer(nest->output.operand);
    const Output *output = llvm::find_if(outputs, [&](const Output &output) { return output.argument == written; });
    if (output == outputs.end() || output->first != steps.lookup(generic).first)
      continue;
    for (const aot::Access &access : nest->inputs) {
      auto input = owner.find(wholeBuffer(access.operand));
      if (input == owner.end())
        continue;
      Buffer &source = buffers[input->second];
      bool isWhole = source.alloc.getType().hasStaticShape() && source.size.bytes == output->bytes;
      if (!isWhole || !mayWriteOver(generic, access, nest->output))
        continue;
      source.endsIn = output - outputs.begin();
      break;
    }
  }
}
