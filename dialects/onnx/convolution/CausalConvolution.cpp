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
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

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
    requireShapes(op, rewriter);
    OpFoldResult zeroSize = rewriter.getIndexAttr(0), one = rewriter.getIndexAttr(1);
    OpFoldResult kernel = sizeOf(rewriter, loc, adaptor.getWeight(), 2);
    OpFoldResult past = subtractSizes(rewriter, loc, kernel, one); // elements of the state
    Type element = type(op.getInput()).getElementType(), real = computeType(element);
    Value joined = adaptor.getInput();
    if (constantSize(past) != 0 && op.getPastState()) {
      joined = join(rewriter, loc, adaptor.getPastState(), joined);
    } else if (constantSize(past) != 0) {
      Value zero = arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(storageType(element)));
      joined = buildPad(rewriter, loc, joined, Sizes{zeroSize, zeroSize, past}, Sizes(3, zeroSize), zero);
    }
    AffineExpr b, c, t, k;
    bindDims(context, b, c, t, k);
    auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(4, 0, exprs, context); };
    KernelSpec spec;
    spec.kind = "conv";
    Sizes taps = {sizeOf(rewriter, loc, adaptor.getWeight(), 0), kernel};
    spec.inputs = {joined, buildReshape(rewriter, loc, adaptor.getWeight(), taps)};
    spec.maps = {map({b, c, t + k}), map({c, k})};
    if (op.getBias()) {
      spec.inputs.push_back(adaptor.getBias());
      spec.maps.push_back(map({c}));
    }
    spec.maps.push_back(map({b, c, t}));
    spec.isReduction = {false, false, false, true};
    spec.identity = cast<TypedAttr>(rewriter.getZeroAttr(real));
    spec.resultType = stored(op.getOutput());
    spec.resultSizes = sizesOf(rewriter, loc, adaptor.getInput());
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
    SmallVector<Value> results = {fitTensor(rewriter, loc, buildKernel(rewriter, loc, spec), stored(op.getOutput()))};
    if (op.getPresentState()) {
      Sizes state = sizesOf(rewriter, loc, joined), offsets(3, zeroSize);
      offsets[2] = subtractSizes(rewriter, loc, state[2], past);
      state[2] = past;
      Value last = constantSize(offsets[2]) == 0
                       ? joined
                       : tensor::ExtractSliceOp::create(rewriter, loc, joined, offsets, state, Sizes(3, one));
      results.push_back(fitTensor(rewriter, loc, last, stored(op.getPresentState())));
    }
    rewriter.replaceOp(op, results);
    return success();
  }

  /// The run checks what is not known of the shapes.
  void requireShapes(CausalConvWithStateOp op, ConversionPatternRewriter &rewriter) const {
    auto check = [&](Dim a, Dim b) {
      if (!a.equals(b))
        requireEqual(rewriter, op.getLoc(), buildSize(rewriter, op.getLoc(), a, lowered(rewriter)),
                     buildSize(rewriter, op.getLoc(), b, lowered(rewriter)), aot::Code::shape_mismatch);
    };
    Shape input = shape(op.getInput()), weight = shape(op.getWeight());
    check(weight[0], input[1]);
    check(weight[1], 1);
    if (op.getBias())
      check(shape(op.getBias())[0], input[1]);
    if (!op.getPastState())
      return;
    Shape past = shape(op.getPastState());
    check(past[0], input[0]);
    check(past[1], input[1]);
    check(past[2], weight[2] - 1);
  }

  static Value join(OpBuilder &builder, Location loc, Value past, Value input) {
    Sizes before = sizesOf(builder, loc, past), after = sizesOf(builder, loc, input), whole = after;
    whole[2] = addSizes(builder, loc, before[2], after[2]);
    Value joined = emptyTensor(builder, loc, whole, getElementTypeOrSelf(input.getType()));
    Sizes offsets(3, builder.getIndexAttr(0)), strides(3, builder.getIndexAttr(1));
    joined = tensor::InsertSliceOp::create(builder, loc, past, joined, offsets, before, strides);
    offsets[2] = before[2];
    return tensor::InsertSliceOp::create(builder, loc, input, joined, offsets, after, strides);
  }
};
} // namespace

void onnx_aot::onnx::populateCausalConvolutionToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerCausalConv>(converter, patterns.getContext());
}
