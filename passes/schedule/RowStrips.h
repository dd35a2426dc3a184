//===- RowStrips.h - kernels of some rows at a time ---------------------------------------------------------------===//
//
// What aot-fuse-rows and aot-use-patches share: which rows of its operands a kernel needs for rows of its result, and
// how a kernel of some rows is written, on slices of tensors.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_SCHEDULE_ROWSTRIPS_H
#define ONNX_AOT_PASSES_SCHEDULE_ROWSTRIPS_H

#include "dialects/aot/AotDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot {

/// What rows r, r + 1, ... of a kernel's result read of an operand: along its dim `position`, elements
/// scale * r + first ... + span. All of it where `position` is negative.
struct RowAccess {
  int position = -1;
  int64_t scale = 0, first = 0, span = 1;

  int64_t sizeFor(int64_t rows) const { return scale * (rows - 1) + span; }
};

/// The loop dim whose points are those of dim `position` of the kernel's result, or -1.
int loopDimOf(aot::KernelOp kernel, unsigned position);
/// Nothing where the points of loop dim `dim` read an operand in another way than RowAccess can say.
std::optional<RowAccess> rowAccess(aot::KernelOp kernel, unsigned dim, unsigned operand);
/// Whether the kernel, whose extents are known, can be computed strip by strip along dim `position` of its result.
bool hasRows(aot::KernelOp kernel, unsigned position);
/// The scalar that a tensor holds everywhere, a constant; null otherwise.
mlir::Value fillOf(mlir::Value tensor);
int64_t bytesOf(mlir::Type type);

/// Writes operations on parts of tensors.
class RowStrips {
public:
  explicit RowStrips(mlir::ImplicitLocOpBuilder builder) : b(builder) {}

  /// `size` elements along dim `dim` from `offset` on.
  struct Part {
    unsigned dim;
    mlir::OpFoldResult offset;
    int64_t size;
  };

protected:
  /// From here on rows of `value` are read in `other`.
  void standIn(mlir::Value value, mlir::Value other) {
    replaced = value;
    replacement = other;
  }
  mlir::Value current(mlir::Value value) const { return value == replaced ? replacement : value; }

  mlir::Value index(int64_t value);
  mlir::Value times(mlir::Value value, int64_t factor);
  mlir::Value plus(mlir::Value value, int64_t summand);
  mlir::Value slice(mlir::Value tensor, llvm::ArrayRef<Part> ranges);
  mlir::Value slice(mlir::Value tensor, Part range) { return slice(tensor, llvm::ArrayRef(range)); }
  mlir::Value insert(mlir::Value part, mlir::Value tensor, llvm::ArrayRef<Part> ranges);
  mlir::Value insert(mlir::Value part, mlir::Value tensor, Part range) {
    return insert(part, tensor, llvm::ArrayRef(range));
  }
  /// `tensor` with `value` everywhere in a part.
  mlir::Value pad(mlir::Value tensor, mlir::Value value, Part range);
  /// `kernel` for `rows` rows along dim `position` of its result from `row` on, to `init`; its operand `operand` is
  /// `given` already, if that is not null.
  mlir::Value onRows(aot::KernelOp kernel, unsigned position, mlir::Value row, int64_t rows, unsigned operand,
                     mlir::Value given, mlir::Value init);

  mlir::ImplicitLocOpBuilder b;

private:
  mlir::Value replaced, replacement; // null where there is none
  std::pair<llvm::SmallVector<mlir::OpFoldResult>, llvm::SmallVector<mlir::OpFoldResult>>
  place(mlir::Value tensor, llvm::ArrayRef<Part> ranges);
};

} // namespace onnx_aot

#endif
