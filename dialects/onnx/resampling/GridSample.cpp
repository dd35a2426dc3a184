//===- GridSample.cpp - lowering of GridSample --------------------------------------------------------------------===//
//
// One linalg.generic over the result. For each element it
//   1. reads the position that the grid gives (innermost dim first) and scales it from -1..1 to elements,
//   2. brings it inside as padding_mode says,
//   3. sums what the neighbours hold, weighted (2 per dim for linear, 4 for cubic, 1 for nearest); each neighbour is
//      brought inside again, or counts as zero.
//
// Whatever the grid holds, NaN included, no element outside of the data is read.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/resampling/GridSample.h"
#include "dialects/onnx/resampling/Resampling.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
enum class Padding { Zeros, Border, Reflection };

/// The scalar code of one spatial dim.
class GridDim {
public:
  GridDim(ImplicitLocOpBuilder &b, Type real, OpFoldResult size, bool alignCorners, Padding padding)
      : b(b), real(real), size(size), alignCorners(alignCorners), padding(padding) {}

  /// From -1..1 to elements.
  Value denormalize(Value position) {
    Value shifted = arith::AddFOp::create(b, position, constant(1));
    if (alignCorners)
      return arith::MulFOp::create(b, shifted, extent(-1, 0.5));
    Value scaled = arith::MulFOp::create(b, shifted, extent());
    return arith::MulFOp::create(b, arith::SubFOp::create(b, scaled, constant(1)), constant(0.5));
  }

  /// Brings a position that lies beyond the borders inside.
  Value bringInside(Value position) {
    if (padding == Padding::Zeros)
      return position;
    if (padding == Padding::Reflection)
      return reflect(position);
    Value below = less(position, low()), above = less(high(), position);
    Value outside = arith::OrIOp::create(b, below, above);
    return arith::SelectOp::create(b, outside, clamp(position), position);
  }

  struct Neighbour {
    Value index;    // inside the data
    Value isInside; // null where it always counts
  };
  Neighbour neighbour(Value position) {
    if (padding == Padding::Reflection)
      position = math::TruncOp::create(b, reflect(position));
    Neighbour result;
    if (padding == Padding::Zeros) {
      Value notBelow = arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, position, constant(0));
      Value notAbove = arith::CmpFOp::create(b, arith::CmpFPredicate::OLE, position, extent(-1));
      result.isInside = arith::AndIOp::create(b, notBelow, notAbove);
    }
    Value integer = arith::FPToSIOp::create(b, b.getI64Type(), clamp(position));
    result.index = arith::IndexCastOp::create(b, b.getIndexType(), integer);
    return result;
  }

  Value constant(double value) { return scalarConstant(b, b.getLoc(), real, value); }

private:
  Value less(Value left, Value right) { return arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, left, right); }

  /// Into 0..extent - 1; NaN becomes 0.
  Value clamp(Value position) {
    Value notBelow = arith::CmpFOp::create(b, arith::CmpFPredicate::OGE, position, constant(0));
    Value raised = arith::SelectOp::create(b, notBelow, position, constant(0));
    return arith::SelectOp::create(b, less(extent(-1), raised), extent(-1), raised);
  }

  /// Mirrors at the borders until inside.
  Value reflect(Value position) {
    if (alignCorners && constantSize(size) && *constantSize(size) <= 1)
      return constant(0);
    Value range = alignCorners ? extent(-1) : extent();
    Value below = less(position, low()), above = less(high(), position);
    Value distance = arith::SelectOp::create(b, below, arith::SubFOp::create(b, low(), position).getResult(),
                                             arith::SubFOp::create(b, position, high()).getResult());
    Value turns = math::TruncOp::create(b, arith::DivFOp::create(b, distance, range));
    Value rest = arith::SubFOp::create(b, distance, arith::MulFOp::create(b, turns, range));
    Value halved = math::FloorOp::create(b, arith::MulFOp::create(b, turns, constant(0.5)));
    Value doubled = arith::MulFOp::create(b, halved, constant(2));
    Value isEven = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, turns, doubled);
    // An even number of turns from below comes back from the low end, and so on.
    Value fromLow = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, isEven, below);
    Value mirrored = arith::SelectOp::create(b, fromLow, arith::AddFOp::create(b, low(), rest).getResult(),
                                             arith::SubFOp::create(b, high(), rest).getResult());
    Value reflected = arith::SelectOp::create(b, arith::OrIOp::create(b, below, above), mirrored, position);
    // Between one border and itself there is nothing to turn in.
    if (alignCorners && !constantSize(size))
      return arith::SelectOp::create(b, less(constant(0), range), reflected, constant(0));
    return reflected;
  }

  /// (elements + `more`) * `factor`
  Value extent(double more = 0, double factor = 1) {
    if (std::optional<int64_t> known = constantSize(size))
      return constant((double(*known) + more) * factor);
    Arithmetic a{b, real};
    return a.mul(a.add(a.toReal(cast<Value>(size)), a.number(more)), a.number(factor));
  }
  /// The borders.
  Value low() { return constant(alignCorners ? 0.0 : -0.5); }
  Value high() { return extent(alignCorners ? -1 : -0.5); }

  ImplicitLocOpBuilder &b;
  Type real;
  OpFoldResult size;
  bool alignCorners;
  Padding padding;
};

struct LowerGridSample : OnnxLowering<GridSampleOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(GridSampleOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType x = type(op.getX());
    unsigned spatial = x.getRank() - 2;
    if (spatial > 3)
      return op.emitError("unsupported: GridSample of more than three spatial dims");
    if (llvm::is_contained(x.getShape().drop_front(2), 0))
      return op.emitError("unsupported: GridSample of data without elements");
    Type element = x.getElementType(), gridElement = type(op.getGrid()).getElementType();
    // Integers are interpolated as reals that hold most of them, and become integers again toward zero.
    Type real = computeType(element);
    if (isa<IntegerType>(element))
      real = element.getIntOrFloatBitWidth() > 16 ? Type(rewriter.getF64Type()) : computeType(gridElement);
    Padding padding = op.getPaddingMode() == "zeros"    ? Padding::Zeros
                      : op.getPaddingMode() == "border" ? Padding::Border
                                                        : Padding::Reflection;
    Value data = adaptor.getX(), grid = adaptor.getGrid();
    SmallVector<OpFoldResult> extents = sizesOf(rewriter, op.getLoc(), data);
    SmallVector<OpFoldResult> sizes = checkedSizes(op, adaptor, extents, rewriter);
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange own) -> Value {
      SmallVector<SmallVector<GridDim::Neighbour>> neighbours(spatial);
      SmallVector<SmallVector<Value>> weights(spatial);
      for (unsigned dim = 0; dim < spatial; ++dim) {
        GridDim entry(b, real, extents[dim + 2], op.getAlignCorners() != 0, padding);
        SmallVector<Value> at = {own[0]};
        llvm::append_range(at, own.drop_front(2));
        at.push_back(arith::ConstantIndexOp::create(b, spatial - 1 - dim));
        Value given = toCompute(b, b.getLoc(), tensor::ExtractOp::create(b, grid, at), gridElement);
        Value position = entry.denormalize(castScalar(b, b.getLoc(), given, gridElement, real));
        addNeighbours(b, entry, op.getMode(), position, spatial, neighbours[dim], weights[dim]);
      }
      Value result = sum(b, data, element, real, {own[0], own[1]}, Value(), Value(), neighbours, weights);
      return isa<IntegerType>(element) ? castScalar(b, b.getLoc(), result, real, element) : result;
    };
    Value sampled = buildGenerated(rewriter, op.getLoc(), sizes, element, body);
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), sampled, stored(op.getY())));
    return success();
  }

  /// The extents of the result. Data and grid have one batch, and the data has elements to read.
  SmallVector<OpFoldResult> checkedSizes(GridSampleOp op, OpAdaptor adaptor, ArrayRef<OpFoldResult> extents,
                                         OpBuilder &builder) const {
    ImplicitLocOpBuilder b(op.getLoc(), builder);
    SmallVector<OpFoldResult> given = sizesOf(b, op.getLoc(), adaptor.getGrid());
    requireEqual(b, op.getLoc(), extents[0], given[0], onnx_aot::aot::Code::shape_mismatch);
    requireEqual(b, op.getLoc(), given.back(), b.getIndexAttr(extents.size() - 2), onnx_aot::aot::Code::shape_mismatch);
    Shape known = shape(op.getX());
    for (size_t dim = 2; dim < extents.size(); ++dim) {
      if (known[dim].isAtLeast(1))
        continue;
      Value extent = asIndex(b, op.getLoc(), extents[dim]);
      Value isFilled = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, extent, indexConstant(b, 1));
      require(b, op.getLoc(), isFilled, onnx_aot::aot::Code::invalid_value);
    }
    SmallVector<OpFoldResult> sizes = {extents[0], extents[1]};
    sizes.append(given.begin() + 1, given.end() - 1);
    return sizes;
  }

  /// The elements read along one dim and their weights (none for nearest).
  static void addNeighbours(ImplicitLocOpBuilder &b, GridDim &dim, StringRef mode, Value position, unsigned spatial,
                            SmallVectorImpl<GridDim::Neighbour> &neighbours, SmallVectorImpl<Value> &weights) {
    if (mode == "nearest") {
      // Halves go to the even neighbour, in three dims away from zero.
      Value rounded;
      if (spatial == 3)
        rounded = math::TruncOp::create(
            b, arith::AddFOp::create(b, position, math::CopySignOp::create(b, dim.constant(0.5), position)));
      else
        rounded = math::RoundEvenOp::create(b, position);
      neighbours.push_back(dim.neighbour(dim.bringInside(rounded)));
      weights.push_back(Value());
      return;
    }
    position = dim.bringInside(position);
    Value first = math::FloorOp::create(b, position), rest = arith::SubFOp::create(b, position, first);
    if (mode == "linear") {
      neighbours.push_back(dim.neighbour(first));
      neighbours.push_back(dim.neighbour(arith::AddFOp::create(b, first, dim.constant(1))));
      weights.push_back(arith::SubFOp::create(b, dim.constant(1), rest));
      weights.push_back(rest);
      return;
    }
    for (int tap = -1; tap <= 2; ++tap) {
      neighbours.push_back(dim.neighbour(arith::AddFOp::create(b, first, dim.constant(tap))));
      Value distance = arith::SubFOp::create(b, rest, dim.constant(tap));
      weights.push_back(
          cubicWeight(b, dim, tap < 1 ? distance : Value(arith::NegFOp::create(b, distance)), tap == 0 || tap == 1));
    }
  }

  /// Keys' kernel with a = -0.75 at a distance in 0..1 (`isNear`) or 1..2.
  static Value cubicWeight(ImplicitLocOpBuilder &b, GridDim &dim, Value x, bool isNear) {
    constexpr double a = -0.75;
    auto horner = [&](ArrayRef<double> coefficients) {
      Value value = dim.constant(coefficients[0]);
      for (double coefficient : coefficients.drop_front())
        value = math::FmaOp::create(b, value, x, dim.constant(coefficient));
      return value;
    };
    return isNear ? horner({a + 2, -(a + 3), 0, 1}) : horner({a, -5 * a, 8 * a, -4 * a});
  }

  /// Sums over the neighbours of the dims that are left.
  static Value sum(ImplicitLocOpBuilder &b, Value data, Type element, Type real, SmallVector<Value> at, Value weight,
                   Value isInside, ArrayRef<SmallVector<GridDim::Neighbour>> neighbours,
                   ArrayRef<SmallVector<Value>> weights) {
    if (neighbours.empty()) {
      Value value = toCompute(b, b.getLoc(), tensor::ExtractOp::create(b, data, at), element);
      if (isa<IntegerType>(element))
        value = castScalar(b, b.getLoc(), value, element, real);
      if (isInside)
        value = arith::SelectOp::create(b, isInside, value, scalarConstant(b, b.getLoc(), real, 0));
      return weight ? Value(arith::MulFOp::create(b, value, weight)) : value;
    }
    Value total;
    for (auto [neighbour, own] : llvm::zip(neighbours.front(), weights.front())) {
      SmallVector<Value> next = at;
      next.push_back(neighbour.index);
      Value product = weight && own ? Value(arith::MulFOp::create(b, weight, own)) : own ? own : weight;
      Value inside = neighbour.isInside;
      if (inside && isInside)
        inside = arith::AndIOp::create(b, isInside, inside);
      Value part = sum(b, data, element, real, next, product, inside, neighbours.drop_front(), weights.drop_front());
      total = total ? Value(arith::AddFOp::create(b, total, part)) : part;
    }
    return total;
  }
};
} // namespace

void onnx_aot::onnx::populateGridSampleToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerGridSample>(converter, patterns.getContext());
}
