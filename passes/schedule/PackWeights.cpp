//===- PackWeights.cpp - constant inputs in the order in which kernels read them ----------------------------------===//
//
// Constant inputs of kernels are laid out anew at compile time, so that one register tile reads one contiguous stream:
//
// - In panels of one tile's lanes, filled up with zeros. A step of the reduction reads the next lanes of its panel, and
//   dims follow the order of the kernel's loops.
//     %w : tensor<oc x ic x 3 x 3>, tiles of 64 lanes, loops (oc, .., kh, kw, ic)
//       =>   tensor<ceil(oc/64) x 3 x 3 x ic x 64>, read at (oc floordiv 64, kh, kw, ic, oc mod 64)
// - Elsewhere by moving the vector dim last:            =>   tensor<ic x 3 x 3 x oc>
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

/// The elements (of `size` bytes) of a row-major tensor of `shape`, with its dims in another order, the last of them in
/// panels of `panel` elements (0: not): [panels][dims but the last][panel].
SmallVector<char> permute(ArrayRef<char> bytes, ArrayRef<int64_t> shape, int64_t size, ArrayRef<int64_t> order,
                          int64_t panel) {
  int64_t rank = shape.size();
  SmallVector<int64_t> from(rank, size), strides(rank);
  for (int64_t dim = rank - 2; dim >= 0; --dim)
    from[dim] = from[dim + 1] * shape[dim + 1];
  // The outer dims, and the lanes of one panel.
  int64_t last = order.back(), lanes = panel ? panel : shape[last], panels = llvm::divideCeil(shape[last], lanes);
  int64_t outer = 1;
  for (int64_t dim : order.drop_back())
    outer *= shape[dim];
  SmallVector<char> result(panels * outer * lanes * size, 0);
  SmallVector<int64_t> position(rank, 0);
  for (int64_t index = 0, source = 0; index < outer; ++index) {
    for (int64_t lane = 0; lane < shape[last]; ++lane) {
      int64_t to = ((lane / lanes * outer) + index) * lanes + lane % lanes;
      std::memcpy(result.data() + to * size, bytes.data() + source + lane * from[last], size);
    }
    for (int64_t dim : llvm::reverse(order.drop_back())) {
      source += from[dim];
      if (++position[dim] < shape[dim])
        break;
      source -= from[dim] * shape[dim];
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
    bool inPanels = !dim.reduction && dim.original.size() == 1 && dim.extent.isStatic() && strategy.getWidth() > 1;
    for (auto [index, access] : llvm::enumerate(nest->inputs)) {
      const aot::Amount &stride = access.strides[vector];
      if (!access.packable || stride.is(0))
        continue;
      // An operand of the epilogue alone is read once: its order hardly matters.
      bool ofWords = nest->readsWords(access);
      if (inPanels && access.inCompute && showsElsewhere(kernel, strategy.getVector(), index))
        replaceInput(kernel, index, loopOrder(kernel, index), panel, ofWords);
      else if (!stride.is(ofWords ? aot::DotOp::kBytes : 1))
        moveVectorDimLast(kernel, index, ofWords);
    }
  }

  /// Whether another operand than input `index` tells the extent of dim `dim`: panels do not.
  static bool showsElsewhere(aot::KernelOp kernel, unsigned dim, unsigned index) {
    return llvm::any_of(llvm::seq<unsigned>(0, kernel->getNumOperands()), [&](unsigned operand) {
      return operand != index &&
             llvm::is_contained(kernel.getMap(operand).getResults(), getAffineDimExpr(dim, kernel.getContext()));
    });
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

  /// The input's dims in the order of the kernel's loops, the vector dim last.
  static SmallVector<int64_t> loopOrder(aot::KernelOp kernel, unsigned index) {
    ArrayRef<AffineExpr> exprs = kernel.getMap(index).getResults();
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, exprs.size()));
    auto loop = [&](int64_t position) {
      auto dim = dyn_cast<AffineDimExpr>(exprs[position]);
      if (!dim)
        return std::pair(int64_t(-1), position); // a unit dim
      bool isVector = dim.getPosition() == unsigned(kernel.getStrategyAttr().getVector());
      return std::pair(int64_t(isVector ? kernel.getNumLoops() : dim.getPosition()), position);
    };
    llvm::sort(order, [&](int64_t left, int64_t right) { return loop(left) < loop(right); });
    return order;
  }

  void moveVectorDimLast(aot::KernelOp kernel, unsigned index, bool ofWords) {
    unsigned position = vectorPosition(kernel, index);
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, kernel.getMap(index).getNumResults()));
    order.erase(order.begin() + position);
    order.push_back(position);
    replaceInput(kernel, index, order, 0, ofWords);
  }

  /// Lays input `index` out with its dims in `order`, the last of which comes in panels of `panel` elements (0: not).
  /// With `ofWords` the input's last dim, the bytes of a word, stays the last one whatever `order` says.
  void replaceInput(aot::KernelOp kernel, unsigned index, SmallVector<int64_t> order, int64_t panel, bool ofWords) {
    ElementsAttr value;
    SmallVector<char> storage;
    ArrayRef<char> bytes;
    if (!matchPattern(kernel.getInputs()[index], m_Constant(&value)) || !onnx::getRawBytes(value, storage, bytes))
      return;
    Type element = value.getShapedType().getElementType();
    ArrayRef<int64_t> shape = value.getShapedType().getShape();
    AffineMap map = kernel.getMap(index);
    int64_t elementSize = onnx::bytesPerElement(element);
    if (ofWords) {
      llvm::erase(order, int64_t(shape.size()) - 1);
      elementSize *= shape.back();
    }
    SmallVector<int64_t> packedShape;
    SmallVector<AffineExpr> exprs;
    for (int64_t dim : order) {
      packedShape.push_back(shape[dim]);
      exprs.push_back(map.getResult(dim));
    }
    if (panel) {
      packedShape.insert(packedShape.begin(), llvm::divideCeil(packedShape.back(), panel));
      packedShape.back() = panel;
      exprs.insert(exprs.begin(), exprs.back().floorDiv(panel));
      exprs.back() = exprs.back() % panel;
    }
    SmallVector<char> packed = permute(bytes, ofWords ? shape.drop_back() : shape, elementSize, order, panel);
    if (ofWords) {
      packedShape.push_back(shape.back());
      exprs.push_back(map.getResults().back());
    }
    auto type = RankedTensorType::get(packedShape, element);
    OpBuilder builder(kernel);
    kernel.getInputsMutable()[index].set(
        arith::ConstantOp::create(builder, kernel.getLoc(), type, onnx::makeConstant(type, packed, "packed")));
    SmallVector<Attribute> maps(kernel.getIndexingMaps().getValue());
    maps[index] = AffineMapAttr::get(AffineMap::get(map.getNumDims(), 0, exprs, &getContext()));
    kernel.setIndexingMapsAttr(ArrayAttr::get(&getContext(), maps));
  }
};
} // namespace
} // namespace onnx_aot
