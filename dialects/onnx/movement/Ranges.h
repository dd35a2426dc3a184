//===- Ranges.h - the parts of a tensor that Slice, Split, Pad and CenterCropPad name -----------------------------===//
//
// Inference, folding and lowering read the same operands; each operator's are turned into plain numbers here.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_MOVEMENT_RANGES_H
#define ONNX_AOT_DIALECTS_ONNX_MOVEMENT_RANGES_H

#include "dialects/onnx/movement/Movement.h"

namespace onnx_aot::onnx {

/// `count` elements of one dim: start, start + step, ...
struct Section {
  int64_t start = 0;
  int64_t count = 0;
  int64_t step = 1;
};

/// Amounts of one dim, before and after it; negative ones remove.
struct Border {
  int64_t low = 0;
  int64_t high = 0;
};

/// Slice of a tensor of the static shape `shape`, one range per dim. Operands must be constant and valid.
std::optional<llvm::SmallVector<Section>> sliceRanges(SliceOp op, llvm::ArrayRef<int64_t> shape);

/// The elements start..end-1 by step of a dim, clamped as Slice does.
Section clampRange(int64_t start, int64_t end, int64_t step, int64_t extent);

/// The same of a dim that may be open, by amounts that may be expressions; `step` is not 0. Unknown where an operand
/// is.
struct OpenSection {
  Dim start, count;
};
OpenSection openRange(Dim start, Dim end, int64_t step, Dim extent);

/// Pad's amounts, one border per dim; nullopt where they are not constant.
std::optional<llvm::SmallVector<Border>> padBorders(PadOp op, int64_t rank);

/// The number of elements that each result takes of a Split into equal parts, the last one smaller where they do not
/// divide the dim.
Shape splitSizes(SplitOp op, Dim extent);

} // namespace onnx_aot::onnx

#endif
