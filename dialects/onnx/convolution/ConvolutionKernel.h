//===- ConvolutionKernel.h - what the forms of convolutions have in common ----------------------------------------===//
//
// Convolutions of floats and of integers, and those that transposed ones consist of, are the same kernel over the same
// iteration space; see ConvolutionToLinalg.cpp.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_CONVOLUTION_CONVOLUTIONKERNEL_H
#define ONNX_AOT_DIALECTS_ONNX_CONVOLUTION_CONVOLUTIONKERNEL_H

#include "dialects/onnx/support/Lowering.h"
#include "dialects/onnx/support/Window.h"

namespace onnx_aot::onnx {

using Sizes = llvm::SmallVector<mlir::OpFoldResult>;

/// The parts of a convolution that its forms have in common.
struct Convolution {
  mlir::Value data;    // padded
  mlir::Value weights; // [g, oc, ic, kernel...] or, for one group, [oc, ic, kernel...]
  mlir::Value bias;    // or null
  int64_t groups;
  Dim outputs, inputs; // channels per group
  Window window;
  Sizes result;              // extents of the result
  bool isInputMajor = false; // weights are [g, ic, oc, kernel...]
  /// Whether the maps of data and result have dims for the group and the channel in it.
  bool splitsChannels() const { return groups > 1 && !(outputs.isKnown() && inputs.isKnown()); }
};

/// The iteration space and the operands' maps.
class ConvolutionMaps {
public:
  ConvolutionMaps(mlir::MLIRContext *context, const Convolution &conv) : context(context) {
    mlir::AffineExpr n = add(false), zero = mlir::getAffineConstantExpr(0, context);
    bool isGrouped = conv.groups > 1;
    mlir::AffineExpr g = isGrouped ? add(false) : mlir::AffineExpr();
    // Of a depthwise convolution one of the dims g and oc is left.
    mlir::AffineExpr oc = !isGrouped || !conv.outputs.is(1) ? add(false) : zero;
    llvm::SmallVector<mlir::AffineExpr> positions, taps;
    for (size_t dim = 0; dim < conv.window.size(); ++dim)
      positions.push_back(add(false));
    mlir::AffineExpr ic = conv.inputs.is(1) ? zero : add(true); // a sum over no channels is one, too
    for (const WindowDim &dim : conv.window)
      taps.push_back(dim.kernel.is(1) ? zero : add(true));

    data = {n};
    if (conv.splitsChannels()) {
      data.append({g, ic});
      channel = {g, oc};
    } else {
      data.push_back(isGrouped ? g * conv.inputs.get() + ic : ic);
      channel = {isGrouped ? g * conv.outputs.get() + oc : oc};
    }
    if (isGrouped)
      weights.push_back(g);
    weights.append(conv.isInputMajor ? llvm::SmallVector<mlir::AffineExpr>{ic, oc}
                                     : llvm::SmallVector<mlir::AffineExpr>{oc, ic});
    result = {n};
    result.append(channel);
    for (auto [dim, position, tap] : llvm::zip(conv.window, positions, taps)) {
      data.push_back(position * dim.stride + tap * dim.dilation);
      weights.push_back(tap);
      result.push_back(position);
    }
  }

  mlir::AffineMap map(llvm::ArrayRef<mlir::AffineExpr> exprs) const {
    return mlir::AffineMap::get(isReduction.size(), 0, exprs, context);
  }

  llvm::SmallVector<mlir::AffineExpr> data, weights, channel, result;
  llvm::SmallVector<bool> isReduction;

private:
  mlir::AffineExpr add(bool reduces) {
    isReduction.push_back(reduces);
    return mlir::getAffineDimExpr(isReduction.size() - 1, context);
  }
  mlir::MLIRContext *context;
};

/// Splits dim `dim` of `value` into [groups, the rest].
mlir::Value splitGroups(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, int64_t groups,
                        unsigned dim = 0);
/// What the run has to check of shapes: `x` and `w` are data and weights, `inputs` and `outputs` channels per group.
void requireShapes(mlir::OpBuilder &builder, mlir::Location loc, const Convolution &conv, llvm::ArrayRef<Dim> x,
                   llvm::ArrayRef<Dim> w, std::optional<Shape> bias, ValueMapping lowered);
/// The extents of the result.
Sizes resultSizes(mlir::OpBuilder &builder, mlir::Location loc, Dim batch, const Convolution &conv,
                  ValueMapping lowered);
/// The data as the maps read it; call after padding.
mlir::Value splitData(mlir::OpBuilder &builder, mlir::Location loc, const Convolution &conv);
/// Builds the kernel of `spec`, whose result is that of `conv`, as a tensor of `resultType`.
mlir::Value buildConvolution(mlir::OpBuilder &builder, mlir::Location loc, const Convolution &conv, KernelSpec &spec,
                             mlir::RankedTensorType resultType);
/// The zero of a tensor's elements.
mlir::Value zeroOf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor);
/// The kernel of a floating-point convolution.
mlir::Value buildFloatConvolution(mlir::OpBuilder &builder, mlir::Location loc, const Convolution &conv,
                                  mlir::Type element, mlir::RankedTensorType resultType);

} // namespace onnx_aot::onnx

#endif
