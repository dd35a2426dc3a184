//===- IndexingOps.cpp - shapes and folds of the operators whose indices are data ---------------------------------===//
#include "dialects/onnx/indexing/Indexing.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Fold.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// Whether two dims are known and differ.
static bool differ(Dim left, Dim right) { return left.isKnown() && right.isKnown() && left.get() != right.get(); }

/// What ScatterElements and ScatterND ask of their reduction and of the updates.
static LogicalResult checkUpdates(Operation *op, StringRef reduction, Value data, Value updates) {
  if (!llvm::is_contained({"none", "add", "mul", "max", "min"}, reduction)) // (C4)
    return op->emitOpError("reduction is '") << reduction << "', not none, add, mul, max or min";
  if (getElementTypeOrSelf(data.getType()) != getElementTypeOrSelf(updates.getType()))
    return op->emitOpError("element types of data and updates differ");
  return success();
}

/// Indices that are constant lie within their dims, counted from either end. Entry `i` (row-major) is an index into the
/// dim of extents[i % extents.size()].
static LogicalResult checkIndices(Operation *op, Value indices, ArrayRef<Dim> extents) {
  ElementsAttr constant = getConstant(indices);
  auto element = constant ? dyn_cast<IntegerType>(constant.getShapedType().getElementType()) : IntegerType();
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  if (!element || extents.empty() || !getRawBytes(constant, storage, bytes))
    return success();
  int64_t size = bytesPerElement(element), count = bytes.size() / size;
  for (int64_t i = 0; i < count; ++i) {
    Dim extent = extents[i % extents.size()];
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * size, size);
    int64_t index = element.isUnsigned() ? int64_t(bits) : llvm::SignExtend64(bits, size * 8);
    if (extent.isKnown() && (index < -extent.get() || index >= extent.get()))
      return op->emitOpError("index ") << index << " is outside a dimension of " << extent.get() << " elements";
  }
  return success();
}

//===-- Reading ---------------------------------------------------------------------------------------------------===//

LogicalResult GatherOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getData());
  std::optional<Shape> data = ctx.shape(getData()), indices = ctx.shape(getIndices());
  if (!data || !indices) {
    results.emplace_back(elementType);
    return success();
  }
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), data->size()); // (C1) (C2)
  if (failed(axis) || failed(checkIndices(*this, getIndices(), (*data)[*axis])))
    return failure();
  Shape dims(ArrayRef(*data).take_front(*axis));
  dims.append(*indices);
  llvm::append_range(dims, ArrayRef(*data).drop_front(*axis + 1));
  results.emplace_back(elementType, dims);
  return success();
}

std::optional<Shape> GatherOp::inferElements(ShapeContext &ctx, unsigned) {
  std::optional<Shape> list = ctx.dims(getData());
  auto indices = ctx.integers(getIndices());
  if (!list || !indices)
    return std::nullopt;
  Shape taken;
  for (int64_t index : *indices) {
    int64_t position = wrapAxis(index, list->size());
    if (position < 0 || position >= int64_t(list->size()))
      return std::nullopt;
    taken.push_back((*list)[position]);
  }
  return taken;
}

OpFoldResult GatherOp::fold(FoldAdaptor) {
  ElementsAttr data = getConstant(getData()), indexAttr = getConstant(getIndices());
  if (!data || !indexAttr)
    return nullptr;
  RankedTensorType type = staticResultType(*this);
  auto element = dyn_cast<IntegerType>(indexAttr.getShapedType().getElementType());
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  if (!type || !isSmall(type) || !element || element.isUnsigned() || !getRawBytes(indexAttr, storage, bytes))
    return nullptr;
  ArrayRef<int64_t> shape = data.getShapedType().getShape(), indexShape = indexAttr.getShapedType().getShape();
  int64_t axis = wrapAxis(getAxis(), shape.size()), extent = shape[axis];
  if (extent == 0)
    return nullptr;
  int64_t size = bytesPerElement(element), rank = indexShape.size();
  SmallVector<int64_t> strides = rowMajorStrides(shape), indexStrides = rowMajorStrides(indexShape);
  return moveElements(data, type, [&](ArrayRef<int64_t> index) {
    int64_t at = 0;
    for (int64_t dim = 0; dim < rank; ++dim)
      at += index[axis + dim] * indexStrides[dim];
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + at * size, size);
    int64_t entry = llvm::SignExtend64(bits, size * 8);
    entry = std::clamp<int64_t>(entry < 0 ? entry + extent : entry, 0, extent - 1);
    int64_t position = entry * strides[axis];
    for (int64_t dim = 0; dim < int64_t(shape.size()); ++dim)
      if (dim != axis)
        position += index[dim < axis ? dim : dim + rank - 1] * strides[dim];
    return position;
  });
}

LogicalResult GatherElementsOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> data = ctx.shape(getData()), indices = ctx.shape(getIndices());
  if (data && indices) {
    if (data->size() != indices->size() || data->empty()) // (C1)
      return emitOpError("data and indices must have one rank, of 1 or more");
    FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), data->size());
    if (failed(axis))
      return failure();
    for (auto [dim, pair] : llvm::enumerate(llvm::zip(*data, *indices))) {
      auto [extent, taken] = pair;
      if (int64_t(dim) != *axis && extent.isKnown() && taken.isKnown() && taken.get() > extent.get()) // (C2)
        return emitOpError("dimension ") << dim << " of the indices is larger than data's";
    }
    if (failed(checkIndices(*this, getIndices(), (*data)[*axis])))
      return failure();
  }
  results.emplace_back(ctx.elementType(getData()), indices);
  return success();
}

LogicalResult GatherNDOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getData());
  std::optional<Shape> data = ctx.shape(getData()), indices = ctx.shape(getIndices());
  if (!data || !indices) {
    results.emplace_back(elementType);
    return success();
  }
  if (data->empty() || indices->empty()) // (C1)
    return emitOpError("data and indices must not be scalars");
  int64_t batch = getBatchDims();
  if (batch < 0 || batch >= int64_t(std::min(data->size(), indices->size()))) // (C3)
    return emitOpError("batch_dims is ") << batch;
  for (int64_t dim = 0; dim < batch; ++dim)
    if (differ((*data)[dim], (*indices)[dim])) // (C3)
      return emitOpError("batch dimension ") << dim << " of data and indices differs";
  Dim tuple = indices->back();
  if (!tuple.isKnown()) {
    results.emplace_back(elementType);
    return success();
  }
  if (batch + tuple.get() > int64_t(data->size())) // (C2)
    return emitOpError("tuples of ") << tuple.get() << " indices for a tensor of rank " << data->size();
  if (failed(checkIndices(*this, getIndices(), ArrayRef(*data).slice(batch, tuple.get()))))
    return failure();
  Shape dims(ArrayRef(*indices).drop_back());
  llvm::append_range(dims, ArrayRef(*data).drop_front(batch + tuple.get()));
  results.emplace_back(elementType, dims);
  return success();
}

//===-- Writing ---------------------------------------------------------------------------------------------------===//

LogicalResult ScatterElementsOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> data = ctx.shape(getData()), indices = ctx.shape(getIndices()),
                       updates = ctx.shape(getUpdates());
  if (failed(checkUpdates(*this, getReduction(), getData(), getUpdates())))
    return failure();
  if (data && failed(normalizeAxis(*this, getAxis(), data->size())))
    return failure();
  if (data && indices && data->size() != indices->size()) // (C1)
    return emitOpError("ranks of data and indices differ");
  if (indices && updates) {
    if (indices->size() != updates->size()) // (C1)
      return emitOpError("ranks of indices and updates differ");
    for (auto [index, update] : llvm::zip(*indices, *updates))
      if (differ(index, update)) // (C2)
        return emitOpError("shapes of indices and updates differ");
  }
  if (data && indices) {
    int64_t axis = wrapAxis(getAxis(), data->size());
    for (auto [dim, pair] : llvm::enumerate(llvm::zip(*data, *indices))) {
      auto [extent, taken] = pair;
      if (int64_t(dim) != axis && extent.isKnown() && taken.isKnown() && taken.get() > extent.get())
        return emitOpError("dimension ") << dim << " of the indices is larger than data's";
    }
    if (failed(checkIndices(*this, getIndices(), (*data)[axis])))
      return failure();
  }
  results.emplace_back(ctx.elementType(getData()), data);
  return success();
}

LogicalResult ScatterNDOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> data = ctx.shape(getData()), indices = ctx.shape(getIndices()),
                       updates = ctx.shape(getUpdates());
  if (failed(checkUpdates(*this, getReduction(), getData(), getUpdates())))
    return failure();
  if ((data && data->empty()) || (indices && indices->empty())) // (C1)
    return emitOpError("data and indices must not be scalars");
  if (data && indices && updates) {
    // The ranks tell how many entries a tuple has, too.
    int64_t byRanks = int64_t(indices->size()) - 1 + int64_t(data->size()) - int64_t(updates->size());
    int64_t tuple = indices->back().isKnown() ? indices->back().get() : byRanks;
    if (tuple < 0 || tuple > int64_t(data->size())) // (C1)
      return emitOpError("tuples of ") << tuple << " indices for a tensor of rank " << data->size();
    if (failed(checkIndices(*this, getIndices(), ArrayRef(*data).take_front(tuple))))
      return failure();
    Shape expected(ArrayRef(*indices).drop_back());
    llvm::append_range(expected, ArrayRef(*data).drop_front(tuple));
    bool agrees = expected.size() == updates->size();
    for (size_t i = 0; agrees && i < expected.size(); ++i)
      agrees = !differ(expected[i], (*updates)[i]);
    if (!agrees) // (C2)
      return emitOpError("the shape of the updates does not fit data and indices");
  }
  results.emplace_back(ctx.elementType(getData()), data);
  return success();
}

LogicalResult TensorScatterOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> cache = ctx.shape(getPastCache()), update = ctx.shape(getUpdate());
  if (ctx.elementType(getPastCache()) != ctx.elementType(getUpdate()))
    return emitOpError("element types of past_cache and update differ");
  if (getMode() != "linear" && getMode() != "circular") // (C4)
    return emitOpError("mode is '") << getMode() << "', neither linear nor circular";
  if (cache) {
    FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), cache->size());
    if (failed(axis))
      return failure();
    if (*axis == 0) // (C3)
      return emitOpError("axis must not be the batch dimension");
    if (update && update->size() != cache->size()) // (C1)
      return emitOpError("ranks of past_cache and update differ");
    for (int64_t dim = 0; update && dim < int64_t(cache->size()); ++dim) {
      bool tooLong = (*cache)[dim].isKnown() && (*update)[dim].isKnown() && (*update)[dim].get() > (*cache)[dim].get();
      if (dim == *axis ? tooLong : differ((*cache)[dim], (*update)[dim])) // (C1)
        return emitOpError("dimension ") << dim << " of past_cache and update do not fit";
    }
    std::optional<Shape> starts = getWriteIndices() ? ctx.shape(getWriteIndices()) : std::nullopt;
    if (starts && (starts->size() != 1 || differ((*starts)[0], (*cache)[0]))) // (C2)
      return emitOpError("write_indices must have one entry per batch entry");
  }
  results.emplace_back(ctx.elementType(getPastCache()), cache);
  return success();
}

//===-- Making ----------------------------------------------------------------------------------------------------===//

LogicalResult OneHotOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getValues());
  std::optional<Shape> indices = ctx.shape(getIndices()), depthShape = ctx.shape(getDepth()),
                       values = ctx.shape(getValues());
  if (depthShape && product(*depthShape).isKnown() && !product(*depthShape).is(1)) // (C1)
    return emitOpError("depth must have one element");
  if (values && (values->size() != 1 || ((*values)[0].isKnown() && !(*values)[0].is(2)))) // (C2)
    return emitOpError("values must have two elements");
  if (!indices) {
    results.emplace_back(elementType);
    return success();
  }
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), indices->size() + 1);
  if (failed(axis))
    return failure();
  Dim depth;
  if (auto integers = ctx.integers(getDepth()))
    depth = integers->front();
  else if (auto reals = getConstantFloats(getDepth()); reals && std::abs(reals->front()) < 0x1p53)
    depth = int64_t(reals->front());
  Shape dims = *indices;
  dims.insert(dims.begin() + *axis, depth);
  results.emplace_back(elementType, dims);
  return success();
}
