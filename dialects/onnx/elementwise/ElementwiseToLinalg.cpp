//===- ElementwiseToLinalg.cpp - lowering of the elementwise operators --------------------------------------------===//
//
// Operators of the table become one linalg.generic each (support/Elementwise.h). Those that change the element type
// have patterns here: where memory stays the same, they vanish.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/elementwise/ElementwiseBodies.h"
#include "dialects/onnx/support/DataTypes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
struct LowerIdentity : OnnxLowering<IdentityOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(IdentityOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getInput());
    return success();
  }
};

/// Where over what is only moved: complex numbers and the narrow types are selected in stored form.
struct LowerStoredWhere : OnnxLowering<WhereOp> {
  LowerStoredWhere(TypeConverter &converter, MLIRContext *context) : OnnxLowering(converter, context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(WhereOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (isArithmeticType(op.getType()) || !isNumberType(op.getType()))
      return rewriter.notifyMatchFailure(op, "selects values in compute form");
    RankedTensorType result = stored(op.getOutput());
    Type bits = result.getElementType(), condition = rewriter.getI1Type();
    FailureOr<SmallVector<OpFoldResult>> extents = sizes(rewriter, op, op.getOutput());
    if (failed(extents))
      return failure();
    SmallVector<Value> aligned;
    for (auto [operand, lowered] : llvm::zip(op->getOperands(), adaptor.getOperands()))
      aligned.push_back(alignOperand(getTypeConverter(), rewriter, op, operand, lowered, op.getOutput(), *extents));
    rewriter.replaceOp(op, buildElementwise(rewriter, op.getLoc(), result, aligned, {condition, bits, bits},
                                            [](ScalarBody &s) -> Value {
                                              return arith::SelectOp::create(s.b, s.x[0], s.x[1], s.x[2]);
                                            }));
    return success();
  }
};

/// Whether every value of `from` lies in memory as its cast to `to` does. Integers of up to 8 bits are extended to a
/// byte, which is the same number in 8 bits.
static bool haveSameMemory(Type from, Type to) {
  if (from == to)
    return true;
  if (!isa<IntegerType>(from) || !isa<IntegerType>(to) || to.isInteger(1))
    return false;
  if (from.isInteger(1))
    return storageType(to).isInteger(8);
  return storageType(from) == storageType(to) && to.getIntOrFloatBitWidth() >= 8;
}

/// Cast and CastLike, whose second operand gives a type only.
template <typename OpTy> struct LowerCast : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getInput().getType()), to = getElementTypeOrSelf(op.getType());
    if (haveSameMemory(from, to)) {
      rewriter.replaceOp(op, adaptor.getInput());
      return success();
    }
    if (failed(requireRealTypes(op)))
      return failure();
    rewriter.replaceOp(op, buildElementwise(rewriter, op.getLoc(), this->type(op.getOutput()), adaptor.getInput(), from,
                                            [&](ScalarBody &s) { return castBody(op, s); }));
    return success();
  }
};

struct LowerBitCast : OnnxLowering<BitCastOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(BitCastOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Value input = adaptor.getInput();
    RankedTensorType result = stored(op.getOutput());
    Type from = getElementTypeOrSelf(op.getInput().getType()), to = getElementTypeOrSelf(op.getType());
    if (from.isIntOrFloat() && !from.isInteger(1) && from.getIntOrFloatBitWidth() < 8 && from != to) {
      rewriter.replaceOp(op, convertNarrow(rewriter, op, input, result, from, to));
      return success();
    }
    if (input.getType() == result) {
      rewriter.replaceOp(op, input);
      return success();
    }
    SmallVector<AffineMap> maps(2, rewriter.getMultiDimIdentityMap(result.getRank()));
    SmallVector<utils::IteratorType> iterators(result.getRank(), utils::IteratorType::parallel);
    SmallVector<OpFoldResult> sizes = sizesOf(rewriter, op.getLoc(), input);
    Value empty = emptyTensor(rewriter, op.getLoc(), sizes, result.getElementType());
    auto generic =
        linalg::GenericOp::create(rewriter, op.getLoc(), empty.getType(), input, empty, maps, iterators,
                                  [&](OpBuilder &b, Location loc, ValueRange elements) {
                                    Value bits = arith::BitcastOp::create(b, loc, result.getElementType(), elements[0]);
                                    linalg::YieldOp::create(b, loc, bits);
                                  });
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), generic.getResult(0), result));
    return success();
  }

  /// Types of less than 8 bits differ in the upper bits of their bytes.
  static Value convertNarrow(OpBuilder &builder, BitCastOp op, Value input, RankedTensorType result, Type from,
                             Type to) {
    auto unsignedType = IntegerType::get(op.getContext(), from.getIntOrFloatBitWidth(), IntegerType::Unsigned);
    Type target = isa<IntegerType>(to) ? to : Type(unsignedType), byte = result.getElementType();
    return buildElementwise(builder, op.getLoc(), result, input, byte,
                            [&](ScalarBody &s) { return castScalar(s.b, s.b.getLoc(), s.x[0], byte, target); });
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateElementwiseChecks(TypeConverter &converter, RewritePatternSet &patterns);

void populateElementwiseToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  populateElementwiseChecks(converter, patterns);
  populateElementwiseRows(getElementwiseBodies(), converter, patterns);
  patterns.add<LowerIdentity, LowerStoredWhere, LowerCast<CastOp>, LowerCast<CastLikeOp>, LowerBitCast>(
      converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
