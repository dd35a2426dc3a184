//===- AotDialect.cpp - the aot dialect's operations --------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace onnx_aot::aot;

#include "dialects/aot/AotDialect.cpp.inc"
#include "dialects/aot/AotEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/aot/AotAttributes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/aot/AotOps.cpp.inc"

void AotDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/aot/AotAttributes.cpp.inc"
      >();
}

void AotDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/aot/AotOps.cpp.inc"
      >();
  registerDeviceOps();
}

bool KernelOp::isReduction(unsigned dim) { return cast<StringAttr>(getIteratorTypes()[dim]).getValue() == "reduction"; }

AffineMap KernelOp::getMap(unsigned operand) { return cast<AffineMapAttr>(getIndexingMaps()[operand]).getValue(); }

SmallVector<int64_t> KernelOp::getStaticExtents() {
  SmallVector<int64_t> extents(getNumLoops(), ShapedType::kDynamic);
  for (auto [index, operand] : llvm::enumerate(getOperands())) {
    auto type = cast<ShapedType>(operand.getType());
    for (auto [result, expr] : llvm::enumerate(getMap(index).getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        extents[dim.getPosition()] = type.getDimSize(result);
  }
  return extents;
}

LogicalResult KernelOp::verify() {
  unsigned loops = getNumLoops();
  if (getIndexingMaps().size() != getNumOperands())
    return emitOpError("needs one indexing map per operand");
  for (auto [index, operand] : llvm::enumerate(getOperands())) {
    AffineMap map = getMap(index);
    if (map.getNumDims() != loops || map.getNumSymbols() != 0)
      return emitOpError("indexing map ") << index << " is not over the " << loops << " iteration dims";
    if (int64_t(map.getNumResults()) != cast<ShapedType>(operand.getType()).getRank())
      return emitOpError("indexing map ") << index << " does not give the rank of its operand";
  }
  for (Attribute iterator : getIteratorTypes())
    if (cast<StringAttr>(iterator).getValue() != "parallel" && cast<StringAttr>(iterator).getValue() != "reduction")
      return emitOpError("an iterator is 'parallel' or 'reduction'");
  Type accumulator = getIdentity().getType();
  Type stored = getElementTypeOrSelf(getInit().getType());
  for (Region *region : {&getCompute(), &getEpilogue()}) {
    Block &block = region->front();
    if (block.getNumArguments() != getNumOperands())
      return emitOpError("a block takes the elements of all inputs and the accumulator");
    for (auto [argument, input] : llvm::zip(block.getArguments(), getInputs()))
      if (argument.getType() != getElementTypeOrSelf(input.getType()))
        return emitOpError("a block argument does not have its input's element type");
    if (block.getArguments().back().getType() != accumulator)
      return emitOpError("a block's last argument does not have the identity's type");
    auto yield = dyn_cast<YieldOp>(block.back());
    Type expected = region == &getCompute() ? accumulator : stored;
    if (!yield || yield.getValue().getType() != expected)
      return emitOpError("a block does not yield ") << expected;
  }
  return success();
}

void KernelOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : getInputsMutable())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  if (isa<MemRefType>(getInit().getType()))
    effects.emplace_back(MemoryEffects::Write::get(), &getInitMutable());
}

LogicalResult WinogradOp::verify() {
  auto data = cast<ShapedType>(getData().getType()), weights = cast<ShapedType>(getWeights().getType()),
       init = cast<ShapedType>(getInit().getType());
  if (!data.hasStaticShape() || !weights.hasStaticShape() || !init.hasStaticShape() || data.getRank() != 4 ||
      weights.getRank() != 5 || init.getRank() != 4)
    return emitOpError("needs images and weights of static shape");
  if (getTile() != 2 && getTile() != 4)
    return emitOpError("has tiles of 2 or 4");
  int64_t size = getTile() + 2, channels = init.getDimSize(3), panel = getPanel();
  int64_t group = getGroup(), groups = group > 0 ? llvm::divideCeil(channels, group * panel) : 0;
  if (weights.getShape() != ArrayRef<int64_t>{groups, size * size, group, data.getDimSize(3), panel} ||
      (groups > 1 && channels % (group * panel) != 0))
    return emitOpError("has weights that do not fit its data, its result and its strategy");
  if (getPads().size() != 2 || getIndexingMaps().size() != getInputs().size() ||
      getEpilogue().getNumArguments() != getInputs().size() + 1)
    return emitOpError("needs two pads, a map per input, and an epilogue of the inputs and the sum");
  for (Attribute map : getIndexingMaps())
    for (AffineExpr expr : cast<AffineMapAttr>(map).getValue().getResults())
      if (!isa<AffineDimExpr, AffineConstantExpr>(expr))
        return emitOpError("reads an input at something else than dims and constants");
  if (int64_t tileRows = getTileRows(), block = getBlock(); block < 1 || block > tileRows)
    return emitOpError("has a block that is not a part of its ") << tileRows << " rows of tiles";
  return success();
}

WinogradScratch::WinogradScratch(WinogradOp op) {
  auto data = cast<ShapedType>(op.getData().getType()), init = cast<ShapedType>(op.getInit().getType());
  int64_t size = op.getTile() + 2, width = op.getStrategy().getWidth();
  tilesPerRow = (init.getDimSize(2) + op.getTile() - 1) / op.getTile();
  tiles = op.getBlock() * tilesPerRow;
  // A vector more, so that the positions of a tile do not all fall into the same sets of a cache.
  dataStride = tiles * data.getDimSize(3) + width;
  productStride = tiles * op.getLanes() + width;
  products = size * size * dataStride;
  elements = products + size * size * productStride;
}

int64_t WinogradOp::getScratchSize() { return WinogradScratch(*this).elements; }

/// Of a kernel with scratch memory.
template <typename OpTy>
static void addEffects(OpTy op, SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  auto add = [&](OpOperand &operand, MemoryEffects::Effect *effect) {
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(effect, &operand);
  };
  for (OpOperand *operand : op.getDpsInputOperands())
    if (operand->get() != op.getScratch())
      add(*operand, MemoryEffects::Read::get());
  add(op.getInitMutable(), MemoryEffects::Write::get());
  for (OpOperand &scratch : op.getScratchMutable()) {
    add(scratch, MemoryEffects::Write::get());
    add(scratch, MemoryEffects::Read::get());
  }
}

bool ResampleOp::isReadAlongRows(AffineMap map) {
  if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
    return false;
  for (auto [index, expr] : llvm::enumerate(map.getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      if (dim.getPosition() + 1 == map.getNumDims() && index + 1 != map.getNumResults())
        return false;
  return true;
}

LogicalResult ResampleOp::verify() {
  auto data = cast<ShapedType>(getData().getType());
  int64_t rank = data.getRank();
  size_t count = getSamplings().size(), tables = 0;
  if (count < 1 || count > 2)
    return emitOpError("resizes one axis or two");
  for (size_t index = 0; index < count; ++index) {
    SamplingAttr sampling = getSampling(index);
    int64_t axis = sampling.getAxis(), taps = sampling.getTaps(), scale = sampling.getScale();
    if (axis < 0 || axis >= rank || (index == 1 && axis != rank - 1) || (count == 2 && index == 0 && axis == rank - 1))
      return emitOpError("resizes some axis and the last one");
    if (taps < 1 || sampling.getWindow() < 1 || scale < 0 || (getMoves() && taps != 1))
      return emitOpError("has a sampling without taps or of no window");
    if (scale == 0) {
      tables += getMoves() ? taps : 2 * taps;
      continue;
    }
    size_t entries = scale * taps;
    if (!sampling.getOffsets() || sampling.getOffsets().size() != int64_t(entries) ||
        (!getMoves() && (!sampling.getWeights() || sampling.getWeights().size() != int64_t(entries))))
      return emitOpError("has a sampling whose offsets and weights are not those of its phases");
  }
  if (getTables().size() != tables)
    return emitOpError("needs ") << tables << " tables";
  bool needsScratch = count == 2 && !getMoves();
  if (getInits().size() != (needsScratch ? 2 : 1))
    return emitOpError("has memory to work in where there are weights along two axes");
  if (needsScratch && getElementTypeOrSelf(getScratch().getType()) != data.getElementType())
    return emitOpError("works in memory of another element type than the data's");
  if (cast<ShapedType>(getInit().getType()).getRank() != rank ||
      (needsScratch && cast<ShapedType>(getScratch().getType()).getRank() != 2))
    return emitOpError("has a result of another rank than the data");
  if (getIndexingMaps().size() != getInputs().size())
    return emitOpError("needs a map per input");
  for (auto [index, input] : llvm::enumerate(getInputs())) {
    AffineMap map = getMap(index);
    if (map.getNumDims() != rank || int64_t(map.getNumResults()) != cast<ShapedType>(input.getType()).getRank() ||
        !isReadAlongRows(map))
      return emitOpError("reads an input otherwise than along rows of the result");
  }
  Type stored = getElementTypeOrSelf(getInit().getType()), result = data.getElementType();
  if (!getEpilogue().empty()) {
    Block &block = getEpilogue().front();
    auto yield = dyn_cast<YieldOp>(block.back());
    if (!getEpilogue().hasOneBlock() || !yield || block.getNumArguments() != getInputs().size() + 1 ||
        block.getArguments().back().getType() != result)
      return emitOpError("has an epilogue of something else than its inputs and the sum");
    result = yield.getValue().getType();
  }
  return stored == result ? success() : emitOpError("stores elements of type ") << stored << " instead of " << result;
}

void ResampleOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : (*this)->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    bool isInit = isDpsInit(&operand);
    if (!isInit || operand.get() == getScratch())
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    if (isInit)
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

void WinogradOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, effects);
}

void GeneratedOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, effects);
}

LogicalResult RequireOp::verify() {
  if ((*this)->getParentOfType<KernelOp>())
    return emitOpError("may not stand in a kernel");
  return success();
}

LogicalResult RequireOp::canonicalize(RequireOp op, PatternRewriter &rewriter) {
  if (!matchPattern(op.getCondition(), m_One()))
    return rewriter.notifyMatchFailure(op, "the condition is not known to hold");
  rewriter.eraseOp(op);
  return success();
}
