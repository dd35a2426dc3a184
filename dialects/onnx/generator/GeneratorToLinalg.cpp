//===- GeneratorToLinalg.cpp - lowering of the operators that make tensors ----------------------------------------===//
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/generator/Random.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/DataExtents.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "dialects/onnx/support/NarrowFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

static void requireNotNegative(OpBuilder &builder, Location loc, Value extent) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value isValid = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, extent, zero);
  onnx_aot::aot::RequireOp::create(builder, loc, isValid, onnx_aot::aot::Code::invalid_value);
}

namespace {
/// The same bytes under the stored type.
struct LowerConstant : OnnxLowering<ConstantOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConstantOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    return replaceByConstant(op, op.getValue(), stored(op.getOutput()), rewriter);
  }

  static LogicalResult replaceByConstant(Operation *op, ElementsAttr value, RankedTensorType target,
                                         ConversionPatternRewriter &rewriter) {
    if (value.getShapedType() != target) {
      Type element = value.getElementType();
      bool isExtended = element.isSignlessInteger(2) || element.isSignlessInteger(4);
      if (auto dense = dyn_cast<DenseIntElementsAttr>(value); dense && element.isInteger(1))
        value = dense.mapValues(target.getElementType(), [](const APInt &bit) { return bit.zext(8); });
      else if (isExtended)
        value = extendBySign(value, target);
      else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
        value = DenseResourceElementsAttr::get(target, resource.getRawHandle());
      else if (auto dense = dyn_cast<DenseElementsAttr>(value))
        value = DenseElementsAttr::getFromRawBuffer(target, dense.getRawData());
      else
        value = nullptr;
      if (!value)
        return rewriter.notifyMatchFailure(op, "constants are dense or resources");
    }
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, target, value);
    return success();
  }

  /// In attributes the upper bits of a byte with a 2- or 4-bit integer are zero.
  static ElementsAttr extendBySign(ElementsAttr value, RankedTensorType target) {
    unsigned width = value.getElementType().getIntOrFloatBitWidth();
    SmallVector<char> storage;
    ArrayRef<char> bytes;
    if (!getRawBytes(value, storage, bytes))
      return nullptr;
    SmallVector<char> extended;
    for (char byte : bytes)
      extended.push_back(char(llvm::SignExtend32(uint8_t(byte), width)));
    return makeConstant(target, extended, "extended");
  }
};

/// A window whose size is data.
template <typename OpTy> struct LowerWindow : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = this->stored(op.getOutput());
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    OpFoldResult size = getAsOpFoldResult(listEntry(b, adaptor.getSize(), 0));
    if (!result.isDynamicDim(0)) {
      requireEqual(b, op.getLoc(), size, b.getIndexAttr(result.getDimSize(0)), onnx_aot::aot::Code::shape_mismatch);
      ElementsAttr window = op.makeWindow(this->type(op.getOutput()));
      if (!window)
        return op.emitError("unsupported: a window of more than 2^24 elements");
      return LowerConstant::replaceByConstant(op, window, result, rewriter);
    }
    Value extent = asIndex(b, op.getLoc(), size);
    requireNotNegative(b, op.getLoc(), extent);
    Type element = this->type(op.getOutput()).getElementType();
    Value window = buildGenerated(b, op.getLoc(), size, element, [&](ImplicitLocOpBuilder &inner, ValueRange at) {
      return elementOf(inner, op, at[0], extent, element);
    });
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), window, result));
    return success();
  }

  /// Element `index` in compute form.
  static Value elementOf(ImplicitLocOpBuilder &b, OpTy op, Value index, Value size, Type element) {
    Arithmetic a{b, b.getF64Type()};
    Value one = indexConstant(b, 1);
    Value period = op.getPeriodic() ? size : a.sub(size, one);
    Value isOne = a.less(period, one); // the only element is the first
    Value turn = a.div(a.mul(a.toReal(index), a.number(2 * M_PI)), a.toReal(a.select(isOne, one, period)));
    auto [a0, a1, a2] = op.getCoefficients();
    Value value = a.sub(a.number(a0), a.mul(a.number(a1), math::CosOp::create(b, turn)));
    if (a2 != 0)
      value = a.add(value, a.mul(a.number(a2), math::CosOp::create(b, a.mul(a.number(2), turn))));
    return castScalar(b, b.getLoc(), value, a.real, element);
  }
};

struct LowerConstantOfShape : OnnxLowering<ConstantOfShapeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConstantOfShapeOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = stored(op.getOutput());
    TypedAttr fill;
    unsigned width = result.getElementTypeBitWidth();
    if (auto integer = dyn_cast<IntegerAttr>(op.getFill())) {
      APInt bits = integer.getValue();
      bits = isUnsigned(integer.getType()) ? bits.zextOrTrunc(width) : bits.sextOrTrunc(width);
      fill = rewriter.getIntegerAttr(result.getElementType(), bits);
    } else if (auto real = dyn_cast<FloatAttr>(op.getFill())) {
      fill = real;
      if (isNarrowFloat(real.getType()))
        fill = rewriter.getIntegerAttr(result.getElementType(), real.getValue().bitcastToAPInt().zext(width));
    }
    if (!fill)
      return op.emitError("unsupported: a fill value that is not a number");
    FailureOr<Sizes> sizes = this->sizes(rewriter, op, op.getOutput());
    if (failed(sizes))
      return failure();
    for (auto [dim, size] : llvm::zip(shape(op.getOutput()), *sizes))
      if (!dim.isAtLeast(0))
        requireNotNegative(rewriter, op.getLoc(), asIndex(rewriter, op.getLoc(), size));
    Value value = arith::ConstantOp::create(rewriter, op.getLoc(), fill);
    rewriter.replaceOp(op, filledTensor(rewriter, op.getLoc(), *sizes, value));
    return success();
  }
};

/// start + i * delta; small ranges fold.
struct LowerRange : OnnxLowering<RangeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(RangeOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = stored(op.getOutput());
    Type element = type(op.getOutput()).getElementType();
    auto read = [&](Value operand) {
      SmallVector<AffineExpr> zeros(type(operand).getRank(), rewriter.getAffineConstantExpr(0));
      return AffineMap::get(1, 0, zeros, op.getContext());
    };
    // Steps are counted in f64, in which every index is exact.
    Type counter = isa<FloatType>(element) ? Type(rewriter.getF64Type()) : computeType(element);
    FailureOr<Sizes> sizes = hasDataExtents(getTypeConverter(), op, op.getOutput())
                                 ? FailureOr<Sizes>(countByData(op, adaptor, rewriter))
                                 : this->sizes(rewriter, op, op.getOutput());
    if (failed(sizes))
      return failure();
    Value empty = emptyTensor(rewriter, op.getLoc(), *sizes, result.getElementType());
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), empty.getType(), ValueRange{adaptor.getStart(), adaptor.getDelta()}, empty,
        ArrayRef<AffineMap>{read(op.getStart()), read(op.getDelta()), rewriter.getMultiDimIdentityMap(1)},
        utils::IteratorType::parallel, [&](OpBuilder &nested, Location loc, ValueRange elements) {
          ImplicitLocOpBuilder b(loc, nested);
          auto load = [&](Value stored) {
            Value value = toCompute(b, loc, stored, element);
            return value.getType() == counter ? value : castScalar(b, loc, value, element, counter);
          };
          Type wide = b.getI64Type();
          Value index = arith::IndexCastOp::create(b, wide, linalg::IndexOp::create(b, 0));
          if (wide != counter)
            index = castScalar(b, loc, index, wide, counter);
          Value start = load(elements[0]), delta = load(elements[1]), number;
          if (isa<FloatType>(counter))
            number = arith::AddFOp::create(b, start, arith::MulFOp::create(b, index, delta));
          else
            number = arith::AddIOp::create(b, start, arith::MulIOp::create(b, index, delta));
          if (counter != computeType(element))
            number = castScalar(b, loc, number, counter, element);
          linalg::YieldOp::create(b, toStorage(b, loc, number, element));
        });
    rewriter.replaceOp(op, fitTensor(rewriter, op.getLoc(), generic.getResult(0), result));
    return success();
  }

  /// ceil((limit - start) / delta), not below 0; computed in f64 as the specification does.
  static Sizes countByData(RangeOp op, OpAdaptor adaptor, OpBuilder &builder) {
    ImplicitLocOpBuilder b(op.getLoc(), builder);
    Type element = type(op.getOutput()).getElementType(), real = b.getF64Type();
    auto read = [&](Value operand) {
      SmallVector<Value> zeros(cast<RankedTensorType>(operand.getType()).getRank(),
                               arith::ConstantIndexOp::create(b, 0));
      return toCompute(b, op.getLoc(), tensor::ExtractOp::create(b, operand, zeros), element);
    };
    Value start = read(adaptor.getStart()), limit = read(adaptor.getLimit()), delta = read(adaptor.getDelta());
    auto asReal = [&](Value value) { return castScalar(b, op.getLoc(), value, element, real); };
    Value zero = arith::ConstantOp::create(b, b.getF64FloatAttr(0));
    // NaN is neither below nor above 0: it counts as an invalid step, too.
    Value isStep = arith::CmpFOp::create(b, arith::CmpFPredicate::ONE, asReal(delta), zero);
    onnx_aot::aot::RequireOp::create(b, isStep, onnx_aot::aot::Code::invalid_value);
    Value distance = arith::SubFOp::create(b, asReal(limit), asReal(start));
    Value steps = math::CeilOp::create(b, arith::DivFOp::create(b, distance, asReal(delta)));
    Value most = arith::ConstantOp::create(b, b.getF64FloatAttr(double(int64_t(1) << 47)));
    Value isPossible = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, steps, most);
    onnx_aot::aot::RequireOp::create(b, isPossible, onnx_aot::aot::Code::invalid_value);
    Value count = castScalar(b, op.getLoc(), arith::MaximumFOp::create(b, steps, zero), real, b.getI64Type());
    Sizes sizes = {arith::IndexCastOp::create(b, b.getIndexType(), count).getResult()};
    if (int64_t extent = type(op.getOutput()).getDimSize(0); !ShapedType::isDynamic(extent)) {
      requireEqual(b, op.getLoc(), sizes[0], b.getIndexAttr(extent), onnx_aot::aot::Code::shape_mismatch);
      sizes[0] = b.getIndexAttr(extent);
    }
    return sizes;
  }
};

struct LowerEyeLike : OnnxLowering<EyeLikeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(EyeLikeOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = stored(op.getOutput());
    Value empty =
        emptyTensor(rewriter, op.getLoc(), sizesOf(rewriter, op.getLoc(), adaptor.getInput()), result.getElementType());
    Type element = type(op.getOutput()).getElementType();
    SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), empty.getType(), ValueRange(), empty, rewriter.getMultiDimIdentityMap(2), iterators,
        [&](OpBuilder &nested, Location loc, ValueRange) {
          ImplicitLocOpBuilder b(loc, nested);
          Value row = linalg::IndexOp::create(b, 0), column = linalg::IndexOp::create(b, 1);
          Value start = arith::AddIOp::create(b, row, arith::ConstantIndexOp::create(b, int64_t(op.getK())));
          Value isOn = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, column, start);
          linalg::YieldOp::create(b, toStorage(b, loc, castScalar(b, loc, isOn, b.getI1Type(), element), element));
        });
    rewriter.replaceOp(op, generic.getResults());
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateGeneratorChecks(TypeConverter &converter, RewritePatternSet &patterns);

void populateGeneratorToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  populateGeneratorChecks(converter, patterns);
  patterns.add<LowerConstant, LowerConstantOfShape, LowerRange, LowerEyeLike, LowerWindow<HannWindowOp>,
               LowerWindow<HammingWindowOp>, LowerWindow<BlackmanWindowOp>>(converter, patterns.getContext());
  populateRandomToLinalg(converter, patterns);
}
} // namespace onnx_aot::onnx
