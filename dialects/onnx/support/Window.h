//===- Window.h - sliding windows of convolutions and pooling -----------------------------------------------------===//
//
// Resolves kernel_shape, strides, dilations, pads, auto_pad and ceil_mode into one record per spatial dim, which shape
// inference and lowerings share.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_WINDOW_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_WINDOW_H

#include "dialects/onnx/support/ShapeContext.h"

namespace onnx_aot::onnx {

/// The window along one spatial dim. `in` and `out` may be unknown; `low` and `high` may then be without meaning.
struct WindowDim {
  Dim in, out;
  int64_t kernel = 1, stride = 1, dilation = 1;
  int64_t low = 0;  // elements of padding before the data
  int64_t high = 0; // and after it, as declared or as auto_pad gives
  int64_t extent() const { return (kernel - 1) * dilation + 1; }
  /// Padding after the data that the last window needs: differs from `high` where windows do not end flush (it may be
  /// negative) or ceil_mode adds one. Needs `in` and `out`.
  int64_t neededHigh() const { return (out.get() - 1) * stride + extent() - in.get() - low; }
};
using Window = llvm::SmallVector<WindowDim>;

/// The attributes as the operators hold them.
struct WindowAttributes {
  llvm::StringRef autoPad = "NOTSET";
  std::optional<llvm::ArrayRef<int64_t>> kernelShape, strides, dilations, pads;
  bool ceilMode = false;
};

template <typename OpTy> WindowAttributes windowAttributes(OpTy op) {
  WindowAttributes attributes;
  attributes.autoPad = op.getAutoPad();
  attributes.kernelShape = op.getKernelShape();
  attributes.strides = op.getStrides();
  attributes.dilations = op.getDilations();
  attributes.pads = op.getPads();
  return attributes;
}

/// Resolves a window over `spatial`. `kernel` holds the extents by the weights (unknown or absent where there are
/// none); kernel_shape must agree with them. Emits errors on `op`:
///   (W1) auto_pad is one of ONNX's words, (W2) lists have one positive entry per spatial dim (pads: two entries),
///   (W3) kernel_shape agrees with the weights, and no window is larger than the padded data.
llvm::FailureOr<Window> resolveWindow(mlir::Operation *op, const WindowAttributes &attributes,
                                      llvm::ArrayRef<Dim> spatial, llvm::ArrayRef<Dim> kernel);

/// The same for a transposed convolution, where `in` is the smaller side.
llvm::FailureOr<Window> resolveTransposedWindow(mlir::Operation *op, const WindowAttributes &attributes,
                                                std::optional<llvm::ArrayRef<int64_t>> outputPadding,
                                                std::optional<llvm::ArrayRef<int64_t>> outputShape,
                                                llvm::ArrayRef<Dim> spatial, llvm::ArrayRef<Dim> kernel);

/// The dims of a window.
Shape outputDims(const Window &window);

} // namespace onnx_aot::onnx

#endif
