//===- LowerMath.h - Math operations for a given target ---------------------===//
//
// What it is for: emitted objects stand alone, so no operation may become a call of libm. The pass `aot-lower-math`
// (createLowerMath in codegen/cpu/Passes.h) replaces every operation that is not one instruction of the target.
//
// How it works, per element type:
//   f32       straight-line code on the whole vector (VectorMath.h); rare functions, and arguments of sin, cos and tan
//             above 65536, are calls of the runtime per lane
//   f64       calls of the runtime (runtime_lib/math/functions.h) per lane
//   f16 bf16  computed in f32: widened, computed, rounded; bf16 has no arithmetic at all afterwards
// Roundings, square roots, fused multiply-adds and minima stay one operation where the target has the instruction, else
// they are expanded (FloatExpansion.h).
//
//   %y = math.exp %x : vector<8xf64>   ->   %e0 = vector.extract %x[0] ; %r0 = call @onnx_aot_math_exp(%e0) ...
//
// Holds before: structured control flow, fixed-length vectors. Holds after: the math dialect is down to what LLVM
// translates to instructions; functions of the runtime are declared where they are called.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_CODEGEN_CPU_LOWERMATH_H
#define ONNX_AOT_CODEGEN_CPU_LOWERMATH_H

#include "codegen/cpu/Passes.h"

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace onnx_aot {

/// The pass options that describe a target; what is not known of it is taken to be missing.
LowerMathOptions lowerMathOptionsFor(const llvm::TargetMachine &machine);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_CPU_LOWERMATH_H
