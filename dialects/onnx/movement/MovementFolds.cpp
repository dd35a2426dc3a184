//===- MovementFolds.cpp - folding of the operators that move elements --------------------------------------------===//
//
// Constants of any size are folded where the result has no more elements than the operand (reshapes, transpositions:
// weights are often stored in another layout); the others fold small constants, so that shape arithmetic vanishes.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/movement/Ranges.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Fold.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// Folds an operator that only changes the shape of `source`.
static OpFoldResult foldReshape(Operation *op, Value source) {
  if (source.getType() == op->getResult(0).getType() && cast<TensorType>(source.getType()).hasRank() &&
      cast<TensorType>(source.getType()).hasStaticShape())
    return source;
  ElementsAttr constant = getConstant(source);
  RankedTensorType type = constant ? staticResultType(op) : nullptr;
  return type ? OpFoldResult(reshapeConstant(constant, type)) : nullptr;
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) { return foldReshape(*this, getData()); }
OpFoldResult FlattenOp::fold(FoldAdaptor) { return foldReshape(*this, getInput()); }
OpFoldResult SqueezeOp::fold(FoldAdaptor) { return foldReshape(*this, getData()); }
OpFoldResult UnsqueezeOp::fold(FoldAdaptor) { return foldReshape(*this, getData()); }

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  auto source = dyn_cast<RankedTensorType>(getData().getType());
  if (!source)
    return nullptr;
  SmallVector<int64_t> permutation = getPermutation(source.getRank());
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, source.getRank())) && source == getType())
    return getData();
  ElementsAttr constant = getConstant(getData());
  RankedTensorType type = constant ? staticResultType(*this) : nullptr;
  if (!type)
    return nullptr;
  if (constant.isSplat() && isa<DenseElementsAttr>(constant))
    return cast<DenseElementsAttr>(constant).resizeSplat(type);
  SmallVector<int64_t> strides = rowMajorStrides(source.getShape());
  return moveElements(constant, type, [&](ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (auto [dim, from] : llvm::enumerate(permutation))
      position += index[dim] * strides[from];
    return position;
  });
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1 && getInputs().front().getType() == getType())
    return getInputs().front();
  SmallVector<ElementsAttr> parts;
  for (Value input : getInputs()) {
    parts.push_back(getConstant(input));
    if (!parts.back())
      return nullptr;
  }
  RankedTensorType type = staticResultType(*this);
  if (!type || !isSmall(type))
    return nullptr;
  int64_t axis = wrapAxis(getAxis(), type.getRank());
  // For each index of the dims before the axis, every part has a contiguous run of bytes.
  int64_t outer = 1, element = bytesPerElement(type.getElementType());
  for (int64_t dim : type.getShape().take_front(axis))
    outer *= dim;
  SmallVector<char> joined;
  for (int64_t block = 0; block < outer; ++block)
    for (ElementsAttr part : parts) {
      SmallVector<char> storage;
      ArrayRef<char> bytes;
      if (!getRawBytes(part, storage, bytes))
        return nullptr;
      int64_t run = part.getNumElements() / outer * element;
      ArrayRef<char> slice = bytes.slice(block * run, run);
      joined.append(slice.begin(), slice.end());
    }
  return makeConstant(type, joined, "folded");
}

/// The part of a constant that starts at `ranges` of its dims.
static ElementsAttr foldRanges(ElementsAttr source, RankedTensorType type, ArrayRef<Section> ranges) {
  SmallVector<int64_t> strides = rowMajorStrides(source.getShapedType().getShape());
  return moveElements(source, type, [&](ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (auto [dim, range] : llvm::enumerate(ranges))
      position += (range.start + index[dim] * range.step) * strides[dim];
    return position;
  });
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  auto source = dyn_cast<RankedTensorType>(getData().getType());
  RankedTensorType type = source && source.hasStaticShape() ? staticResultType(*this) : nullptr;
  auto ranges = type ? sliceRanges(*this, source.getShape()) : std::nullopt;
  if (!ranges)
    return nullptr;
  if (type == source && type == getType() && llvm::all_of(*ranges, [](const Section &range) { return range.step > 0; }))
    return getData();
  ElementsAttr constant = getConstant(getData());
  return constant && isSmall(type) ? foldRanges(constant, type, *ranges) : nullptr;
}

LogicalResult SplitOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &results) {
  ElementsAttr constant = getConstant(getInput());
  if (!constant)
    return failure();
  int64_t rank = constant.getShapedType().getRank(), start = 0;
  SmallVector<OpFoldResult> parts;
  for (unsigned i = 0; i < getNumResults(); ++i) {
    RankedTensorType type = staticResultType(*this, i);
    if (!type || !isSmall(type))
      return failure();
    int64_t axis = wrapAxis(getAxis(), rank);
    SmallVector<Section> ranges(rank);
    ranges[axis].start = start;
    start += type.getDimSize(axis);
    ElementsAttr part = foldRanges(constant, type, ranges);
    if (!part)
      return failure();
    parts.push_back(part);
  }
  results.append(parts);
  return success();
}

/// Result element -> operand element under broadcasting or repetition: each index counts modulo the operand's extent.
static OpFoldResult foldRepeat(Operation *op, Value source) {
  auto sourceType = dyn_cast<RankedTensorType>(source.getType());
  if (!sourceType || !sourceType.hasStaticShape())
    return nullptr;
  ElementsAttr constant = getConstant(source);
  if (!constant && op->getResult(0).getType() != sourceType)
    return nullptr;
  RankedTensorType type = staticResultType(op);
  if (type && type == sourceType && op->getResult(0).getType() == sourceType)
    return source;
  if (!type || !constant || !isSmall(type))
    return nullptr;
  ArrayRef<int64_t> shape = sourceType.getShape();
  SmallVector<int64_t> strides = rowMajorStrides(shape);
  size_t added = type.getRank() - shape.size();
  return moveElements(constant, type, [&](ArrayRef<int64_t> index) {
    int64_t position = 0;
    for (auto [dim, extent] : llvm::enumerate(shape))
      position += index[added + dim] % extent * strides[dim];
    return position;
  });
}

OpFoldResult ExpandOp::fold(FoldAdaptor) { return foldRepeat(*this, getInput()); }
OpFoldResult TileOp::fold(FoldAdaptor) { return foldRepeat(*this, getInput()); }

OpFoldResult ShapeOp::fold(FoldAdaptor) {
  auto source = dyn_cast<RankedTensorType>(getData().getType());
  if (!source)
    return nullptr;
  auto [start, end] = getRange(source.getRank());
  ArrayRef<int64_t> dims = source.getShape().slice(start, end - start);
  if (llvm::any_of(dims, ShapedType::isDynamic))
    return nullptr;
  auto type = RankedTensorType::get({int64_t(dims.size())}, IntegerType::get(getContext(), 64));
  return DenseElementsAttr::get(type, dims);
}

OpFoldResult SizeOp::fold(FoldAdaptor) {
  auto source = dyn_cast<RankedTensorType>(getData().getType());
  if (!source || !source.hasStaticShape())
    return nullptr;
  auto type = RankedTensorType::get({}, IntegerType::get(getContext(), 64));
  return DenseElementsAttr::get(type, ArrayRef<int64_t>(source.getNumElements()));
}
