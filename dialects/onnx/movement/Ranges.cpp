//===- Ranges.cpp - the parts of a tensor that operators name -----------------------------------------------------===//
#include "dialects/onnx/movement/Ranges.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"

using namespace mlir;
using namespace onnx_aot::onnx;

Section onnx_aot::onnx::clampRange(int64_t start, int64_t end, int64_t step, int64_t extent) {
  // Going backwards, the first element may be the last of the dim and `end` may lie before element 0.
  int64_t lowest = step < 0 ? -1 : 0, highest = step < 0 ? extent - 1 : extent;
  auto clamp = [&](int64_t value) {
    if (value < 0)
      value += extent;
    return std::min(std::max(value, lowest), highest);
  };
  start = clamp(start);
  end = clamp(end);
  int64_t distance = step < 0 ? start - end : end - start;
  // The absolute value of the smallest step is computed without overflow.
  uint64_t stride = step < 0 ? uint64_t(0) - uint64_t(step) : uint64_t(step);
  int64_t count = distance <= 0 ? 0 : 1 + int64_t(uint64_t(distance - 1) / stride);
  return {count == 0 ? 0 : start, count, count <= 1 ? 1 : step};
}

/// A position counted from the front and brought within lowest..highest. Farther than any dim reaches, it is the end.
static Dim clampPosition(Dim position, Dim extent, Dim lowest, Dim highest) {
  // Exporters write the largest int32 for the end of any dim.
  constexpr int64_t farthest = std::numeric_limits<int32_t>::max();
  if (position.isKnown() && position.get() >= farthest)
    return highest;
  if (position.isKnown() && position.get() <= -farthest)
    return lowest;
  return Dim::min(Dim::max(Dim::wrap(position, extent), lowest), highest);
}

OpenSection onnx_aot::onnx::openRange(Dim start, Dim end, int64_t step, Dim extent) {
  if (start.isKnown() && end.isKnown() && extent.isKnown()) {
    Section section = clampRange(start.get(), end.get(), step, extent.get());
    return {section.start, section.count};
  }
  Dim lowest = step < 0 ? -1 : 0, highest = step < 0 ? extent - 1 : extent;
  start = clampPosition(start, extent, lowest, highest);
  end = clampPosition(end, extent, lowest, highest);
  Dim distance = step < 0 ? start - end : end - start;
  return {start, Dim::max(distance.ceilDiv(step < 0 ? -step : step), 0)};
}

std::optional<SmallVector<Section>> onnx_aot::onnx::sliceRanges(SliceOp op, ArrayRef<int64_t> shape) {
  auto starts = getConstantIntegers(op.getStarts()), ends = getConstantIntegers(op.getEnds());
  auto axes = getConstantIntegers(op.getAxes()), steps = getConstantIntegers(op.getSteps());
  if (!starts || !ends || (op.getAxes() && !axes) || (op.getSteps() && !steps))
    return std::nullopt;
  SmallVector<Section> ranges;
  for (int64_t extent : shape)
    ranges.push_back({0, extent, 1});
  int64_t rank = shape.size();
  for (size_t i = 0; i < starts->size(); ++i) {
    int64_t axis = axes ? (*axes)[i] : int64_t(i);
    axis += axis < 0 ? rank : 0;
    ranges[axis] = clampRange((*starts)[i], (*ends)[i], steps ? (*steps)[i] : 1, shape[axis]);
  }
  return ranges;
}

std::optional<SmallVector<Border>> onnx_aot::onnx::padBorders(PadOp op, int64_t rank) {
  auto pads = getConstantIntegers(op.getPads()), axes = getConstantIntegers(op.getAxes());
  if (!pads || (op.getAxes() && !axes))
    return std::nullopt;
  SmallVector<Border> borders(rank);
  size_t count = pads->size() / 2;
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = axes ? (*axes)[i] : int64_t(i);
    borders[wrapAxis(axis, rank)] = {(*pads)[i], (*pads)[count + i]};
  }
  return borders;
}

Shape onnx_aot::onnx::splitSizes(SplitOp op, Dim extent) {
  int64_t parts = op.getNumOutputs().value_or(op.getNumResults());
  Dim size = extent.ceilDiv(parts);
  // num_outputs is only a claim of the model: what is allocated follows from the results that are there.
  Shape sizes(op.getNumResults());
  for (int64_t i = 0, end = sizes.size(); i < end; ++i)
    sizes[i] = (extent - size * (i + 1)).isAtLeast(0) ? size : Dim::max(Dim::min(size, extent - size * i), 0);
  return sizes;
}
