//===- ProductBody.h - bodies of kernels that add products --------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_PRODUCTBODY_H
#define ONNX_AOT_DIALECTS_AOT_PRODUCTBODY_H

#include "mlir/IR/Block.h"
#include <optional>

namespace onnx_aot::aot {

/// The inputs whose elements, as they are or wider, are multiplied.
struct ProductBody {
  unsigned left, right;

  /// Nothing where the body of a reduction does something else than to add the product of two inputs.
  static std::optional<ProductBody> of(mlir::Block &compute);
};

} // namespace onnx_aot::aot

#endif
