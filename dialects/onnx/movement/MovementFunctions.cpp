//===- MovementFunctions.cpp - moves whose axes are data, as graphs -----------------------------------------------===//
//
// Squeeze by axes that only the run knows is a Reshape to the extents that are left. With marks[axis] = 1 for each of
// the `n` axes, the dims that stay are the rank - n smallest of dim + rank * marks[dim]:
//
//   Reshape(data, Gather(Shape(data), TopK(dims + rank * marks, rank - n, smallest)))
//
// The checks of these operators are those of Squeeze: an axis out of range, an extent that is not 1 (the number of
// elements changes).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Functions.h"

using namespace mlir;
using namespace onnx_aot::onnx;

static LogicalResult expandSqueeze(Operation *operation, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto op = cast<SqueezeOp>(operation);
  auto axes = op.getAxes() ? dyn_cast<RankedTensorType>(op.getAxes().getType()) : RankedTensorType();
  std::optional<int64_t> rank = rankOf(op.getData());
  if (!axes || !rank || axes.getRank() != 1 || axes.isDynamicDim(0) || getConstantIntegers(op.getAxes()))
    return success();
  int64_t removed = axes.getDimSize(0), kept = *rank - removed;
  if (kept < 0)
    return op.emitOpError() << removed << " axes for a tensor of rank " << *rank;
  Value dims = f.list(llvm::to_vector(llvm::seq<int64_t>(0, *rank)));
  Value zeros = f.list(SmallVector<int64_t>(*rank, 0)), ranks = f.list(SmallVector<int64_t>(removed, *rank));
  Value marks = f.op("ScatterElements", {zeros, op.getAxes(), ranks}, {f.integer("axis", 0)});
  Value staying = f.ops("TopK", {f.add(dims, marks), f.list({kept})},
                        {f.integer("axis", 0), f.integer("largest", 0), f.integer("sorted", 1)}, 2)[0];
  Value extents = f.op("Gather", {f.op("Shape", {op.getData()}), staying}, {f.integer("axis", 0)});
  results.push_back(f.op("Reshape", {op.getData(), extents}, {f.integer("allowzero", 1)}));
  return success();
}

namespace onnx_aot::onnx {
ArrayRef<FunctionRow> getMovementFunctions() {
  static const FunctionRow table[] = {{"Squeeze", expandSqueeze}};
  return table;
}
} // namespace onnx_aot::onnx
