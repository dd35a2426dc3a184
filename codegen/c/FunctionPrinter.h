//===- FunctionPrinter.h - one function of the IR as a function in C ----------------------------------------------===//
//
// What it is for: structured control flow becomes that of C, buffers typed pointers with subscripts.
//
//   func.func private @relu_0(%x: memref<16xf32>, %y: memref<16xf32>) {      static void m_relu_0(
//     scf.for %i = %c0 to %c16 step %c1 {                                        const float *restrict in0,
//       %v = memref.load %x[%i]                                                  float *restrict out1) {
//       %n = arith.cmpf olt, %v, %zero                                         for (ptrdiff_t i = 0; i < 16; ++i) {
//       %r = arith.select %n, %zero, %v                        =>                float t0 = in0[i];
//       memref.store %r, %y[%i]                                                  out1[i] = t0 < 0.0f ? 0.0f : t0;
//     }                                                                        }
//     return                                                                 }
//   }
//
// How it works: a value has a C expression, which is a variable's name unless the value is constant or inlined
// (Inlining.h). What a loop carries is a variable that is declared before it; a buffer whose layout only the run knows
// is a pointer with its offset, extents and strides. A check returns its status from wherever it stands.
//
// Holds before: func, scf, memref, arith and math on scalars, aot.require and aot.slot.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_C_FUNCTIONPRINTER_H
#define ONNX_AOT_CODEGEN_C_FUNCTIONPRINTER_H

#include "codegen/c/BufferRoots.h"
#include "codegen/c/Expressions.h"
#include "codegen/c/WeightTables.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

namespace onnx_aot::c {

/// What all functions of a file share.
struct FileContext {
  std::string prefix; // of every name at file scope
  Needs needs;
  std::unique_ptr<Ranges> ranges;
  std::unique_ptr<BufferRoots> roots;
  WeightTables tables;
  /// Whether numbers of 64 bits may be complex ones, which the caller stored as floats.
  bool movesComplex = false;
};

class FunctionPrinter {
public:
  explicit FunctionPrinter(FileContext &file) : file(file), os(text), expressions(*file.ranges, file.needs) {}

  /// Reports what has no form in C.
  mlir::FailureOr<std::string> print(mlir::func::FuncOp function);

private:
  /// Where the elements of a buffer are: base[offset + i0 * strides[0] + ...].
  struct Buffer {
    std::string base;
    mlir::Type element;
    Expr offset = "0";
    llvm::SmallVector<Expr> sizes, strides;
    bool isRead = false; // the base points to const
  };
  /// One of the assignments that happen at once.
  struct Assignment {
    std::string target, value, type;
  };

  //===-- Functions, values (FunctionPrinter.cpp)
  std::string nameOf(mlir::func::FuncOp function) const;
  void printParameters(mlir::func::FuncOp function);
  mlir::LogicalResult printBlock(mlir::Block &block);
  mlir::LogicalResult printOperation(mlir::Operation *op);
  void printNode(mlir::Operation *op);
  llvm::raw_ostream &line();
  std::string withoutUnused(llvm::StringRef body) const;
  std::string fresh(llvm::StringRef kind);
  Expr expression(mlir::Value value);
  void define(mlir::Value value, const Expr &expr);
  mlir::LogicalResult printExtendedArithmetic(mlir::Operation *op);
  void printRequire(mlir::Operation *op);
  mlir::LogicalResult printCall(mlir::func::CallOp call);

  //===-- Control flow (ControlFlow.cpp)
  mlir::LogicalResult printFor(mlir::scf::ForOp loop);
  mlir::LogicalResult printWhile(mlir::scf::WhileOp loop);
  mlir::LogicalResult printIf(mlir::scf::IfOp branch);
  mlir::LogicalResult printSwitch(mlir::scf::IndexSwitchOp branch);
  mlir::LogicalResult printExecute(mlir::scf::ExecuteRegionOp region);
  /// A region whose yield sets the variables of `results`.
  mlir::LogicalResult printBranch(mlir::Region &region, mlir::ValueRange results);
  /// Declares a variable, or those of a buffer; they stand for each of `values`.
  void declare(llvm::StringRef kind, mlir::Value initial, llvm::ArrayRef<mlir::Value> values);
  /// Sets the variables of `targets` to `sources` at once.
  void assign(mlir::ValueRange targets, mlir::ValueRange sources);
  void collectAssignments(mlir::Value target, mlir::Value source, llvm::SmallVectorImpl<Assignment> &out);

  //===-- Buffers (BufferPrinter.cpp)
  Buffer parameterBuffer(const std::string &name, mlir::MemRefType type, bool isRead);
  Buffer bufferOf(mlir::Value value);
  Buffer declareBuffer(llvm::StringRef kind, mlir::MemRefType type, const Buffer *initial);
  mlir::LogicalResult printBufferOperation(mlir::Operation *op);
  mlir::LogicalResult printView(mlir::memref::ViewOp view);
  void castLayout(mlir::memref::ReinterpretCastOp op);
  void takeApart(mlir::memref::ExtractStridedMetadataOp op);
  mlir::LogicalResult printCopy(mlir::memref::CopyOp copy);
  mlir::LogicalResult printSlot(mlir::Operation *op);
  Expr element(mlir::Value buffer, mlir::ValueRange indices);
  Expr load(mlir::memref::LoadOp op);
  void printStore(mlir::memref::StoreOp op);
  Expr linearIndex(const Buffer &buffer, llvm::ArrayRef<Expr> indices);
  bool isPunned(mlir::Type element) const;

  FileContext &file;
  std::string text;
  llvm::raw_string_ostream os;
  Expressions expressions;
  llvm::DenseMap<mlir::Value, Expr> values;
  llvm::DenseMap<mlir::Value, Buffer> buffers;
  llvm::DenseSet<mlir::Operation *> inlined;
  llvm::StringSet<> removable; // variables whose values have no effects
  llvm::StringMap<unsigned> counters;
  unsigned indent = 0, loopDepth = 0;
  std::string currentNode;
};

/// The node that an operation comes from, `"conv1" (Conv)`, as a comment may say it; empty where none is known.
std::string nodeText(mlir::Location location);

} // namespace onnx_aot::c

#endif // ONNX_AOT_CODEGEN_C_FUNCTIONPRINTER_H
