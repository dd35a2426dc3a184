//===- ReductionAxes.h - what the files of the reduction family share ---------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_REDUCTION_REDUCTIONAXES_H
#define ONNX_AOT_DIALECTS_ONNX_REDUCTION_REDUCTIONAXES_H

#include "dialects/onnx/reduction/Reduction.h"
#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {

/// Whether each dim is reduced; nullopt where `axes` is given and not constant.
std::optional<llvm::SmallVector<bool>> reducedDims(mlir::Value axes, bool noopWithEmptyAxes, int64_t rank);

/// On a ReduceMax or ReduceMin of an opset that gives no value to the reduction of no elements.
inline constexpr llvm::StringLiteral kUndefinedIfEmpty = "onnx.undefined_if_empty";

/// CumSum, CumProd and TopK: loops over elements.
void populateScansToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);

} // namespace onnx_aot::onnx

#endif
