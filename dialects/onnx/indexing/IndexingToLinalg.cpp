//===- IndexingToLinalg.cpp - lowering of the operators whose indices are data ------------------------------------===//
//
// Reading is a linalg.generic over the result that takes the indices through an affine map and extracts the element
// they name. Writing is a loop nest over the updates that carries the result as a tensor, which bufferises in place;
// updates are applied in their order, so that of several for one element the last one stays.
//
// Every index has been checked before (see Checks.h), so that wrapIndex leads into its dim.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/indexing/Choosing.h"
#include "dialects/onnx/indexing/Indexing.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

/// linalg.generic over a result of `sizes` whose body yields the element of `source` at the position that `locate`
/// makes of the elements of `inputs`.
static Value buildRead(OpBuilder &builder, Location loc, Value source, ValueRange inputs, ArrayRef<AffineMap> inputMaps,
                       ArrayRef<OpFoldResult> sizes,
                       llvm::function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)> locate) {
  auto type = cast<RankedTensorType>(source.getType());
  // Without elements to read there is nothing that an index could name.
  if (type.hasStaticShape() && type.getNumElements() == 0) {
    Value zero = arith::ConstantOp::create(builder, loc, cast<TypedAttr>(builder.getZeroAttr(type.getElementType())));
    return filledTensor(builder, loc, sizes, zero);
  }
  Value empty = emptyTensor(builder, loc, sizes, type.getElementType());
  SmallVector<AffineMap> maps(inputMaps);
  maps.push_back(builder.getMultiDimIdentityMap(sizes.size()));
  SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, empty.getType(), inputs, empty, maps, iterators,
                                   [&](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                     ImplicitLocOpBuilder b(bodyLoc, nested);
                                     SmallVector<Value> position = locate(b, elements.drop_back());
                                     Value element = tensor::ExtractOp::create(b, source, position);
                                     linalg::YieldOp::create(b, element);
                                   })
      .getResult(0);
}

/// Dims first..first+count-1 of a loop nest.
static SmallVector<AffineExpr> dimExprs(OpBuilder &builder, int64_t first, int64_t count) {
  SmallVector<AffineExpr> exprs;
  for (int64_t dim = first; dim < first + count; ++dim)
    exprs.push_back(builder.getAffineDimExpr(dim));
  return exprs;
}

/// Entry `i` of each tuple of indices, the innermost dim of `indices`, lies in a dim of extents[i] elements.
static void requireTuples(OpBuilder &builder, Location loc, Value indices, Type type, ArrayRef<OpFoldResult> extents) {
  int64_t outer = cast<RankedTensorType>(indices.getType()).getRank() - 1;
  for (auto [entry, extent] : llvm::enumerate(extents)) {
    SmallVector<AffineExpr> exprs = dimExprs(builder, 0, outer);
    exprs.push_back(builder.getAffineConstantExpr(entry));
    requireIndices(builder, loc, indices, type, extent, AffineMap::get(outer, 0, exprs, builder.getContext()));
  }
}

/// No dim of `inner` but `axis` (-1: none) is larger than that of `outer`.
static void requireWithin(OpBuilder &builder, Location loc, Value inner, Value outer, int64_t axis) {
  for (int64_t dim = 0; dim < cast<RankedTensorType>(inner.getType()).getRank(); ++dim) {
    OpFoldResult small = sizeOf(builder, loc, inner, dim), large = sizeOf(builder, loc, outer, dim);
    if (dim == axis || small == large || (constantSize(small) && constantSize(large)))
      continue;
    Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, asIndex(builder, loc, small),
                                       asIndex(builder, loc, large));
    onnx_aot::aot::RequireOp::create(builder, loc, fits, onnx_aot::aot::Code::shape_mismatch);
  }
}

static void requireShape(OpBuilder &builder, Location loc, Value tensor, ArrayRef<OpFoldResult> sizes) {
  for (auto [dim, size] : llvm::enumerate(sizes))
    requireEqual(builder, loc, sizeOf(builder, loc, tensor, dim), size, onnx_aot::aot::Code::shape_mismatch);
}

namespace {
//===-- Reading ---------------------------------------------------------------------------------------------------===//

struct LowerGather : OnnxLowering<GatherOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(GatherOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType data = type(op.getData()), indices = type(op.getIndices());
    Location loc = op.getLoc();
    int64_t axis = wrapAxis(op.getAxis(), data.getRank()), indexRank = indices.getRank();
    FailureOr<Sizes> sizes = this->sizes(rewriter, op, op.getOutput());
    if (failed(sizes))
      return failure();
    OpFoldResult size = sizeOf(rewriter, loc, adaptor.getData(), axis);
    auto constant = getConstantIntegers(op.getIndices());
    bool isEmpty = data.hasStaticShape() && data.getNumElements() == 0;
    if (constant && constant->size() == 1 && !isEmpty) {
      int64_t index = constant->front();
      if (std::optional<int64_t> extent = constantSize(size); extent && (index < -*extent || index >= *extent))
        return op.emitError("index ") << index << " is outside a dimension of " << *extent << " elements";
      if (!constantSize(size))
        requireIndices(rewriter, loc, adaptor.getIndices(), indices.getElementType(), size);
      OpFoldResult position = rewriter.getIndexAttr(index);
      if (index < 0)
        position = addSizes(rewriter, loc, size, position);
      rewriter.replaceOp(op, takeSlice(rewriter, op, adaptor.getData(), axis, position, *sizes));
      return success();
    }
    requireIndices(rewriter, loc, adaptor.getIndices(), indices.getElementType(), size);
    AffineMap map = AffineMap::get(sizes->size(), 0, dimExprs(rewriter, axis, indexRank), op.getContext());
    auto locate = [&](ImplicitLocOpBuilder &b, ValueRange elements) {
      SmallVector<Value> position;
      for (int64_t dim = 0; dim < data.getRank(); ++dim)
        position.push_back(dim == axis ? wrapIndex(b, elements[0], indices.getElementType(), size)
                                       : Value(linalg::IndexOp::create(b, dim < axis ? dim : dim + indexRank - 1)));
      return position;
    };
    rewriter.replaceOp(op, buildRead(rewriter, loc, adaptor.getData(), adaptor.getIndices(), map, *sizes, locate));
    return success();
  }

  /// One known index: a view.
  static Value takeSlice(OpBuilder &builder, GatherOp op, Value data, int64_t axis, OpFoldResult index,
                         ArrayRef<OpFoldResult> resultSizes) {
    Sizes part = sizesOf(builder, op.getLoc(), data);
    Sizes offsets(part.size(), builder.getIndexAttr(0)), ones(part.size(), builder.getIndexAttr(1));
    offsets[axis] = index;
    part[axis] = builder.getIndexAttr(1);
    Value slice = tensor::ExtractSliceOp::create(builder, op.getLoc(), data, offsets, part, ones);
    return buildReshape(builder, op.getLoc(), slice, resultSizes);
  }
};

struct LowerGatherElements : OnnxLowering<GatherElementsOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(GatherElementsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType data = type(op.getData());
    int64_t axis = wrapAxis(op.getAxis(), data.getRank());
    requireWithin(rewriter, op.getLoc(), adaptor.getIndices(), adaptor.getData(), axis);
    Type indexType = type(op.getIndices()).getElementType();
    OpFoldResult size = sizeOf(rewriter, op.getLoc(), adaptor.getData(), axis);
    requireIndices(rewriter, op.getLoc(), adaptor.getIndices(), indexType, size);
    auto locate = [&](ImplicitLocOpBuilder &b, ValueRange elements) {
      SmallVector<Value> position;
      for (int64_t dim = 0; dim < data.getRank(); ++dim)
        position.push_back(dim == axis ? wrapIndex(b, elements[0], indexType, size)
                                       : Value(linalg::IndexOp::create(b, dim)));
      return position;
    };
    Sizes sizes = sizesOf(rewriter, op.getLoc(), adaptor.getIndices());
    rewriter.replaceOp(op, buildRead(rewriter, op.getLoc(), adaptor.getData(), adaptor.getIndices(),
                                     rewriter.getMultiDimIdentityMap(sizes.size()), sizes, locate));
    return success();
  }
};

struct LowerGatherND : OnnxLowering<GatherNDOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(GatherNDOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType data = type(op.getData()), indices = type(op.getIndices());
    int64_t batch = op.getBatchDims(), outer = indices.getRank() - 1, tuple = indices.getDimSize(outer);
    FailureOr<Sizes> result = this->sizes(rewriter, op, op.getOutput());
    if (failed(result))
      return failure();
    Sizes sizes = sizesOf(rewriter, op.getLoc(), adaptor.getData());
    for (int64_t dim = 0; dim < batch; ++dim)
      requireEqual(rewriter, op.getLoc(), sizes[dim], sizeOf(rewriter, op.getLoc(), adaptor.getIndices(), dim),
                   onnx_aot::aot::Code::shape_mismatch);
    requireTuples(rewriter, op.getLoc(), adaptor.getIndices(), indices.getElementType(),
                  ArrayRef(sizes).slice(batch, tuple));
    // The indices are read once per entry of the tuple.
    SmallVector<Value> inputs(tuple, adaptor.getIndices());
    SmallVector<AffineMap> maps;
    for (int64_t entry = 0; entry < tuple; ++entry) {
      SmallVector<AffineExpr> exprs = dimExprs(rewriter, 0, outer);
      exprs.push_back(rewriter.getAffineConstantExpr(entry));
      maps.push_back(AffineMap::get(result->size(), 0, exprs, op.getContext()));
    }
    auto locate = [&](ImplicitLocOpBuilder &b, ValueRange elements) {
      SmallVector<Value> position;
      for (int64_t dim = 0; dim < data.getRank(); ++dim) {
        bool isIndexed = dim >= batch && dim < batch + tuple;
        int64_t own = dim < batch ? dim : outer + dim - batch - tuple;
        position.push_back(isIndexed ? wrapIndex(b, elements[dim - batch], indices.getElementType(), sizes[dim])
                                     : Value(linalg::IndexOp::create(b, own)));
      }
      return position;
    };
    rewriter.replaceOp(op, buildRead(rewriter, op.getLoc(), adaptor.getData(), inputs, maps, *result, locate));
    return success();
  }
};

struct LowerOneHot : OnnxLowering<OneHotOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(OneHotOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = stored(op.getOutput());
    Type indexType = type(op.getIndices()).getElementType();
    int64_t rank = result.getRank(), axis = wrapAxis(op.getAxis(), rank);
    FailureOr<Sizes> sizes = resultSizes(op, adaptor, axis, rewriter);
    if (failed(sizes))
      return failure();
    Value depth = asIndex(rewriter, op.getLoc(), (*sizes)[axis]);
    Value extent = arith::IndexCastOp::create(rewriter, op.getLoc(), rewriter.getI64Type(), depth);
    SmallVector<AffineExpr> exprs = dimExprs(rewriter, 0, axis);
    llvm::append_range(exprs, dimExprs(rewriter, axis + 1, rank - axis - 1));
    AffineMap off = AffineMap::get(rank, 0, rewriter.getAffineConstantExpr(0), op.getContext());
    AffineMap on = AffineMap::get(rank, 0, rewriter.getAffineConstantExpr(1), op.getContext());
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), result, ValueRange{adaptor.getIndices(), adaptor.getValues(), adaptor.getValues()},
        emptyTensor(rewriter, op.getLoc(), *sizes, result.getElementType()),
        ArrayRef<AffineMap>{AffineMap::get(rank, 0, exprs, op.getContext()), off, on,
                            rewriter.getMultiDimIdentityMap(rank)},
        iterators, [&](OpBuilder &nested, Location loc, ValueRange elements) {
          ImplicitLocOpBuilder b(loc, nested);
          // An index outside of -depth..depth-1 names no element.
          Type wide = b.getI64Type();
          Value index = castScalar(b, loc, toCompute(b, loc, elements[0], indexType), indexType, wide);
          Value zero = arith::ConstantIntOp::create(b, 0, 64);
          Value isNegative = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, index, zero);
          index = arith::SelectOp::create(b, isNegative, arith::AddIOp::create(b, index, extent), index);
          Value place = arith::IndexCastOp::create(b, wide, linalg::IndexOp::create(b, axis));
          Value isHot = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, index, place);
          linalg::YieldOp::create(b, arith::SelectOp::create(b, isHot, elements[2], elements[1]).getResult());
        });
    rewriter.replaceOp(op, generic.getResults());
    return success();
  }

  /// The depth is read when the model runs, where nothing tells it before; it may be a real number.
  FailureOr<Sizes> resultSizes(OneHotOp op, OpAdaptor adaptor, int64_t axis,
                               ConversionPatternRewriter &rewriter) const {
    if (isKnownBefore(op, op.getOutput()))
      return this->sizes(rewriter, op, op.getOutput());
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type depthType = type(op.getDepth()).getElementType();
    SmallVector<Value> first(type(op.getDepth()).getRank(), indexConstant(b, 0));
    Value depth = toCompute(b, op.getLoc(), tensor::ExtractOp::create(b, adaptor.getDepth(), first), depthType);
    depth = castScalar(b, op.getLoc(), depth, depthType, b.getI64Type());
    Value isValid = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, depth, arith::ConstantIntOp::create(b, 0, 64));
    onnx_aot::aot::RequireOp::create(b, isValid, onnx_aot::aot::Code::invalid_value);
    Sizes sizes = sizesOf(b, op.getLoc(), adaptor.getIndices());
    sizes.insert(sizes.begin() + axis, arith::IndexCastOp::create(b, b.getIndexType(), depth).getResult());
    return sizes;
  }
};

//===-- Writing ---------------------------------------------------------------------------------------------------===//

/// What a scatter makes of the present element and the update (stored elements of ONNX type `element`).
Value combine(ImplicitLocOpBuilder &b, StringRef reduction, Value present, Value update, Type element) {
  if (reduction == "none")
    return update;
  Location loc = b.getLoc();
  Value left = toCompute(b, loc, present, element), right = toCompute(b, loc, update, element), result;
  if (isa<FloatType>(left.getType())) {
    if (reduction == "add")
      result = arith::AddFOp::create(b, left, right);
    else if (reduction == "mul")
      result = arith::MulFOp::create(b, left, right);
    else if (reduction == "max")
      result = arith::MaximumFOp::create(b, left, right);
    else
      result = arith::MinimumFOp::create(b, left, right);
  } else if (reduction == "add" || reduction == "mul") {
    // On bools: or, and.
    bool isBool = element.isInteger(1);
    if (reduction == "add")
      result = isBool ? Value(arith::OrIOp::create(b, left, right)) : Value(arith::AddIOp::create(b, left, right));
    else
      result = isBool ? Value(arith::AndIOp::create(b, left, right)) : Value(arith::MulIOp::create(b, left, right));
  } else if (isUnsigned(element)) {
    result = reduction == "max" ? Value(arith::MaxUIOp::create(b, left, right))
                                : Value(arith::MinUIOp::create(b, left, right));
  } else {
    result = reduction == "max" ? Value(arith::MaxSIOp::create(b, left, right))
                                : Value(arith::MinSIOp::create(b, left, right));
  }
  return toStorage(b, loc, result, element);
}

/// Loops over `updates` and puts each element into `data` at the position that `locate` makes of its indices.
Value buildWrite(OpBuilder &builder, Location loc, Value data, Value updates, Type element, StringRef reduction,
                 llvm::function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)> locate) {
  if (auto type = cast<RankedTensorType>(data.getType()); type.hasStaticShape() && type.getNumElements() == 0)
    return data;
  ImplicitLocOpBuilder b(loc, builder);
  auto body = [&](ImplicitLocOpBuilder &inner, ValueRange index, Value present) -> Value {
    Value update = tensor::ExtractOp::create(inner, updates, index);
    SmallVector<Value> position = locate(inner, index);
    if (reduction != "none")
      update = combine(inner, reduction, tensor::ExtractOp::create(inner, present, position), update, element);
    return tensor::InsertOp::create(inner, update, present, position);
  };
  Sizes sizes = sizesOf(b, loc, updates);
  if (sizes.empty())
    return body(b, {}, data);
  SmallVector<Value> low(sizes.size(), indexConstant(b, 0)), step(sizes.size(), indexConstant(b, 1)), high;
  for (OpFoldResult size : sizes)
    high.push_back(asIndex(b, loc, size));
  return scf::buildLoopNest(b, loc, low, high, step, data,
                            [&](OpBuilder &nested, Location bodyLoc, ValueRange index, ValueRange carried) {
                              ImplicitLocOpBuilder inner(bodyLoc, nested);
                              return scf::ValueVector{body(inner, index, carried[0])};
                            })
      .results[0];
}

struct LowerScatterElements : OnnxLowering<ScatterElementsOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ScatterElementsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType data = type(op.getData());
    int64_t axis = wrapAxis(op.getAxis(), data.getRank());
    Type indexType = type(op.getIndices()).getElementType();
    requireWithin(rewriter, op.getLoc(), adaptor.getIndices(), adaptor.getData(), axis);
    requireShape(rewriter, op.getLoc(), adaptor.getUpdates(), sizesOf(rewriter, op.getLoc(), adaptor.getIndices()));
    OpFoldResult size = sizeOf(rewriter, op.getLoc(), adaptor.getData(), axis);
    requireIndices(rewriter, op.getLoc(), adaptor.getIndices(), indexType, size);
    auto locate = [&](ImplicitLocOpBuilder &b, ValueRange index) {
      SmallVector<Value> position(index);
      Value entry = tensor::ExtractOp::create(b, adaptor.getIndices(), index);
      position[axis] = wrapIndex(b, entry, indexType, size);
      return position;
    };
    rewriter.replaceOp(op, buildWrite(rewriter, op.getLoc(), adaptor.getData(), adaptor.getUpdates(),
                                      data.getElementType(), op.getReduction(), locate));
    return success();
  }
};

struct LowerScatterND : OnnxLowering<ScatterNDOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ScatterNDOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType data = type(op.getData()), indices = type(op.getIndices());
    // Ranks tell how many entries a tuple has, where its extent is known at run time only.
    int64_t outer = indices.getRank() - 1;
    int64_t tuple = outer + data.getRank() - type(op.getUpdates()).getRank();
    requireEqual(rewriter, op.getLoc(), sizeOf(rewriter, op.getLoc(), adaptor.getIndices(), outer),
                 rewriter.getIndexAttr(tuple), onnx_aot::aot::Code::shape_mismatch);
    Sizes sizes = sizesOf(rewriter, op.getLoc(), adaptor.getData());
    requireTuples(rewriter, op.getLoc(), adaptor.getIndices(), indices.getElementType(),
                  ArrayRef(sizes).take_front(tuple));
    Sizes written = sizesOf(rewriter, op.getLoc(), adaptor.getIndices());
    written.pop_back();
    llvm::append_range(written, ArrayRef(sizes).drop_front(tuple));
    requireShape(rewriter, op.getLoc(), adaptor.getUpdates(), written);
    auto locate = [&](ImplicitLocOpBuilder &b, ValueRange index) {
      SmallVector<Value> position, place(index.take_front(outer));
      place.push_back(Value());
      for (int64_t entry = 0; entry < tuple; ++entry) {
        place.back() = indexConstant(b, entry);
        Value value = tensor::ExtractOp::create(b, adaptor.getIndices(), place);
        position.push_back(wrapIndex(b, value, indices.getElementType(), sizes[entry]));
      }
      llvm::append_range(position, index.drop_front(outer));
      return position;
    };
    rewriter.replaceOp(op, buildWrite(rewriter, op.getLoc(), adaptor.getData(), adaptor.getUpdates(),
                                      data.getElementType(), op.getReduction(), locate));
    return success();
  }
};

struct LowerTensorScatter : OnnxLowering<TensorScatterOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(TensorScatterOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType cache = type(op.getPastCache());
    Location loc = op.getLoc();
    int64_t axis = wrapAxis(op.getAxis(), cache.getRank());
    OpFoldResult extent = sizeOf(rewriter, loc, adaptor.getPastCache(), axis);
    bool isCircular = op.getMode() == "circular";
    requireWithin(rewriter, loc, adaptor.getUpdate(), adaptor.getPastCache(), -1);
    // The update stays inside of the cache, or wraps around in it.
    OpFoldResult starts = rewriter.getIndexAttr(std::numeric_limits<int64_t>::max());
    if (!isCircular) {
      OpFoldResult room = subtractSizes(rewriter, loc, extent, sizeOf(rewriter, loc, adaptor.getUpdate(), axis));
      starts = addSizes(rewriter, loc, room, rewriter.getIndexAttr(1));
    }
    if (Value indices = adaptor.getWriteIndices()) {
      requireEqual(rewriter, loc, sizeOf(rewriter, loc, indices, 0), sizeOf(rewriter, loc, adaptor.getUpdate(), 0),
                   onnx_aot::aot::Code::shape_mismatch);
      requireIndices(rewriter, loc, indices, type(op.getWriteIndices()).getElementType(), starts, AffineMap(),
                     /*fromEnd=*/false);
    }
    auto locate = [&](ImplicitLocOpBuilder &b, ValueRange index) {
      SmallVector<Value> position(index);
      if (!adaptor.getWriteIndices())
        return position;
      Value start = tensor::ExtractOp::create(b, adaptor.getWriteIndices(), index.front());
      start = arith::IndexCastOp::create(b, b.getIndexType(), start);
      if (isCircular) {
        Value period = asIndex(b, loc, extent);
        start = arith::RemUIOp::create(b, start, period);
        Value sum = arith::AddIOp::create(b, start, index[axis]);
        position[axis] = arith::RemUIOp::create(b, sum, period);
        return position;
      }
      position[axis] = arith::AddIOp::create(b, start, index[axis]);
      return position;
    };
    rewriter.replaceOp(op, buildWrite(rewriter, op.getLoc(), adaptor.getPastCache(), adaptor.getUpdate(),
                                      cache.getElementType(), "none", locate));
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateIndexingToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerGather, LowerGatherElements, LowerGatherND, LowerOneHot, LowerScatterElements, LowerScatterND,
               LowerTensorScatter>(converter, patterns.getContext());
  populateChoosingToLinalg(converter, patterns);
  populateUniqueToLinalg(converter, patterns);
  populateNonMaxSuppressionToLinalg(converter, patterns);
}
} // namespace onnx_aot::onnx
