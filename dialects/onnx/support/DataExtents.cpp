//===- DataExtents.cpp - extents that an operator cannot tell before it runs --------------------------------------===//
#include "dialects/onnx/support/DataExtents.h"
#include "dialects/onnx/support/Lowering.h"

using namespace mlir;

namespace onnx_aot::onnx {

bool hasDataExtents(const TypeConverter *converter, Operation *op, Value result) {
  ShapeAnalysis *analysis = static_cast<const TensorTypeConverter *>(converter)->getShapes();
  if (!analysis)
    return !cast<RankedTensorType>(result.getType()).hasStaticShape();
  const Shape *told = analysis->recordedShape(result);
  return !llvm::all_of(analysis->shapeOf(result), [&](Dim dim) { return analysis->isKnownBefore(op, dim); }) ||
         (told && llvm::any_of(*told, [](Dim dim) { return dim.isUnknown(); }));
}

} // namespace onnx_aot::onnx
