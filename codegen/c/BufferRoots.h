//===- BufferRoots.h - which memory a buffer may lie in -----------------------------------------------------------===//
//
// What it is for: says which parameters of a function are only read (`const`), and which share no memory that is
// written with another parameter of the same call (`restrict`). How it works: a buffer is traced through views, loops
// and branches to where its memory comes from, with the bytes of it that it may cover; what the caller passes, the
// weights and the slots of the context are apart from each other (see the header of a model), slices of the arena are
// where their bytes are.
//
//   call @conv_0(%x, %w, %y) with %x = view %arena[0], %y = view %arena[4096]    ->    all three are `restrict`
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_C_BUFFERROOTS_H
#define ONNX_AOT_CODEGEN_C_BUFFERROOTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseSet.h"

namespace onnx_aot::c {

class BufferRoots {
public:
  explicit BufferRoots(mlir::ModuleOp module);

  bool isWritten(mlir::BlockArgument parameter) const { return written.contains(parameter); }
  bool isRestrict(mlir::BlockArgument parameter) const { return !shared.contains(parameter); }

private:
  /// `source` is a parameter or the result of an operation that is no view.
  struct Root {
    mlir::Value source;
    int64_t begin, end; // bytes
  };
  using Roots = llvm::SmallVector<Root, 2>;

  static Roots rootsOf(mlir::Value buffer);
  static bool mayShare(const Roots &a, const Roots &b);
  void findWritten(mlir::ModuleOp module);
  void findShared(mlir::func::CallOp call, mlir::func::FuncOp callee);

  llvm::DenseSet<mlir::Value> written, shared; // parameters
};

} // namespace onnx_aot::c

#endif // ONNX_AOT_CODEGEN_C_BUFFERROOTS_H
