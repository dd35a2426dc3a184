//===- Lowering.h - what the families' lowerings to linalg share --------------------------------------------------===//
//
// Storage and arithmetic. In memory, unsigned integers are signless, bools are i8 holding 0 or 1, 2- and 4-bit integers
// i8 extended by their sign, float8 and float4 i8 with their bits, complex numbers integers with the bits of both parts
// (TensorTypeConverter); in a scalar body, bools are i1, 2- and 4-bit integers i8 and floats below 32 bits f32. The
// helpers here make the conversions, so that a body sees arithmetic types only; whether integers are unsigned is asked
// of the ONNX type.
//
// Two shapes of code cover most operators:
//   buildElementwise: linalg.generic with numpy broadcasting,
//   buildKernel:      aot.kernel, a reduction with an epilogue.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_LOWERING_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_LOWERING_H

#include "dialects/onnx/support/Sizes.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {

/// Element types and tensor types as they are stored after the tensor stage, and what is known of the shapes of the
/// values that are lowered.
class TensorTypeConverter : public mlir::TypeConverter {
public:
  explicit TensorTypeConverter(ShapeAnalysis *shapes = nullptr);
  /// Null where only static shapes are lowered.
  ShapeAnalysis *getShapes() const { return shapes; }

private:
  ShapeAnalysis *shapes;
};

/// How an element of ONNX type `type` is stored (ui8, i1, i4, float8 -> i8, complex<f32> -> i64).
mlir::Type storageType(mlir::Type type);
/// The type that scalar bodies compute in (f16, bf16 and float8 -> f32, ui8 and i4 -> i8, i1 -> i1); complex numbers
/// stay as they are stored.
mlir::Type computeType(mlir::Type type);
/// Converts between the two; `type` is the ONNX element type. toStorage rounds f32 to the narrower float type (float8
/// saturates) and leaves what is float8 in stored form already.
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

//===-- Sizes -----------------------------------------------------------------------------------------------------===//

/// The extents of `value`, an operand or a result of the ONNX operation `op` that is lowered by a pattern of
/// `converter`. Emits an error on `op` and fails for a result whose extents only the computation of `op` itself tells.
llvm::FailureOr<llvm::SmallVector<mlir::OpFoldResult>> lowerSizes(const mlir::TypeConverter *converter,
                                                                  mlir::ConversionPatternRewriter &rewriter,
                                                                  mlir::Operation *op, mlir::Value value);
/// One extent or another symbolic number that `op` can know before it is computed.
llvm::FailureOr<mlir::OpFoldResult> lowerSize(const mlir::TypeConverter *converter,
                                              mlir::ConversionPatternRewriter &rewriter, mlir::Operation *op, Dim dim);

/// `lowered`, the lowered form of `operand`, as it takes part in a numpy broadcast to the shape of `result`: each dim
/// is 1 by its type, or equal to the result's. Where only the run tells which, the dim is repeated by an aot.broadcast
/// to `resultSizes`, and the run checks that it is one of the two.
mlir::Value alignOperand(const mlir::TypeConverter *converter, mlir::ConversionPatternRewriter &rewriter,
                         mlir::Operation *op, mlir::Value operand, mlir::Value lowered, mlir::Value result,
                         llvm::ArrayRef<mlir::OpFoldResult> resultSizes);

/// The affine map by which an operand of `operandShape` is read when it is broadcast to `resultShape`, numpy style,
/// over `resultShape.size()` dims.
mlir::AffineMap broadcastMap(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> operandShape,
                             llvm::ArrayRef<int64_t> resultShape);

/// linalg.generic that computes `body` for each element of `resultType` (ONNX types). `inputs` are converted values,
/// `inputTypes` their ONNX element types. A dim of `resultType` that is not static has the extent of the first input
/// that has this dim and not 1 by its type. Returns the converted result.
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
  /// Extents of the result; empty: those of the inputs that are read at the result's dims.
  llvm::SmallVector<mlir::OpFoldResult> resultSizes;
  /// (builder, stored elements of the inputs, accumulator) -> accumulator
  std::function<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange, mlir::Value)> compute;
  /// The same -> stored element; absent: the accumulator itself is stored.
  std::function<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange, mlir::Value)> epilogue;
};
mlir::Value buildKernel(mlir::OpBuilder &builder, mlir::Location loc, const KernelSpec &spec);

/// `whole` with `part`, of extents `sizes`, at `offsets`; sizes may say more than the part's type.
mlir::Value insertPart(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value part, mlir::Value whole,
                       llvm::ArrayRef<mlir::OpFoldResult> offsets, llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// `source` with `low`/`high` elements of `value` (a scalar of its stored type) before and after each dim; `source`
/// itself when there is nothing to add. Negative amounts crop.
mlir::Value buildPad(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source, llvm::ArrayRef<int64_t> low,
                     llvm::ArrayRef<int64_t> high, mlir::Value value);
/// The same with amounts that may be values.
mlir::Value buildPad(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                     llvm::ArrayRef<mlir::OpFoldResult> low, llvm::ArrayRef<mlir::OpFoldResult> high,
                     mlir::Value value);

/// Views `source` under another static shape of the same number of elements (no data moves).
mlir::Value buildReshape(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                         llvm::ArrayRef<int64_t> shape);
/// The same under extents that may be values; their product is the number of elements.
mlir::Value buildReshape(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                         llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// Entry `position` of a list of integers (rank 1, or 0 for position 0), as an index; signed.
mlir::Value listEntry(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value list, int64_t position);
inline mlir::Value listEntry(mlir::ImplicitLocOpBuilder &builder, mlir::Value list, int64_t position) {
  return listEntry(builder, builder.getLoc(), list, position);
}

/// A tensor with no defined content; of a static shape, or of `sizes`.
mlir::Value emptyTensor(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType storedType);
mlir::Value emptyTensor(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                        mlir::Type storedElement);
/// `value`, a scalar of the stored type, in every element.
mlir::Value filledTensor(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                         mlir::Value value);
/// `tensor` under `type`, which says more or less about the same extents.
mlir::Value castTensor(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor, mlir::Type type);

/// Base of the conversion patterns: typed access to the ONNX result type.
template <typename OpTy> struct OnnxLowering : mlir::OpConversionPattern<OpTy> {
  using mlir::OpConversionPattern<OpTy>::OpConversionPattern;
  static mlir::RankedTensorType type(mlir::Value value) { return llvm::cast<mlir::RankedTensorType>(value.getType()); }
  static mlir::RankedTensorType stored(mlir::Value value) {
    return mlir::RankedTensorType::get(type(value).getShape(), storageType(type(value).getElementType()));
  }

  /// See lowerSizes, alignOperand.
  llvm::FailureOr<llvm::SmallVector<mlir::OpFoldResult>> sizes(mlir::ConversionPatternRewriter &rewriter, OpTy op,
                                                               mlir::Value value) const {
    return lowerSizes(this->getTypeConverter(), rewriter, op, value);
  }
  /// The symbolic shape of an operand or result; constants and unknown dims where nothing was analysed.
  Shape shape(mlir::Value value) const {
    ShapeAnalysis *analysis = static_cast<const TensorTypeConverter *>(this->getTypeConverter())->getShapes();
    return analysis ? analysis->shapeOf(value) : *ShapeContext().shape(value);
  }
  /// Whether the extents of a result of `op` are known before it is computed.
  bool isKnownBefore(OpTy op, mlir::Value result) const {
    ShapeAnalysis *analysis = static_cast<const TensorTypeConverter *>(this->getTypeConverter())->getShapes();
    return llvm::all_of(shape(result),
                        [&](Dim dim) { return analysis ? analysis->isKnownBefore(op, dim) : dim.isKnown(); });
  }
  /// For buildSize: the lowered form of ONNX values.
  static auto lowered(mlir::ConversionPatternRewriter &rewriter) {
    return [&rewriter](mlir::Value value) { return rewriter.getRemappedValue(value); };
  }
  /// What inferResults is given: to ask for the elements of shape operands.
  ShapeContext context() const {
    ShapeAnalysis *analysis = static_cast<const TensorTypeConverter *>(this->getTypeConverter())->getShapes();
    return analysis ? ShapeContext(*analysis) : ShapeContext();
  }
};

} // namespace onnx_aot::onnx

#endif
