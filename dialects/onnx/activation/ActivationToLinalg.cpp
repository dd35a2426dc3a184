//===- ActivationToLinalg.cpp - lowering of activation functions --------------------------------------------------===//
//
// Functions of one element: a table of scalar bodies (support/Elementwise.h). Where a body exponentiates, its argument
// is bounded or its overflow gives the right limit. Softmax and its kin are in Softmax.cpp.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/activation/Activation.h"
#include "dialects/onnx/activation/Softmax.h"
#include "dialects/onnx/support/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace onnx_aot::onnx;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

//===-- Short forms: the float operations that bodies are made of -------------------------------------------------===//

static Value add(ScalarBody &s, Value a, Value b) { return arith::AddFOp::create(s.b, a, b); }
static Value sub(ScalarBody &s, Value a, Value b) { return arith::SubFOp::create(s.b, a, b); }
static Value mul(ScalarBody &s, Value a, Value b) { return arith::MulFOp::create(s.b, a, b); }
static Value div(ScalarBody &s, Value a, Value b) { return arith::DivFOp::create(s.b, a, b); }
static Value exp(ScalarBody &s, Value x) { return math::ExpOp::create(s.b, x); }
static Value expMinusOne(ScalarBody &s, Value x) { return math::ExpM1Op::create(s.b, x); }

/// a < b; false for NaN.
static Value isLess(ScalarBody &s, Value a, Value b) {
  if (isa<FloatType>(a.getType()))
    return arith::CmpFOp::create(s.b, CmpFPredicate::OLT, a, b);
  return arith::CmpIOp::create(s.b, isUnsigned(s.type[0]) ? CmpIPredicate::ult : CmpIPredicate::slt, a, b);
}

static Value select(ScalarBody &s, Value condition, Value yes, Value no) {
  return arith::SelectOp::create(s.b, condition, yes, no);
}

/// `x` between the bounds; NaN stays.
static Value clamp(ScalarBody &s, Value x, double low, double high) {
  Value bottom = s.constant(low), top = s.constant(high);
  x = select(s, isLess(s, x, bottom), bottom, x);
  return select(s, isLess(s, top, x), top, x);
}

static Value sigmoid(ScalarBody &s, Value x) {
  Value one = s.constant(1);
  return div(s, one, add(s, one, exp(s, arith::NegFOp::create(s.b, x))));
}

/// max(x, 0) + log(1 + exp(-|x|)), which does not overflow.
static Value softplus(ScalarBody &s, Value x) {
  Value zero = s.constant(0);
  Value tail = math::Log1pOp::create(s.b, exp(s, arith::NegFOp::create(s.b, math::AbsFOp::create(s.b, x))));
  return add(s, select(s, isLess(s, x, zero), zero, x), tail);
}

static Value swish(ScalarBody &s, Value x, double alpha) {
  return mul(s, x, sigmoid(s, alpha == 1.0 ? x : mul(s, s.constant(alpha), x)));
}

//===-- Bodies ----------------------------------------------------------------------------------------------------===//

static Value reluBody(Operation *, ScalarBody &s) {
  Value zero = s.constant(0);
  return isUnsigned(s.type[0]) ? s.x[0] : select(s, isLess(s, s.x[0], zero), zero, s.x[0]);
}

static Value leakyReluBody(Operation *op, ScalarBody &s) {
  Value scaled = mul(s, s.x[0], s.constant(cast<LeakyReluOp>(op).getAlpha().convertToFloat()));
  return select(s, isLess(s, s.x[0], s.constant(0)), scaled, s.x[0]);
}

static Value pReluBody(Operation *, ScalarBody &s) {
  Value x = s.x[0], slope = s.x[1];
  if (isUnsigned(s.type[0]))
    return x;
  Value scaled = isa<FloatType>(x.getType()) ? mul(s, x, slope) : Value(arith::MulIOp::create(s.b, x, slope));
  return select(s, isLess(s, x, s.constant(0)), scaled, x);
}

static Value eluBody(Operation *op, ScalarBody &s) {
  Value negative = mul(s, s.constant(cast<EluOp>(op).getAlpha().convertToFloat()), expMinusOne(s, s.x[0]));
  return select(s, isLess(s, s.x[0], s.constant(0)), negative, s.x[0]);
}

static Value seluBody(Operation *op, ScalarBody &s) {
  auto selu = cast<SeluOp>(op);
  Value negative = mul(s, s.constant(selu.getAlpha().convertToFloat()), expMinusOne(s, s.x[0]));
  Value value = select(s, isLess(s, s.constant(0), s.x[0]), s.x[0], negative);
  return mul(s, s.constant(selu.getGamma().convertToFloat()), value);
}

static Value celuBody(Operation *op, ScalarBody &s) {
  Value x = s.x[0], zero = s.constant(0), alpha = s.constant(cast<CeluOp>(op).getAlpha().convertToFloat());
  Value curve = mul(s, alpha, expMinusOne(s, div(s, x, alpha)));
  // The sum of max(x, 0) and min(curve, 0); for alpha > 0, one of the two is zero.
  Value positive = select(s, isLess(s, x, zero), zero, x);
  return add(s, positive, select(s, isLess(s, zero, curve), zero, curve));
}

static Value sigmoidBody(Operation *, ScalarBody &s) { return sigmoid(s, s.x[0]); }

static Value hardSigmoidBody(Operation *op, ScalarBody &s) {
  auto hard = cast<HardSigmoidOp>(op);
  Value scaled = mul(s, s.x[0], s.constant(hard.getAlpha().convertToFloat()));
  return clamp(s, add(s, scaled, s.constant(hard.getBeta().convertToFloat())), 0, 1);
}

static Value hardSwishBody(Operation *, ScalarBody &s) {
  return mul(s, s.x[0], clamp(s, add(s, mul(s, s.x[0], s.constant(1.0 / 6)), s.constant(0.5)), 0, 1));
}

static Value softplusBody(Operation *, ScalarBody &s) { return softplus(s, s.x[0]); }

static Value softsignBody(Operation *, ScalarBody &s) {
  return div(s, s.x[0], add(s, s.constant(1), math::AbsFOp::create(s.b, s.x[0])));
}

static Value thresholdedReluBody(Operation *op, ScalarBody &s) {
  Value alpha = s.constant(cast<ThresholdedReluOp>(op).getAlpha().convertToFloat());
  return select(s, isLess(s, alpha, s.x[0]), s.x[0], s.constant(0));
}

static Value geluBody(Operation *op, ScalarBody &s) {
  Value x = s.x[0], one = s.constant(1), inner;
  if (cast<GeluOp>(op).getApproximate() == "none") {
    inner = math::ErfOp::create(s.b, mul(s, x, s.constant(0.70710678118654752440)));
  } else {
    Value cube = mul(s, mul(s, x, x), x);
    Value sum = add(s, x, mul(s, s.constant(0.044715), cube));
    inner = math::TanhOp::create(s.b, mul(s, s.constant(0.79788456080286535588), sum));
  }
  return mul(s, mul(s, s.constant(0.5), x), add(s, one, inner));
}

static Value mishBody(Operation *, ScalarBody &s) {
  return mul(s, s.x[0], math::TanhOp::create(s.b, softplus(s, s.x[0])));
}

static Value swishBody(Operation *op, ScalarBody &s) {
  return swish(s, s.x[0], cast<SwishOp>(op).getAlpha().convertToFloat());
}

static Value swiGLUBody(Operation *op, ScalarBody &s) {
  return mul(s, swish(s, s.x[0], cast<SwiGLUOp>(op).getAlpha().convertToFloat()), s.x[1]);
}

/// Integers are compared and moved in f64, which holds the thresholds exactly, and converted back.
static Value shrinkBody(Operation *op, ScalarBody &s) {
  auto shrink = cast<ShrinkOp>(op);
  Location loc = s.b.getLoc();
  Type type = s.type[0];
  bool isReal = isa<FloatType>(type);
  Type real = isReal ? s.x[0].getType() : Type(s.b.getF64Type());
  Value x = isReal ? s.x[0] : castScalar(s.b, loc, s.x[0], type, real);
  auto constant = [&](double value) { return scalarConstant(s.b, loc, real, value); };
  double lambd = shrink.getLambd().convertToFloat();
  Value bias = constant(shrink.getBias().convertToFloat());
  Value upper = select(s, isLess(s, constant(lambd), x), sub(s, x, bias), constant(0));
  Value result = select(s, isLess(s, x, constant(-lambd)), add(s, x, bias), upper);
  return isReal ? result : castScalar(s.b, loc, result, real, type);
}

namespace onnx_aot::onnx {
void populateActivationToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  static const ScalarRow table[] = {
      {"Relu", reluBody},           {"LeakyRelu", leakyReluBody},
      {"PRelu", pReluBody},         {"Elu", eluBody},
      {"Selu", seluBody},           {"Celu", celuBody},
      {"Sigmoid", sigmoidBody},     {"HardSigmoid", hardSigmoidBody},
      {"HardSwish", hardSwishBody}, {"Softplus", softplusBody},
      {"Softsign", softsignBody},   {"ThresholdedRelu", thresholdedReluBody},
      {"Gelu", geluBody},           {"Mish", mishBody},
      {"Swish", swishBody},         {"SwiGLU", swiGLUBody},
      {"Shrink", shrinkBody},
  };
  populateElementwiseRows(table, converter, patterns);
  populateSoftmaxToLinalg(converter, patterns);
}
} // namespace onnx_aot::onnx
