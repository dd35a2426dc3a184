//===- StripLoop.cpp - a group of kernels as a loop over strips of rows -------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/schedule/RowGroup.h"

using namespace mlir;
using namespace onnx_aot;
using aot::KernelOp;

namespace {
/// Writes a group as a loop.
class StripLoop : RowStrips {
public:
  StripLoop(OpBuilder &builder, const Group &group)
      : RowStrips(ImplicitLocOpBuilder(group.last.getLoc(), builder)), group(group) {}

  Value build() {
    auto type = cast<RankedTensorType>(group.last.getResult(0).getType());
    SmallVector<Value> state = {group.replaced
                                    ? group.replaced
                                    : tensor::EmptyOp::create(b, type.getShape(), type.getElementType()).getResult()};
    if (group.before)
      state.push_back(firstWindow(*group.before));
    auto loop = scf::ForOp::create(b, index(0), index(type.getDimSize(kRows) / group.rows), index(1), state);
    loop->setAttr(aot::kStripsAttr, b.getUnitAttr());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    strip = loop.getInductionVar();
    SmallVector<Value> next(loop.getRegionIterArgs());
    standIn(group.replaced, next[0]);            // the result so far, and behind it what is replaced
    Value row = times(strip, group.rows), given; // what the kernel before has made
    if (group.before)
      next[1] = given = fillWindow(*group.before, next[1]);
    if (group.after) {
      auto made = group.after->made();
      SmallVector<int64_t> shape(made.getShape());
      shape[kRows] = group.rows;
      Value buffer = tensor::EmptyOp::create(b, shape, made.getElementType());
      given = onRows(group.middle, row, group.rows, group.before, given, buffer);
    }
    // A kernel may not write the rows that it reads.
    Value part = slice(next[0], {kRows, row, group.rows});
    if (readsReplaced(group))
      part = tensor::EmptyOp::create(b, cast<ShapedType>(part.getType()).getShape(), type.getElementType());
    Value result = onRows(group.last, row, group.rows, group.after ? group.after : group.before, given, part);
    next[0] = insert(result, next[0], {kRows, row, group.rows});
    scf::YieldOp::create(b, next);
    return loop.getResult(0);
  }

private:
  /// Rows that the producer makes for a strip, and the rows of the window: those that are carried and these.
  int64_t newRows(const Link &link) const { return group.rows * link.access.scale; }
  int64_t windowRows(const Link &link) const { return newRows(link) + link.carried(); }

  /// What stands in the window before the first strip: its padding, and at its end what the first strip finds carried.
  Value firstWindow(const Link &link) {
    RankedTensorType type = link.read(), made = link.made();
    SmallVector<int64_t> shape(type.getShape()), offsets = link.offsets();
    shape[kRows] = windowRows(link);
    Value window = tensor::EmptyOp::create(b, shape, type.getElementType());
    for (unsigned dim = 0; dim < shape.size(); ++dim) {
      if (dim == kRows)
        continue;
      if (offsets[dim] > 0)
        window = pad(window, link.padValue, {dim, b.getIndexAttr(0), offsets[dim]});
      int64_t end = offsets[dim] + made.getDimSize(dim);
      if (end < shape[dim])
        window = pad(window, link.padValue, {dim, b.getIndexAttr(end), shape[dim] - end});
    }
    int64_t at = newRows(link), top = offsets[kRows];
    if (top > 0)
      window = pad(window, link.padValue, {kRows, b.getIndexAttr(at), top});
    if (int64_t rows = link.carried() - top; rows > 0)
      window = makeRows(link, window, index(0), index(at + top), rows);
    return window;
  }

  Value fillWindow(const Link &link, Value window) {
    int64_t count = newRows(link), carried = link.carried(), top = link.offsets()[kRows];
    if (carried > 0) {
      Value kept = slice(window, {kRows, b.getIndexAttr(count), carried});
      window = insert(kept, window, {kRows, b.getIndexAttr(0), carried});
    }
    // Where the last strip reads beyond what there is, the producer begins earlier.
    int64_t beyond = link.beyond(cast<ShapedType>(group.last.getResult(0).getType()).getDimSize(kRows));
    int64_t lastStart = link.made().getDimSize(kRows) - count;
    assert(beyond <= carried && lastStart >= 0 && "the producer would write above the window");
    Value wanted = plus(times(strip, count), carried - top);
    if (beyond <= 0)
      return makeRows(link, window, wanted, index(carried), count);
    window = pad(window, link.padValue, {kRows, b.getIndexAttr(carried + count - beyond), beyond});
    Value start = arith::MinUIOp::create(b, wanted, index(lastStart));
    Value missing = arith::SubIOp::create(b, wanted, start);
    return makeRows(link, window, start, arith::SubIOp::create(b, index(carried), missing), count);
  }

  /// Rows `row`... of the producer's result, at `at` of the window.
  Value makeRows(const Link &link, Value window, Value row, Value at, int64_t rows) {
    RankedTensorType made = link.made();
    SmallVector<int64_t> offsets = link.offsets();
    SmallVector<Part> ranges;
    for (unsigned dim = 0; dim < offsets.size(); ++dim)
      ranges.push_back(dim == kRows ? Part{dim, at, rows}
                                    : Part{dim, b.getIndexAttr(offsets[dim]), made.getDimSize(dim)});
    Value result = link.producer ? onRows(link.producer, row, rows, std::nullopt, Value(), slice(window, ranges))
                                 : slice(current(link.source), {kRows, row, rows});
    return insert(result, window, ranges);
  }

  Value onRows(KernelOp kernel, Value row, int64_t rows, const std::optional<Link> &link, Value given, Value init) {
    return RowStrips::onRows(kernel, kRows, row, rows, link ? link->operand : 0, given, init);
  }

  const Group &group;
  Value strip; // its number
};
} // namespace

Value onnx_aot::buildStripLoop(OpBuilder &builder, const Group &group) { return StripLoop(builder, group).build(); }
