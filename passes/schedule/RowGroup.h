//===- RowGroup.h - neighbouring kernels that may run in strips of rows -------------------------------------------===//
//
// What aot-fuse-rows chooses from (FuseRows.cpp has the picture), and what it does with its choice.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_SCHEDULE_ROWGROUP_H
#define ONNX_AOT_PASSES_SCHEDULE_ROWGROUP_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/schedule/RowStrips.h"

namespace onnx_aot {

/// The dim of images [n, rows, ...] that strips divide.
constexpr unsigned kRows = 1;

/// An operand that is the result of another kernel, or another image, with what is put around that.
struct Link {
  unsigned operand = 0;
  RowAccess access;
  /// The image without its padding, and the kernel that makes it; null where its rows are copied.
  mlir::Value source;
  mutable aot::KernelOp producer;
  /// The padding; null where there is none.
  mutable mlir::tensor::InsertSliceOp padding;
  mlir::Value padValue;

  mlir::RankedTensorType made() const { return mlir::cast<mlir::RankedTensorType>(source.getType()); }
  /// With its padding.
  mlir::RankedTensorType read() const { return padding ? padding.getDestType() : made(); }
  llvm::SmallVector<int64_t> offsets() const {
    return padding ? llvm::SmallVector<int64_t>(padding.getStaticOffsets())
                   : llvm::SmallVector<int64_t>(made().getRank(), 0);
  }
  /// Rows that a strip reads again of those that the strip before it has read.
  int64_t carried() const { return access.span - access.scale; }
  /// Rows below what the producer makes which a result of `rows` rows reads; negative where it leaves some out.
  int64_t beyond(int64_t rows) const { return access.sizeFor(rows) - offsets()[kRows] - made().getDimSize(kRows); }
};

/// A, B and C of the file's head; A or C may be missing.
struct Group {
  std::optional<Link> before, after;  // A to B, B to C
  mutable aot::KernelOp middle, last; // B; C or else B
  int64_t rows = 0;                   // of the result, per strip
  mutable mlir::Value replaced;       // by the result, as strips are read; null where the result has a place of its own
};

/// What rows of the kernel's result read of an operand.
std::optional<RowAccess> rowAccess(aot::KernelOp kernel, unsigned operand);
/// Whether its rows can be computed strip by strip.
bool hasRows(aot::KernelOp kernel);
/// The operand whose producer makes most. With `mayCopy` a padded image that no kernel makes for this operand alone is
/// one whose rows are copied.
std::optional<Link> largestLink(aot::KernelOp consumer, bool mayCopy);
/// Whether a strip makes `share` times what it keeps for the next one, and the last one finds what it is to make in the
/// window.
bool suits(const Link &link, int64_t rows, int64_t all, int64_t share);
/// Whether the last kernel reads the rows itself that its result replaces.
bool readsReplaced(const Group &group);

/// Writes a group as a loop; returns what replaces the last kernel's result. StripLoop.cpp
mlir::Value buildStripLoop(mlir::OpBuilder &builder, const Group &group);

// Where memory is little: StripMemory.cpp.

/// What images take while `kernel` runs: its result, what it reads, and what that is a padded copy of.
int64_t imageBytes(aot::KernelOp kernel);
/// What images, windows and strips of the group's loop take.
int64_t stripBytes(const Group &group);
/// What the group reads row by row, where nothing else reads it and its result may take that place; null otherwise.
mlir::Value replacedBy(const Group &group);
/// The fewest rows of which a strip makes twice what it keeps for the next one, or at least as much; 0: there are none.
int64_t fewRows(const Group &group);

} // namespace onnx_aot

#endif
