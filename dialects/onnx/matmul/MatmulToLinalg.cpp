//===- MatmulToLinalg.cpp - matrix products as kernels ------------------------------------------------------------===//
//
// MatMul and Gemm become one aot.kernel "matmul" over (batch..., m, n, k); transposition and broadcast batches are in
// the indexing maps, so nothing is moved here. alpha, beta and C are the epilogue.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/matmul/MatmulMaps.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Extents.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

/// accumulator + a * b, as a fused multiply-add for floats.
static Value multiplyAdd(ImplicitLocOpBuilder &b, Value left, Value right, Value accumulator, Type type) {
  left = toCompute(b, b.getLoc(), left, type);
  right = toCompute(b, b.getLoc(), right, type);
  if (isa<FloatType>(accumulator.getType()))
    return math::FmaOp::create(b, left, right, accumulator);
  return arith::AddIOp::create(b, accumulator, arith::MulIOp::create(b, left, right));
}

FailureOr<ProductOperands> onnx_aot::onnx::alignProduct(const TypeConverter *converter,
                                                        ConversionPatternRewriter &rewriter, Operation *op, Value a,
                                                        Value b, Value y) {
  Location loc = op->getLoc();
  FailureOr<SmallVector<OpFoldResult>> sizes = lowerSizes(converter, rewriter, op, y);
  if (failed(sizes))
    return failure();
  Value left = rewriter.getRemappedValue(a), right = rewriter.getRemappedValue(b);
  Shape aShape = symbolicShape(converter, a), bShape = symbolicShape(converter, b),
        yShape = symbolicShape(converter, y);
  size_t aInner = aShape.size() - 1, bInner = bShape.size() < 2 ? 0 : bShape.size() - 2;
  if (!aShape[aInner].equals(bShape[bInner]))
    requireEqual(rewriter, loc, sizeOf(rewriter, loc, left, aInner), sizeOf(rewriter, loc, right, bInner),
                 aot::Code::shape_mismatch);
  size_t batches = yShape.size() - (aShape.size() > 1) - (bShape.size() > 1);
  auto align = [&](Value lowered, const Shape &own) {
    size_t matrix = std::min<size_t>(own.size(), 2);
    SmallVector<OpFoldResult> wanted(ArrayRef(*sizes).take_front(batches));
    Shape to(ArrayRef(yShape).take_front(batches));
    SmallVector<OpFoldResult> extents = sizesOf(rewriter, loc, lowered);
    llvm::append_range(wanted, ArrayRef(extents).take_back(matrix));
    llvm::append_range(to, ArrayRef(own).take_back(matrix));
    return alignTo(rewriter, loc, lowered, own, to, wanted);
  };
  return ProductOperands{align(left, aShape), align(right, bShape), *sizes};
}

static ArrayRef<int64_t> staticShapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

namespace {
struct LowerMatMul : OnnxLowering<MatMulOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(MatMulOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Type element = type(op.getA()).getElementType();
    FailureOr<ProductOperands> product =
        alignProduct(getTypeConverter(), rewriter, op, op.getA(), op.getB(), op.getY());
    if (failed(product))
      return failure();
    MatmulMaps maps(op.getContext(), staticShapeOf(product->a), staticShapeOf(product->b), staticShape(product->sizes));
    KernelSpec spec;
    spec.kind = "matmul";
    spec.inputs = {product->a, product->b};
    spec.resultSizes = product->sizes;
    spec.maps = {maps.a, maps.b, maps.y};
    spec.isReduction = maps.isReduction;
    spec.identity = cast<TypedAttr>(rewriter.getZeroAttr(computeType(element)));
    spec.resultType = stored(op.getY());
    spec.compute = [=](ImplicitLocOpBuilder &builder, ValueRange x, Value accumulator) {
      return multiplyAdd(builder, x[0], x[1], accumulator, element);
    };
    spec.epilogue = [=](ImplicitLocOpBuilder &builder, ValueRange, Value accumulator) {
      return toStorage(builder, builder.getLoc(), accumulator, element);
    };
    rewriter.replaceOp(op,
                       castTensor(rewriter, op.getLoc(), buildKernel(rewriter, op.getLoc(), spec), spec.resultType));
    return success();
  }
};

struct LowerGemm : OnnxLowering<GemmOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(GemmOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    MLIRContext *context = op.getContext();
    Location loc = op.getLoc();
    FailureOr<SmallVector<OpFoldResult>> extents = sizes(rewriter, op, op.getY());
    if (failed(extents))
      return failure();
    unsigned aInner = op.getTransA() ? 0 : 1, bInner = op.getTransB() ? 1 : 0;
    if (!shape(op.getA())[aInner].equals(shape(op.getB())[bInner]))
      requireEqual(rewriter, loc, sizeOf(rewriter, loc, adaptor.getA(), aInner),
                   sizeOf(rewriter, loc, adaptor.getB(), bInner), aot::Code::shape_mismatch);
    AffineExpr m = getAffineDimExpr(0, context), n = getAffineDimExpr(1, context), k = getAffineDimExpr(2, context);
    auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(3, 0, exprs, context); };
    Type element = type(op.getY()).getElementType();
    KernelSpec spec;
    spec.kind = "matmul";
    spec.inputs = {adaptor.getA(), adaptor.getB()};
    spec.maps = {op.getTransA() ? map({k, m}) : map({m, k}), op.getTransB() ? map({n, k}) : map({k, n})};
    bool addsC = op.getC() && !op.getBeta().isZero();
    if (addsC) {
      Value c = alignTo(rewriter, loc, adaptor.getC(), shape(op.getC()), shape(op.getY()), *extents);
      spec.inputs.push_back(c);
      AffineMap broadcast = broadcastMap(context, staticShapeOf(c), staticShape(*extents));
      spec.maps.push_back(map(broadcast.getResults()));
    }
    spec.maps.push_back(map({m, n}));
    spec.isReduction = {false, false, true};
    spec.identity = cast<TypedAttr>(rewriter.getZeroAttr(computeType(element)));
    spec.resultType = stored(op.getY());
    spec.resultSizes = *extents;
    spec.compute = [=](ImplicitLocOpBuilder &builder, ValueRange x, Value accumulator) {
      return multiplyAdd(builder, x[0], x[1], accumulator, element);
    };
    double alpha = op.getAlpha().convertToFloat(), beta = op.getBeta().convertToFloat();
    spec.epilogue = [=](ImplicitLocOpBuilder &builder, ValueRange x, Value accumulator) {
      Value result = scale(builder, accumulator, alpha, element);
      if (addsC) {
        Value c = scale(builder, toCompute(builder, loc, x[2], element), beta, element);
        result = isa<FloatType>(c.getType()) ? Value(arith::AddFOp::create(builder, result, c))
                                             : Value(arith::AddIOp::create(builder, result, c));
      }
      return toStorage(builder, loc, result, element);
    };
    rewriter.replaceOp(op,
                       castTensor(rewriter, op.getLoc(), buildKernel(rewriter, op.getLoc(), spec), spec.resultType));
    return success();
  }

  static Value scale(ImplicitLocOpBuilder &b, Value value, double factor, Type element) {
    if (factor == 1.0)
      return value;
    Value constant = scalarConstant(b, b.getLoc(), element, factor);
    return isa<FloatType>(value.getType()) ? Value(arith::MulFOp::create(b, value, constant))
                                           : Value(arith::MulIOp::create(b, value, constant));
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateMatmulToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerMatMul, LowerGemm>(converter, patterns.getContext());
  populateQuantizedMatmulToLinalg(converter, patterns);
  populateEinsumToLinalg(converter, patterns);
  populateDeterminantToLinalg(converter, patterns);
}
} // namespace onnx_aot::onnx
