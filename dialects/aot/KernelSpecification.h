//===- KernelSpecification.h - a loop nest as text for a provider -------------------------------------------------===//
//
// What a kernel computes, in the words of codegen/halide/plugin/Specification.h (family "window"). Operands begin where
// their pointers point: offsets are added when the kernel is called.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_KERNELSPECIFICATION_H
#define ONNX_AOT_DIALECTS_AOT_KERNELSPECIFICATION_H

#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"

namespace onnx_aot::aot {

/// The specification of `nest`, to be made in tiles of `strategy`; none, and the reason, where words lack.
std::optional<std::string> specifyWindow(const LoopNest &nest, StrategyAttr strategy, std::string &reason);

/// Whether the kernel takes the input: it is read.
inline bool isPassed(const Access &input) { return input.inCompute || input.inEpilogue; }

} // namespace onnx_aot::aot

#endif
