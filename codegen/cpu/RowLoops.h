//===- RowLoops.h - loops along rows of buffers -------------------------------------------------------------------===//
//
// What an emitter of code that works on rows needs beside what is in them: index arithmetic, loops that LLVM leaves as
// they are, and walks along a row by vectors.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_CPU_ROWLOOPS_H
#define ONNX_AOT_CODEGEN_CPU_ROWLOOPS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot {

/// An element of a buffer. The row that it lies in is walked along its last index.
struct Place {
  mlir::Value buffer;
  llvm::SmallVector<mlir::Value> indices;

  Place at(int64_t dim, mlir::Value position) const {
    Place other = *this;
    other.indices[dim] = position;
    return other;
  }
  Place at(mlir::Value column) const { return at(int64_t(indices.size()) - 1, column); }
};

/// Where `condition` holds `then`, elsewhere `otherwise` if it is given.
void emitIf(mlir::ImplicitLocOpBuilder &b, mlir::Value condition, llvm::function_ref<void()> then,
            llvm::function_ref<void()> otherwise = nullptr);

class RowLoops {
protected:
  RowLoops(mlir::OpBuilder &builder, mlir::Location loc) : b(loc, builder) {}

  mlir::Value index(int64_t value);
  mlir::Value extent(mlir::Value buffer, int64_t dim);
  mlir::Value plus(mlir::Value left, mlir::Value right) { return b.createOrFold<mlir::arith::AddIOp>(left, right); }
  mlir::Value plus(mlir::Value left, int64_t right) { return right == 0 ? left : plus(left, index(right)); }
  mlir::Value minus(mlir::Value left, mlir::Value right) { return b.createOrFold<mlir::arith::SubIOp>(left, right); }
  mlir::Value times(mlir::Value left, int64_t right) { return b.createOrFold<mlir::arith::MulIOp>(left, index(right)); }
  mlir::Value smaller(mlir::Value left, mlir::Value right) { return b.createOrFold<mlir::arith::MinSIOp>(left, right); }
  mlir::Value larger(mlir::Value left, mlir::Value right) { return b.createOrFold<mlir::arith::MaxSIOp>(left, right); }
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value left, mlir::Value right) {
    return b.createOrFold<mlir::arith::CmpIOp>(predicate, left, right);
  }
  mlir::Value select(mlir::Value condition, mlir::Value yes, mlir::Value no) {
    return b.createOrFold<mlir::arith::SelectOp>(condition, yes, no);
  }

  /// `body(i, carried)` for i in low, low + step .. below high; gives what the last one returns.
  mlir::Value loop(mlir::Value low, mlir::Value high, int64_t step, mlir::Value carried,
                   llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> body);
  void loop(mlir::Value low, mlir::Value high, int64_t step, llvm::function_ref<void(mlir::Value)> body);
  /// `body(at, lanes)` for all of 0 .. below `count`, by vectors of at most `lanes`, the last of which may begin early;
  /// single elements where there are fewer.
  void alongRow(mlir::Value count, int64_t lanes, llvm::function_ref<void(mlir::Value, int64_t)> body);

  /// Whether rows of the buffer may be read as vectors.
  static bool hasUnitStride(mlir::Value buffer);
  mlir::Value load(const Place &place, int64_t lanes);
  /// An element, or as many as the vector has.
  void store(mlir::Value value, const Place &place);

  mlir::ImplicitLocOpBuilder b;
};

} // namespace onnx_aot

#endif
