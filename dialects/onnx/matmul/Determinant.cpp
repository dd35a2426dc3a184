//===- Determinant.cpp - determinants by elimination --------------------------------------------------------------===//
//
// Gaussian elimination with partial pivoting, one step per column, each on a matrix that is one row and column smaller:
//
//   pivot[b]   = the row p of greatest |a[b, p, 0]|
//   product    = product * a[b, p, 0], negated where p is not 0
//   a'[b,i,j]  = r[i + 1, j + 1] - r[i + 1, 0] / a[b, p, 0] * a[b, p, j + 1],  r = a with row p overwritten by row 0
//
// Matrices of many rows, or of a size that only the run tells, are eliminated in place by loops, with row 0 and row p
// swapped before each step.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/matmul/MatmulMaps.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

//===-- By loops --------------------------------------------------------------------------------------------------===//

using LoopBody = llvm::function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, Value, ValueRange)>;

static SmallVector<Value> loop(ImplicitLocOpBuilder &b, Value first, Value end, ValueRange carried, LoopBody body) {
  Value one = arith::ConstantIndexOp::create(b, 1);
  return scf::ForOp::create(b, first, end, one, carried,
                            [&](OpBuilder &nested, Location loc, Value at, ValueRange values) {
                              ImplicitLocOpBuilder inner(loc, nested);
                              scf::YieldOp::create(inner, body(inner, at, values));
                            })
      .getResults();
}

static Value select(ImplicitLocOpBuilder &b, Value condition, Value yes, Value no) {
  return arith::SelectOp::create(b, condition, yes, no);
}

/// The row from `step` on whose element of column `step` is greatest.
static Value pivotOf(ImplicitLocOpBuilder &b, Value matrix, Value at, Value step, Value end) {
  auto magnitude = [&](ImplicitLocOpBuilder &inner, Value row) -> Value {
    return math::AbsFOp::create(inner, tensor::ExtractOp::create(inner, matrix, ValueRange{at, row, step}));
  };
  return loop(b, step, end, {step, magnitude(b, step)},
              [&](ImplicitLocOpBuilder &inner, Value row, ValueRange best) -> SmallVector<Value> {
                Value own = magnitude(inner, row);
                Value isGreater = arith::CmpFOp::create(inner, arith::CmpFPredicate::OGT, own, best[1]);
                return {select(inner, isGreater, row, best[0]), select(inner, isGreater, own, best[1])};
              })[0];
}

/// One step on the matrix `at`: (matrix, determinant) after it.
static SmallVector<Value> eliminateStep(ImplicitLocOpBuilder &b, Value at, Value step, Value end, Value matrix,
                                        Value determinant) {
  Value pivot = pivotOf(b, matrix, at, step, end);
  auto read = [&](ImplicitLocOpBuilder &inner, Value from, Value i, Value j) -> Value {
    return tensor::ExtractOp::create(inner, from, ValueRange{at, i, j});
  };
  auto write = [&](ImplicitLocOpBuilder &inner, Value to, Value element, Value i, Value j) -> Value {
    return tensor::InsertOp::create(inner, element, to, ValueRange{at, i, j});
  };
  matrix = loop(b, step, end, matrix, [&](ImplicitLocOpBuilder &inner, Value j, ValueRange m) -> SmallVector<Value> {
    Value upper = read(inner, m[0], step, j), lower = read(inner, m[0], pivot, j);
    return {write(inner, write(inner, m[0], lower, step, j), upper, pivot, j)};
  })[0];
  Value head = read(b, matrix, step, step), product = arith::MulFOp::create(b, determinant, head);
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, pivot, step);
  determinant = select(b, isFirst, product, arith::NegFOp::create(b, product));
  // A column of zeros makes the determinant 0, whatever is left.
  Value isZero =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, head, scalarConstant(b, b.getLoc(), head.getType(), 0));
  Value divisor = select(b, isZero, scalarConstant(b, b.getLoc(), head.getType(), 1), head);
  Value next = arith::AddIOp::create(b, step, arith::ConstantIndexOp::create(b, 1));
  auto eliminateRow = [&](ImplicitLocOpBuilder &rows, Value i, ValueRange m) {
    Value factor = arith::DivFOp::create(rows, read(rows, m[0], i, step), divisor);
    return loop(rows, next, end, m, [&](ImplicitLocOpBuilder &inner, Value j, ValueRange own) -> SmallVector<Value> {
      Value part = arith::MulFOp::create(inner, factor, read(inner, own[0], step, j));
      return {write(inner, own[0], arith::SubFOp::create(inner, read(inner, own[0], i, j), part), i, j)};
    });
  };
  matrix = loop(b, next, end, matrix, eliminateRow)[0];
  return {matrix, determinant};
}

/// The determinants of `matrix`, batch x size x size of a type to compute in, which is overwritten.
static Value eliminateAll(ImplicitLocOpBuilder &b, Value matrix) {
  Location loc = b.getLoc();
  Type real = getElementTypeOrSelf(matrix.getType());
  SmallVector<OpFoldResult> sizes = sizesOf(b, loc, matrix);
  Value batch = asIndex(b, loc, sizes[0]), size = asIndex(b, loc, sizes[1]);
  Value zero = arith::ConstantIndexOp::create(b, 0), one = scalarConstant(b, loc, real, 1);
  auto eliminateOne = [&](ImplicitLocOpBuilder &outer, Value at, ValueRange carried) -> SmallVector<Value> {
    SmallVector<Value> done =
        loop(outer, zero, size, {carried[0], one}, [&](ImplicitLocOpBuilder &inner, Value step, ValueRange now) {
          return eliminateStep(inner, at, step, size, now[0], now[1]);
        });
    return {done[0], tensor::InsertOp::create(outer, done[1], carried[1], at)};
  };
  return loop(b, zero, batch, {matrix, emptyTensor(b, loc, sizes[0], real)}, eliminateOne)[1];
}

//===-- By steps --------------------------------------------------------------------------------------------------===//

namespace {
struct LowerDet : OnnxLowering<DetOp> {
  using OnnxLowering::OnnxLowering;
  /// The steps and the comparisons of each are unrolled up to this size.
  static constexpr int64_t kLargest = 32;

  LogicalResult matchAndRewrite(DetOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type element = type(op.getX()).getElementType(), real = computeType(element);
    SmallVector<OpFoldResult> given = sizesOf(rewriter, loc, adaptor.getX());
    FailureOr<SmallVector<OpFoldResult>> resultSizes = sizes(rewriter, op, op.getY());
    if (failed(resultSizes))
      return failure();
    Shape dims = shape(op.getX());
    Dim rows = dims[dims.size() - 2], columns = dims.back();
    OpFoldResult size = rows.isKnown() ? given[given.size() - 2] : given.back();
    if (!rows.equals(columns))
      requireEqual(rewriter, loc, given[given.size() - 2], given.back(), aot::Code::shape_mismatch);
    OpFoldResult batch = productOf(rewriter, loc, *resultSizes);
    Value x = buildReshape(rewriter, loc, adaptor.getX(), {batch, size, size});
    Value matrix = buildElementwise(rewriter, loc, RankedTensorType::get(staticShape({batch, size, size}), real), x,
                                    element, [&](ScalarBody &s) { return s.x[0]; });
    std::optional<int64_t> knownBatch = constantSize(batch), knownSize = constantSize(size);
    ImplicitLocOpBuilder b(loc, rewriter);
    bool isUnrolled = knownBatch && knownSize && *knownSize <= kLargest;
    Value determinant =
        isUnrolled ? eliminateUnrolled(rewriter, loc, matrix, *knownBatch, *knownSize) : eliminateAll(b, matrix);
    Value result = buildElementwise(rewriter, loc, RankedTensorType::get(staticShape(batch), element), determinant,
                                    real, [](ScalarBody &s) { return s.x[0]; });
    rewriter.replaceOp(op,
                       castTensor(rewriter, loc, buildReshape(rewriter, loc, result, *resultSizes), stored(op.getY())));
    return success();
  }

  static Value eliminateUnrolled(OpBuilder &rewriter, Location loc, Value matrix, int64_t batch, int64_t size) {
    Type real = getElementTypeOrSelf(matrix.getType());
    auto vector = RankedTensorType::get({batch}, real);
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
    return determinant;
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
