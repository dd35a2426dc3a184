//===- MovementOps.cpp - shapes of the operators that move elements -----------------------------------------------===//
//
// Operands that say how to move (axes, shapes, amounts) are often computed by the graph and become constants only when
// input dims are fixed; until then the dims that depend on them are unknown.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/movement/Ranges.h"
#include "dialects/onnx/support/Axes.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// The number of elements of a rank-1 operand, where it is known.
static std::optional<int64_t> lengthOf(ShapeContext &ctx, Value value) {
  std::optional<Shape> shape = value ? ctx.shape(value) : std::nullopt;
  if (!shape || shape->size() > 1 || !product(*shape).isKnown())
    return std::nullopt;
  return product(*shape).get();
}

/// Axes in range and different from each other.
static FailureOr<SmallVector<int64_t>> distinctAxes(Operation *op, ArrayRef<int64_t> axes, int64_t rank) {
  FailureOr<SmallVector<int64_t>> normalized = normalizeAxes(op, axes, rank);
  if (failed(normalized))
    return failure();
  llvm::SmallDenseSet<int64_t> seen;
  for (int64_t axis : *normalized)
    if (!seen.insert(axis).second) {
      op->emitOpError("axis ") << axis << " appears twice";
      return failure();
    }
  return normalized;
}

//===-- Another shape, the same elements --------------------------------------------------------------------------===//

LogicalResult ReshapeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getData());
  std::optional<Shape> in = ctx.shape(getData()), target = ctx.dims(getShape()), list = ctx.shape(getShape());
  if (list && list->size() != 1) // (C1)
    return emitOpError("the shape must be a list of extents");
  if (!target) {
    results.emplace_back(elementType);
    return success();
  }
  Shape dims = *target;
  bool copiesZeros = !getAllowzero();
  int64_t inferred = -1;
  bool hasZero = false;
  for (auto [index, dim] : llvm::enumerate(dims)) {
    if (!dim.isKnown()) {
      // What may turn out to be -1 or to copy a dim is left to the run.
      if (!dim.isAtLeast(0))
        dim = Dim();
      continue;
    }
    if (dim.is(-1)) {
      if (inferred >= 0) // (C2)
        return emitOpError("the shape has -1 twice");
      inferred = index;
    } else if (dim.get() < 0) {
      return emitOpError("the shape has the extent ") << dim.get();
    } else if (dim.is(0) && copiesZeros) {
      if (in && index >= in->size()) // (C3)
        return emitOpError("the shape copies dimension ") << index << " of a tensor of rank " << in->size();
      dim = in ? (*in)[index] : Dim();
    } else if (dim.is(0)) {
      hasZero = true;
    }
  }
  if (hasZero && inferred >= 0) // (C4)
    return emitOpError("with allowzero the shape may not have both 0 and -1");
  Dim elements = in ? product(*in) : Dim();
  if (inferred >= 0) {
    dims[inferred] = Dim(1);
    Dim rest = product(dims);
    dims[inferred] = Dim();
    if (elements.isKnown() && rest.isKnown()) {
      bool divides = rest.is(0) ? elements.is(0) : elements.get() % rest.get() == 0;
      if (!divides) // (C5)
        return emitOpError() << elements.get() << " elements do not divide into the shape";
      dims[inferred] = rest.is(0) ? Dim(0) : Dim(elements.get() / rest.get());
    } else {
      dims[inferred] = elements.floorDiv(rest);
    }
  } else {
    Dim count = product(dims);
    if (elements.isKnown() && count.isKnown() && count.get() != elements.get()) // (C5)
      return emitOpError() << elements.get() << " elements do not fit a shape of " << count.get();
  }
  results.emplace_back(elementType, dims);
  return success();
}

LogicalResult FlattenOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getInput());
  std::optional<Shape> in = ctx.shape(getInput());
  if (!in) {
    results.emplace_back(elementType, Shape(2));
    return success();
  }
  int64_t rank = in->size(), axis = getAxis();
  if (axis < -rank || axis > rank) // (C1)
    return emitOpError("axis ") << axis << " is outside a tensor of rank " << rank;
  axis += axis < 0 ? rank : 0;
  results.emplace_back(elementType,
                       Shape{product(ArrayRef(*in).take_front(axis)), product(ArrayRef(*in).drop_front(axis))});
  return success();
}

LogicalResult SqueezeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getData());
  std::optional<Shape> in = ctx.shape(getData());
  std::optional<SmallVector<int64_t>> axes = ctx.integers(getAxes());
  bool open = in && !getAxes() && llvm::any_of(*in, [](Dim dim) { return !dim.isKnown(); });
  if (!in || (getAxes() && !axes) || open) {
    std::optional<int64_t> removed = getAxes() ? lengthOf(ctx, getAxes()) : std::nullopt;
    if (in && removed && *removed > int64_t(in->size()))
      return emitOpError() << *removed << " axes for a tensor of rank " << in->size();
    results.emplace_back(elementType, in && removed ? std::optional(Shape(in->size() - *removed)) : std::nullopt);
    return success();
  }
  llvm::SmallDenseSet<int64_t> removed;
  if (axes) {
    FailureOr<SmallVector<int64_t>> normalized = normalizeAxes(*this, *axes, in->size()); // (C1)
    if (failed(normalized))
      return failure();
    for (int64_t axis : *normalized) {
      if ((*in)[axis].isKnown() && !(*in)[axis].is(1)) // (C2)
        return emitOpError("dimension ") << axis << " has extent " << (*in)[axis].get() << ", not 1";
      removed.insert(axis);
    }
  } else {
    for (auto [index, dim] : llvm::enumerate(*in))
      if (dim.is(1))
        removed.insert(index);
  }
  Shape dims;
  for (auto [index, dim] : llvm::enumerate(*in))
    if (!removed.contains(index))
      dims.push_back(dim);
  results.emplace_back(elementType, dims);
  return success();
}

LogicalResult UnsqueezeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getData());
  std::optional<Shape> in = ctx.shape(getData());
  std::optional<SmallVector<int64_t>> axes = ctx.integers(getAxes());
  if (!in || !axes) {
    std::optional<int64_t> added = lengthOf(ctx, getAxes());
    results.emplace_back(elementType, in && added ? std::optional(Shape(in->size() + *added)) : std::nullopt);
    return success();
  }
  int64_t rank = in->size() + axes->size();
  FailureOr<SmallVector<int64_t>> normalized = distinctAxes(*this, *axes, rank); // (C1) (C2)
  if (failed(normalized))
    return failure();
  Shape dims;
  for (int64_t index = 0, next = 0; index < rank; ++index)
    dims.push_back(llvm::is_contained(*normalized, index) ? Dim(1) : (*in)[next++]);
  results.emplace_back(elementType, dims);
  return success();
}

//===-- Another order ---------------------------------------------------------------------------------------------===//

SmallVector<int64_t> TransposeOp::getPermutation(int64_t rank) {
  if (getPerm())
    return SmallVector<int64_t>(*getPerm());
  return llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
}

LogicalResult TransposeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getData());
  std::optional<Shape> in = ctx.shape(getData());
  if (getPerm() && !isPermutationVector(*getPerm())) // (C1)
    return emitOpError("perm is not a permutation");
  if (getPerm() && in && getPerm()->size() != in->size())
    return emitOpError("perm has ") << getPerm()->size() << " entries for a tensor of rank " << in->size();
  if (!in) {
    results.emplace_back(elementType, getPerm() ? std::optional(Shape(getPerm()->size())) : std::nullopt);
    return success();
  }
  Shape dims;
  for (int64_t source : getPermutation(in->size()))
    dims.push_back((*in)[source]);
  results.emplace_back(elementType, dims);
  return success();
}

/// `dim` divided by `factor`, unknown where it is unknown.
static FailureOr<Dim> divideExactly(Operation *op, Dim dim, int64_t factor, StringRef what) {
  if (dim.isKnown() && dim.get() % factor != 0) {
    op->emitOpError() << what << " " << dim.get() << " is not a multiple of " << factor;
    return failure();
  }
  return dim.floorDiv(factor);
}

LogicalResult DepthToSpaceOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getInput());
  std::optional<Shape> in = ctx.shape(getInput());
  int64_t block = getBlocksize();
  if (block <= 0 || block > (1 << 20))
    return emitOpError("blocksize must be positive");
  if (getMode() != "DCR" && getMode() != "CRD")
    return emitOpError("mode is '") << getMode() << "', neither DCR nor CRD";
  if (!in) {
    results.emplace_back(elementType, Shape(4));
    return success();
  }
  if (in->size() != 4) // (C1)
    return emitOpError("the input must have rank 4");
  FailureOr<Dim> channels = divideExactly(*this, (*in)[1], block * block, "the number of channels"); // (C2)
  if (failed(channels))
    return failure();
  results.emplace_back(elementType, Shape{(*in)[0], *channels, (*in)[2] * block, (*in)[3] * block});
  return success();
}

LogicalResult SpaceToDepthOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getInput());
  std::optional<Shape> in = ctx.shape(getInput());
  int64_t block = getBlocksize();
  if (block <= 0 || block > (1 << 20))
    return emitOpError("blocksize must be positive");
  if (!in) {
    results.emplace_back(elementType, Shape(4));
    return success();
  }
  if (in->size() != 4) // (C1)
    return emitOpError("the input must have rank 4");
  FailureOr<Dim> height = divideExactly(*this, (*in)[2], block, "the height"); // (C2)
  FailureOr<Dim> width = divideExactly(*this, (*in)[3], block, "the width");
  if (failed(height) || failed(width))
    return failure();
  results.emplace_back(elementType, Shape{(*in)[0], (*in)[1] * (block * block), *height, *width});
  return success();
}

LogicalResult ReverseSequenceOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getInput());
  std::optional<Shape> in = ctx.shape(getInput()), lengths = ctx.shape(getSequenceLens());
  if (in && in->size() < 2) // (C1)
    return emitOpError("the input must have rank 2 or more");
  int64_t batch = getBatchAxis(), time = getTimeAxis();
  if (batch < 0 || batch > 1 || time != 1 - batch) // (C3)
    return emitOpError("batch_axis and time_axis must be 0 and 1");
  if (lengths && lengths->size() != 1)
    return emitOpError("sequence_lens must have rank 1");
  if (in && lengths && (*in)[batch].isKnown() && (*lengths)[0].isKnown() &&
      (*in)[batch].get() != (*lengths)[0].get()) // (C2)
    return emitOpError() << (*lengths)[0].get() << " sequence lengths for " << (*in)[batch].get() << " batch entries";
  results.emplace_back(elementType, in);
  return success();
}

//===-- Parts and joins -------------------------------------------------------------------------------------------===//

LogicalResult ConcatOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (getInputs().empty()) // (C1)
    return emitOpError("needs an input");
  Type elementType = ctx.elementType(getInputs().front());
  std::optional<Shape> dims;
  bool open = false;
  int64_t axis = 0;
  for (Value input : getInputs()) {
    if (ctx.elementType(input) != elementType) // (C1)
      return emitOpError("element types of the inputs differ");
    std::optional<Shape> in = ctx.shape(input);
    if (!in) {
      open = true;
      continue;
    }
    if (!dims) {
      FailureOr<int64_t> normalized = normalizeAxis(*this, getAxis(), in->size());
      if (failed(normalized))
        return failure();
      axis = *normalized;
      dims = in;
      continue;
    }
    if (in->size() != dims->size()) // (C2)
      return emitOpError("ranks of the inputs differ: ") << dims->size() << " and " << in->size();
    for (auto [index, dim] : llvm::enumerate(*in)) {
      Dim &merged = (*dims)[index];
      if (int64_t(index) == axis)
        merged = merged + dim;
      else if (!merged.isKnown())
        merged = dim.isKnown() || merged.isUnknown() ? dim : merged; // of two names the first one
      else if (dim.isKnown() && dim.get() != merged.get()) // (C2)
        return emitOpError("dimension ") << index << " of the inputs differs: " << merged.get() << " and " << dim.get();
    }
  }
  if (dims && open)
    (*dims)[axis] = Dim();
  results.emplace_back(elementType, dims);
  return success();
}

LogicalResult SliceOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getData());
  std::optional<Shape> in = ctx.shape(getData());
  std::optional<int64_t> count = lengthOf(ctx, getStarts());
  for (Value list : {getEnds(), getAxes(), getSteps()}) {
    std::optional<int64_t> length = lengthOf(ctx, list);
    if (count && length && *length != *count) // (C1)
      return emitOpError("starts, ends, axes and steps have different lengths");
  }
  std::optional<SmallVector<int64_t>> starts = ctx.integers(getStarts()), ends = ctx.integers(getEnds());
  std::optional<SmallVector<int64_t>> axes = ctx.integers(getAxes()), steps = ctx.integers(getSteps());
  if (steps && llvm::is_contained(*steps, 0)) // (C3)
    return emitOpError("a step is 0");
  if (!in) {
    results.emplace_back(elementType);
    return success();
  }
  if (getAxes() && !axes) {
    results.emplace_back(elementType, Shape(in->size()));
    return success();
  }
  if (!count && !axes) {
    results.emplace_back(elementType, Shape(in->size()));
    return success();
  }
  if (!axes)
    axes = llvm::to_vector(llvm::seq<int64_t>(0, *count));
  FailureOr<SmallVector<int64_t>> normalized = distinctAxes(*this, *axes, in->size()); // (C2)
  if (failed(normalized))
    return failure();
  Shape dims = *in;
  std::optional<Shape> firsts = ctx.dims(getStarts()), lasts = ctx.dims(getEnds());
  for (auto [index, axis] : llvm::enumerate(*normalized)) {
    bool isTold = firsts && lasts && (steps || !getSteps());
    dims[axis] =
        isTold ? openRange((*firsts)[index], (*lasts)[index], steps ? (*steps)[index] : 1, dims[axis]).count : Dim();
  }
  results.emplace_back(elementType, dims);
  return success();
}

LogicalResult SplitOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getInput());
  std::optional<Shape> in = ctx.shape(getInput());
  if (getSplit() && getNumOutputs()) // (C2)
    return emitOpError("has both the input split and the attribute num_outputs");
  if (getNumOutputs() && (int64_t(*getNumOutputs()) <= 0 || *getNumOutputs() < getNumResults()))
    return emitOpError("num_outputs is ") << int64_t(*getNumOutputs()) << " for " << getNumResults() << " outputs";
  std::optional<SmallVector<int64_t>> sizes = ctx.integers(getSplit());
  if (sizes && sizes->size() < getNumResults()) // (C1)
    return emitOpError() << sizes->size() << " sizes for " << getNumResults() << " outputs";
  if (!in) {
    for (unsigned i = 0; i < getNumResults(); ++i)
      results.emplace_back(elementType);
    return success();
  }
  FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), in->size());
  if (failed(axis))
    return failure();
  Dim extent = (*in)[*axis];
  if (sizes) {
    int64_t sum = 0;
    for (int64_t size : *sizes) {
      if (size < 0 || llvm::AddOverflow(sum, size, sum))
        return emitOpError("a size is negative or too large");
    }
    if (extent.isKnown() && sum != extent.get()) // (C1)
      return emitOpError("the sizes add up to ") << sum << ", the dimension is " << extent.get();
  }
  std::optional<Shape> parts =
      getSplit() ? ctx.dims(getSplit(), getNumResults()) : std::optional(splitSizes(*this, extent));
  for (unsigned i = 0; i < getNumResults(); ++i) {
    Shape dims = *in;
    dims[*axis] = parts && i < parts->size() ? (*parts)[i] : Dim();
    results.emplace_back(elementType, dims);
  }
  return success();
}

LogicalResult TriluOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> in = ctx.shape(getInput());
  if (in && in->size() < 2) // (C1)
    return emitOpError("the input must have rank 2 or more");
  std::optional<Shape> k = getK() ? ctx.shape(getK()) : std::nullopt;
  if (k && product(*k).isKnown() && !product(*k).is(1)) // (C2)
    return emitOpError("k must have one element");
  results.emplace_back(ctx.elementType(getInput()), in);
  return success();
}

//===-- Repetition and borders ------------------------------------------------------------------------------------===//

LogicalResult ExpandOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getInput());
  std::optional<Shape> target = ctx.dims(getShape());
  for (Dim dim : target.value_or(Shape()))
    if (dim.isKnown() && dim.get() < 0)
      return emitOpError("the shape has the extent ") << dim.get();
  FailureOr<std::optional<Shape>> dims = broadcastShapes(*this, {ctx.shape(getInput()), target}); // (C1)
  if (failed(dims))
    return failure();
  results.emplace_back(elementType, *dims);
  return success();
}

LogicalResult TileOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getInput());
  std::optional<Shape> in = ctx.shape(getInput());
  std::optional<Shape> repeats = in ? ctx.dims(getRepeats(), in->size()) : ctx.dims(getRepeats());
  if (!in) {
    results.emplace_back(elementType, repeats ? std::optional(Shape(repeats->size())) : std::nullopt);
    return success();
  }
  if (repeats && repeats->size() != in->size()) // (C1)
    return emitOpError() << repeats->size() << " repeats for a tensor of rank " << in->size();
  Shape dims(in->size());
  for (size_t i = 0; repeats && i < dims.size(); ++i) {
    if ((*repeats)[i].isKnown() && (*repeats)[i].get() < 0)
      return emitOpError("a repeat is negative");
    dims[i] = (*in)[i] * (*repeats)[i];
  }
  results.emplace_back(elementType, dims);
  return success();
}

LogicalResult PadOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getData());
  std::optional<Shape> in = ctx.shape(getData());
  if (!llvm::is_contained({"constant", "reflect", "edge", "wrap"}, getMode())) // (C4)
    return emitOpError("mode is '") << getMode() << "', not constant, reflect, edge or wrap";
  if (getConstantValue()) {
    std::optional<Shape> value = ctx.shape(getConstantValue());
    bool isOne = !value || !product(*value).isKnown() || product(*value).is(1);
    if (ctx.elementType(getConstantValue()) != elementType || !isOne) // (C2)
      return emitOpError("constant_value must be one element of data's type");
  }
  if (!in) {
    results.emplace_back(elementType);
    return success();
  }
  int64_t rank = in->size();
  std::optional<int64_t> axisCount = getAxes() ? lengthOf(ctx, getAxes()) : rank, amounts = lengthOf(ctx, getPads());
  if (axisCount && amounts && *amounts != 2 * *axisCount) // (C1)
    return emitOpError("pads has ") << *amounts << " entries for " << *axisCount << " axes";
  auto axes = ctx.integers(getAxes());
  if (axes && failed(distinctAxes(*this, *axes, rank))) // (C3)
    return failure();
  std::optional<SmallVector<Border>> borders = padBorders(*this, rank);
  Shape dims(rank);
  std::optional<Shape> open = axisCount ? ctx.dims(getPads(), 2 * *axisCount) : ctx.dims(getPads());
  if (open && !borders && (axes || !getAxes())) {
    dims = *in;
    for (size_t i = 0, count = open->size() / 2; i < count; ++i)
      dims[axes ? wrapAxis((*axes)[i], rank) : i] =
          dims[axes ? wrapAxis((*axes)[i], rank) : i] + (*open)[i] + (*open)[count + i];
  }
  for (int64_t i = 0; borders && i < rank; ++i) {
    constexpr int64_t kMost = int64_t(1) << 40;
    auto [low, high] = (*borders)[i];
    if (std::min(low, high) < -kMost || std::max(low, high) > kMost)
      return emitOpError("an amount is too large");
    dims[i] = (*in)[i] + Dim(low + high);
    if (dims[i].isKnown() && dims[i].get() < 0)
      return emitOpError("more elements are removed than dimension ") << i << " has";
    if (getMode() != "constant" && (*in)[i].is(0) && dims[i].isKnown() && !dims[i].is(0))
      return emitOpError("an empty dimension cannot be extended in mode ") << getMode();
  }
  results.emplace_back(elementType, dims);
  return success();
}

LogicalResult CenterCropPadOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getInputData());
  std::optional<Shape> in = ctx.shape(getInputData());
  if (!in) {
    results.emplace_back(elementType);
    return success();
  }
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(0, in->size()));
  if (getAxes()) {
    FailureOr<SmallVector<int64_t>> normalized = distinctAxes(*this, *getAxes(), in->size());
    if (failed(normalized))
      return failure();
    axes = *normalized;
  }
  std::optional<Shape> target = ctx.dims(getShape(), axes.size());
  if (target && target->size() != axes.size()) // (C1)
    return emitOpError() << target->size() << " extents for " << axes.size() << " axes";
  Shape dims = *in;
  for (auto [index, axis] : llvm::enumerate(axes)) {
    dims[axis] = target ? (*target)[index] : Dim();
    if (dims[axis].isKnown() && dims[axis].get() < 0)
      return emitOpError("the shape has the extent ") << dims[axis].get();
  }
  results.emplace_back(elementType, dims);
  return success();
}

//===-- Shapes as data --------------------------------------------------------------------------------------------===//

std::pair<int64_t, int64_t> ShapeOp::getRange(int64_t rank) {
  auto clamp = [&](int64_t value) { return std::min(std::max<int64_t>(value < 0 ? value + rank : value, 0), rank); };
  int64_t start = clamp(getStart()), end = clamp(getEnd().value_or(rank));
  return {start, std::max(start, end)};
}

LogicalResult ShapeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Dim length;
  if (std::optional<Shape> in = ctx.shape(getData())) {
    auto [start, end] = getRange(in->size());
    length = end - start;
  }
  results.emplace_back(IntegerType::get(getContext(), 64), Shape{length});
  return success();
}

LogicalResult SizeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  results.emplace_back(IntegerType::get(getContext(), 64), Shape());
  return success();
}
