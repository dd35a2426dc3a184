//===- Choosing.cpp - NonZero and Compress ------------------------------------------------------------------------===//
//
// 1. A kernel counts the elements to choose, which gives the list of their positions its length.
// 2. A loop over all elements fills the list.
// 3. The result is computed from the list, in parallel again.
//
//   %count = aot.kernel "reduce" { acc + (x != 0) }
//   %list = scf.for ... iter_args(%list, %at) { list[at] = x != 0 ? i : list[at] ; at += x != 0 }
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/indexing/Choosing.h"
#include "dialects/onnx/indexing/Indexing.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Fold.h"
#include "dialects/onnx/support/Generate.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- Shapes ----------------------------------------------------------------------------------------------------===//

/// Which elements of a constant are not 0; nothing where the bytes do not tell.
static std::optional<SmallVector<bool>> nonzeroElements(ElementsAttr constant) {
  Type element = constant.getShapedType().getElementType();
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() > 64 || !getRawBytes(constant, storage, bytes))
    return std::nullopt;
  int64_t size = bytesPerElement(element);
  SmallVector<bool> flags;
  for (size_t at = 0; at < bytes.size(); at += size) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + at, size);
    if (auto real = dyn_cast<FloatType>(element))
      flags.push_back(!APFloat(real.getFloatSemantics(), APInt(real.getWidth(), bits)).isZero());
    else
      flags.push_back(bits != 0);
  }
  return flags;
}

LogicalResult NonZeroOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX());
  Type index = IntegerType::get(getContext(), 64);
  if (!x) {
    results.emplace_back(index);
    return success();
  }
  Dim count = product(*x).is(0) ? Dim(0) : Dim();
  if (ElementsAttr constant = ctx.constant(getX()))
    if (auto flags = nonzeroElements(constant))
      count = llvm::count(*flags, true);
  results.emplace_back(index, Shape{Dim(x->size()), count});
  return success();
}

OpFoldResult NonZeroOp::fold(FoldAdaptor) {
  ElementsAttr constant = getConstant(getX());
  RankedTensorType type = constant ? staticResultType(*this) : nullptr;
  auto flags = constant ? nonzeroElements(constant) : std::nullopt;
  if (!type || !isSmall(type) || !flags || llvm::count(*flags, true) != type.getDimSize(1))
    return nullptr;
  ArrayRef<int64_t> shape = constant.getShapedType().getShape();
  SmallVector<int64_t> strides = rowMajorStrides(shape), indices;
  for (auto [extent, stride] : llvm::zip(shape, strides))
    for (auto [position, flag] : llvm::enumerate(*flags))
      if (flag)
        indices.push_back(int64_t(position) / stride % extent);
  ArrayRef<char> bytes(reinterpret_cast<const char *>(indices.data()), indices.size() * sizeof(int64_t));
  return makeConstant(type, bytes, "nonzero");
}

LogicalResult CompressOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(getInput());
  std::optional<Shape> input = ctx.shape(getInput()), condition = ctx.shape(getCondition());
  if (condition && condition->size() != 1) // (C1)
    return emitOpError("the condition must have rank 1, not ") << condition->size();
  if (!getAxis()) {
    results.emplace_back(element, Shape{Dim()});
    return success();
  }
  if (!input) {
    results.emplace_back(element);
    return success();
  }
  FailureOr<int64_t> axis = normalizeAxis(*this, *getAxis(), input->size()); // (C2)
  if (failed(axis))
    return failure();
  (*input)[*axis] = Dim();
  results.emplace_back(element, *input);
  return success();
}

//===-- Lowering --------------------------------------------------------------------------------------------------===//

/// How many elements of `list` (of ONNX type `element`) are not 0, as an index.
static Value countNonzero(ImplicitLocOpBuilder &b, Value list, Type element) {
  KernelSpec spec;
  spec.kind = "reduce";
  spec.inputs = {list};
  spec.maps = {b.getMultiDimIdentityMap(1), AffineMap::get(1, 0, b.getContext())};
  spec.isReduction = {true};
  spec.identity = b.getI64IntegerAttr(0);
  spec.resultType = RankedTensorType::get({}, b.getI64Type());
  spec.compute = [=](ImplicitLocOpBuilder &inner, ValueRange x, Value sum) -> Value {
    Location loc = inner.getLoc();
    Value isSet = castScalar(inner, loc, toCompute(inner, loc, x[0], element), element, inner.getI1Type());
    return arith::AddIOp::create(inner, sum, arith::ExtUIOp::create(inner, inner.getI64Type(), isSet).getResult());
  };
  return loadIndex(b, buildKernel(b, b.getLoc(), spec), {});
}

/// The positions of the elements of `list` that are not 0.
static Value nonzeroPositions(ImplicitLocOpBuilder &b, Value list, Type element) {
  OpFoldResult length = sizeOf(b, b.getLoc(), list, 0);
  Value count = clampCount(b, countNonzero(b, list, element), length);
  Value empty = emptyTensor(b, b.getLoc(), OpFoldResult(count), b.getI64Type());
  // Behind the last one, the last place keeps what it has; without any, there is none.
  Value zero = indexConstant(b, 0), one = indexConstant(b, 1), last = arith::SubIOp::create(b, count, one);
  Value hasAny = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, count, zero);
  Value trips = arith::SelectOp::create(b, hasAny, asIndex(b, b.getLoc(), length), zero);
  auto visit = [&](ImplicitLocOpBuilder &inner, Value index, ValueRange carried) {
    Location loc = inner.getLoc();
    Value x = toCompute(inner, loc, tensor::ExtractOp::create(inner, list, index), element);
    Value isSet = castScalar(inner, loc, x, element, inner.getI1Type());
    Value place = arith::MinSIOp::create(inner, carried[1], last);
    Value entry = arith::SelectOp::create(inner, isSet, index, loadIndex(inner, carried[0], place));
    Value filled = storeIndex(inner, entry, carried[0], place);
    Value moved = arith::IndexCastUIOp::create(inner, inner.getIndexType(), isSet);
    return SmallVector<Value>{filled, arith::AddIOp::create(inner, carried[1], moved)};
  };
  return buildCarrying(b, trips, {empty, zero}, visit)[0];
}

/// `tensor` as a list of all its elements.
static Value flatten(ImplicitLocOpBuilder &b, Value tensor) {
  return buildReshape(b, b.getLoc(), tensor, productOf(b, b.getLoc(), sizesOf(b, b.getLoc(), tensor)));
}

namespace {
struct LowerNonZero : OnnxLowering<NonZeroOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(NonZeroOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    SmallVector<OpFoldResult> extents = sizesOf(b, op.getLoc(), adaptor.getX());
    int64_t rank = extents.size();
    Value list = nonzeroPositions(b, flatten(b, adaptor.getX()), type(op.getX()).getElementType());
    SmallVector<OpFoldResult> sizes = {b.getIndexAttr(rank), sizeOf(b, op.getLoc(), list, 0)};
    Value indices = joinIndices(b, list, extents, sizes);
    rewriter.replaceOp(op, fitTensor(rewriter, op.getLoc(), indices, stored(op.getY())));
    return success();
  }

  /// Row `dim` holds index `dim` of each position in row-major order.
  static Value joinIndices(ImplicitLocOpBuilder &b, Value list, ArrayRef<OpFoldResult> extents,
                           ArrayRef<OpFoldResult> sizes) {
    if (extents.empty())
      return emptyTensor(b, b.getLoc(), sizes, b.getI64Type());
    return buildGenerated(b, b.getLoc(), sizes, b.getI64Type(), [&](ImplicitLocOpBuilder &inner, ValueRange at) {
      Value position = loadIndex(inner, list, at[1]), index;
      for (int64_t dim = extents.size() - 1; dim >= 0; --dim) {
        // Where there is a position, no extent is 0.
        Value extent = asIndex(inner, inner.getLoc(), extents[dim]), own = position;
        if (dim != 0) {
          own = arith::RemUIOp::create(inner, position, extent);
          position = arith::DivUIOp::create(inner, position, extent);
        }
        Value isRow = arith::CmpIOp::create(inner, arith::CmpIPredicate::eq, at[0], indexConstant(inner, dim));
        index = index ? Value(arith::SelectOp::create(inner, isRow, own, index)) : own;
      }
      return arith::IndexCastOp::create(inner, inner.getI64Type(), index).getResult();
    });
  }
};

struct LowerCompress : OnnxLowering<CompressOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(CompressOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value data = op.getAxis() ? adaptor.getInput() : flatten(b, adaptor.getInput());
    int64_t axis = op.getAxis() ? wrapAxis(*op.getAxis(), type(op.getInput()).getRank()) : 0;
    // Slices beyond the condition are not chosen; a longer condition names slices that are not there.
    Value condition = adaptor.getCondition();
    OpFoldResult given = sizeOf(b, op.getLoc(), condition, 0), extent = sizeOf(b, op.getLoc(), data, axis);
    bool mayExceed = !constantSize(given) || !constantSize(extent) || *constantSize(given) > *constantSize(extent);
    if (mayExceed) {
      OpFoldResult length = minSize(b, op.getLoc(), given, extent);
      condition = tensor::ExtractSliceOp::create(b, condition, OpFoldResult(b.getIndexAttr(0)), length,
                                                 OpFoldResult(b.getIndexAttr(1)));
    }
    Value list = nonzeroPositions(b, condition, b.getI1Type());
    rewriter.replaceOp(op, fitTensor(rewriter, op.getLoc(), buildTaken(b, data, axis, list), stored(op.getOutput())));
    return success();
  }
};
} // namespace

void onnx_aot::onnx::populateChoosingToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerNonZero, LowerCompress>(converter, patterns.getContext());
}
