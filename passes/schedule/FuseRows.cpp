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
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/schedule/LoopStrategy.h"
#include "passes/schedule/Passes.h"
#include "passes/schedule/RowGroup.h"

namespace onnx_aot {
#define GEN_PASS_DEF_FUSEROWS
#include "passes/schedule/Passes.h.inc"

using namespace mlir;
using aot::KernelOp;

namespace {
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
        group->last.getResult(0).replaceAllUsesWith(buildStripLoop(builder, *group));
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

  //===-- Near memory ---------------------------------------------------------------------------------------------===//

  /// As many rows of the result as a strip may have for what it touches to stay near; 0 where there are none.
  int64_t rowsOf(const Group &group) const {
    int64_t all = cast<ShapedType>(group.last.getResult(0).getType()).getDimSize(kRows), best = 0;
    for (int64_t rows = 1; rows < all; ++rows) {
      if (all % rows != 0 || touchedBytes(group, rows) > near())
        continue;
      if (!group.before || suits(*group.before, rows, all, 2))
        best = rows;
    }
    return best;
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
