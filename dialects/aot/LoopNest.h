//===- LoopNest.h - a structured operation as a strided loop nest -------------------------------------------------===//
//
// Strategies are chosen, and loops emitted, on one simple view of aot.kernel and linalg.generic: every operand is read
// at a linear address
//
//   offset + sum over dims d of stride[d] * iv[d]      (in elements)
//
// in which layouts, transpositions, broadcasts (stride 0), windows and slices all look alike. Unit dims vanish and
// neighbouring dims merge where the strides of all operands allow it. Example: relu on memref<8x16xf32> becomes one dim
// of 128 with strides 1 and 1; a 3x3 convolution's input gets the row stride for both `oh` and `kh`.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_LOOPNEST_H
#define ONNX_AOT_DIALECTS_AOT_LOOPNEST_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Operation.h"

namespace onnx_aot::aot {

struct LoopDim {
  int64_t extent;
  bool reduction;
  /// The iteration dims of the operation that this one stands for, outermost first.
  llvm::SmallVector<unsigned, 2> original;
};

struct Access {
  mlir::Value operand;
  mlir::Type elementType;
  int64_t offset = 0;
  llvm::SmallVector<int64_t> strides; // per dim of the nest
  /// A constant that may be laid out anew: it is read by a map of distinct dims.
  bool packable = false;
  /// Which of the blocks read it.
  bool inCompute = false, inEpilogue = false;
};

struct LoopNest {
  llvm::SmallVector<LoopDim> dims;
  llvm::SmallVector<Access> inputs;
  Access output;
  /// The reduction's body; null where there is no reduction.
  mlir::Region *compute = nullptr;
  mlir::Region *epilogue = nullptr;
  mlir::TypedAttr identity;
  /// Whether both bodies consist of operations that work on vectors element by element.
  bool vectorizable = false;
  /// Whether a body asks for a position (linalg.index).
  bool usesIndex = false;

  /// The view of `op`, an aot.kernel or a linalg.generic without reductions, on static tensors or on memrefs with static
  /// strides. Where a memref's offset is dynamic, addresses are relative to it. Fails for others.
  static llvm::FailureOr<LoopNest> of(mlir::Operation *op);

  bool hasReduction() const;
  /// The product of the reduction dims' extents.
  int64_t reductionVolume() const;
  /// The nest's dim that holds iteration dim `original`, or -1 (a unit dim).
  int dimOf(int64_t original) const;
  /// The operation by which partial accumulators can be combined (acc, x) -> acc, when the reduction is one.
  mlir::Operation *combiner() const;
};

} // namespace onnx_aot::aot

#endif
