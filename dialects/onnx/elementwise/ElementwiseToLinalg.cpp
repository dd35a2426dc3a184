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

/// Cast and CastLike, whose second operand gives a type only.
template <typename OpTy> struct LowerCast : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type from = getElementTypeOrSelf(op.getInput().getType()), to = getElementTypeOrSelf(op.getType());
    bool sameMemory = storageType(from) == storageType(to) && from.isInteger(1) == to.isInteger(1);
    if (sameMemory || (from.isInteger(1) && storageType(to).isInteger(8))) {
      rewriter.replaceOp(op, adaptor.getInput());
      return success();
    }
    if (failed(requireArithmeticTypes(op)))
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
    if (input.getType() == result) {
      rewriter.replaceOp(op, input);
      return success();
    }
    if (failed(requireArithmeticTypes(op)))
      return failure();
    SmallVector<AffineMap> maps(2, rewriter.getMultiDimIdentityMap(result.getRank()));
    SmallVector<utils::IteratorType> iterators(result.getRank(), utils::IteratorType::parallel);
    rewriter.replaceOpWithNewOp<linalg::GenericOp>(op, result, input, emptyTensor(rewriter, op.getLoc(), result), maps,
                                                   iterators, [&](OpBuilder &b, Location loc, ValueRange elements) {
                                                     Value bits = arith::BitcastOp::create(
                                                         b, loc, result.getElementType(), elements[0]);
                                                     linalg::YieldOp::create(b, loc, bits);
                                                   });
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateElementwiseToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  populateElementwiseRows(getElementwiseBodies(), converter, patterns);
  patterns.add<LowerIdentity, LowerCast<CastOp>, LowerCast<CastLikeOp>, LowerBitCast>(converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
