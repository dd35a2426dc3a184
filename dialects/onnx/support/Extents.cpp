//===- Extents.cpp - operands whose extents only a run tells ------------------------------------------------------===//
#include "dialects/onnx/support/Extents.h"
#include "dialects/onnx/support/Checks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace onnx_aot::onnx {

Shape symbolicShape(const TypeConverter *converter, Value value) {
  ShapeAnalysis *shapes = static_cast<const TensorTypeConverter *>(converter)->getShapes();
  return shapes ? shapes->shapeOf(value) : *ShapeContext().shape(value);
}

Value alignTo(OpBuilder &builder, Location loc, Value lowered, ArrayRef<Dim> from, ArrayRef<Dim> to,
              ArrayRef<OpFoldResult> sizes) {
  to = to.take_back(from.size());
  sizes = sizes.take_back(from.size());
  SmallVector<OpFoldResult> aligned(sizes);
  bool isOpen = false;
  for (auto [index, dim] : llvm::enumerate(from)) {
    if (dim.is(1))
      aligned[index] = builder.getIndexAttr(1);
    if (dim.is(1) || dim.equals(to[index]))
      continue;
    OpFoldResult own = sizeOf(builder, loc, lowered, index);
    if (constantSize(own)) {
      requireEqual(builder, loc, own, sizes[index], aot::Code::shape_mismatch);
      aligned[index] = own;
      continue;
    }
    isOpen = true;
    Value extent = asIndex(builder, loc, own), one = arith::ConstantIndexOp::create(builder, loc, 1);
    auto is = [&](Value wanted) -> Value {
      return builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, extent, wanted);
    };
    Value fits = constantSize(sizes[index]) == 1
                     ? is(one)
                     : builder.createOrFold<arith::OrIOp>(loc, is(one), is(asIndex(builder, loc, sizes[index])));
    require(builder, loc, fits, aot::Code::shape_mismatch);
  }
  return isOpen ? Value(aot::BroadcastOp::create(builder, loc, lowered, aligned)) : lowered;
}

void requireExtents(OpBuilder &builder, Location loc, Value lowered, ArrayRef<Dim> from, ArrayRef<Dim> to,
                    ArrayRef<OpFoldResult> sizes) {
  for (auto [index, dim] : llvm::enumerate(from))
    if (!dim.equals(to[index]))
      requireEqual(builder, loc, sizeOf(builder, loc, lowered, index), sizes[index], aot::Code::shape_mismatch);
}

Value buildScalar(OpBuilder &builder, Location loc, Value tensor) {
  OpFoldResult count = productOf(builder, loc, sizesOf(builder, loc, tensor));
  requireEqual(builder, loc, count, builder.getIndexAttr(1), aot::Code::shape_mismatch);
  return buildReshape(builder, loc, tensor, ArrayRef<OpFoldResult>());
}

} // namespace onnx_aot::onnx
