//===- QuantizedMatmul.cpp - matrix products of quantized tensors -------------------------------------------------===//
//
// One aot.kernel "matmul" that sums (a - a_zero_point) * (b - b_zero_point) in 32 bits. QLinearMatMul scales the sum in
// its epilogue, rounds halves to even, adds the zero point and saturates. Where every scale is one element, the factor
// a_scale * b_scale / y_scale is computed once before the kernel.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/matmul/MatmulMaps.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Extents.h"
#include "dialects/onnx/support/Quantize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- The iteration space ---------------------------------------------------------------------------------------===//

MatmulMaps::MatmulMaps(MLIRContext *context, ArrayRef<int64_t> aShape, ArrayRef<int64_t> bShape,
                       ArrayRef<int64_t> yShape)
    : context(context) {
  bool hasRow = aShape.size() > 1, hasColumn = bShape.size() > 1;
  size_t batches = yShape.size() - hasRow - hasColumn;
  batch.assign(yShape.begin(), yShape.begin() + batches);
  isReduction.assign(yShape.size() + 1, false);
  isReduction.back() = true;
  k = getAffineDimExpr(yShape.size(), context);
  SmallVector<AffineExpr> result;
  for (size_t dim = 0; dim < yShape.size(); ++dim)
    result.push_back(getAffineDimExpr(dim, context));
  if (hasRow)
    m = result[batches];
  if (hasColumn)
    n = result[batches + hasRow];
  SmallVector<AffineExpr> aExprs = batchExprs(aShape.drop_back(std::min<size_t>(2, aShape.size())));
  SmallVector<AffineExpr> bExprs = batchExprs(bShape.drop_back(std::min<size_t>(2, bShape.size())));
  if (hasRow)
    aExprs.push_back(m);
  aExprs.push_back(k);
  bExprs.push_back(k);
  if (hasColumn)
    bExprs.push_back(n);
  a = map(aExprs);
  b = map(bExprs);
  y = map(result);
}

AffineMap MatmulMaps::map(ArrayRef<AffineExpr> exprs) const {
  return AffineMap::get(isReduction.size(), 0, exprs, context);
}

SmallVector<AffineExpr> MatmulMaps::batchExprs(ArrayRef<int64_t> own) const {
  return SmallVector<AffineExpr>(broadcastMap(context, own, batch).getResults());
}

AffineMap MatmulMaps::parameter(ArrayRef<int64_t> shape, AffineExpr expr, bool isRow) const {
  AffineExpr zero = getAffineConstantExpr(0, context);
  if (llvm::all_of(shape, [](int64_t extent) { return extent == 1; }) || !expr)
    return map(SmallVector<AffineExpr>(shape.size(), zero));
  if (shape.size() == 1)
    return map(expr);
  SmallVector<AffineExpr> exprs = batchExprs(shape.drop_back(2));
  int64_t extent = shape[shape.size() - (isRow ? 2 : 1)];
  AffineExpr own = extent == 1 ? zero : expr;
  exprs.push_back(isRow ? own : zero);
  exprs.push_back(isRow ? zero : own);
  return map(exprs);
}

AffineMap MatmulMaps::rowParameter(ArrayRef<int64_t> shape) const { return parameter(shape, m, true); }
AffineMap MatmulMaps::columnParameter(ArrayRef<int64_t> shape) const { return parameter(shape, n, false); }

//===-- Kernels ---------------------------------------------------------------------------------------------------===//

/// A zero point or a scale as MatmulMaps reads it. `of` is the matrix (A, B or the result) that it belongs to, of the
/// extents `sizes`; a parameter of columns varies along the last dim, of rows along the one before, and is one element
/// for what has no rows or columns.
static Value alignParameter(const TypeConverter *converter, ConversionPatternRewriter &rewriter, Location loc,
                            Value parameter, Value of, ArrayRef<OpFoldResult> sizes, bool isRow, bool isVector) {
  if (!parameter)
    return Value();
  Value lowered = rewriter.getRemappedValue(parameter);
  Shape own = symbolicShape(converter, parameter), matrix = symbolicShape(converter, of);
  if (llvm::all_of(own, [](Dim dim) { return dim.is(1); }))
    return lowered;
  SmallVector<OpFoldResult> wanted(sizes);
  int64_t rank = matrix.size(), varies = isRow ? rank - 2 : rank - 1, fixed = isRow ? rank - 1 : rank - 2;
  Dim one = 1;
  OpFoldResult single = rewriter.getIndexAttr(1);
  if (isVector || (own.size() != 1 && own.size() != matrix.size()))
    return alignTo(rewriter, loc, lowered, own, Shape(own.size(), one), SmallVector<OpFoldResult>(own.size(), single));
  if (own.size() == 1)
    return alignTo(rewriter, loc, lowered, own, matrix[varies], wanted[varies]);
  matrix[fixed] = one;
  wanted[fixed] = single;
  return alignTo(rewriter, loc, lowered, own, matrix, wanted);
}

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

namespace {
struct AlignedProduct : ProductOperands {
  Value aZero, bZero;                       // may be null
  SmallVector<OpFoldResult> aSizes, bSizes; // of the operands as they were
};
} // namespace

template <typename OpTy>
static FailureOr<AlignedProduct> align(const TypeConverter *converter, ConversionPatternRewriter &rewriter, OpTy op) {
  FailureOr<ProductOperands> operands = alignProduct(converter, rewriter, op, op.getA(), op.getB(), op.getY());
  if (failed(operands))
    return failure();
  AlignedProduct product{*operands, {}, {}, {}, {}};
  product.aSizes = sizesOf(rewriter, op.getLoc(), rewriter.getRemappedValue(op.getA()));
  product.bSizes = sizesOf(rewriter, op.getLoc(), rewriter.getRemappedValue(op.getB()));
  product.aZero = alignParameter(converter, rewriter, op.getLoc(), op.getAZeroPoint(), op.getA(), product.aSizes, true,
                                 product.aSizes.size() < 2);
  product.bZero = alignParameter(converter, rewriter, op.getLoc(), op.getBZeroPoint(), op.getB(), product.bSizes, false,
                                 product.bSizes.size() < 2);
  return product;
}

/// See zeroPointShare; columns are the last dim of a matrix `b`.
static std::optional<SmallVector<int32_t>> shareOf(Value aZero, Value b, Value bZero) {
  auto type = dyn_cast<RankedTensorType>(b.getType());
  if (!type || type.getRank() != 2 || !type.hasStaticShape())
    return std::nullopt;
  int64_t columns = type.getDimSize(1);
  return zeroPointShare(aZero, b, bZero, columns, [&](int64_t index) { return index % columns; });
}

/// The kernel without epilogue, or with one that adds `share` (see shareOf), which stands for the zero points.
/// Elements are of the ONNX types `aType` and `bType`.
static KernelSpec integerProduct(OpBuilder &builder, const MatmulMaps &maps, AlignedProduct product, Type aType,
                                 Type bType, const std::optional<SmallVector<int32_t>> &share) {
  if (share)
    product.aZero = product.bZero = Value();
  KernelSpec spec;
  spec.kind = "matmul";
  spec.inputs = {product.a, product.b};
  spec.resultSizes = product.sizes;
  spec.maps = {maps.a, maps.b};
  auto add = [&](Value value, AffineMap map) {
    spec.inputs.push_back(value);
    spec.maps.push_back(map);
    return int(spec.inputs.size() - 1);
  };
  int aZeroAt = product.aZero ? add(product.aZero, maps.rowParameter(shapeOf(product.aZero))) : -1;
  int bZeroAt = product.bZero ? add(product.bZero, maps.columnParameter(shapeOf(product.bZero))) : -1;
  spec.isReduction = maps.isReduction;
  spec.identity = builder.getI32IntegerAttr(0);
  spec.compute = [=](ImplicitLocOpBuilder &nested, ValueRange x, Value sum) -> Value {
    auto widened = [&](Value value, Type type, int zeroAt) -> Value {
      Value wide = castScalar(nested, nested.getLoc(), value, type, nested.getI32Type());
      if (zeroAt < 0)
        return wide;
      Value zero = castScalar(nested, nested.getLoc(), x[zeroAt], type, nested.getI32Type());
      return arith::SubIOp::create(nested, wide, zero);
    };
    Value product = arith::MulIOp::create(nested, widened(x[0], aType, aZeroAt), widened(x[1], bType, bZeroAt));
    return arith::AddIOp::create(nested, sum, product);
  };
  if (Value constant = share ? makeShare(builder, product.a.getLoc(), *share) : Value()) {
    int at = add(constant, maps.columnParameter({int64_t(share->size())}));
    spec.epilogue = [at](ImplicitLocOpBuilder &nested, ValueRange x, Value sum) -> Value {
      return arith::AddIOp::create(nested, sum, x[at]);
    };
  }
  return spec;
}

namespace {
struct LowerMatMulInteger : OnnxLowering<MatMulIntegerOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(MatMulIntegerOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<AlignedProduct> product = align(getTypeConverter(), rewriter, op);
    if (failed(product))
      return failure();
    MatmulMaps maps(op.getContext(), shapeOf(product->a), shapeOf(product->b), staticShape(product->sizes));
    KernelSpec spec =
        integerProduct(rewriter, maps, *product, type(op.getA()).getElementType(), type(op.getB()).getElementType(),
                       shareOf(op.getAZeroPoint(), op.getB(), op.getBZeroPoint()));
    spec.maps.push_back(maps.y);
    spec.resultType = stored(op.getY());
    rewriter.replaceOp(op,
                       castTensor(rewriter, op.getLoc(), buildKernel(rewriter, op.getLoc(), spec), spec.resultType));
    return success();
  }
};

struct LowerQLinearMatMul : OnnxLowering<QLinearMatMulOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(QLinearMatMulOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type real = rewriter.getF32Type(), result = type(op.getY()).getElementType();
    if (result.getIntOrFloatBitWidth() != 8 || type(op.getAScale()).getElementType().isF64())
      return op.emitError("unsupported: QLinearMatMul other than 8 bits wide, or with scales in double precision");
    FailureOr<AlignedProduct> product = align(getTypeConverter(), rewriter, op);
    if (failed(product))
      return failure();
    MatmulMaps maps(op.getContext(), shapeOf(product->a), shapeOf(product->b), staticShape(product->sizes));
    KernelSpec spec =
        integerProduct(rewriter, maps, *product, type(op.getA()).getElementType(), type(op.getB()).getElementType(),
                       shareOf(op.getAZeroPoint(), op.getB(), op.getBZeroPoint()));
    auto add = [&](Value value, AffineMap map) {
      spec.inputs.push_back(value);
      spec.maps.push_back(map);
      return spec.inputs.size() - 1;
    };
    bool hasRows = product->aSizes.size() > 1, hasColumns = product->bSizes.size() > 1;
    auto ofResult = [&](Value parameter) {
      return alignParameter(getTypeConverter(), rewriter, loc, parameter, op.getY(), product->sizes, true,
                            !hasRows || !hasColumns);
    };
    Value zeroPoint = ofResult(op.getYZeroPoint());
    size_t zeroAt = add(zeroPoint, maps.rowParameter(shapeOf(zeroPoint)));

    SmallVector<Value> scales = {
        alignParameter(getTypeConverter(), rewriter, loc, op.getAScale(), op.getA(), product->aSizes, true, !hasRows),
        alignParameter(getTypeConverter(), rewriter, loc, op.getBScale(), op.getB(), product->bSizes, false,
                       !hasColumns),
        ofResult(op.getYScale())};
    SmallVector<Type> scaleTypes;
    for (Value scale : {op.getAScale(), op.getBScale(), op.getYScale()})
      scaleTypes.push_back(type(scale).getElementType());
    bool isSingle = llvm::all_of(
        scales, [](Value scale) { return llvm::all_of(shapeOf(scale), [](int64_t extent) { return extent == 1; }); });
    size_t scaleAt = spec.inputs.size();
    if (isSingle) {
      for (Value &scale : scales)
        scale = buildReshape(rewriter, loc, scale, ArrayRef<int64_t>());
      Value factor = buildElementwise(rewriter, loc, RankedTensorType::get({}, real), scales, scaleTypes,
                                      [](ScalarBody &body) { return combine(body.b, body.x); });
      add(factor, maps.map({}));
    } else {
      add(scales[0], maps.rowParameter(shapeOf(scales[0])));
      add(scales[1], maps.columnParameter(shapeOf(scales[1])));
      add(scales[2], maps.rowParameter(shapeOf(scales[2])));
    }
    spec.epilogue = [=, shared = spec.epilogue](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
      if (shared)
        sum = shared(b, x, sum);
      Value factor = x[scaleAt];
      if (!isSingle) {
        SmallVector<Value> own;
        for (auto [index, element] : llvm::enumerate(scaleTypes))
          own.push_back(toCompute(b, b.getLoc(), x[scaleAt + index], element));
        factor = combine(b, own);
      }
      Value scaled = arith::MulFOp::create(b, arith::SIToFPOp::create(b, real, sum), factor);
      Value zero = castScalar(b, b.getLoc(), x[zeroAt], result, real);
      return roundAndSaturate(b, scaled, zero, result);
    };
    spec.maps.push_back(maps.y);
    spec.resultType = stored(op.getY());
    rewriter.replaceOp(op, castTensor(rewriter, loc, buildKernel(rewriter, loc, spec), spec.resultType));
    return success();
  }

  /// a_scale * b_scale / y_scale.
  static Value combine(ImplicitLocOpBuilder &b, ValueRange scales) {
    return arith::DivFOp::create(b, arith::MulFOp::create(b, scales[0], scales[1]), scales[2]);
  }
};
} // namespace

void onnx_aot::onnx::populateQuantizedMatmulToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerMatMulInteger, LowerQLinearMatMul>(converter, patterns.getContext());
}
