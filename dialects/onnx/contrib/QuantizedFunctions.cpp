//===- QuantizedFunctions.cpp - ONNX Runtime's quantized operators as graphs --------------------------------------===//
//
// Each is its float operator between DequantizeLinear and QuantizeLinear, except products, which sum integers.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/contrib/Contrib.h"
#include "dialects/onnx/contrib/Expansions.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/DataTypes.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// `value` as rank 0 where it has one element; a vector stays one.
static Value asScalar(FunctionBuilder &f, Value value) {
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!type || type.getRank() == 0 || !type.hasStaticShape() || type.getNumElements() != 1)
    return value;
  return f.reshape(value, ArrayRef<int64_t>());
}

static Value dequantize(FunctionBuilder &f, Value x, Value scale, Value zeroPoint, int64_t axis = 1) {
  return f.op("DequantizeLinear", {x, asScalar(f, scale), asScalar(f, zeroPoint)}, {f.integer("axis", axis)});
}

/// To the element type of `like`.
static Value quantize(FunctionBuilder &f, Value y, Value scale, Value zeroPoint, Value like) {
  if (!zeroPoint && !f.hasFailed())
    zeroPoint = f.like(0, like);
  return f.op("QuantizeLinear", {y, asScalar(f, scale), asScalar(f, zeroPoint)});
}

/// Q(body(D(x)))
template <typename OpTy>
static LogicalResult expandUnary(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results,
                                 llvm::function_ref<FailureOr<Value>(OpTy, Value)> body) {
  auto unary = cast<OpTy>(op);
  Value x = dequantize(f, unary.getX(), unary.getXScale(), unary.getXZeroPoint());
  FailureOr<Value> y = body(unary, x);
  if (failed(y))
    return failure();
  if (*y)
    results.push_back(quantize(f, *y, unary.getYScale(), unary.getYZeroPoint(), unary.getX()));
  return success();
}

/// N x spatial dims x C to N x C x spatial dims, and back.
static Value moveChannels(FunctionBuilder &f, Value value, bool toFront) {
  int64_t rank = *rankOf(value);
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (toFront)
    std::rotate(order.begin() + 1, order.end() - 1, order.end());
  else
    std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return f.transpose(value, order);
}

template <typename OpTy>
static LogicalResult expandPool(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results, StringRef name,
                                ArrayRef<NamedAttribute> attributes) {
  return expandUnary<OpTy>(op, f, results, [&](OpTy pool, Value x) -> FailureOr<Value> {
    if (!pool.getChannelsLast())
      return f.op(name, {x}, attributes);
    if (f.hasFailed() || !rankOf(x) || *rankOf(x) < 2)
      return Value(); // known later
    return moveChannels(f, f.op(name, {moveChannels(f, x, true)}, attributes), false);
  });
}

static LogicalResult expandAveragePool(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  SmallVector<NamedAttribute> attributes;
  for (StringRef name : {"auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"})
    f.copy(op, name, attributes);
  return expandPool<MsQLinearAveragePoolOp>(op, f, results, "AveragePool", attributes);
}

static LogicalResult expandGlobalAveragePool(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  return expandPool<MsQLinearGlobalAveragePoolOp>(op, f, results, "GlobalAveragePool", {});
}

static LogicalResult expandSigmoid(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  return expandUnary<MsQLinearSigmoidOp>(
      op, f, results, [&](MsQLinearSigmoidOp, Value x) -> FailureOr<Value> { return f.op("Sigmoid", {x}); });
}

static LogicalResult expandLeakyRelu(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  return expandUnary<MsQLinearLeakyReluOp>(op, f, results, [&](MsQLinearLeakyReluOp relu, Value x) -> FailureOr<Value> {
    return f.op("LeakyRelu", {x}, {f.real("alpha", relu.getAlpha().convertToDouble())});
  });
}

static LogicalResult expandSoftmax(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  return expandUnary<MsQLinearSoftmaxOp>(op, f, results, [&](MsQLinearSoftmaxOp softmax, Value x) -> FailureOr<Value> {
    if (softmax.getOpset() >= 13)
      return f.op("Softmax", {x}, {f.integer("axis", softmax.getAxis())});
    if (f.hasFailed() || !rankOf(x))
      return Value();
    int64_t axis = wrapAxis(softmax.getAxis(), *rankOf(x));
    Value flat = f.op("Flatten", {x}, {f.integer("axis", axis)});
    return f.reshape(f.op("Softmax", {flat}, {f.integer("axis", -1)}), f.op("Shape", {x}));
  });
}

static LogicalResult expandReduceMean(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  return expandUnary<MsQLinearReduceMeanOp>(
      op, f, results, [&](MsQLinearReduceMeanOp mean, Value x) -> FailureOr<Value> {
        Value axes = mean.getAxes() ? f.list(*mean.getAxes()) : Value();
        return f.op("ReduceMean", {x, axes}, {f.integer("keepdims", mean.getKeepdims())});
      });
}

static LogicalResult expandConcat(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto concat = cast<MsQLinearConcatOp>(op);
  OperandRange inputs = concat.getInputs();
  if (inputs.empty() || inputs.size() % 3 != 0)
    return op->emitOpError("needs a tensor, a scale and a zero point for each input");
  SmallVector<Value> parts;
  for (size_t index = 0; index < inputs.size(); index += 3)
    parts.push_back(dequantize(f, inputs[index], inputs[index + 1], inputs[index + 2]));
  Value joined = f.concat(parts, concat.getAxis());
  results.push_back(quantize(f, joined, concat.getYScale(), concat.getYZeroPoint(), inputs[0]));
  return success();
}

static LogicalResult expandWhere(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto where = cast<MsQLinearWhereOp>(op);
  Value chosen =
      f.op("Where", {where.getCondition(), dequantize(f, where.getX(), where.getXScale(), where.getXZeroPoint()),
                     dequantize(f, where.getY(), where.getYScale(), where.getYZeroPoint())});
  results.push_back(quantize(f, chosen, where.getZScale(), where.getZZeroPoint(), where.getX()));
  return success();
}

//===-- Products --------------------------------------------------------------------------------------------------===//

static LogicalResult expandGemm(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto gemm = cast<MsQGemmOp>(op);
  auto turned = [&](Value value, bool swaps) { return swaps ? f.transpose(value, {1, 0}) : value; };
  Value product = f.op("MatMulInteger", {turned(gemm.getA(), gemm.getTransA()), turned(gemm.getB(), gemm.getTransB()),
                                         asScalar(f, gemm.getAZeroPoint()), asScalar(f, gemm.getBZeroPoint())});
  Value scale = f.mul(asScalar(f, gemm.getAScale()), asScalar(f, gemm.getBScale()));
  Value alpha = f.like(gemm.getAlpha().convertToDouble(), gemm.getAScale());
  // ONNX Runtime's C is added to the sums of products, before they are scaled.
  if (gemm.getC())
    product = f.add(product, gemm.getC());
  Value y = f.mul(f.cast(product, elementOf(gemm.getAScale())), f.mul(scale, alpha));
  results.push_back(gemm.getYScale() ? quantize(f, y, gemm.getYScale(), gemm.getYZeroPoint(), gemm.getA()) : y);
  return success();
}

static Value scaledProduct(FunctionBuilder &f, ArrayRef<Value> operands, Value aScale, Value bScale, Value bias) {
  Value product = f.op("MatMulInteger", operands);
  Value scale = f.mul(asScalar(f, aScale), asScalar(f, bScale));
  Value y = f.mul(f.cast(product, elementOf(aScale)), scale);
  return bias ? f.add(y, bias) : y;
}

static LogicalResult expandMatMulToFloat(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto product = cast<MsMatMulIntegerToFloatOp>(op);
  results.push_back(scaledProduct(
      f, {product.getA(), product.getB(), asScalar(f, product.getAZeroPoint()), asScalar(f, product.getBZeroPoint())},
      product.getAScale(), product.getBScale(), product.getBias()));
  return success();
}

static LogicalResult expandDynamicMatMul(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto product = cast<MsDynamicQuantizeMatMulOp>(op);
  SmallVector<Value> a = f.ops("DynamicQuantizeLinear", {product.getA()}, {}, 3);
  if (f.hasFailed())
    return failure();
  results.push_back(scaledProduct(f, {a[0], product.getB(), a[2], asScalar(f, product.getBZeroPoint())}, a[1],
                                  product.getBScale(), product.getBias()));
  return success();
}

static LogicalResult expandLinear(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  bool isQuantize = isa<MsQuantizeLinearOp>(op);
  SmallVector<NamedAttribute> attributes;
  f.copy(op, "axis", attributes);
  SmallVector<Value> operands(op->getOperands());
  for (Value &parameter : MutableArrayRef(operands).drop_front())
    parameter = asScalar(f, parameter);
  results.push_back(f.op(isQuantize ? "QuantizeLinear" : "DequantizeLinear", operands, attributes));
  return success();
}

ArrayRef<FunctionRow> onnx_aot::onnx::getQuantizedContribFunctions() {
  static const FunctionRow table[] = {
      {"com_microsoft.DequantizeLinear", expandLinear},
      {"com_microsoft.DynamicQuantizeMatMul", expandDynamicMatMul},
      {"com_microsoft.MatMulIntegerToFloat", expandMatMulToFloat},
      {"com_microsoft.QGemm", expandGemm},
      {"com_microsoft.QLinearAveragePool", expandAveragePool},
      {"com_microsoft.QLinearConcat", expandConcat},
      {"com_microsoft.QLinearGlobalAveragePool", expandGlobalAveragePool},
      {"com_microsoft.QLinearLeakyRelu", expandLeakyRelu},
      {"com_microsoft.QLinearReduceMean", expandReduceMean},
      {"com_microsoft.QLinearSigmoid", expandSigmoid},
      {"com_microsoft.QLinearSoftmax", expandSoftmax},
      {"com_microsoft.QLinearWhere", expandWhere},
      {"com_microsoft.QuantizeLinear", expandLinear},
  };
  return table;
}
