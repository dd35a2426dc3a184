//===- Window.cpp - sliding windows of convolutions and pooling ---------------------------------------------------===//
#include "dialects/onnx/support/Window.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

/// Bounds every attribute so that extents and offsets stay far from overflow.
static constexpr int64_t kLargest = int64_t(1) << 30;
/// And the extent of the data, which a transposed convolution multiplies by a stride.
static constexpr int64_t kLongest = int64_t(1) << 32;

/// The entries of a list attribute, `missing` for each where it is absent.
static FailureOr<SmallVector<int64_t>> entries(Operation *op, StringRef name, std::optional<ArrayRef<int64_t>> list,
                                               size_t count, int64_t missing, int64_t smallest) {
  if (!list || (list->empty() && count != 0))
    return SmallVector<int64_t>(count, missing);
  if (list->size() != count) { // (W2)
    op->emitOpError("attribute ") << name << " has " << list->size() << " entries, " << count << " are needed";
    return failure();
  }
  for (int64_t entry : *list)
    if (entry < smallest || entry > kLargest) { // (W2)
      op->emitOpError("attribute ") << name << " has the entry " << entry << ", outside " << smallest << ".."
                                    << kLargest;
      return failure();
    }
  return SmallVector<int64_t>(*list);
}

/// Reads kernel, strides, dilations and pads; out stays open.
static FailureOr<Window> readWindow(Operation *op, const WindowAttributes &attributes, ArrayRef<Dim> spatial,
                                    ArrayRef<Dim> kernel) {
  size_t rank = spatial.size();
  StringRef autoPad = attributes.autoPad;
  if (autoPad != "NOTSET" && autoPad != "" && autoPad != "VALID" && autoPad != "SAME_UPPER" &&
      autoPad != "SAME_LOWER") { // (W1)
    op->emitOpError("auto_pad \"") << autoPad << "\" is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID";
    return failure();
  }
  FailureOr<SmallVector<int64_t>> strides = entries(op, "strides", attributes.strides, rank, 1, 1);
  FailureOr<SmallVector<int64_t>> dilations = entries(op, "dilations", attributes.dilations, rank, 1, 1);
  FailureOr<SmallVector<int64_t>> pads = entries(op, "pads", attributes.pads, 2 * rank, 0, -kLargest);
  FailureOr<SmallVector<int64_t>> shape = entries(op, "kernel_shape", attributes.kernelShape, rank, 0, 1);
  if (failed(strides) || failed(dilations) || failed(pads) || failed(shape))
    return failure();
  bool usesPads = autoPad == "NOTSET" || autoPad == "";
  Window window;
  for (size_t dim = 0; dim < rank; ++dim) {
    WindowDim entry;
    entry.in = spatial[dim];
    if (entry.in.isKnown() && entry.in.get() > kLongest) {
      op->emitOpError("the data has the extent ") << entry.in.get() << ", more than 2^32";
      return failure();
    }
    Dim byWeights = dim < kernel.size() ? kernel[dim] : Dim();
    bool isGiven = (*shape)[dim] != 0;
    entry.kernel = isGiven ? Dim((*shape)[dim]) : byWeights;
    if (isGiven && byWeights.isKnown() && !entry.kernel.equals(byWeights)) { // (W3)
      op->emitOpError("kernel_shape has ") << entry.kernel.get() << " where the weights have " << byWeights.get();
      return failure();
    }
    if (entry.kernel.isKnown() && (entry.kernel.get() > kLargest || entry.kernel.is(0))) {
      op->emitOpError("a kernel of extent ") << entry.kernel.get() << " is not possible";
      return failure();
    }
    entry.stride = (*strides)[dim];
    entry.dilation = (*dilations)[dim];
    if (usesPads) {
      entry.low = (*pads)[dim];
      entry.high = (*pads)[rank + dim];
    }
    window.push_back(entry);
  }
  return window;
}

/// Halves what is missing to `needed` elements; the larger half comes last for SAME_UPPER.
static void splitPadding(WindowDim &dim, Dim needed, Dim present, bool upper) {
  Dim total = Dim::max(needed - present, 0), less = total.floorDiv(2), more = total.ceilDiv(2);
  dim.low = upper ? less : more;
  dim.high = upper ? more : less;
}

FailureOr<Window> onnx_aot::onnx::resolveWindow(Operation *op, const WindowAttributes &attributes,
                                                ArrayRef<Dim> spatial, ArrayRef<Dim> kernel) {
  FailureOr<Window> window = readWindow(op, attributes, spatial, kernel);
  if (failed(window))
    return failure();
  bool upper = attributes.autoPad == "SAME_UPPER", lower = attributes.autoPad == "SAME_LOWER";
  for (WindowDim &dim : *window) {
    dim.ceilMode = attributes.ceilMode;
    dim.isSame = upper || lower;
    if (dim.isSame) {
      dim.out = dim.in.ceilDiv(dim.stride);
      splitPadding(dim, (dim.out - 1) * dim.stride + dim.extent(), dim.in, upper);
      continue;
    }
    Dim padded = dim.in + dim.low + dim.high, steps = padded - dim.extent();
    Dim out = (attributes.ceilMode ? steps.ceilDiv(dim.stride) : steps.floorDiv(dim.stride)) + 1;
    // A window that would start in the padding after the data is dropped.
    if (attributes.ceilMode && out.isKnown()) {
      if ((out.get() - 1) * dim.stride >= (dim.in + dim.low).get())
        out = out - 1;
    } else if (attributes.ceilMode) {
      out = Dim::min(out, (dim.in + dim.low).ceilDiv(dim.stride));
    }
    if (out.isKnown() && out.get() < 1 && dim.in.isKnown() && !dim.in.is(0)) { // (W3)
      op->emitOpError("a window of ") << dim.extent().get() << " elements does not fit into " << padded.get()
                                      << " (padding included)";
      return failure();
    }
    dim.out = Dim::max(out, 0);
  }
  return window;
}

FailureOr<Window> onnx_aot::onnx::resolveTransposedWindow(Operation *op, const WindowAttributes &attributes,
                                                          std::optional<ArrayRef<int64_t>> outputPadding,
                                                          std::optional<ArrayRef<int64_t>> outputShape,
                                                          ArrayRef<Dim> spatial, ArrayRef<Dim> kernel) {
  size_t rank = spatial.size();
  FailureOr<Window> window = readWindow(op, attributes, spatial, kernel);
  FailureOr<SmallVector<int64_t>> extra = entries(op, "output_padding", outputPadding, rank, 0, 0);
  // The shape may be given with the batch and channel dims before the spatial ones.
  if (outputShape && outputShape->size() == rank + 2)
    outputShape = outputShape->drop_front(2);
  FailureOr<SmallVector<int64_t>> shape = entries(op, "output_shape", outputShape, rank, 0, 0);
  if (failed(window) || failed(extra) || failed(shape))
    return failure();
  bool hasShape = outputShape && !outputShape->empty();
  bool upper = attributes.autoPad == "SAME_UPPER", same = upper || attributes.autoPad == "SAME_LOWER";
  for (auto [index, dim] : llvm::enumerate(*window)) {
    Dim full = (dim.in - 1) * dim.stride + (*extra)[index] + dim.extent();
    dim.isSame = same && !hasShape;
    if (hasShape || same) {
      dim.out = hasShape ? Dim((*shape)[index]) : dim.in * dim.stride;
      splitPadding(dim, full, dim.out, upper);
    } else {
      dim.out = Dim::max(full - dim.low - dim.high, 0);
    }
  }
  return window;
}

Dim WindowDim::addedHigh() const {
  Dim needed = (out - 1) * stride + extent() - in - low;
  if (needed.isKnown())
    return needed;
  return ceilMode ? Dim::max(needed, 0) : high;
}

Shape onnx_aot::onnx::outputDims(const Window &window) {
  Shape dims;
  for (const WindowDim &dim : window)
    dims.push_back(dim.out);
  return dims;
}

//===-- Lowering --------------------------------------------------------------------------------------------------===//

void onnx_aot::onnx::requireFit(OpBuilder &builder, Location loc, const Window &window, ValueMapping lowered) {
  for (const WindowDim &dim : window) {
    Dim steps = dim.in + dim.low + dim.high - dim.extent();
    if (dim.isSame || steps.isKnown() || steps.isAtLeast(0))
      continue;
    auto value = [&](Dim dim) { return asIndex(builder, loc, buildSize(builder, loc, dim, lowered)); };
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, value(steps), zero);
    if (!dim.in.isAtLeast(1)) {
      Value isEmpty = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value(dim.in), zero);
      fits = arith::OrIOp::create(builder, loc, fits, isEmpty);
    }
    require(builder, loc, fits, aot::Code::shape_mismatch);
  }
}

Value onnx_aot::onnx::padWindows(OpBuilder &builder, Location loc, Value data, const Window &window, Value value,
                                 ValueMapping lowered) {
  SmallVector<OpFoldResult> low(2, builder.getIndexAttr(0)), high = low;
  bool isConstant = true, mayCrop = false;
  for (const WindowDim &dim : window) {
    Dim added = dim.addedHigh();
    for (auto [list, amount] : {std::pair(&low, dim.low), std::pair(&high, added)}) {
      list->push_back(buildSize(builder, loc, amount, lowered));
      isConstant &= amount.isKnown();
      mayCrop |= !amount.isAtLeast(0);
    }
  }
  if (isConstant || mayCrop)
    return buildPad(builder, loc, data, low, high, value);
  SmallVector<OpFoldResult> extents = sizesOf(builder, loc, data), sizes;
  for (auto [dim, extent] : llvm::enumerate(extents))
    sizes.push_back(addSizes(builder, loc, addSizes(builder, loc, low[dim], extent), high[dim]));
  SmallVector<OpFoldResult> ones(low.size(), builder.getIndexAttr(1));
  return tensor::InsertSliceOp::create(builder, loc, data, filledTensor(builder, loc, sizes, value), low, extents,
                                       ones);
}
