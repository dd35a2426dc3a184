//===- Window.cpp - sliding windows of convolutions and pooling ---------------------------------------------------===//
#include "dialects/onnx/support/Window.h"

using namespace mlir;
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
    entry.kernel = (*shape)[dim];
    Dim byWeights = dim < kernel.size() ? kernel[dim] : Dim();
    if (entry.kernel == 0 && byWeights.isKnown())
      entry.kernel = byWeights.get();
    if (byWeights.isKnown() && byWeights.get() != entry.kernel) { // (W3)
      op->emitOpError("kernel_shape has ") << entry.kernel << " where the weights have " << byWeights.get();
      return failure();
    }
    if (entry.kernel > kLargest || (entry.kernel == 0 && byWeights.isKnown())) {
      op->emitOpError("a kernel of extent ") << entry.kernel << " is not possible";
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

FailureOr<Window> onnx_aot::onnx::resolveWindow(Operation *op, const WindowAttributes &attributes,
                                                ArrayRef<Dim> spatial, ArrayRef<Dim> kernel) {
  FailureOr<Window> window = readWindow(op, attributes, spatial, kernel);
  if (failed(window))
    return failure();
  bool upper = attributes.autoPad == "SAME_UPPER", lower = attributes.autoPad == "SAME_LOWER";
  for (WindowDim &dim : *window) {
    if (!dim.in.isKnown() || dim.kernel == 0)
      continue;
    int64_t in = dim.in.get();
    if (upper || lower) {
      int64_t out = llvm::divideCeilSigned(in, dim.stride);
      int64_t total = std::max<int64_t>((out - 1) * dim.stride + dim.extent() - in, 0);
      dim.low = upper ? total / 2 : total - total / 2;
      dim.high = total - dim.low;
      dim.out = out;
      continue;
    }
    int64_t padded = in + dim.low + dim.high;
    int64_t steps = padded - dim.extent();
    int64_t out =
        (attributes.ceilMode ? llvm::divideCeilSigned(steps, dim.stride) : llvm::divideFloorSigned(steps, dim.stride)) +
        1;
    // A window that would start in the padding after the data is dropped.
    if (attributes.ceilMode && (out - 1) * dim.stride >= in + dim.low)
      --out;
    if (out < 1 && in != 0) { // (W3)
      op->emitOpError("a window of ") << dim.extent() << " elements does not fit into " << padded
                                      << " (padding included)";
      return failure();
    }
    dim.out = std::max<int64_t>(out, 0);
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
    if (!dim.in.isKnown() || dim.kernel == 0) {
      if (hasShape)
        dim.out = (*shape)[index];
      continue;
    }
    int64_t full = dim.stride * (dim.in.get() - 1) + (*extra)[index] + dim.extent();
    if (hasShape || same) {
      int64_t out = hasShape ? (*shape)[index] : dim.in.get() * dim.stride;
      int64_t total = std::max<int64_t>(full - out, 0);
      dim.low = upper ? total / 2 : total - total / 2;
      dim.high = total - dim.low;
      dim.out = out;
    } else {
      dim.out = std::max<int64_t>(full - dim.low - dim.high, 0);
    }
  }
  return window;
}

Shape onnx_aot::onnx::outputDims(const Window &window) {
  Shape dims;
  for (const WindowDim &dim : window)
    dims.push_back(dim.out);
  return dims;
}
