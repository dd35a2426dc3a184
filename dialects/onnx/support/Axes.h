//===- Axes.h - axes that were checked ----------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_AXES_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_AXES_H

#include <cstdint>

namespace onnx_aot::onnx {

/// Brings an axis within -rank..rank-1 into 0..rank-1.
inline int64_t wrapAxis(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }

} // namespace onnx_aot::onnx

#endif
