//===- EinsumEquation.h - the parts of an Einsum equation ---------------------------------------------------------===//
//
//   "ij,jk"  ->  terms {i j} {j k}, result {i k}
//
// A label is a letter; the dims of an ellipsis are numbered from the last one, so that they align as broadcasting has
// it: label -1 is the last dim under "...", -2 the one before.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_MATMUL_EINSUMEQUATION_H
#define ONNX_AOT_DIALECTS_ONNX_MATMUL_EINSUMEQUATION_H

#include "mlir/IR/Operation.h"

namespace onnx_aot::onnx {

struct EinsumEquation {
  using Labels = llvm::SmallVector<int>;
  llvm::SmallVector<Labels> terms; // one per input, one label per dim
  Labels result;

  /// Parses `text` for inputs of the ranks given; emits an error on `op` and fails where it is not well formed.
  static llvm::FailureOr<EinsumEquation> parse(mlir::Operation *op, llvm::StringRef text,
                                               llvm::ArrayRef<int64_t> ranks);
};

} // namespace onnx_aot::onnx

#endif
