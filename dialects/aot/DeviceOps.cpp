//===- DeviceOps.cpp - what a run asks of a device (see Device.td, Fused.td) --------------------------------------===//
#include "dialects/aot/DeviceOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace onnx_aot::aot;

#define GET_OP_CLASSES
#include "dialects/aot/DeviceOps.cpp.inc"

void AotDialect::registerDeviceOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/aot/DeviceOps.cpp.inc"
      >();
}

//===-- Fused kernels ---------------------------------------------------------------------------------------------===//

/// What both have in common: a map per operand, over the same dims.
template <typename OpTy> static LogicalResult verifyMaps(OpTy op) {
  if (op.getIndexingMaps().size() != op->getNumOperands())
    return op.emitOpError("needs one indexing map per operand");
  for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
    AffineMap map = op.getMap(index);
    if (map.getNumDims() != op.getNumLoops() || map.getNumSymbols() != 0)
      return op.emitOpError("indexing map ") << index << " is not over the " << op.getNumLoops() << " iteration dims";
    if (int64_t(map.getNumResults()) != cast<ShapedType>(operand.getType()).getRank())
      return op.emitOpError("indexing map ") << index << " does not give the rank of its operand";
  }
  return success();
}

/// Whether `block` takes the elements of all inputs first, and yields `stored`.
template <typename OpTy> static bool fitsInputs(OpTy op, Block &block, size_t others, Type stored) {
  auto yield = dyn_cast<YieldOp>(block.back());
  if (block.getNumArguments() != op.getInputs().size() + others || !yield || yield.getValue().getType() != stored)
    return false;
  return llvm::all_of(llvm::zip(block.getArguments(), op.getInputs()), [](auto pair) {
    return std::get<0>(pair).getType() == getElementTypeOrSelf(std::get<1>(pair).getType());
  });
}

template <typename OpTy>
static void addEffects(OpTy op, SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  for (OpOperand &operand : op.getInputsMutable())
    if (isa<MemRefType>(operand.get().getType()))
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
  if (isa<MemRefType>(op.getInit().getType()))
    effects.emplace_back(MemoryEffects::Write::get(), &op.getInitMutable());
}

LogicalResult RowsOp::verify() {
  if (failed(verifyMaps(*this)))
    return failure();
  if (getReduced() < 1 || getReduced() > getNumLoops())
    return emitOpError("has no dims of a row");
  if (!fitsInputs(*this, getBody().front(), 0, getElementTypeOrSelf(getInit().getType())))
    return emitOpError("has a body that does not take the elements of its inputs, or yield that of its result");
  return success();
}

bool RowsOp::isOfRow(AffineMap map) {
  for (unsigned dim = getNumLoops() - getReduced(); dim < getNumLoops(); ++dim)
    if (map.isFunctionOfDim(dim))
      return false;
  return true;
}

void RowsOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, effects);
}

LogicalResult AcrossOp::verify() {
  Block &block = getStep().front();
  Type type = getIdentity().getType();
  auto yield = dyn_cast<YieldOp>(block.back());
  if (getResult().getType() != type || block.getNumArguments() != 1 || block.getArgument(0).getType() != type ||
      !yield || yield.getValue().getType() != type)
    return emitOpError("has a step that does not map its accumulator to the next one");
  return success();
}

LogicalResult AttentionOp::verify() {
  if (getInputs().size() < Others || failed(verifyMaps(*this)))
    return emitOpError("needs queries, keys and values, and a map for each operand");
  if (getNumLoops() < 4)
    return emitOpError("has no dims of queries, keys, depth and values");
  Type sum = Float32Type::get(getContext());
  if (!fitsInputs(*this, getScores().front(), getNumLoops() + 1, sum) ||
      getScores().front().getArguments().back().getType() != sum)
    return emitOpError("has scores that are not made of its inputs, positions and a sum");
  if (!fitsInputs(*this, getFinish().front(), 1, getElementTypeOrSelf(getInit().getType())) ||
      getFinish().front().getArguments().back().getType() != sum)
    return emitOpError("has a result that is not made of its inputs and a sum");
  return success();
}

void AttentionOp::getEffects(SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  addEffects(*this, effects);
}

//===-- Launches --------------------------------------------------------------------------------------------------===//

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto module = getOperation()->getParentOfType<ModuleOp>();
  auto device = module ? module.lookupSymbol<ModuleOp>(kDeviceModule) : ModuleOp();
  if (!device)
    return success(); // what has been compiled is not here any more
  Operation *kernel = symbols.lookupSymbolIn(device, getKernelAttr());
  auto function = dyn_cast_or_null<FunctionOpInterface>(kernel);
  if (!function)
    return emitOpError("launches @") << getKernel() << ", which is no function of @" << kDeviceModule;
  if (function.getNumArguments() != getPassed().size())
    return emitOpError("passes ") << getPassed().size() << " operands to @" << getKernel() << ", which takes "
                                  << function.getNumArguments();
  return success();
}
