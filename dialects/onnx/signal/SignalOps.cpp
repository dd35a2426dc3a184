//===- SignalOps.cpp - shapes of the operators of signal processing -----------------------------------------------===//
#include "dialects/onnx/signal/Signal.h"
#include "dialects/onnx/support/DataTypes.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// The one element of an integer tensor; unknown where nothing tells it (also for a null value).
static FailureOr<Dim> readScalar(Operation *op, ShapeContext &ctx, Value value, StringRef name) {
  if (std::optional<Shape> shape = value ? ctx.shape(value) : std::nullopt)
    if (Dim count = product(*shape); count.isKnown() && !count.is(1))
      return op->emitOpError() << name << " must be one element";
  std::optional<Shape> elements = value ? ctx.dims(value) : std::nullopt;
  return elements && elements->size() == 1 ? elements->front() : Dim();
}

static FailureOr<Dim> readPositive(Operation *op, ShapeContext &ctx, Value value, StringRef name) {
  FailureOr<Dim> result = readScalar(op, ctx, value, name);
  if (succeeded(result) && result->isKnown() && result->get() <= 0)
    return op->emitOpError() << name << " must be positive, and is " << result->get();
  return result;
}

LogicalResult DFTOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(getInput());
  std::optional<Shape> shape = ctx.shape(getInput());
  FailureOr<Dim> length = readPositive(*this, ctx, getDftLength(), "dft_length"); // (C2)
  FailureOr<Dim> axis = readScalar(*this, ctx, getAxis(), "axis");                // (C3)
  if (failed(length) || failed(axis))
    return failure();
  if (!shape) {
    results.emplace_back(element);
    return success();
  }
  int64_t rank = shape->size();
  Dim parts = rank > 0 ? shape->back() : Dim();
  if (rank < 2 || (parts.isKnown() && parts.get() != 1 && parts.get() != 2)) // (C1)
    return emitOpError("the last of at least two dims must be 1 (real) or 2 (complex)");
  bool toReal = getInverse() && getOnesided();
  if (getOnesided() && !getInverse() && parts.is(2))
    return emitOpError("a one-sided transform of complex elements");
  if (toReal && parts.is(1))
    return emitOpError("a one-sided inverse transform of real elements");
  Shape dims = *shape;
  dims.back() = toReal ? 1 : 2;
  if (getAxis() && !axis->isKnown()) {
    // Any axis may change its extent, unless none can.
    if (getDftLength() || getOnesided())
      std::fill(dims.begin(), dims.end() - 1, Dim());
    results.emplace_back(element, dims);
    return success();
  }
  FailureOr<int64_t> along = normalizeAxis(*this, axis->isKnown() ? axis->get() : -2, rank);
  if (failed(along))
    return failure();
  if (*along == rank - 1) // (C3)
    return emitOpError("the axis is that of real and imaginary parts");
  Dim &extent = dims[*along];
  if (getDftLength())
    extent = *length;
  else if (toReal)
    extent = (extent - 1) * 2;
  if (getOnesided() && !getInverse())
    extent = extent.floorDiv(2) + 1;
  results.emplace_back(element, dims);
  return success();
}

LogicalResult STFTOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  FailureOr<Dim> step = readPositive(*this, ctx, getFrameStep(), "frame_step");      // (C2)
  FailureOr<Dim> given = readPositive(*this, ctx, getFrameLength(), "frame_length"); // (C4)
  if (failed(step) || failed(given))
    return failure();
  std::optional<Shape> signal = ctx.shape(getSignal());
  std::optional<Shape> window = getWindow() ? ctx.shape(getWindow()) : std::nullopt;
  if (!getWindow() && !getFrameLength())
    return emitOpError("neither window nor frame_length is given");
  if (window && window->size() != 1) // (C3)
    return emitOpError("the window must have rank 1");
  Dim length = given->isKnown() || !window ? *given : window->front();
  if (window && window->front().isKnown())
    length = window->front();
  if (given->isKnown() && length.isKnown() && given->get() != length.get()) // (C4)
    return emitOpError("frame_length differs from the window's extent");
  bool isComplex = signal && signal->size() == 3 && signal->back().is(2);
  if (signal && (signal->size() < 2 || signal->size() > 3 ||
                 (signal->size() == 3 && signal->back().isKnown() && !isComplex && !signal->back().is(1)))) // (C1)
    return emitOpError("the signal must be batch x length, with 1 (real) or 2 (complex) parts");
  if (isComplex && getOnesided())
    return emitOpError("a one-sided transform of complex elements");
  Dim batch = signal ? (*signal)[0] : Dim(), size = signal ? (*signal)[1] : Dim(), frames;
  if (size.isKnown() && length.isKnown() && size.get() < length.get())
    return emitOpError("the signal is shorter than one frame");
  if (step->isKnown())
    frames = (size - length).floorDiv(step->get()) + 1;
  results.emplace_back(ctx.elementType(getSignal()),
                       Shape{batch, frames, getOnesided() ? length.floorDiv(2) + 1 : length, Dim(2)});
  return success();
}

LogicalResult MelWeightMatrixOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = elementTypeOfDataType(getContext(), getOutputDatatype());
  if (!element || !element.isIntOrFloat() || element.isInteger(1)) // (C2)
    return emitOpError("output_datatype is not a number's");
  FailureOr<Dim> bands = readPositive(*this, ctx, getNumMelBins(), "num_mel_bins"); // (C1)
  FailureOr<Dim> length = readPositive(*this, ctx, getDftLength(), "dft_length");
  if (failed(bands) || failed(length) || failed(readPositive(*this, ctx, getSampleRate(), "sample_rate")))
    return failure();
  for (Value edge : {getLowerEdgeHertz(), getUpperEdgeHertz()})
    if (failed(readScalar(*this, ctx, edge, "an edge"))) // (C1)
      return failure();
  results.emplace_back(element, Shape{length->floorDiv(2) + 1, *bands});
  return success();
}
