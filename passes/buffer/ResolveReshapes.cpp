//===- ResolveReshapes.cpp - reshapes with several dynamic dims as casts ------------------------------------------===//
//
// memref.expand_shape with more than one dynamic dim in a group cannot be lowered by MLIR 22 (its pass for strided
// metadata assumes one, llvm-project issue 186830). Such a reshape knows all its sizes; its strides follow from them.
//
//   %y = memref.expand_shape %x [[0, 1]] output_shape [%a, %b] : memref<?xf32> into memref<?x?xf32>
// becomes
//   %base, %offset, %size, %stride = memref.extract_strided_metadata %x
//   %y = memref.reinterpret_cast %base to offset: [%offset], sizes: [%a, %b], strides: [%b * %stride, %stride]
//
// Before: the arena is planned, as buffers are not followed through the cast.  After: every group of a
// memref.expand_shape has at most one dynamic dim.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_RESOLVERESHAPES
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
struct ResolveReshapes : impl::ResolveReshapesBase<ResolveReshapes> {
  void runOnOperation() override {
    SmallVector<memref::ExpandShapeOp> reshapes;
    getOperation().walk([&](memref::ExpandShapeOp reshape) {
      if (llvm::any_of(reshape.getReassociationIndices(), [&](const ReassociationIndices &group) {
            return llvm::count_if(group, [&](int64_t dim) { return reshape.getResultType().isDynamicDim(dim); }) > 1;
          }))
        reshapes.push_back(reshape);
    });
    for (memref::ExpandShapeOp reshape : reshapes)
      resolve(reshape);
  }

  static void resolve(memref::ExpandShapeOp reshape) {
    OpBuilder builder(reshape);
    Location loc = reshape.getLoc();
    auto source = memref::ExtractStridedMetadataOp::create(builder, loc, reshape.getSrc());
    SmallVector<OpFoldResult> sourceStrides = source.getConstifiedMixedStrides();
    SmallVector<OpFoldResult> sizes = reshape.getMixedOutputShape();
    SmallVector<OpFoldResult> strides(sizes.size());
    for (auto [dim, group] : llvm::enumerate(reshape.getReassociationIndices())) {
      OpFoldResult stride = sourceStrides[dim];
      for (int64_t inner : llvm::reverse(group)) {
        strides[inner] = stride;
        stride = multiply(builder, loc, stride, sizes[inner]);
      }
    }
    // The type of the cast has the static strides and the offset that the reshape has found.
    MemRefType type = reshape.getResultType();
    auto [known, offset] = type.getStridesAndOffset();
    for (auto [stride, fixed] : llvm::zip(strides, known))
      if (!ShapedType::isDynamic(fixed))
        stride = builder.getIndexAttr(fixed);
    OpFoldResult start =
        ShapedType::isDynamic(offset) ? source.getConstifiedMixedOffset() : builder.getIndexAttr(offset);
    for (OpFoldResult &stride : strides)
      if (ShapedType::isDynamic(known[&stride - strides.begin()]))
        stride = getValueOrCreateConstant(builder, loc, stride);
    Value cast = memref::ReinterpretCastOp::create(builder, loc, type, source.getBaseBuffer(), start, sizes, strides);
    reshape.replaceAllUsesWith(cast);
    reshape.erase();
  }

  static Value getValueOrCreateConstant(OpBuilder &builder, Location loc, OpFoldResult value) {
    if (auto constant = getConstantIntValue(value))
      return arith::ConstantIndexOp::create(builder, loc, *constant);
    return cast<Value>(value);
  }

  static OpFoldResult multiply(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b) {
    std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
    if (x && y)
      return builder.getIndexAttr(*x * *y);
    if (x && *x == 1)
      return b;
    if (y && *y == 1)
      return a;
    return arith::MulIOp::create(builder, loc, getValueOrCreateConstant(builder, loc, a),
                                 getValueOrCreateConstant(builder, loc, b))
        .getResult();
  }
};
} // namespace
} // namespace onnx_aot
