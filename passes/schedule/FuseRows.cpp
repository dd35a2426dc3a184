//===- FuseRows.cpp - neighbouring kernels, some rows at a time ---------------------------------------------------===//
//
// Where a kernel's result outgrows the second-level cache, its consumer finds none of it there. A group of up to three
// kernels - one that makes rows, one that slides a window over them (depthwise convolution, pooling), one that works
// on what comes out - runs in strips of rows instead, so that what lies between them stays near:
//
//   %a = aot.kernel A(%x)                           %y = scf.for strip iter_args(%window, %out)
//   %p = insert_slice %a into zeros                   rows of the window that are needed again move to its begin
//   %b = aot.kernel B(%p)                    =>       A makes the rows behind them
//   %y = aot.kernel C(%b)                             B makes a strip from the window, C a strip of %out
//
// Of B's window, as many rows as two strips share (3 - stride of a 3x3 window) are kept. The first of them, which no
// strip makes, A makes before the loop. What pads A's result is written once around the window; the rows beyond its
// end, in each strip before A overwrites all but the last strip's. There A begins earlier, and makes as many rows again
// as there is padding below: no more than are kept, or the kernels stay whole.
//
// Where memory is little (TargetModel::hasLittleMemory), strips serve that, around the layers that need most of it. A
// is then a copy where no kernel makes the rows, so that no padded image is there as a whole; and the result takes the
// place of what A reads where both have the same shape: when strip s is written, all rows up to the end of strip s have
// been read.
//
// Before: kernels are final, Winograd's have left.  After: kernels of a group stand in a loop, on slices of tensors.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/TargetModel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/schedule/LoopStrategy.h"
#include "passes/schedule/Passes.h"
#include "passes/schedule/RowStrips.h"

namespace onnx_aot {
#define GEN_PASS_DEF_FUSEROWS
#include "passes/schedule/Passes.h.inc"

using namespace mlir;
using aot::KernelOp;

namespace {
/// The dim of images [n, rows, ...] that strips divide.
constexpr unsigned kRows = 1;

/// An operand that is the result of another kernel, or another image, with what is put around that.
struct Link {
  unsigned operand = 0;
  RowAccess access;
  /// The image without its padding, and the kernel that makes it; null where its rows are copied.
  Value source;
  mutable KernelOp producer;
  /// The padding; null where there is none.
  mutable tensor::InsertSliceOp padding;
  Value padValue;

  RankedTensorType made() const { return cast<RankedTensorType>(source.getType()); }
  /// With its padding.
  RankedTensorType read() const { return padding ? padding.getDestType() : made(); }
  SmallVector<int64_t> offsets() const {
    return padding ? SmallVector<int64_t>(padding.getStaticOffsets()) : SmallVector<int64_t>(made().getRank(), 0);
  }
  /// Rows that a strip reads again of those that the strip before it has read.
  int64_t carried() const { return access.span - access.scale; }
  /// Rows below what the producer makes which a result of `rows` rows reads; negative where it leaves some out.
  int64_t beyond(int64_t rows) const { return access.sizeFor(rows) - offsets()[kRows] - made().getDimSize(kRows); }
};

/// A, B and C of the file's head; A or C may be missing.
struct Group {
  std::optional<Link> before, after; // A to B, B to C
  mutable KernelOp middle, last;     // B; C or else B
  int64_t rows = 0;                  // of the result, per strip
  mutable Value replaced;            // by the result, as strips are read; null where the result has a place of its own
};

/// What rows of the kernel's result read of an operand.
std::optional<RowAccess> rowAccess(KernelOp kernel, unsigned operand) {
  return onnx_aot::rowAccess(kernel, loopDimOf(kernel, kRows), operand);
}

/// Whether its rows can be computed strip by strip.
bool hasRows(KernelOp kernel) { return onnx_aot::hasRows(kernel, kRows); }

/// With `mayCopy` a padded image that no kernel makes for this operand alone is one whose rows are copied.
std::optional<Link> linkOf(KernelOp consumer, unsigned operand, bool mayCopy) {
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

/// The operand whose producer makes most.
std::optional<Link> largestLink(KernelOp consumer, bool mayCopy) {
  std::optional<Link> largest;
  for (unsigned operand = 0; operand < consumer.getInputs().size(); ++operand)
    if (std::optional<Link> link = linkOf(consumer, operand, mayCopy);
        link && (!largest || bytesOf(link->made()) > bytesOf(largest->made())))
      largest = link;
  return largest;
}

/// Whether the last kernel reads the rows itself that its result replaces.
bool readsReplaced(const Group &group) {
  return group.replaced && llvm::is_contained(group.last.getInputs(), group.replaced);
}

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

struct FuseRows : impl::FuseRowsBase<FuseRows> {
  explicit FuseRows(const aot::TargetModel &target = genericTargetModel()) : target(&target) {}

  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation().walk([&](KernelOp kernel) { kernels.push_back(kernel); });
    for (KernelOp kernel : kernels)
      if (hasRows(kernel))
        mostBytes = std::max(mostBytes, imageBytes(kernel));
    llvm::DenseSet<Operation *> gone;
    // Windows first: they gain most, and what makes their rows is to go with them.
    for (bool isWindow : {true, false})
      for (KernelOp kernel : kernels) {
        if (gone.contains(kernel) || slides(kernel) != isWindow)
          continue;
        std::optional<Group> group = groupAround(kernel);
        if (!group)
          continue;
        OpBuilder builder(group->last);
        group->last.getResult(0).replaceAllUsesWith(StripLoop(builder, *group).build());
        erase(*group, gone);
      }
  }

  static void erase(const Group &group, llvm::DenseSet<Operation *> &gone) {
    auto remove = [&](Operation *op) {
      gone.insert(op);
      op->erase();
    };
    if (group.after)
      remove(group.last);
    remove(group.middle);
    if (group.before) {
      if (group.before->padding)
        remove(group.before->padding);
      if (group.before->producer)
        remove(group.before->producer);
    }
  }

  /// By its first operand, the data.
  static bool slides(KernelOp kernel) {
    if (!hasRows(kernel))
      return false;
    std::optional<RowAccess> access = kernel.getInputs().empty() ? std::nullopt : rowAccess(kernel, 0);
    return access && access->span > 1;
  }

  /// The group that gains most with `kernel` as the one that slides a window, or is the first of two.
  std::optional<Group> groupAround(KernelOp kernel) const {
    if (!hasRows(kernel))
      return std::nullopt;
    Group group{largestLink(kernel, target->hasLittleMemory()), std::nullopt, kernel, kernel, 0, Value()};
    if (kernel->hasOneUse())
      if (auto consumer = dyn_cast<KernelOp>(*kernel->user_begin()); hasRows(consumer))
        if (std::optional<Link> link = largestLink(consumer, false);
            link && link->producer == kernel && !link->padding && link->carried() == 0 && link->access.scale == 1) {
          group.after = link;
          group.last = consumer;
        }
    // What is small stays near by itself; where all three do not fit, two may.
    Group first = group, second = group;
    first.after.reset();
    first.last = kernel;
    second.before.reset();
    if (target->hasLittleMemory())
      return leastMemory({group, first, second});
    for (Group choice : {group, first, second}) {
      bool gains = (choice.before && bytesOf(choice.before->made()) > near()) ||
                   (choice.after && bytesOf(choice.after->made()) > near());
      bool isNeedless = choice.before && bytesOf(choice.before->made()) <= near();
      choice.rows = gains && !isNeedless ? rowsOf(choice) : 0;
      if (choice.rows > 0)
        return choice;
    }
    return std::nullopt;
  }

  int64_t near() const { return target->secondLevelBytes() / 2; }

  //===-- Little memory -------------------------------------------------------------------------------------------===//

  /// Of what a caller holds anyway nothing.
  static int64_t ownBytes(Value value) { return isa<BlockArgument>(value) ? 0 : bytesOf(value.getType()); }

  /// What images take while `kernel` runs: its result, what it reads, and what that is a padded copy of.
  static int64_t imageBytes(KernelOp kernel) {
    llvm::SetVector<Value> images;
    addImages(kernel, std::nullopt, images);
    return bytesOf(kernel.getResult(0).getType()) + ownBytes(images.getArrayRef());
  }

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

  /// The choice whose loop needs least memory, where that is less than its kernels need and these are among those that
  /// need most of the model.
  std::optional<Group> leastMemory(ArrayRef<Group> choices) const {
    std::optional<Group> best;
    int64_t least = INT64_MAX;
    for (Group choice : choices) {
      int64_t whole = imageBytes(choice.middle);
      for (KernelOp kernel : {choice.last, choice.before ? choice.before->producer : KernelOp()})
        whole = std::max(whole, kernel ? imageBytes(kernel) : 0);
      choice.replaced = replacedBy(choice);
      choice.rows = fewRows(choice);
      if (choice.rows == 0 || whole < mostBytes / 2)
        continue;
      if (int64_t bytes = stripBytes(choice); bytes < whole && bytes < least) {
        least = bytes;
        best = choice;
      }
    }
    return best;
  }

  /// What the first kernel reads row by row, where nothing else reads it and the result of the group may take its
  /// place.
  static Value replacedBy(const Group &group) {
    auto type = group.last.getResult(0).getType();
    auto isFree = [&](Value value) {
      Operation *maker = value.getDefiningOp();
      bool isInside = maker == group.middle ||
                      (group.before && (maker == group.before->producer || maker == group.before->padding));
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

  /// The fewest rows of which a strip makes twice what it keeps for the next one, or at least as much.
  static int64_t fewRows(const Group &group) {
    int64_t all = cast<ShapedType>(group.last.getResult(0).getType()).getDimSize(kRows);
    for (int64_t share : {2, 1})
      for (int64_t rows = 1; rows < all; ++rows)
        if (all % rows == 0 && (!group.before || suits(*group.before, rows, all, share)))
          return rows;
    return 0;
  }

  /// Images, windows and strips of the loop.
  static int64_t stripBytes(const Group &group) {
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

  //===-- Near memory ---------------------------------------------------------------------------------------------===//

  /// As many rows of the result as a strip may have for what it touches to stay near; 0 where there are none.
  int64_t rowsOf(const Group &group) const {
    int64_t all = cast<ShapedType>(group.last.getResult(0).getType()).getDimSize(kRows), best = 0;
    for (int64_t rows = 1; rows < all; ++rows) {
      if (all % rows != 0 || touchedBytes(group, rows) > near())
        continue;
      if (!group.before || suits(*group.before, rows, all))
        best = rows;
    }
    return best;
  }

  /// Whether a strip makes `share` times what it keeps for the next one, and the last one finds what it is to make in
  /// the window.
  static bool suits(const Link &link, int64_t rows, int64_t all, int64_t share = 2) {
    int64_t made = rows * link.access.scale;
    return made >= share * link.carried() && made <= link.made().getDimSize(kRows) &&
           link.beyond(all) <= link.carried();
  }

  /// What a strip of `rows` reads and writes: of images its rows, and all of the weights.
  static int64_t touchedBytes(const Group &group, int64_t rows) {
    auto share = [](Value operand, const RowAccess &access, int64_t count) {
      int64_t bytes = bytesOf(operand.getType());
      return access.position < 0
                 ? bytes
                 : bytes * access.sizeFor(count) / cast<ShapedType>(operand.getType()).getDimSize(access.position);
    };
    auto ofKernel = [&](KernelOp kernel, int64_t count) {
      int64_t bytes = 0;
      for (auto [operand, value] : llvm::enumerate(kernel->getOperands()))
        bytes += share(value, *rowAccess(kernel, operand), count);
      return bytes;
    };
    int64_t bytes = ofKernel(group.middle, rows);
    if (group.after)
      bytes += ofKernel(group.last, rows);
    if (group.before)
      bytes += ofKernel(group.before->producer, rows * group.before->access.scale);
    return bytes;
  }

  const aot::TargetModel *target;
  int64_t mostBytes = 0; // that images take while a kernel runs
};
} // namespace

std::unique_ptr<Pass> createFuseRowsPass(const aot::TargetModel &target) { return std::make_unique<FuseRows>(target); }
} // namespace onnx_aot
