//===- RecurrentActivations.h - the functions inside of recurrent cells -------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_RECURRENT_RECURRENTACTIVATIONS_H
#define ONNX_AOT_DIALECTS_ONNX_RECURRENT_RECURRENTACTIVATIONS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <optional>

namespace onnx_aot::onnx {

enum class ActivationKind {
  Affine,
  Elu,
  HardSigmoid,
  LeakyRelu,
  Relu,
  ScaledTanh,
  Sigmoid,
  Softplus,
  Softsign,
  Tanh,
  ThresholdedRelu
};

struct CellActivation {
  ActivationKind kind;
  double alpha = 0, beta = 0;
  double clip = 0; // bounds the argument; 0: unbounded

  /// The function of `x`, a float scalar.
  mlir::Value emit(mlir::ImplicitLocOpBuilder &b, mlir::Value x) const;
};

/// The activations of the recurrent operation `op`, `defaults.size()` for each of its `directions` one after the other.
/// alpha and beta are consumed by those that have them, in their order. Emits an error on `op` and fails for unknown
/// names and wrong numbers (C4).
mlir::FailureOr<llvm::SmallVector<CellActivation>>
readActivations(mlir::Operation *op, llvm::ArrayRef<ActivationKind> defaults, int64_t directions);

} // namespace onnx_aot::onnx

#endif
