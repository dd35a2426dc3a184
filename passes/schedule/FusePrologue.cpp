//===- FusePrologue.cpp - what widens elements, into the kernel that reads them once ------------------------------===//
//
// A kernel that reads each element a few times only (pooling, a mean over the plane) may as well read what the
// element is made of, where that is smaller: the tensor in between, of floats where integers are stored, is never made.
//
//   %f = linalg.generic dequantize(%x : i8) : f32    =>    %y = aot.kernel "pool" ins(%x : i8) compute {
//   %y = aot.kernel "pool" ins(%f)                             acc + dequantize(x) }
//
// Before: elementwise chains are fused.  After: no kernel of few reads follows a generic with larger elements than that
// has.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/schedule/FusePrologue.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_FUSEPROLOGUE
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
/// Reads of an element that cost less than storing it wide.
constexpr int64_t kMostReads = 4;

unsigned bitsOf(Value value) { return getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth(); }

/// An elementwise operation over one tensor, and parameters of one element, whose elements it makes wider.
bool widens(linalg::GenericOp generic) {
  if (generic.getNumDpsInits() != 1 || generic.getNumReductionLoops() != 0 || !generic.hasPureTensorSemantics() ||
      !generic->hasOneUse() || !generic.getRegionOutputArgs()[0].use_empty() || generic.hasIndexSemantics() ||
      !generic.getIndexingMapMatchingResult(generic->getOpResult(0)).isIdentity())
    return false;
  int64_t tensors = 0;
  for (OpOperand *operand : generic.getDpsInputOperands()) {
    AffineMap map = generic.getMatchingIndexingMap(operand);
    if (map.isConstant())
      continue;
    ++tensors;
    bool isNarrow = getElementTypeOrSelf(operand->get().getType()).isIntOrFloat() &&
                    bitsOf(operand->get()) < bitsOf(generic.getResult(0));
    if (!map.isIdentity() || !isNarrow)
      return false;
  }
  return tensors == 1 && llvm::all_of(generic.getBody()->without_terminator(), [](Operation &op) {
           return op.hasTrait<OpTrait::ConstantLike>() || OpTrait::hasElementwiseMappableTraits(&op);
         });
}

/// Whether `kernel` reads each element of `input` a few times at most.
bool readsFewTimes(aot::KernelOp kernel, Value input) {
  auto type = cast<RankedTensorType>(input.getType());
  int64_t points = 1;
  for (int64_t extent : kernel.getStaticExtents()) {
    if (ShapedType::isDynamic(extent))
      return false;
    points *= extent;
  }
  return type.hasStaticShape() && points <= kMostReads * type.getNumElements();
}

/// The operation that makes `value`, seen through a reshape.
Operation *makerOf(Value value) {
  if (auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>(); collapse && collapse->hasOneUse())
    return collapse.getSrc().getDefiningOp();
  return value.getDefiningOp();
}
} // namespace

aot::KernelOp kernelToAbsorb(linalg::GenericOp generic) {
  if (!widens(generic))
    return {};
  Operation *reader = *generic->user_begin();
  Value read = generic.getResult(0);
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(reader); collapse && collapse->hasOneUse()) {
    read = collapse.getResult();
    reader = *collapse->user_begin();
  }
  auto kernel = dyn_cast<aot::KernelOp>(reader);
  if (!kernel || kernel->getNumResults() != 1 || kernel->getBlock() != generic->getBlock() ||
      !readsFewTimes(kernel, read))
    return {};
  for (auto [index, input] : llvm::enumerate(kernel.getInputs()))
    if (input == read)
      return kernel.getEpilogue().front().getArgument(index).use_empty() ? kernel : aot::KernelOp();
  return {};
}

namespace {
struct AbsorbWidening : OpRewritePattern<aot::KernelOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(aot::KernelOp kernel, PatternRewriter &rewriter) const override {
    for (auto [index, input] : llvm::enumerate(kernel.getInputs())) {
      auto generic = dyn_cast_or_null<linalg::GenericOp>(makerOf(input));
      if (!generic || kernelToAbsorb(generic) != kernel)
        continue;
      absorb(kernel, index, generic, rewriter);
      return success();
    }
    return rewriter.notifyMatchFailure(kernel, "reads nothing that is widened for it");
  }

  static void absorb(aot::KernelOp kernel, unsigned index, linalg::GenericOp generic, PatternRewriter &rewriter) {
    rewriter.setInsertionPoint(kernel);
    SmallVector<Value> inputs(kernel.getInputs());
    SmallVector<Attribute> maps(kernel.getIndexingMaps().getValue());
    unsigned parameters = 0, place = 0, last = inputs.size();
    SmallVector<Value> elements(generic.getNumDpsInputs()); // the kernel's arguments for the generic's
    Block &compute = kernel.getCompute().front(), &epilogue = kernel.getEpilogue().front();
    rewriter.startOpModification(kernel);
    for (auto [at, operand] : llvm::enumerate(generic.getDpsInputOperands())) {
      AffineMap map = generic.getMatchingIndexingMap(operand);
      if (map.isConstant()) {
        inputs.push_back(operand->get());
        AffineMap constant = AffineMap::get(kernel.getNumLoops(), 0, map.getResults(), rewriter.getContext());
        maps.insert(maps.end() - 1, AffineMapAttr::get(constant));
        Type element = getElementTypeOrSelf(operand->get().getType());
        elements[at] = compute.insertArgument(last + parameters, element, generic.getLoc());
        epilogue.insertArgument(last + parameters, element, generic.getLoc());
        ++parameters;
      } else {
        place = at;
        inputs[index] = asRead(operand->get(), kernel.getInputs()[index], rewriter);
      }
    }
    kernel.getInputsMutable().assign(inputs);
    kernel.setIndexingMapsAttr(rewriter.getArrayAttr(maps));
    Type narrow = getElementTypeOrSelf(inputs[index].getType());
    BlockArgument wide = compute.getArgument(index);
    elements[place] = compute.insertArgument(index, narrow, generic.getLoc());
    rewriter.setInsertionPointToStart(&compute);
    IRMapping mapping;
    for (auto [argument, element] : llvm::zip(generic.getRegionInputArgs(), elements))
      mapping.map(argument, element);
    for (Operation &op : generic.getBody()->without_terminator())
      rewriter.clone(op, mapping);
    wide.replaceAllUsesWith(mapping.lookupOrDefault(generic.getBody()->getTerminator()->getOperand(0)));
    compute.eraseArgument(wide.getArgNumber());
    epilogue.insertArgument(index, narrow, generic.getLoc());
    epilogue.eraseArgument(index + 1);
    rewriter.finalizeOpModification(kernel);
  }

  /// `narrow` in the shape in which `wide` was read.
  static Value asRead(Value narrow, Value wide, PatternRewriter &rewriter) {
    auto collapse = wide.getDefiningOp<tensor::CollapseShapeOp>();
    if (!collapse)
      return narrow;
    auto type = cast<RankedTensorType>(collapse.getType()).clone(getElementTypeOrSelf(narrow.getType()));
    return tensor::CollapseShapeOp::create(rewriter, collapse.getLoc(), type, narrow,
                                           collapse.getReassociationIndices());
  }
};

struct FusePrologue : impl::FusePrologueBase<FusePrologue> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<AbsorbWidening>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
} // namespace onnx_aot
