//===- OnnxToLinalg.cpp - the lowering of operators ---------------------------------------------------------------===//
//
// Runs the lowering patterns of all families as one full conversion. Types change on the way: unsigned integers become
// signless, bools become i8 (see Lowering.h). Constants become arith.constant. An operator all of whose results are
// empty becomes tensor.empty, so that no family has to think of it; a small integer tensor whose elements are known as
// expressions of dims becomes tensor.from_elements of them, so that shape arithmetic is done on scalars.
//
// Before: ranked tensors, onnx operations.  After: no onnx operation is left.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/onnx/OnnxDialect.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot {
namespace onnx {
#define ONNX_FAMILY(Name) void populate##Name##ToLinalg(mlir::TypeConverter &, mlir::RewritePatternSet &);
#include "dialects/onnx/FamilyLowerings.inc"
#undef ONNX_FAMILY
} // namespace onnx

#define GEN_PASS_DEF_ONNXTOLINALG
#include "passes/tensor/Passes.h.inc"

using namespace mlir;

namespace {
/// There is nothing to compute where no result has an element.
struct LowerEmptyResults : OpInterfaceConversionPattern<onnx::OnnxOpInterface> {
  LowerEmptyResults(onnx::TensorTypeConverter &converter, MLIRContext *context)
      : OpInterfaceConversionPattern(converter, context, /*benefit=*/100) {}

  LogicalResult matchAndRewrite(onnx::OnnxOpInterface op, ArrayRef<Value>,
                                ConversionPatternRewriter &rewriter) const override {
    // A constant stays one: other operators look at its value.
    if (op->hasTrait<OpTrait::ConstantLike>() || op->getNumResults() == 0)
      return rewriter.notifyMatchFailure(op, "is not computed");
    SmallVector<Value> empties;
    for (Type result : op->getResultTypes()) {
      auto type = dyn_cast_if_present<RankedTensorType>(getTypeConverter()->convertType(result));
      if (!type || !type.hasStaticShape() || type.getNumElements() != 0)
        return rewriter.notifyMatchFailure(op, "has elements to compute");
      empties.push_back(onnx::emptyTensor(rewriter, op->getLoc(), type));
    }
    rewriter.replaceOp(op, empties);
    return success();
  }
};

/// On an operation whose extents are checked.
constexpr llvm::StringLiteral kHasExtents = "aot.has_extents";

/// Extents that data or dims decide are not negative. And the type of a result may say more than its operator does: the
/// model declares an extent, which the run has to agree with. Both are checked before the operator's own code relies on
/// them. Where the operator cannot tell the extent before it runs, its lowering does that.
struct RequireExtents : OpInterfaceConversionPattern<onnx::OnnxOpInterface> {
  RequireExtents(onnx::TensorTypeConverter &converter, MLIRContext *context)
      : OpInterfaceConversionPattern(converter, context, /*benefit=*/90) {}

  LogicalResult matchAndRewrite(onnx::OnnxOpInterface op, ArrayRef<Value>,
                                ConversionPatternRewriter &rewriter) const override {
    if (op->hasAttr(kHasExtents) || op->getNumRegions() != 0)
      return rewriter.notifyMatchFailure(op, "is checked, or is its body's matter");
    onnx::ShapeAnalysis *shapes = static_cast<const onnx::TensorTypeConverter *>(getTypeConverter())->getShapes();
    // What an operand has is no news.
    llvm::SmallVector<onnx::Dim> checked;
    for (Value operand : op->getOperands())
      if (operand && isa<RankedTensorType>(operand.getType()))
        llvm::append_range(checked, shapes->shapeOf(operand));
    size_t before = checked.size();
    for (Value result : op->getResults()) {
      auto type = dyn_cast<RankedTensorType>(result.getType());
      const onnx::Shape *told = shapes->recordedShape(result);
      if (!type || !told || told->size() != size_t(type.getRank()))
        continue;
      for (auto [extent, dim] : llvm::zip(type.getShape(), *told))
        requireExtent(op, dim, extent, checked, rewriter);
    }
    if (checked.size() == before)
      return rewriter.notifyMatchFailure(op, "its extents are right");
    rewriter.modifyOpInPlace(op, [&] { op->setAttr(kHasExtents, rewriter.getUnitAttr()); });
    return success();
  }

  static void requireExtent(Operation *op, onnx::Dim dim, int64_t declared, SmallVectorImpl<onnx::Dim> &checked,
                            ConversionPatternRewriter &rewriter) {
    bool isDeclared = !ShapedType::isDynamic(declared);
    auto isSame = [&](onnx::Dim other) { return dim.equals(other); };
    if (!dim.isSymbolic() || (!isDeclared && (dim.isAtLeast(0) || llvm::any_of(checked, isSame))))
      return;
    auto lowered = [&](Value value) { return rewriter.getRemappedValue(value); };
    OpFoldResult size = onnx::buildSize(rewriter, op->getLoc(), dim, lowered);
    checked.push_back(dim);
    if (isDeclared)
      return onnx::requireEqual(rewriter, op->getLoc(), size, rewriter.getIndexAttr(declared),
                                aot::Code::shape_mismatch);
    Value zero = arith::ConstantIndexOp::create(rewriter, op->getLoc(), 0);
    Value isExtent = arith::CmpIOp::create(rewriter, op->getLoc(), arith::CmpIPredicate::sge,
                                           onnx::asIndex(rewriter, op->getLoc(), size), zero);
    onnx::require(rewriter, op->getLoc(), isExtent, aot::Code::invalid_value);
  }
};

/// What is computed by shape arithmetic alone.
struct LowerKnownElements : OpInterfaceConversionPattern<onnx::OnnxOpInterface> {
  LowerKnownElements(onnx::TensorTypeConverter &converter, MLIRContext *context)
      : OpInterfaceConversionPattern(converter, context, /*benefit=*/50) {}

  LogicalResult matchAndRewrite(onnx::OnnxOpInterface op, ArrayRef<Value>,
                                ConversionPatternRewriter &rewriter) const override {
    onnx::ShapeAnalysis *shapes = static_cast<const onnx::TensorTypeConverter *>(getTypeConverter())->getShapes();
    auto isKnown = [&](Value result) {
      const onnx::Shape *elements = shapes->recordedElements(result);
      return elements && llvm::all_of(*elements, [&](onnx::Dim dim) { return shapes->isKnownBefore(op, dim); });
    };
    if (op->hasTrait<OpTrait::ConstantLike>() || !llvm::all_of(op->getResults(), isKnown))
      return rewriter.notifyMatchFailure(op, "is not shape arithmetic");
    SmallVector<Value> tensors;
    for (Value result : op->getResults())
      tensors.push_back(fromElements(rewriter, op, result, *shapes->recordedElements(result)));
    rewriter.replaceOp(op, tensors);
    return success();
  }

  Value fromElements(ConversionPatternRewriter &rewriter, Operation *op, Value result, ArrayRef<onnx::Dim> dims) const {
    auto type = cast<RankedTensorType>(getTypeConverter()->convertType(result.getType()));
    auto lowered = [&](Value value) { return rewriter.getRemappedValue(value); };
    SmallVector<Value> elements;
    for (onnx::Dim dim : dims) {
      Value index = onnx::asIndex(rewriter, op->getLoc(), onnx::buildSize(rewriter, op->getLoc(), dim, lowered));
      elements.push_back(rewriter.createOrFold<arith::IndexCastOp>(op->getLoc(), type.getElementType(), index));
    }
    return tensor::FromElementsOp::create(rewriter, op->getLoc(), type, elements);
  }
};

/// A lowering that refuses says why. What the conversion adds to that is dropped here.
class RefusalHandler : ScopedDiagnosticHandler {
public:
  explicit RefusalHandler(MLIRContext *context) : ScopedDiagnosticHandler(context) {
    setHandler([this](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
        return failure();
      bool isGeneric = StringRef(diagnostic.str()).starts_with("failed to legalize operation 'onnx.");
      // Success: no other handler sees it.
      return success(isGeneric ? refused.contains(diagnostic.getLocation())
                               : (refused.insert(diagnostic.getLocation()), false));
    });
  }

private:
  llvm::DenseSet<Location> refused;
};

struct OnnxToLinalg : impl::OnnxToLinalgBase<OnnxToLinalg> {
  void runOnOperation() override {
    // The dims that the graph stage left open become arithmetic. Types are final: only the expressions are wanted.
    onnx::ShapeAnalysis shapes;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      shapes.addArguments(function);
      if (failed(shapes.recordAll(function.getBody())))
        return signalPassFailure();
    }
    onnx::TensorTypeConverter converter(&shapes);
    RewritePatternSet patterns(&getContext());
#define ONNX_FAMILY(Name) onnx::populate##Name##ToLinalg(converter, patterns);
#include "dialects/onnx/FamilyLowerings.inc"
#undef ONNX_FAMILY
    patterns.add<LowerEmptyResults, RequireExtents, LowerKnownElements>(converter, &getContext());
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns, converter);
    populateReturnOpTypeConversionPattern(patterns, converter);

    ConversionTarget target(getContext());
    target.addLegalDialect<linalg::LinalgDialect, tensor::TensorDialect, arith::ArithDialect, math::MathDialect,
                           scf::SCFDialect, affine::AffineDialect, aot::AotDialect>();
    target.addLegalOp<ModuleOp>();
    target.addIllegalDialect<onnx::OnnxDialect>();
    target.addDynamicallyLegalOp<func::FuncOp>(
        [&](func::FuncOp op) { return converter.isSignatureLegal(op.getFunctionType()); });
    target.addDynamicallyLegalOp<func::ReturnOp>([&](func::ReturnOp op) { return converter.isLegal(op); });

    // All operators that have no lowering are reported, not only the first.
    bool unsupported = false;
    getOperation().walk([&](onnx::OnnxOpInterface op) {
      if (hasLowering(op, patterns))
        return;
      op->emitError("unsupported: operator ") << op.getSignature().name << " has no lowering";
      unsupported = true;
    });
    RefusalHandler refusals(&getContext());
    FrozenRewritePatternSet frozen(std::move(patterns));
    if (!unsupported && succeeded(applyFullConversion(getOperation(), target, frozen)))
      return;
    // The conversion stops at the first operation that is refused; the others are asked, too.
    DenseSet<Operation *> convertible;
    ConversionConfig config;
    config.legalizableOps = &convertible;
    (void)applyAnalysisConversion(getOperation(), target, frozen, config);
    signalPassFailure();
  }

  static bool hasLowering(Operation *op, RewritePatternSet &patterns) {
    return llvm::any_of(patterns.getNativePatterns(), [&](const std::unique_ptr<RewritePattern> &pattern) {
      return pattern->getRootKind() && *pattern->getRootKind() == op->getName();
    });
  }
};
} // namespace
} // namespace onnx_aot
