//===- PackWeights.cpp - constant inputs in the order in which kernels read them ----------------------------------===//
//
// Constant inputs of kernels are laid out anew at compile time, so that one register tile reads one contiguous stream:
//
// - In panels, where the vector dim is a whole number of tiles: the dim is split in two, a loop over panels and the
//   lanes within one. A step of the reduction reads the next lanes of its panel.
//     %w : tensor<oc x ic x 3 x 3>, tiles of 64 lanes   =>   tensor<oc/64 x ic x 3 x 3 x 64>
// - Elsewhere by moving the vector dim last:            =>   tensor<ic x 3 x 3 x oc>
//
// The kernel's indexing maps, iterators and strategy follow.
//
// Before: strategies are chosen.  After: kernels load constant operands as whole vectors or as scalars.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {

/// The elements of a row-major tensor of `shape`, with its dims in another order.
SmallVector<char> permute(ArrayRef<char> bytes, ArrayRef<int64_t> shape, int64_t size, ArrayRef<int64_t> order) {
  int64_t rank = shape.size();
  SmallVector<int64_t> strides(rank, size), position(rank, 0);
  for (int64_t dim = rank - 2; dim >= 0; --dim)
    strides[dim] = strides[dim + 1] * shape[dim + 1];
  SmallVector<char> result(bytes.size());
  for (size_t at = 0, from = 0; at < bytes.size(); at += size) {
    std::memcpy(result.data() + at, bytes.data() + from, size);
    for (int64_t dim = rank; dim-- > 0;) {
      int64_t source = order[dim];
      from += strides[source];
      if (++position[dim] < shape[source])
        break;
      from -= strides[source] * shape[source];
      position[dim] = 0;
    }
  }
  return result;
}

struct PackWeights : impl::PackWeightsBase<PackWeights> {
  void runOnOperation() override {
    SmallVector<aot::KernelOp> kernels;
    getOperation().walk([&](aot::KernelOp kernel) { kernels.push_back(kernel); });
    for (aot::KernelOp kernel : kernels)
      packInputs(kernel);
  }

  void packInputs(aot::KernelOp kernel) {
    aot::StrategyAttr strategy = kernel.getStrategyAttr();
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(kernel);
    int vector = strategy && succeeded(nest) ? nest->dimOf(strategy.getVector()) : -1;
    if (vector < 0)
      return;
    int64_t panel = strategy.getWidth() * strategy.getVectors();
    const aot::LoopDim &dim = nest->dims[vector];
    bool inPanels = !dim.reduction && dim.original.size() == 1 && dim.extent.isStatic() && dim.extent.factor > panel &&
                    dim.extent.isMultipleOf(panel);
    for (auto [index, access] : llvm::enumerate(nest->inputs)) {
      const aot::Amount &stride = access.strides[vector];
      if (!access.packable || stride.is(0))
        continue;
      // An operand of the epilogue alone is read once: its order hardly matters.
      if (inPanels && access.inCompute)
        return packPanels(kernel, index, panel);
      if (!stride.is(1))
        moveVectorDimLast(kernel, index);
    }
  }

  /// The position of the kernel's vector dim among the input's dims.
  static unsigned vectorPosition(aot::KernelOp kernel, unsigned index) {
    ArrayRef<AffineExpr> exprs = kernel.getMap(index).getResults();
    return llvm::find_if(exprs,
                         [&](AffineExpr expr) {
                           auto dim = dyn_cast<AffineDimExpr>(expr); // unit dims are read at 0
                           return dim && dim.getPosition() == unsigned(kernel.getStrategyAttr().getVector());
                         }) -
           exprs.begin();
  }

  /// Replaces input `index`, seen as a tensor of `shape`, by itself with its dims in `order`.
  bool replaceInput(aot::KernelOp kernel, unsigned index, ArrayRef<int64_t> shape, ArrayRef<int64_t> order) {
    ElementsAttr value;
    SmallVector<char> storage;
    ArrayRef<char> bytes;
    if (!matchPattern(kernel.getInputs()[index], m_Constant(&value)) || !onnx::getRawBytes(value, storage, bytes))
      return false;
    Type element = value.getShapedType().getElementType();
    SmallVector<int64_t> packedShape;
    for (int64_t dim : order)
      packedShape.push_back(shape[dim]);
    auto type = RankedTensorType::get(packedShape, element);
    SmallVector<char> packed = permute(bytes, shape, onnx::bytesPerElement(element), order);
    OpBuilder builder(kernel);
    kernel.getInputsMutable()[index].set(
        arith::ConstantOp::create(builder, kernel.getLoc(), type, onnx::makeConstant(type, packed, "packed")));
    return true;
  }

  void moveVectorDimLast(aot::KernelOp kernel, unsigned index) {
    AffineMap map = kernel.getMap(index);
    unsigned position = vectorPosition(kernel, index);
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, map.getNumResults()));
    order.erase(order.begin() + position);
    order.push_back(position);
    if (!replaceInput(kernel, index, cast<ShapedType>(kernel.getInputs()[index].getType()).getShape(), order))
      return;
    SmallVector<AffineExpr> exprs;
    for (int64_t dim : order)
      exprs.push_back(map.getResult(dim));
    SmallVector<Attribute> maps(kernel.getIndexingMaps().getValue());
    maps[index] = AffineMapAttr::get(AffineMap::get(map.getNumDims(), 0, exprs, &getContext()));
    kernel.setIndexingMapsAttr(ArrayAttr::get(&getContext(), maps));
  }

  /// Splits the vector dim v into panels (v) and lanes (v + 1), and lays input `index` out as [panel][the rest][lane].
  void packPanels(aot::KernelOp kernel, unsigned index, int64_t panel) {
    MLIRContext *context = &getContext();
    aot::StrategyAttr strategy = kernel.getStrategyAttr();
    unsigned vector = strategy.getVector(), loops = kernel.getNumLoops();
    unsigned position = vectorPosition(kernel, index);
    SmallVector<int64_t> shape(cast<ShapedType>(kernel.getInputs()[index].getType()).getShape());
    shape[position] /= panel;
    shape.insert(shape.begin() + position + 1, panel);
    SmallVector<int64_t> order = {int64_t(position)};
    for (int64_t dim = 0, rank = shape.size(); dim < rank; ++dim)
      if (dim != position && dim != position + 1)
        order.push_back(dim);
    order.push_back(position + 1);
    if (!replaceInput(kernel, index, shape, order))
      return;

    // Old dims in terms of the new ones.
    SmallVector<AffineExpr> dims;
    for (unsigned dim = 0; dim < loops; ++dim) {
      AffineExpr shifted = getAffineDimExpr(dim <= vector ? dim : dim + 1, context);
      dims.push_back(dim == vector ? shifted * panel + getAffineDimExpr(vector + 1, context) : shifted);
    }
    SmallVector<Attribute> maps;
    for (unsigned operand = 0; operand < kernel->getNumOperands(); ++operand) {
      AffineMap map = kernel.getMap(operand);
      SmallVector<AffineExpr> exprs;
      if (operand == index)
        exprs.push_back(getAffineDimExpr(vector, context));
      for (auto [at, expr] : llvm::enumerate(map.getResults()))
        if (operand != index || at != position)
          exprs.push_back(expr.replaceDims(dims));
      if (operand == index)
        exprs.push_back(getAffineDimExpr(vector + 1, context));
      maps.push_back(AffineMapAttr::get(AffineMap::get(loops + 1, 0, exprs, context)));
    }
    kernel.setIndexingMapsAttr(ArrayAttr::get(context, maps));
    SmallVector<Attribute> iterators(kernel.getIteratorTypes().getValue());
    iterators.insert(iterators.begin() + vector, iterators[vector]);
    kernel.setIteratorTypesAttr(ArrayAttr::get(context, iterators));
    int64_t row = strategy.getRow() > int64_t(vector) ? strategy.getRow() + 1 : strategy.getRow();
    kernel.setStrategyAttr(aot::StrategyAttr::get(context, strategy.getProvider(), vector + 1, strategy.getWidth(),
                                                  strategy.getVectors(), row, strategy.getRows()));
  }
};
} // namespace
} // namespace onnx_aot
