//===- WinogradError.h - what minimal filtering does to the results of given weights ------------------------------===//
//
// Winograd's results carry more rounding error than a direct sum, and how much depends on the weights: what is large in
// a tile leaves its error in all results of the tile, also in those that it has no part in.
//
// 1. The convolution is done on a few tiles of fixed pseudo-random data, of which half are 0, as behind a Relu: as
//    codegen/cpu/EmitWinograd does it, all in float; directly in float; and directly in double, which is the reference.
//    Some output channels are enough: those whose weights are the most uneven.
// 2. A result's error is relative to its size or, where its products cancel, to the root of the sum of their squares,
//    which is the size of a sum of random signs. Results a thousand times smaller than their channel count as noise.
//
// The same weights give the same numbers on every machine: multiply-adds are fused, and nothing else can be contracted.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_WINOGRADERROR_H
#define ONNX_AOT_DIALECTS_AOT_WINOGRADERROR_H

#include "dialects/aot/Winograd.h"

namespace onnx_aot::aot {

/// Root mean squares of relative errors, of the output channel where they are largest; infinite where a result is not
/// finite.
struct WinogradError {
  double relative = 0; // by minimal filtering
  double direct = 0;   // of the direct sum in float
};

/// Of a convolution with `weights` [outputs][inputs][3][3].
WinogradError measureWinogradError(const Winograd &winograd, llvm::ArrayRef<float> weights, int64_t outputs,
                                   int64_t inputs);

} // namespace onnx_aot::aot

#endif
