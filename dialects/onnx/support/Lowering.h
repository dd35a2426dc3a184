//===- Lowering.h - what the families' lowerings to linalg share --------------------------------------------------===//
//
// Storage and arithmetic. In memory, unsigned integers are signless, bools are i8 holding 0 or 1 (TensorTypeConverter);
// in a scalar body, bools are i1 and f16/bf16 are computed in f32. The helpers here make the conversions, so that a
// body sees arithmetic types only; whether integers are unsigned is asked of the ONNX type.
//
// Two shapes of code cover most operators:
//   buildElementwise: linalg.generic with numpy broadcasting,
//   buildKernel:      aot.kernel, a reduction with an epilogue.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_LOWERING_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_LOWERING_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {

/// Element types and tensor types as they are stored after the tensor stage.
class TensorTypeConverter : public mlir::TypeConverter {
public:
  TensorTypeConverter();
};

/// How an element of ONNX type `type` is stored (ui8 -> i8, i1 -> i8).
mlir::Type storageType(mlir::Type type);
/// The type that scalar bodies compute in (f16, bf16 and float8 -> f32, ui8 -> i8, i1 -> i1).
mlir::Type computeType(mlir::Type type);
/// Converts between the two; `type` is the ONNX element type. toStorage rounds f32 to the narrower float type.
mlir::Value toCompute(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value stored, mlir::Type type);
mlir::Value toStorage(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value computed, mlir::Type type);
/// Converts a scalar in compute form between ONNX element types as the Cast operator does without saturation.
mlir::Value castScalar(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Type from, mlir::Type to);

/// Whether comparisons, divisions, shifts and casts of `type` are unsigned (bools and unsigned integers are).
bool isUnsigned(mlir::Type type);

/// A scalar constant of compute type; `value` is rounded to integers for integer types.
mlir::Value scalarConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type, double value);

/// The converted operands, types and builder of one scalar body.
struct ScalarBody {
  mlir::ImplicitLocOpBuilder &b;
  mlir::ValueRange x;              // scalars in compute form, one per input
  llvm::ArrayRef<mlir::Type> type; // the ONNX element type of each input
  mlir::Type resultType;           // the ONNX element type of the result
  /// A constant of the compute type of input 0.
  mlir::Value constant(double value) const;
};

/// The affine map by which an operand of `operandShape` is read when it is broadcast to `resultShape`, numpy style,
/// over `resultShape.size()` dims.
mlir::AffineMap broadcastMap(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> operandShape,
                             llvm::ArrayRef<int64_t> resultShape);

/// linalg.generic that computes `body` for each element of `resultType` (ONNX types; static). `inputs` are converted
/// values, `inputTypes` their ONNX element types. Returns the converted result.
mlir::Value buildElementwise(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType resultType,
                             mlir::ValueRange inputs, llvm::ArrayRef<mlir::Type> inputTypes,
                             llvm::function_ref<mlir::Value(ScalarBody &)> body);

/// An aot.kernel to build. Maps are over all iteration dims: one per input, then the result's.
struct KernelSpec {
  llvm::StringRef kind; // "matmul", "conv", "reduce" ...: for reports and strategies
  llvm::SmallVector<mlir::Value> inputs;
  llvm::SmallVector<mlir::AffineMap> maps;
  llvm::SmallVector<bool> isReduction; // per iteration dim
  mlir::TypedAttr identity;            // the accumulator's first value; its type is the accumulator's
  mlir::RankedTensorType resultType;   // stored type
  /// (builder, stored elements of the inputs, accumulator) -> accumulator
  std::function<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange, mlir::Value)> compute;
  /// The same -> stored element; absent: the accumulator itself is stored.
  std::function<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange, mlir::Value)> epilogue;
};
mlir::Value buildKernel(mlir::OpBuilder &builder, mlir::Location loc, const KernelSpec &spec);

/// `source` with `low`/`high` elements of `value` (a scalar of its stored type) before and after each dim; `source`
/// itself when there is nothing to add. Negative amounts crop.
mlir::Value buildPad(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source, llvm::ArrayRef<int64_t> low,
                     llvm::ArrayRef<int64_t> high, mlir::Value value);

/// Views `source` under another static shape of the same number of elements (no data moves).
mlir::Value buildReshape(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                         llvm::ArrayRef<int64_t> shape);

/// A tensor with no defined content.
mlir::Value emptyTensor(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType storedType);

/// Base of the conversion patterns: typed access to the ONNX result type.
template <typename OpTy> struct OnnxLowering : mlir::OpConversionPattern<OpTy> {
  using mlir::OpConversionPattern<OpTy>::OpConversionPattern;
  static mlir::RankedTensorType type(mlir::Value value) { return llvm::cast<mlir::RankedTensorType>(value.getType()); }
  static mlir::RankedTensorType stored(mlir::Value value) {
    return mlir::RankedTensorType::get(type(value).getShape(), storageType(type(value).getElementType()));
  }
};

} // namespace onnx_aot::onnx

#endif
