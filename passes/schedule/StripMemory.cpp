//===- StripMemory.cpp - what kernels take of memory, whole and in strips of rows ---------------------------------===//
#include "passes/schedule/RowGroup.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace onnx_aot;
using aot::KernelOp;

/// Of what a caller holds anyway nothing.
static int64_t ownBytes(Value value) { return isa<BlockArgument>(value) ? 0 : bytesOf(value.getType()); }

static int64_t ownBytes(ArrayRef<Value> images) {
  int64_t bytes = 0;
  for (Value image : images)
    bytes += ownBytes(image);
  return bytes;
}

/// The images that `kernel` reads, but for its operand `link`.
static void addImages(KernelOp kernel, const std::optional<Link> &link, llvm::SetVector<Value> &images) {
  for (auto [operand, value] : llvm::enumerate(kernel.getInputs())) {
    if (rowAccess(kernel, operand)->position < 0 || (link && link->operand == operand))
      continue;
    images.insert(value);
    if (auto insert = value.getDefiningOp<tensor::InsertSliceOp>(); insert && !insert.getSource().hasOneUse())
      images.insert(insert.getSource());
  }
}

int64_t onnx_aot::imageBytes(KernelOp kernel) {
  llvm::SetVector<Value> images;
  addImages(kernel, std::nullopt, images);
  return bytesOf(kernel.getResult(0).getType()) + ownBytes(images.getArrayRef());
}

Value onnx_aot::replacedBy(const Group &group) {
  auto type = group.last.getResult(0).getType();
  auto isFree = [&](Value value) {
    Operation *maker = value.getDefiningOp();
    bool isInside =
        maker == group.middle || (group.before && (maker == group.before->producer || maker == group.before->padding));
    return value.getType() == type && value.hasOneUse() && maker && !isInside &&
           !maker->hasTrait<OpTrait::ConstantLike>();
  };
  // Rows that strip after strip reads before the result comes to them. What is made for the window of a strip lies
  // behind the strip itself, as long as the window moves as fast as the result.
  bool keepsAhead = !group.before || group.before->access.scale == 1;
  if (keepsAhead && group.before && !group.before->producer && isFree(group.before->source))
    return group.before->source;
  KernelOp first = group.before ? group.before->producer : group.middle;
  for (KernelOp kernel : {keepsAhead ? first : KernelOp(), group.middle, group.last})
    for (unsigned operand = 0; kernel && operand < kernel.getInputs().size(); ++operand) {
      RowAccess access = *rowAccess(kernel, operand);
      bool readsStrip = access.position == int(kRows) && access.scale == 1 && access.first == 0 && access.span == 1;
      if (readsStrip && isFree(kernel.getInputs()[operand]))
        return kernel.getInputs()[operand];
    }
  return Value();
}

int64_t onnx_aot::fewRows(const Group &group) {
  int64_t all = cast<ShapedType>(group.last.getResult(0).getType()).getDimSize(kRows);
  for (int64_t share : {2, 1})
    for (int64_t rows = 1; rows < all; ++rows)
      if (all % rows == 0 && (!group.before || suits(*group.before, rows, all, share)))
        return rows;
  return 0;
}

int64_t onnx_aot::stripBytes(const Group &group) {
  auto rowOf = [](RankedTensorType type) { return bytesOf(type) / type.getDimSize(kRows); };
  auto result = cast<RankedTensorType>(group.last.getResult(0).getType());
  llvm::SetVector<Value> images;
  int64_t bytes = group.replaced ? 0 : bytesOf(result);
  addImages(group.middle, group.before, images);
  if (group.after) {
    addImages(group.last, group.after, images);
    bytes += group.rows * rowOf(group.after->made());
  }
  if (readsReplaced(group))
    bytes += group.rows * rowOf(result);
  if (group.before) {
    bytes += (group.rows * group.before->access.scale + group.before->carried()) * rowOf(group.before->read());
    if (group.before->producer)
      addImages(group.before->producer, std::nullopt, images);
    else
      images.insert(group.before->source);
  }
  return bytes + ownBytes(images.getArrayRef());
}
