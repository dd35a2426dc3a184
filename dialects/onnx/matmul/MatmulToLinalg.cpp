//===- MatmulToLinalg.cpp - matrix products as kernels ------------------------------------------------------------===//
//
// MatMul and Gemm become one aot.kernel "matmul" over (batch..., m, n, k); transposition and broadcast batches are in
// the indexing maps, so nothing is moved here. alpha, beta and C are the epilogue.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/matmul/MatmulMaps.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// accumulator + a * b, as a fused multiply-add for floats.
static Value multiplyAdd(ImplicitLocOpBuilder &b, Value left, Value right, Value accumulator, Type type) {
  left = toCompute(b, b.getLoc(), left, type);
  right = toCompute(b, b.getLoc(), right, type);
  if (isa<FloatType>(accumulator.getType()))
    return math::FmaOp::create(b, left, right, accumulator);
  return arith::AddIOp::create(b, accumulator, arith::MulIOp::create(b, left, right));
}

namespace {
struct LowerMatMul : OnnxLowering<MatMulOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(MatMulOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Type element = type(op.getA()).getElementType();
    MatmulMaps maps(op.getContext(), type(op.getA()).getShape(), type(op.getB()).getShape(),
                    type(op.getY()).getShape());
    KernelSpec spec;
    spec.kind = "matmul";
    spec.inputs = {adaptor.getA(), adaptor.getB()};
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
    rewriter.replaceOp(op, buildKernel(rewriter, op.getLoc(), spec));
    return success();
  }
};

struct LowerGemm : OnnxLowering<GemmOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(GemmOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    MLIRContext *context = op.getContext();
    AffineExpr m = getAffineDimExpr(0, context), n = getAffineDimExpr(1, context), k = getAffineDimExpr(2, context);
    auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(3, 0, exprs, context); };
    Type element = type(op.getY()).getElementType();
    KernelSpec spec;
    spec.kind = "matmul";
    spec.inputs = {adaptor.getA(), adaptor.getB()};
    spec.maps = {op.getTransA() ? map({k, m}) : map({m, k}), op.getTransB() ? map({n, k}) : map({k, n})};
    bool addsC = op.getC() && !op.getBeta().isZero();
    if (addsC) {
      spec.inputs.push_back(adaptor.getC());
      AffineMap broadcast = broadcastMap(context, type(op.getC()).getShape(), type(op.getY()).getShape());
      spec.maps.push_back(map(broadcast.getResults()));
    }
    spec.maps.push_back(map({m, n}));
    spec.isReduction = {false, false, true};
    spec.identity = cast<TypedAttr>(rewriter.getZeroAttr(computeType(element)));
    spec.resultType = stored(op.getY());
    spec.compute = [=](ImplicitLocOpBuilder &builder, ValueRange x, Value accumulator) {
      return multiplyAdd(builder, x[0], x[1], accumulator, element);
    };
    double alpha = op.getAlpha().convertToFloat(), beta = op.getBeta().convertToFloat();
    spec.epilogue = [=](ImplicitLocOpBuilder &builder, ValueRange x, Value accumulator) {
      Location loc = builder.getLoc();
      Value result = scale(builder, accumulator, alpha, element);
      if (addsC) {
        Value c = scale(builder, toCompute(builder, loc, x[2], element), beta, element);
        result = isa<FloatType>(c.getType()) ? Value(arith::AddFOp::create(builder, result, c))
                                             : Value(arith::AddIOp::create(builder, result, c));
      }
      return toStorage(builder, loc, result, element);
    };
    rewriter.replaceOp(op, buildKernel(rewriter, op.getLoc(), spec));
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
