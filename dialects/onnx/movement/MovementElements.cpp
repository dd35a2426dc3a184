//===- MovementElements.cpp - shape arithmetic of the operators that move elements --------------------------------===//
//
// The lists of extents that exported models take apart and put together, element by element: what Shape gives, and how
// Concat, Slice, Squeeze ... hand it on. Lists have rank 0 or 1 (see OnnxOpInterface::inferElements).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/movement/Ranges.h"

using namespace mlir;
using namespace onnx_aot::onnx;

std::optional<Shape> ShapeOp::inferElements(ShapeContext &ctx, unsigned) {
  std::optional<Shape> shape = ctx.shape(getData());
  if (!shape)
    return std::nullopt;
  auto [start, end] = getRange(shape->size());
  return Shape(ArrayRef(*shape).slice(start, end - start));
}

std::optional<Shape> SizeOp::inferElements(ShapeContext &ctx, unsigned) {
  std::optional<Shape> shape = ctx.shape(getData());
  return shape ? std::optional(Shape{product(*shape)}) : std::nullopt;
}

/// Another shape of one element or one list.
std::optional<Shape> ReshapeOp::inferElements(ShapeContext &ctx, unsigned) { return ctx.dims(getData()); }
std::optional<Shape> SqueezeOp::inferElements(ShapeContext &ctx, unsigned) { return ctx.dims(getData()); }
std::optional<Shape> UnsqueezeOp::inferElements(ShapeContext &ctx, unsigned) { return ctx.dims(getData()); }

std::optional<Shape> ConcatOp::inferElements(ShapeContext &ctx, unsigned) {
  Shape joined;
  for (Value input : getInputs()) {
    std::optional<Shape> part = ctx.dims(input);
    if (!part)
      return std::nullopt;
    joined.append(*part);
  }
  return joined;
}

std::optional<Shape> SliceOp::inferElements(ShapeContext &ctx, unsigned) {
  std::optional<Shape> list = ctx.dims(getData());
  auto starts = ctx.integers(getStarts()), ends = ctx.integers(getEnds()), steps = ctx.integers(getSteps());
  if (!list || !starts || !ends || (getSteps() && !steps) || starts->size() != 1 || ends->size() != 1)
    return std::nullopt;
  Section section = clampRange(starts->front(), ends->front(), steps ? steps->front() : 1, list->size());
  Shape part;
  for (int64_t i = 0; i < section.count; ++i)
    part.push_back((*list)[section.start + i * section.step]);
  return part;
}

std::optional<Shape> SplitOp::inferElements(ShapeContext &ctx, unsigned result) {
  std::optional<Shape> list = ctx.dims(getInput());
  if (!list)
    return std::nullopt;
  size_t start = 0;
  for (unsigned i = 0; i <= result; ++i) {
    auto type = dyn_cast<RankedTensorType>(getResult(i).getType());
    if (!type || !type.hasStaticShape() || start + type.getNumElements() > list->size())
      return std::nullopt;
    if (i == result)
      return Shape(ArrayRef(*list).slice(start, type.getNumElements()));
    start += type.getNumElements();
  }
  return std::nullopt;
}

/// `list` repeated up to `count` elements, where that is known.
static std::optional<Shape> repeated(std::optional<Shape> list, Dim count) {
  constexpr int64_t longest = 64;
  if (!list || !count.isKnown() || count.get() > longest || (list->empty() && !count.is(0)))
    return std::nullopt;
  Shape result;
  for (int64_t i = 0; i < count.get(); ++i)
    result.push_back((*list)[i % list->size()]);
  return result;
}

std::optional<Shape> ExpandOp::inferElements(ShapeContext &ctx, unsigned) {
  std::optional<Shape> list = ctx.dims(getInput()), shape = ctx.dims(getShape());
  if (!list || !shape)
    return std::nullopt;
  Dim count = product(*shape);
  return repeated(list, count.is(1) ? Dim(list->size()) : count);
}

std::optional<Shape> TileOp::inferElements(ShapeContext &ctx, unsigned) {
  std::optional<Shape> list = ctx.dims(getInput()), repeats = ctx.dims(getRepeats());
  return list && repeats ? repeated(list, Dim(list->size()) * product(*repeats)) : std::nullopt;
}
