//===- Determinant.cpp - determinants by elimination --------------------------------------------------------------===//
//
// Gaussian elimination with partial pivoting, one step per column, each on a matrix that is one row and column smaller:
//
//   pivot[b]   = the row p of greatest |a[b, p, 0]|
//   product    = product * a[b, p, 0], negated where p is not 0
//   a'[b,i,j]  = r[i + 1, j + 1] - r[i + 1, 0] / a[b, p, 0] * a[b, p, j + 1],  r = a with row p overwritten by row 0
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/matmul/MatmulMaps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
struct LowerDet : OnnxLowering<DetOp> {
  using OnnxLowering::OnnxLowering;
  /// The steps and the comparisons of each are unrolled.
  static constexpr int64_t kLargest = 32;

  LogicalResult matchAndRewrite(DetOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    ArrayRef<int64_t> shape = type(op.getX()).getShape();
    Type element = type(op.getX()).getElementType(), real = computeType(element);
    int64_t size = shape.back(), batch = ShapedType::getNumElements(shape.drop_back(2));
    if (size > kLargest)
      return op.emitError("unsupported: the determinant of matrices of more than ") << kLargest << " rows";
    auto vector = RankedTensorType::get({batch}, real);
    Value matrix = buildElementwise(rewriter, loc, RankedTensorType::get({batch, size, size}, real),
                                    buildReshape(rewriter, loc, adaptor.getX(), {batch, size, size}), element,
                                    [&](ScalarBody &s) { return s.x[0]; });
    Value determinant = buildElementwise(rewriter, loc, vector, {}, {},
                                         [&](ScalarBody &s) { return scalarConstant(s.b, s.b.getLoc(), real, 1); });
    for (; size > 0; --size) {
      Value pivots = findPivots(rewriter, loc, matrix, batch, size);
      determinant = buildElementwise(
          rewriter, loc, vector, {determinant, pivots}, {real, rewriter.getI32Type()}, [&](ScalarBody &s) -> Value {
            Value b = linalg::IndexOp::create(s.b, 0), zero = index(s.b, 0);
            Value pivot = arith::IndexCastOp::create(s.b, s.b.getIndexType(), s.x[1]);
            Value head = tensor::ExtractOp::create(s.b, matrix, ValueRange{b, pivot, zero});
            Value product = arith::MulFOp::create(s.b, s.x[0], head);
            Value isFirst = arith::CmpIOp::create(s.b, arith::CmpIPredicate::eq, pivot, zero);
            return arith::SelectOp::create(s.b, isFirst, product, arith::NegFOp::create(s.b, product).getResult());
          });
      if (size > 1)
        matrix = eliminate(rewriter, loc, matrix, pivots, batch, size - 1);
    }
    Value result = buildElementwise(rewriter, loc, RankedTensorType::get({batch}, element), determinant, real,
                                    [](ScalarBody &s) { return s.x[0]; });
    rewriter.replaceOp(op, buildReshape(rewriter, loc, result, type(op.getY()).getShape()));
    return success();
  }

  static Value index(ImplicitLocOpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, value); }

  static Value findPivots(OpBuilder &builder, Location loc, Value matrix, int64_t batch, int64_t size) {
    return buildElementwise(
        builder, loc, RankedTensorType::get({batch}, builder.getI32Type()), {}, {}, [&](ScalarBody &s) -> Value {
          Value at = linalg::IndexOp::create(s.b, 0), zero = index(s.b, 0), greatest;
          Value best = scalarConstant(s.b, loc, builder.getI32Type(), 0);
          for (int64_t row = 0; row < size; ++row) {
            Value head = tensor::ExtractOp::create(s.b, matrix, ValueRange{at, index(s.b, row), zero});
            Value magnitude = math::AbsFOp::create(s.b, head);
            if (!greatest) {
              greatest = magnitude;
              continue;
            }
            Value isGreater = arith::CmpFOp::create(s.b, arith::CmpFPredicate::OGT, magnitude, greatest);
            greatest = arith::SelectOp::create(s.b, isGreater, magnitude, greatest);
            best = arith::SelectOp::create(s.b, isGreater, scalarConstant(s.b, loc, builder.getI32Type(), row), best);
          }
          return best;
        });
  }

  /// The matrix of `size` rows that is left.
  static Value eliminate(OpBuilder &builder, Location loc, Value matrix, Value pivots, int64_t batch, int64_t size) {
    Type real = cast<RankedTensorType>(matrix.getType()).getElementType();
    return buildElementwise(
        builder, loc, RankedTensorType::get({batch, size, size}, real), {}, {}, [&](ScalarBody &s) -> Value {
          ImplicitLocOpBuilder &b = s.b;
          Value at = linalg::IndexOp::create(b, 0), zero = index(b, 0), one = index(b, 1);
          Value row = arith::AddIOp::create(b, linalg::IndexOp::create(b, 1), one);
          Value column = arith::AddIOp::create(b, linalg::IndexOp::create(b, 2), one);
          Value pivot = arith::IndexCastOp::create(b, b.getIndexType(), tensor::ExtractOp::create(b, pivots, at));
          auto read = [&](Value i, Value j) -> Value {
            return tensor::ExtractOp::create(b, matrix, ValueRange{at, i, j});
          };
          Value isPivot = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, row, pivot);
          Value source = arith::SelectOp::create(b, isPivot, zero, row);
          // A column of zeros makes the determinant 0, whatever is left.
          Value head = read(pivot, zero),
                isZero = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, head, scalarConstant(b, loc, real, 0));
          Value divisor = arith::SelectOp::create(b, isZero, scalarConstant(b, loc, real, 1), head);
          Value factor = arith::DivFOp::create(b, read(source, zero), divisor);
          return arith::SubFOp::create(b, read(source, column), arith::MulFOp::create(b, factor, read(pivot, column)));
        });
  }
};
} // namespace

void onnx_aot::onnx::populateDeterminantToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerDet>(converter, patterns.getContext());
}
