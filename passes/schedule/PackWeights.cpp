//===- PackWeights.cpp - constant inputs in the order in which kernels read them ----------------------------------===//
//
// A constant input that the vector dim does not walk contiguously is permuted at compile time, so that this dim comes
// last. The kernel's indexing map is permuted alike.
//
//   %w = arith.constant : tensor<oc x ic x 3 x 3>, vector dim oc   =>   tensor<ic x 3 x 3 x oc>
//
// Before: strategies are chosen.  After: kernels load constant operands as whole vectors or as scalars.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/LoopNest.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
struct PackWeights : impl::PackWeightsBase<PackWeights> {
  void runOnOperation() override {
    getOperation().walk([&](aot::KernelOp kernel) {
      aot::StrategyAttr strategy = kernel.getStrategyAttr();
      if (!strategy || strategy.getVector() < 0)
        return;
      FailureOr<aot::LoopNest> nest = aot::LoopNest::of(kernel);
      int vector = succeeded(nest) ? nest->dimOf(strategy.getVector()) : -1;
      if (vector < 0)
        return;
      for (auto [index, access] : llvm::enumerate(nest->inputs)) {
        int64_t stride = access.strides[vector];
        if (access.packable && stride != 0 && stride != 1)
          pack(kernel, index, strategy.getVector());
      }
    });
  }

  void pack(aot::KernelOp kernel, unsigned index, int64_t vectorDim) {
    AffineMap map = kernel.getMap(index);
    SmallVector<int64_t> order;
    int64_t last = -1;
    for (auto [position, expr] : llvm::enumerate(map.getResults())) {
      if (cast<AffineDimExpr>(expr).getPosition() == unsigned(vectorDim))
        last = position;
      else
        order.push_back(position);
    }
    ElementsAttr value;
    if (last < 0 || !matchPattern(kernel.getInputs()[index], m_Constant(&value)))
      return;
    order.push_back(last);
    SmallVector<char> storage;
    ArrayRef<char> bytes;
    if (!onnx::getRawBytes(value, storage, bytes))
      return;
    auto type = cast<RankedTensorType>(value.getShapedType());
    SmallVector<int64_t> shape;
    SmallVector<AffineExpr> exprs;
    for (int64_t position : order) {
      shape.push_back(type.getDimSize(position));
      exprs.push_back(map.getResult(position));
    }
    auto packedType = RankedTensorType::get(shape, type.getElementType());
    SmallVector<char> packed = permute(bytes, type, order);
    OpBuilder builder(kernel);
    ElementsAttr packedValue = onnx::makeConstant(packedType, packed, "packed");
    Value constant = arith::ConstantOp::create(builder, kernel.getLoc(), packedType, packedValue);
    kernel.getInputsMutable()[index].set(constant);
    SmallVector<Attribute> maps(kernel.getIndexingMaps().getValue());
    maps[index] = AffineMapAttr::get(AffineMap::get(map.getNumDims(), 0, exprs, &getContext()));
    kernel.setIndexingMapsAttr(builder.getArrayAttr(maps));
  }

  static SmallVector<char> permute(ArrayRef<char> bytes, RankedTensorType type, ArrayRef<int64_t> order) {
    int64_t rank = type.getRank(), size = onnx::bytesPerElement(type.getElementType());
    SmallVector<int64_t> strides(rank, size), position(rank, 0);
    for (int64_t dim = rank - 2; dim >= 0; --dim)
      strides[dim] = strides[dim + 1] * type.getDimSize(dim + 1);
    SmallVector<char> result(bytes.size());
    for (int64_t at = 0, from = 0, count = type.getNumElements(); at < count; ++at) {
      std::memcpy(result.data() + at * size, bytes.data() + from, size);
      for (int64_t dim = rank; dim-- > 0;) {
        int64_t source = order[dim];
        from += strides[source];
        if (++position[dim] < type.getDimSize(source))
          break;
        from -= strides[source] * type.getDimSize(source);
        position[dim] = 0;
      }
    }
    return result;
  }
};
} // namespace
} // namespace onnx_aot
