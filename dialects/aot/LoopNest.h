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
// One form is piecewise linear: what is packed in panels, d floordiv P and d mod P, has stride 1 within a panel
// of P points along d and another one from panel to panel.
//
// What is only known at run time takes part as a product of symbols: relu on memref<?x16xf32> has one dim of 16 * s0.
// All operands that are indexed by a dim agree on its extent, so that one symbol stands for it wherever it appears.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_LOOPNEST_H
#define ONNX_AOT_DIALECTS_AOT_LOOPNEST_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Operation.h"

namespace onnx_aot::aot {

/// A size, a stride or an offset, in elements: `factor` times the product of symbols of the nest.
struct Amount {
  int64_t factor = 0;
  llvm::SmallVector<unsigned, 2> symbols; // sorted; one may be there several times

  Amount(int64_t factor = 0) : factor(factor) {}

  bool isStatic() const { return symbols.empty(); }
  bool is(int64_t value) const { return isStatic() && factor == value; }
  /// Whether it is certainly a multiple of `divisor`.
  bool isMultipleOf(int64_t divisor) const { return factor % divisor == 0; }
  /// A guess for costs: every symbol counts as kTypical.
  int64_t estimate() const;
  Amount operator*(const Amount &other) const;
  bool operator==(const Amount &other) const { return factor == other.factor && symbols == other.symbols; }
  bool operator!=(const Amount &other) const { return !(*this == other); }

  static constexpr int64_t kTypical = 64;
};

/// A value that is only known at run time.
struct Symbol {
  /// Sizes and strides are those of dim `dim` of `value`, or `value` itself where `dim` is negative.
  enum Kind { Size, Stride, Sum } kind;
  mlir::Value value;
  int64_t dim = -1;
  Amount left, right; // of a sum
};

struct LoopDim {
  Amount extent;
  bool reduction;
  /// The iteration dims of the operation that this one stands for, outermost first.
  llvm::SmallVector<unsigned, 2> original;
};

struct Access {
  mlir::Value operand;
  mlir::Type elementType;
  Amount offset;
  llvm::SmallVector<Amount> strides; // per dim of the nest
  /// Where the operand comes in panels along a dim: that dim (or -1), the points of a panel, and the stride from one
  /// panel to the next; `strides` has the one within a panel.
  int panelDim = -1;
  int64_t panel = 0;
  Amount panelStride;
  /// From one point to the next where a tile begins with a panel.
  Amount strideOfPoints() const {
    Amount stride = panelStride;
    stride.factor /= panel;
    return stride;
  }
  /// A constant that may be laid out anew: it is read by a map of distinct dims.
  bool packable = false;
  /// Which of the blocks read it.
  bool inCompute = false, inEpilogue = false;
};

struct LoopNest {
  llvm::SmallVector<LoopDim> dims;
  llvm::SmallVector<Symbol> symbols;
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
  /// The dim whose four points an aot.dot takes at once, or -1. It is no neighbour's part.
  int dot = -1;

  /// The view of `op`, an aot.kernel or a linalg.generic without reductions, on tensors or on memrefs, and of aot.rows
  /// and aot.attention, whose regions take the place of the bodies. Where a memref's offset is dynamic, addresses are
  /// relative to it. Fails for others.
  static llvm::FailureOr<LoopNest> of(mlir::Operation *op);

  bool hasReduction() const;
  /// The largest extent of a dim of taps for which code is repeated.
  static constexpr int64_t kMostTaps = 8;
  /// The product of the reduction dims' extents, estimated where it is not known.
  int64_t reductionVolume() const;
  /// Whether the neighbours that an aot.dot takes are one word of the operand.
  bool readsWords(const Access &access) const { return dot >= 0 && access.inCompute && access.strides[dot].is(1); }
  /// Whether lanes along dim `vector` are reduced each by itself over a window of few taps (pooling, depthwise
  /// convolution): nothing is shared between lanes, but neighbouring results share data.
  bool slidesWindow(int vector) const;
  /// Whether a stride is known to nobody: where something repeats by choice of the run it is 0 or, most often, 1.
  bool mayBeUnit(const Amount &stride) const;
  /// The nest's dim that holds iteration dim `original`, or -1 (a unit dim).
  int dimOf(int64_t original) const;
  /// The operation by which partial accumulators can be combined (acc, x) -> acc, when the reduction is one.
  mlir::Operation *combiner() const;
};

} // namespace onnx_aot::aot

#endif
