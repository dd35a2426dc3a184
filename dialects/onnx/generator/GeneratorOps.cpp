//===- GeneratorOps.cpp - shapes and folds of the operators that make tensors -------------------------------------===//
#include "dialects/onnx/generator/Generator.h"

using namespace mlir;
using namespace onnx_aot::onnx;

LogicalResult ConstantOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  ShapedType type = getValue().getShapedType();
  Shape dims(type.getShape().begin(), type.getShape().end());
  results.emplace_back(type.getElementType(), dims);
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }
