//===- GeneratorToLinalg.cpp - lowering of the operators that make tensors ----------------------------------------===//
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
/// The same bytes under the stored type.
struct LowerConstant : OnnxLowering<ConstantOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConstantOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType target = stored(op.getOutput());
    ElementsAttr value = op.getValue();
    if (value.getShapedType() != target) {
      if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
        value = DenseResourceElementsAttr::get(target, resource.getRawHandle());
      else if (auto dense = dyn_cast<DenseIntElementsAttr>(value); dense && dense.getElementType().isInteger(1))
        value = dense.mapValues(target.getElementType(), [](const APInt &bit) { return bit.zext(8); });
      else if (auto dense = dyn_cast<DenseIntElementsAttr>(value))
        value = dense.bitcast(target.getElementType());
      else
        return rewriter.notifyMatchFailure(op, "constants are dense or resources");
    }
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, target, value);
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateGeneratorToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerConstant>(converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
