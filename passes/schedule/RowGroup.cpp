//===- RowGroup.cpp - neighbouring kernels that may run in strips of rows -----------------------------------------===//
#include "passes/schedule/RowGroup.h"

using namespace mlir;
using namespace onnx_aot;
using aot::KernelOp;

std::optional<RowAccess> onnx_aot::rowAccess(KernelOp kernel, unsigned operand) {
  return rowAccess(kernel, loopDimOf(kernel, kRows), operand);
}

bool onnx_aot::hasRows(KernelOp kernel) { return hasRows(kernel, kRows); }

/// With `mayCopy` a padded image that no kernel makes for this operand alone is one whose rows are copied.
static std::optional<Link> linkOf(KernelOp consumer, unsigned operand, bool mayCopy) {
  Value value = consumer.getInputs()[operand];
  Link link{operand, *rowAccess(consumer, operand), {}, {}, {}, {}};
  if (link.access.position != int(kRows) || link.access.first != 0 || link.carried() < 0 || !value.hasOneUse())
    return std::nullopt;
  if (auto insert = value.getDefiningOp<tensor::InsertSliceOp>()) {
    link.padding = insert;
    link.padValue = fillOf(insert.getDest());
    value = insert.getSource();
    auto isDynamic = [](ArrayRef<int64_t> values) { return llvm::any_of(values, ShapedType::isDynamic); };
    if (!link.padValue || !insert.hasUnitStride() || isDynamic(insert.getStaticOffsets()) ||
        isDynamic(insert.getStaticSizes()) || insert.getSourceType().getRank() != insert.getDestType().getRank())
      return std::nullopt;
  }
  link.source = value;
  link.producer = value.getDefiningOp<KernelOp>();
  // Nothing moves into a loop around its consumer.
  if (!value.hasOneUse() || !hasRows(link.producer) || link.producer->getBlock() != consumer->getBlock()) {
    if (!mayCopy || !link.padding || !link.made().hasStaticShape() || link.made().getDimSize(0) != 1)
      return std::nullopt;
    link.producer = KernelOp();
  }
  // The first strip begins with rows that are there or are padding.
  int64_t top = link.offsets()[kRows], below = link.read().getDimSize(kRows) - top - link.made().getDimSize(kRows);
  return link.carried() >= top && below >= 0 ? std::optional(link) : std::nullopt;
}

std::optional<Link> onnx_aot::largestLink(KernelOp consumer, bool mayCopy) {
  std::optional<Link> largest;
  for (unsigned operand = 0; operand < consumer.getInputs().size(); ++operand)
    if (std::optional<Link> link = linkOf(consumer, operand, mayCopy);
        link && (!largest || bytesOf(link->made()) > bytesOf(largest->made())))
      largest = link;
  return largest;
}

bool onnx_aot::readsReplaced(const Group &group) {
  return group.replaced && llvm::is_contained(group.last.getInputs(), group.replaced);
}

/// Whether a strip makes `share` times what it keeps for the next one, and the last one finds what it is to make in
/// the window.
bool onnx_aot::suits(const Link &link, int64_t rows, int64_t all, int64_t share) {
  int64_t made = rows * link.access.scale;
  return made >= share * link.carried() && made <= link.made().getDimSize(kRows) && link.beyond(all) <= link.carried();
}
