//===- CausalConvolution.cpp - stateful convolution of past positions ---------------------------------------------===//
//
// The past state (or zeros) and the input are joined; output element t is the window that ends with input element t:
//
//   joined[b, c, :] = past_state[b, c, :] ++ input[b, c, :]
//   output[b, c, t] = activation(bias[c] + sum over k of joined[b, c, t + k] * weight[c, 0, k])
//   present_state   = the last kernel - 1 elements of joined
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/CausalConvolution.h"
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

LogicalResult CausalConvWithStateOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(getInput());
  for (Value operand : getOperands())
    if (ctx.elementType(operand) != element)
      return emitOpError("the operands' element types differ");
  std::optional<Shape> input = ctx.shape(getInput()), weight = ctx.shape(getWeight());
  std::optional<Shape> past = getPastState() ? ctx.shape(getPastState()) : std::nullopt;
  std::optional<Shape> bias = getBias() ? ctx.shape(getBias()) : std::nullopt;
  if (getActivation() != "none" && getActivation() != "silu" && getActivation() != "swish") // (C11)
    return emitOpError("there is no activation \"") << getActivation() << "\"";
  auto differ = [](Dim a, Dim b) { return a.isKnown() && b.isKnown() && a.get() != b.get(); };
  Dim batch, channels, kernel;
  if (input) {
    if (input->size() != 3) // (C8)
      return emitOpError("the input must be batch x channels x length");
    batch = (*input)[0];
    channels = (*input)[1];
  }
  if (weight) {
    if (weight->size() != 3 || differ((*weight)[1], 1) || differ((*weight)[0], channels) || (*weight)[2].is(0)) // (C9)
      return emitOpError("the weight must be channels x 1 x kernel");
    kernel = (*weight)[2];
  }
  if (bias && (bias->size() != 1 || differ(bias->front(), channels))) // (C4)
    return emitOpError("the bias must have one element per channel");
  if (past && (past->size() != 3 || differ((*past)[0], batch) || differ((*past)[1], channels) ||
               differ((*past)[2], kernel - 1))) // (C10)
    return emitOpError("the past state must be batch x channels x (kernel - 1)");
  results.emplace_back(element, input);
  if (getPresentState())
    results.emplace_back(element, Shape{batch, channels, kernel - 1});
  return success();
}

namespace {
struct LowerCausalConv : OnnxLowering<CausalConvWithStateOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(CausalConvWithStateOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    MLIRContext *context = op.getContext();
    ArrayRef<int64_t> shape = type(op.getInput()).getShape();
    int64_t kernel = type(op.getWeight()).getDimSize(2);
    Type element = type(op.getInput()).getElementType(), real = computeType(element);
    Value joined = adaptor.getInput();
    if (kernel > 1 && op.getPastState()) {
      joined = join(rewriter, loc, adaptor.getPastState(), joined);
    } else if (kernel > 1) {
      Value zero = arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(storageType(element)));
      joined = buildPad(rewriter, loc, joined, {0, 0, kernel - 1}, {0, 0, 0}, zero);
    }
    AffineExpr b, c, t, k;
    bindDims(context, b, c, t, k);
    auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(4, 0, exprs, context); };
    KernelSpec spec;
    spec.kind = "conv";
    spec.inputs = {joined, buildReshape(rewriter, loc, adaptor.getWeight(), {shape[1], kernel})};
    spec.maps = {map({b, c, t + k}), map({c, k})};
    if (op.getBias()) {
      spec.inputs.push_back(adaptor.getBias());
      spec.maps.push_back(map({c}));
    }
    spec.maps.push_back(map({b, c, t}));
    spec.isReduction = {false, false, false, true};
    spec.identity = cast<TypedAttr>(rewriter.getZeroAttr(real));
    spec.resultType = stored(op.getOutput());
    spec.compute = [=](ImplicitLocOpBuilder &builder, ValueRange x, Value sum) -> Value {
      return math::FmaOp::create(builder, toCompute(builder, loc, x[0], element),
                                 toCompute(builder, loc, x[1], element), sum);
    };
    bool hasBias = op.getBias() != nullptr, hasActivation = op.getActivation() != "none";
    spec.epilogue = [=](ImplicitLocOpBuilder &builder, ValueRange x, Value sum) -> Value {
      if (hasBias)
        sum = arith::AddFOp::create(builder, sum, toCompute(builder, loc, x[2], element));
      if (hasActivation) {
        // x * sigmoid(x) = x / (1 + exp(-x))
        Value power = math::ExpOp::create(builder, arith::NegFOp::create(builder, sum).getResult());
        Value divisor = arith::AddFOp::create(builder, power, scalarConstant(builder, loc, real, 1));
        sum = arith::DivFOp::create(builder, sum, divisor);
      }
      return toStorage(builder, loc, sum, element);
    };
    SmallVector<Value> results = {buildKernel(rewriter, loc, spec)};
    if (op.getPresentState()) {
      Value zero = arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(storageType(element)));
      int64_t dropped = cast<RankedTensorType>(joined.getType()).getDimSize(2) - (kernel - 1);
      results.push_back(buildPad(rewriter, loc, joined, {0, 0, -dropped}, {0, 0, 0}, zero));
    }
    rewriter.replaceOp(op, results);
    return success();
  }

  static Value join(OpBuilder &builder, Location loc, Value past, Value input) {
    auto pastType = cast<RankedTensorType>(past.getType()), inputType = cast<RankedTensorType>(input.getType());
    SmallVector<int64_t> shape(inputType.getShape());
    shape[2] += pastType.getDimSize(2);
    Value joined = emptyTensor(builder, loc, RankedTensorType::get(shape, inputType.getElementType()));
    int64_t start = 0;
    for (Value part : {past, input}) {
      SmallVector<OpFoldResult> offsets(3, builder.getIndexAttr(0)), sizes, strides(3, builder.getIndexAttr(1));
      offsets[2] = builder.getIndexAttr(start);
      for (int64_t extent : cast<RankedTensorType>(part.getType()).getShape())
        sizes.push_back(builder.getIndexAttr(extent));
      joined = tensor::InsertSliceOp::create(builder, loc, part, joined, offsets, sizes, strides);
      start += pastType.getDimSize(2);
    }
    return joined;
  }
};
} // namespace

void onnx_aot::onnx::populateCausalConvolutionToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerCausalConv>(converter, patterns.getContext());
}
