//===- OutputSpace.cpp - the caller's outputs as memory to work in ------------------------------------------------===//
//
// See OutputSpace.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/buffer/OutputSpace.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace onnx_aot;

int64_t onnx_aot::elementAlignment(Type element) {
  if (auto complex = dyn_cast<ComplexType>(element))
    element = complex.getElementType();
  return llvm::PowerOf2Ceil(isa<IndexType>(element) ? 8 : onnx::bytesPerElement(element));
}

OutputSpace::OutputSpace(func::FuncOp function, bool mayUse) : function(function) {
  if (mayUse)
    list = BufferLifetimes::outputs(function);
}

/// An arena that is smaller by less than these bytes, and by less than this part of it, is not worth it: LLVM knows
/// outputs and the arena to be apart, slices of one buffer less often.
static constexpr int64_t kLeastGain = 256, kLeastPart = 16;

SmallVector<SpareRegion> OutputSpace::regions() const {
  return llvm::map_to_vector(list, [](const Output &output) {
    Type element = cast<MemRefType>(output.argument.getType()).getElementType();
    return SpareRegion{output.bytes, output.first, elementAlignment(element)};
  });
}

RegionPlan OutputSpace::plan(ArrayRef<PlannedBuffer> buffers, ArrayRef<int> endsIn) const {
  RegionPlan alone = planRegions(buffers, {}), plan = planWithOutputs(buffers, endsIn);
  int64_t bound = plan.arena.lowerBound;
  int64_t gain = alone.arena.size - plan.arena.size;
  if (gain < kLeastGain && gain * kLeastPart < alone.arena.size)
    plan = std::move(alone);
  plan.arena.lowerBound = bound;
  return plan;
}

RegionPlan OutputSpace::planWithOutputs(ArrayRef<PlannedBuffer> buffers, ArrayRef<int> endsIn) const {
  RegionPlan plan = planRegions(buffers, regions());
  if (llvm::all_of(endsIn, [](int output) { return output < 0; }))
    return plan;
  // A buffer that ends in an output takes all of it, from its own first step on.
  SmallVector<SpareRegion> left = regions();
  SmallVector<PlannedBuffer> others;
  for (auto [buffer, output] : llvm::zip(buffers, endsIn)) {
    if (output < 0)
      others.push_back(buffer);
    else
      left[output].until = std::min(left[output].until, buffer.first);
  }
  RegionPlan rest = planRegions(others, left);
  int64_t bound = std::min(plan.arena.lowerBound, rest.arena.lowerBound);
  if (rest.arena.size <= plan.arena.size) {
    plan = {{{}, rest.arena.size}, {}};
    size_t next = 0;
    for (int output : endsIn) {
      plan.arena.offsets.push_back(output < 0 ? rest.arena.offsets[next] : 0);
      plan.regions.push_back(output < 0 ? rest.regions[next++] : output);
    }
  }
  plan.arena.lowerBound = bound;
  return plan;
}

Value OutputSpace::bytesOf(int output) {
  BlockArgument argument = list[output].argument;
  OpBuilder builder = OpBuilder::atBlockBegin(argument.getOwner());
  auto type = cast<MemRefType>(argument.getType()), bytes = MemRefType::get({list[output].bytes}, builder.getI8Type());
  if (function.getArgAttr(argument.getArgNumber(), "aot.buffer"))
    return argument;
  function.setArgAttr(argument.getArgNumber(), "aot.buffer", TypeAttr::get(type));
  argument.setType(bytes);
  function.setType(
      builder.getFunctionType(function.getBody().front().getArgumentTypes(), function.getFunctionType().getResults()));
  Value zero = arith::ConstantIndexOp::create(builder, function.getLoc(), 0);
  auto view = memref::ViewOp::create(builder, function.getLoc(), type, argument, zero, ValueRange());
  argument.replaceAllUsesExcept(view, view);
  return argument;
}
