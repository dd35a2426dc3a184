//===- TrimFills.cpp - borders alone, of what is filled to be written into ----------------------------------------===//
//
// Padding fills a tensor and puts another one into it. What lies below that one need not be filled.
//
//   %f = fill %e : 16x16xf32                          %t = fill the first row of %e, the last one,
//   %y = insert_slice %x into %f[1, 1] [14, 14]  =>        the first and the last column of the rows between
//                                                     %y = insert_slice %x into %t[1, 1] [14, 14]
//
// Before: each filled tensor has one user.  After: static borders are filled by themselves.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_TRIMFILLS
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
struct TrimFills : impl::TrimFillsBase<TrimFills> {
  void runOnOperation() override {
    getOperation().walk([](tensor::InsertSliceOp insert) {
      auto fill = insert.getDest().getDefiningOp<linalg::GenericOp>();
      RankedTensorType source = insert.getSourceType(), dest = insert.getDestType();
      bool isFill = fill && fill->hasOneUse() && fill.getNumDpsInputs() == 0 && fill.getNumResults() == 1 &&
                    fill.getNumReductionLoops() == 0 && !fill.hasIndexSemantics() &&
                    fill.getRegionOutputArgs()[0].use_empty() && fill->getBlock() == insert->getBlock() &&
                    fill.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>();
      bool isStatic = dest.hasStaticShape() && source.hasStaticShape() && source.getRank() == dest.getRank() &&
                      insert.hasUnitStride() && llvm::none_of(insert.getStaticOffsets(), ShapedType::isDynamic);
      // A value from outside of the body is in the one place where the fill is made anew, too.
      if (isFill && isStatic)
        trim(fill, insert);
    });
  }

  static void trim(linalg::GenericOp fill, tensor::InsertSliceOp insert) {
    OpBuilder builder(insert);
    ArrayRef<int64_t> inner = insert.getStaticOffsets();
    RankedTensorType source = insert.getSourceType(), dest = insert.getDestType();
    Value filled = fill.getDpsInits()[0];
    // The part that is still to be dealt with: all of the dims behind, the inner one of those before.
    SmallVector<int64_t> offsets(dest.getRank(), 0), sizes(dest.getShape());
    for (int64_t dim = 0; dim < dest.getRank(); ++dim) {
      int64_t high = inner[dim] + source.getDimSize(dim);
      for (auto [begin, end] : {std::pair(int64_t(0), inner[dim]), std::pair(high, dest.getDimSize(dim))}) {
        if (begin >= end)
          continue;
        offsets[dim] = begin;
        sizes[dim] = end - begin;
        filled = fillPart(builder, fill, filled, offsets, sizes);
      }
      // Around nothing there is nothing left.
      if (source.getDimSize(dim) == 0)
        break;
      offsets[dim] = inner[dim];
      sizes[dim] = source.getDimSize(dim);
    }
    insert.getDestMutable().assign(filled);
    fill.erase();
  }

  static Value fillPart(OpBuilder &builder, linalg::GenericOp fill, Value whole, ArrayRef<int64_t> offsets,
                        ArrayRef<int64_t> sizes) {
    Location loc = fill.getLoc();
    MLIRContext *context = builder.getContext();
    SmallVector<OpFoldResult> at = getAsIndexOpFoldResult(context, offsets),
                              extents = getAsIndexOpFoldResult(context, sizes),
                              ones(sizes.size(), builder.getIndexAttr(1));
    Value part = tensor::ExtractSliceOp::create(builder, loc, whole, at, extents, ones);
    auto made = linalg::GenericOp::create(builder, loc, part.getType(), ValueRange(), part,
                                          fill.getIndexingMapsArray(), fill.getIteratorTypesArray());
    IRMapping mapping;
    fill.getRegion().cloneInto(&made.getRegion(), mapping);
    return tensor::InsertSliceOp::create(builder, loc, made.getResult(0), whole, at, extents, ones);
  }
};
} // namespace
} // namespace onnx_aot
