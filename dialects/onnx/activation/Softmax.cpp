//===- Softmax.cpp - lowering of the activation functions along an axis -------------------------------------------===//
//
// Reductions along the axis are kernels whose results leave the axis out; what lies between them are linalg.generics
// that read those results without it. Intermediate values have the compute type (f32 for f16 and bf16).
//
//   Softmax:     m = max x;  e = exp(x - m);  r = 1 / sum e;  y = e * r
//   LogSoftmax:  m = max x;  l = log(sum exp(x - m));  y = x - m - l
//   Hardmax:     m = max x;  i = min over k of (x[k] == m ? k : none);  y = k == i
//
// The maximum leaves NaN out; it comes back through x - m.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/activation/Softmax.h"
#include "dialects/onnx/activation/Activation.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
using KernelBody = std::function<Value(ImplicitLocOpBuilder &, ValueRange, Value)>;

/// Builds kernels and generics over the dims of `source`. Inputs of the same rank are read at the same element, those
/// of one dim less without the axis, vectors at their position on the axis.
struct AxisBuilder {
  AxisBuilder(OpBuilder &builder, Location loc, Value x, int64_t axis)
      : builder(builder), loc(loc), source(cast<RankedTensorType>(x.getType())), sizes(sizesOf(builder, loc, x)),
        axis(axis) {}
  OpBuilder &builder;
  Location loc;
  RankedTensorType source;
  SmallVector<OpFoldResult> sizes;
  int64_t axis;

  AffineMap all() { return builder.getMultiDimIdentityMap(source.getRank()); }
  AffineMap across() { return all().dropResult(axis); }
  AffineMap along() { return all().getSubMap({unsigned(axis)}); }

  Value reduce(ValueRange inputs, ArrayRef<AffineMap> maps, TypedAttr identity, KernelBody compute,
               KernelBody epilogue = {}) {
    KernelSpec spec;
    spec.kind = "reduce";
    spec.inputs.assign(inputs.begin(), inputs.end());
    spec.maps.assign(maps.begin(), maps.end());
    spec.maps.push_back(across());
    spec.isReduction.assign(source.getRank(), false);
    spec.isReduction[axis] = true;
    spec.identity = identity;
    spec.resultSizes = sizes;
    spec.resultSizes.erase(spec.resultSizes.begin() + axis);
    spec.resultType = RankedTensorType::get(staticShape(spec.resultSizes), identity.getType());
    spec.compute = std::move(compute);
    spec.epilogue = std::move(epilogue);
    return buildKernel(builder, loc, spec);
  }

  Value map(Type storedElement, ValueRange inputs, SmallVector<AffineMap> maps,
            llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange)> body) {
    Value empty = emptyTensor(builder, loc, sizes, storedElement);
    maps.push_back(all());
    SmallVector<utils::IteratorType> iterators(source.getRank(), utils::IteratorType::parallel);
    return linalg::GenericOp::create(builder, loc, empty.getType(), inputs, empty, maps, iterators,
                                     [&](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                       ImplicitLocOpBuilder b(bodyLoc, nested);
                                       linalg::YieldOp::create(b, body(b, elements.drop_back()));
                                     })
        .getResult(0);
  }

  /// 0, 1, .. along the axis.
  Value positions() {
    Type index = builder.getI64Type();
    if (source.isDynamicDim(axis))
      return buildGenerated(builder, loc, sizes[axis], index, [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
        return arith::IndexCastOp::create(b, index, at[0]);
      });
    auto numbers = llvm::to_vector(llvm::seq<int64_t>(0, source.getDimSize(axis)));
    auto type = RankedTensorType::get(source.getDimSize(axis), index);
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, ArrayRef<int64_t>(numbers)));
  }

  /// The maximum along the axis, in the compute type.
  Value maximum(Value x, Type element) {
    auto compute = cast<FloatType>(computeType(element));
    auto identity = builder.getFloatAttr(compute, APFloat::getInf(compute.getFloatSemantics(), /*Negative=*/true));
    return reduce(x, all(), identity, [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
      return arith::MaxNumFOp::create(b, accumulator, toCompute(b, b.getLoc(), x[0], element));
    });
  }
};
} // namespace

/// x - maximum of stored `x`.
static Value centered(ImplicitLocOpBuilder &b, Value x, Value maximum, Type element) {
  return arith::SubFOp::create(b, toCompute(b, b.getLoc(), x, element), maximum);
}

static Value buildSoftmax(OpBuilder &builder, Location loc, Value x, Type element, int64_t axis) {
  AxisBuilder along(builder, loc, x, axis);
  auto compute = cast<FloatType>(computeType(element));
  Value maximum = along.maximum(x, element);
  Value e = along.map(compute, {x, maximum}, {along.all(), along.across()},
                      [&](ImplicitLocOpBuilder &b, ValueRange v) -> Value {
                        return math::ExpOp::create(b, centered(b, v[0], v[1], element));
                      });
  Value scale = along.reduce(
      e, along.all(), builder.getFloatAttr(compute, 0.0),
      [](ImplicitLocOpBuilder &b, ValueRange v, Value sum) -> Value { return arith::AddFOp::create(b, sum, v[0]); },
      [=](ImplicitLocOpBuilder &b, ValueRange, Value sum) -> Value {
        return arith::DivFOp::create(b, scalarConstant(b, b.getLoc(), compute, 1.0), sum);
      });
  return along.map(element, {e, scale}, {along.all(), along.across()}, [&](ImplicitLocOpBuilder &b, ValueRange v) {
    return toStorage(b, b.getLoc(), arith::MulFOp::create(b, v[0], v[1]), element);
  });
}

Value onnx_aot::onnx::buildLogSoftmax(OpBuilder &builder, Location loc, Value x, Type element, int64_t axis) {
  AxisBuilder along(builder, loc, x, axis);
  auto compute = cast<FloatType>(computeType(element));
  Value maximum = along.maximum(x, element);
  Value logSum = along.reduce(
      {x, maximum}, {along.all(), along.across()}, builder.getFloatAttr(compute, 0.0),
      [=](ImplicitLocOpBuilder &b, ValueRange v, Value sum) -> Value {
        return arith::AddFOp::create(b, sum, math::ExpOp::create(b, centered(b, v[0], v[1], element)));
      },
      [](ImplicitLocOpBuilder &b, ValueRange, Value sum) -> Value { return math::LogOp::create(b, sum); });
  return along.map(element, {x, maximum, logSum}, {along.all(), along.across(), along.across()},
                   [&](ImplicitLocOpBuilder &b, ValueRange v) {
                     Value result = arith::SubFOp::create(b, centered(b, v[0], v[1], element), v[2]);
                     return toStorage(b, b.getLoc(), result, element);
                   });
}

static Value buildHardmax(OpBuilder &builder, Location loc, Value x, Type element, int64_t axis) {
  AxisBuilder along(builder, loc, x, axis);
  Value position = along.positions();
  // No position along an axis.
  int64_t none = along.source.isDynamicDim(axis) ? INT64_MAX : along.source.getDimSize(axis);
  Value maximum = along.maximum(x, element);
  Value first =
      along.reduce({x, maximum, position}, {along.all(), along.across(), along.along()},
                   builder.getI64IntegerAttr(none), [=](ImplicitLocOpBuilder &b, ValueRange v, Value least) -> Value {
                     Value isMaximum = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ,
                                                             toCompute(b, b.getLoc(), v[0], element), v[1]);
                     Value last = arith::ConstantIntOp::create(b, none, 64);
                     return arith::MinSIOp::create(b, least, arith::SelectOp::create(b, isMaximum, v[2], last));
                   });
  return along.map(
      element, {first, position}, {along.across(), along.along()}, [&](ImplicitLocOpBuilder &b, ValueRange v) {
        Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, v[0], v[1]);
        Value one = scalarConstant(b, b.getLoc(), element, 1), zero = scalarConstant(b, b.getLoc(), element, 0);
        return toStorage(b, b.getLoc(), arith::SelectOp::create(b, isFirst, one, zero), element);
      });
}

namespace {
using AxisFn = Value (*)(OpBuilder &, Location, Value, Type, int64_t);

template <typename OpTy, AxisFn Build> struct LowerAlongAxis : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = this->type(op.getInput());
    int64_t axis = op.getAxis();
    axis += axis < 0 ? type.getRank() : 0;
    // Along an empty axis there is nothing to reduce and nothing to compute.
    if (type.hasStaticShape() && type.getNumElements() == 0) {
      rewriter.replaceOp(op, emptyTensor(rewriter, op.getLoc(), this->stored(op.getResult())));
      return success();
    }
    Value result = Build(rewriter, op.getLoc(), adaptor.getInput(), type.getElementType(), axis);
    rewriter.replaceOp(op, fitTensor(rewriter, op.getLoc(), result, this->stored(op.getResult())));
    return success();
  }
};
} // namespace

void onnx_aot::onnx::populateSoftmaxToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerAlongAxis<SoftmaxOp, buildSoftmax>, LowerAlongAxis<LogSoftmaxOp, buildLogSoftmax>,
               LowerAlongAxis<HardmaxOp, buildHardmax>>(converter, patterns.getContext());
}
