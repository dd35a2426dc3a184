//===- Window.h - sliding windows of convolutions and pooling -----------------------------------------------------===//
//
// Resolves kernel_shape, strides, dilations, pads, auto_pad and ceil_mode into one record per spatial dim, which shape
// inference and lowerings share. Extents may be expressions; then so is what follows from them:
//
//   in = h, kernel 3, stride 2, pads [1, 1]:  out = floor((h - 1) / 2) + 1, padded to h + 2 elements
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_WINDOW_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_WINDOW_H

#include "dialects/onnx/support/Sizes.h"

namespace onnx_aot::onnx {

/// The window along one spatial dim. Every extent may be unknown.
struct WindowDim {
  Dim in, out, kernel = 1;
  int64_t stride = 1, dilation = 1;
  Dim low = 0;  // elements of padding before the data
  Dim high = 0; // and after it, as declared or as auto_pad gives
  bool ceilMode = false;
  bool isSame = false; // the padding follows from the extents
  Dim extent() const { return (kernel - 1) * dilation + 1; }
  /// Elements after the data that are added for the last window: where that is a number it differs from `high` when
  /// windows do not end flush (it may be negative) or ceil_mode adds one; else it suffices.
  Dim addedHigh() const;
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

//===-- Lowering --------------------------------------------------------------------------------------------------===//

/// The run ends unless every window fits into the padded data; what is known of the shapes has been checked.
void requireFit(mlir::OpBuilder &builder, mlir::Location loc, const Window &window, ValueMapping lowered);
/// `data`, whose spatial dims begin at dim 2, padded with `value` so that every window lies inside.
mlir::Value padWindows(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value data, const Window &window,
                       mlir::Value value, ValueMapping lowered);

} // namespace onnx_aot::onnx

#endif
