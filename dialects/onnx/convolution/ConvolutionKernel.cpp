//===- ConvolutionKernel.cpp - what the forms of convolutions have in common --------------------------------------===//
#include "dialects/onnx/convolution/ConvolutionKernel.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

/// `value` under another shape; constants stay constants, so that weights can be packed later.
static Value reshapeWeights(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> shape) {
  if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
    auto type = RankedTensorType::get(shape, cast<RankedTensorType>(value.getType()).getElementType());
    TypedAttr reshaped;
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant.getValue()))
      reshaped = DenseResourceElementsAttr::get(type, resource.getRawHandle());
    else if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()))
      reshaped = dense.reshape(type);
    if (reshaped)
      return arith::ConstantOp::create(builder, loc, type, reshaped);
  }
  return buildReshape(builder, loc, value, shape);
}

Value onnx_aot::onnx::splitGroups(OpBuilder &builder, Location loc, Value value, int64_t groups, unsigned dim) {
  if (groups == 1 || !value)
    return value;
  Sizes split = sizesOf(builder, loc, value);
  OpFoldResult count = builder.getIndexAttr(groups);
  split[dim] = divideSizes(builder, loc, split[dim], count);
  split.insert(split.begin() + dim, count);
  SmallVector<int64_t> shape = staticShape(split);
  return ShapedType::isDynamicShape(shape) ? buildReshape(builder, loc, value, split)
                                           : reshapeWeights(builder, loc, value, shape);
}

/// The run checks that two extents are the same where that is not known.
static void requireSame(OpBuilder &builder, Location loc, Dim a, Dim b, ValueMapping lowered) {
  if (!a.equals(b))
    requireEqual(builder, loc, buildSize(builder, loc, a, lowered), buildSize(builder, loc, b, lowered),
                 aot::Code::shape_mismatch);
}

void onnx_aot::onnx::requireShapes(OpBuilder &builder, Location loc, const Convolution &conv, ArrayRef<Dim> x,
                                   ArrayRef<Dim> w, std::optional<Shape> bias, ValueMapping lowered) {
  requireSame(builder, loc, x[1], conv.inputs * conv.groups, lowered);
  requireSame(builder, loc, w[0], (conv.isInputMajor ? conv.inputs : conv.outputs) * conv.groups, lowered);
  if (bias)
    requireSame(builder, loc, bias->front(), conv.outputs * conv.groups, lowered);
  for (auto [dim, extent] : llvm::zip(conv.window, w.drop_front(2)))
    requireSame(builder, loc, dim.kernel, extent, lowered);
}

Sizes onnx_aot::onnx::resultSizes(OpBuilder &builder, Location loc, Dim batch, const Convolution &conv,
                                  ValueMapping lowered) {
  Sizes sizes = {buildSize(builder, loc, batch, lowered), buildSize(builder, loc, conv.outputs * conv.groups, lowered)};
  for (Dim dim : outputDims(conv.window))
    sizes.push_back(buildSize(builder, loc, dim, lowered));
  return sizes;
}

Value onnx_aot::onnx::splitData(OpBuilder &builder, Location loc, const Convolution &conv) {
  return conv.splitsChannels() ? splitGroups(builder, loc, conv.data, conv.groups, 1) : conv.data;
}

Value onnx_aot::onnx::buildConvolution(OpBuilder &builder, Location loc, const Convolution &conv, KernelSpec &spec,
                                       RankedTensorType resultType) {
  spec.resultType = resultType;
  spec.resultSizes = conv.result;
  if (conv.splitsChannels()) {
    OpFoldResult groups = builder.getIndexAttr(conv.groups);
    spec.resultSizes[1] = divideSizes(builder, loc, conv.result[1], groups);
    spec.resultSizes.insert(spec.resultSizes.begin() + 1, groups);
  }
  Value result = buildKernel(builder, loc, spec);
  if (conv.splitsChannels())
    result = buildReshape(builder, loc, result, conv.result);
  return fitTensor(builder, loc, result, resultType);
}

Value onnx_aot::onnx::zeroOf(OpBuilder &builder, Location loc, Value tensor) {
  return arith::ConstantOp::create(builder, loc,
                                   cast<TypedAttr>(builder.getZeroAttr(getElementTypeOrSelf(tensor.getType()))));
}

Value onnx_aot::onnx::buildFloatConvolution(OpBuilder &builder, Location loc, const Convolution &conv, Type element,
                                            RankedTensorType resultType) {
  ConvolutionMaps maps(builder.getContext(), conv);
  KernelSpec spec;
  spec.kind = "conv";
  spec.inputs = {splitData(builder, loc, conv), conv.weights};
  spec.maps = {maps.map(maps.data), maps.map(maps.weights)};
  bool hasBias = bool(conv.bias);
  if (hasBias) {
    spec.inputs.push_back(conv.splitsChannels() ? splitGroups(builder, loc, conv.bias, conv.groups) : conv.bias);
    spec.maps.push_back(maps.map(maps.channel));
  }
  spec.maps.push_back(maps.map(maps.result));
  spec.isReduction = maps.isReduction;
  spec.identity = cast<TypedAttr>(builder.getZeroAttr(computeType(element)));
  spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
    Value left = toCompute(b, b.getLoc(), x[0], element), right = toCompute(b, b.getLoc(), x[1], element);
    return math::FmaOp::create(b, left, right, accumulator);
  };
  spec.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
    if (hasBias)
      accumulator = arith::AddFOp::create(b, accumulator, toCompute(b, b.getLoc(), x[2], element));
    return toStorage(b, b.getLoc(), accumulator, element);
  };
  return buildConvolution(builder, loc, conv, spec, resultType);
}
