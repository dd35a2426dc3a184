//===- AffineGrid.cpp - positions under an affine map -------------------------------------------------------------===//
//
//   grid[n, spatial..., c] = sum over d of theta[n, c, d] * position[d] + theta[n, c, D]
//
// where position is (x, y) or (x, y, z) in -1 .. 1, x along the last spatial dim.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/resampling/AffineGrid.h"
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

LogicalResult AffineGridOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(getTheta());
  std::optional<Shape> theta = ctx.shape(getTheta()), size = ctx.dims(getSize());
  auto differ = [](Dim a, Dim b) { return a.isKnown() && b.isKnown() && a.get() != b.get(); };
  if (size && size->size() != 4 && size->size() != 5) // (C2)
    return emitOpError("size must have 4 or 5 elements, and has ") << size->size();
  if (theta && theta->size() != 3) // (C1)
    return emitOpError("theta must have rank 3");
  Dim spatial = size ? Dim(size->size() - 2) : theta ? (*theta)[1] : Dim();
  if (theta && (differ((*theta)[1], spatial) || differ((*theta)[2], spatial + 1))) // (C1)
    return emitOpError("theta does not fit the number of spatial dims");
  if (theta && size && differ((*theta)[0], (*size)[0])) // (C2)
    return emitOpError("theta and size have different batches");
  if (!spatial.isKnown()) {
    results.emplace_back(element);
    return success();
  }
  if (spatial.get() != 2 && spatial.get() != 3) // (C1)
    return emitOpError("theta must be of two or three spatial dims");
  Shape dims(spatial.get() + 2);
  if (theta)
    dims.front() = (*theta)[0];
  if (size) {
    dims.front() = (*size)[0].isKnown() ? (*size)[0] : dims.front();
    std::copy(size->begin() + 2, size->end(), dims.begin() + 1);
  }
  dims.back() = spatial;
  for (Dim dim : dims)
    if (dim.isKnown() && dim.get() < 0) // (C2)
      return emitOpError("size has a negative extent");
  results.emplace_back(element, dims);
  return success();
}

namespace {
struct LowerAffineGrid : OnnxLowering<AffineGridOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(AffineGridOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType grid = type(op.getGrid());
    Type element = grid.getElementType(), real = computeType(element);
    int64_t spatial = grid.getRank() - 2;
    bool alignCorners = op.getAlignCorners();
    Value theta = adaptor.getTheta();
    SmallVector<OpFoldResult> sizes = gridSizes(op, adaptor, rewriter);
    Value positions =
        buildGenerated(rewriter, op.getLoc(), sizes, element, [&](ImplicitLocOpBuilder &b, ValueRange own) -> Value {
          Value batch = own[0], row = own[spatial + 1];
          auto read = [&](int64_t column) {
            Value at = arith::ConstantIndexOp::create(b, column);
            return toCompute(b, b.getLoc(), tensor::ExtractOp::create(b, theta, ValueRange{batch, row, at}), element);
          };
          Value sum = read(spatial);
          for (int64_t column = 0; column < spatial; ++column) {
            int64_t dim = spatial - column;
            Value place = position(b, own[dim], sizes[dim], alignCorners, real);
            sum = math::FmaOp::create(b, read(column), place, sum);
          }
          return sum;
        });
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), positions, stored(op.getGrid())));
    return success();
  }

  /// The extents of the grid, which theta has to fit.
  static SmallVector<OpFoldResult> gridSizes(AffineGridOp op, OpAdaptor adaptor, OpBuilder &builder) {
    ImplicitLocOpBuilder b(op.getLoc(), builder);
    RankedTensorType grid = type(op.getGrid());
    int64_t last = grid.getRank() - 1;
    SmallVector<OpFoldResult> sizes;
    for (auto [dim, extent] : llvm::enumerate(grid.getShape())) {
      sizes.push_back(b.getIndexAttr(extent));
      if (!ShapedType::isDynamic(extent))
        continue;
      Value given = listEntry(b, adaptor.getSize(), dim == 0 ? 0 : dim + 1);
      sizes.back() = getAsOpFoldResult(given);
      requireWithin(b, given, b.getIndexAttr(0), b.getIndexAttr(int64_t(1) << 47), onnx_aot::aot::Code::invalid_value);
    }
    for (auto [dim, size] :
         llvm::enumerate(SmallVector<OpFoldResult>{sizes[0], b.getIndexAttr(last - 1), b.getIndexAttr(last)}))
      requireEqual(b, op.getLoc(), sizeOf(b, op.getLoc(), adaptor.getTheta(), dim), size,
                   onnx_aot::aot::Code::shape_mismatch);
    return sizes;
  }

  /// Element `index` of `extent` in -1 .. 1: the ends are the outer elements' centers, or their borders.
  static Value position(ImplicitLocOpBuilder &b, Value index, OpFoldResult size, bool alignCorners, Type real) {
    Arithmetic a{b, real};
    if (std::optional<int64_t> extent = constantSize(size)) {
      if (alignCorners && *extent == 1)
        return a.number(0);
      double intervals = alignCorners ? *extent - 1 : *extent, first = alignCorners ? -1 : -1 + 1 / double(*extent);
      return math::FmaOp::create(b, a.toReal(index), a.number(2 / intervals), a.number(first));
    }
    Value extent = a.toReal(cast<Value>(size));
    if (!alignCorners)
      return math::FmaOp::create(b, a.toReal(index), a.div(a.number(2), extent),
                                 a.sub(a.div(a.number(1), extent), a.number(1)));
    Value intervals = a.sub(extent, a.number(1));
    Value place = math::FmaOp::create(b, a.toReal(index), a.div(a.number(2), intervals), a.number(-1));
    return a.select(a.less(intervals, a.number(1)), a.number(0), place);
  }
};
} // namespace

void onnx_aot::onnx::populateAffineGridToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerAffineGrid>(converter, patterns.getContext());
}
