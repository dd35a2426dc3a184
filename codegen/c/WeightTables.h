//===- WeightTables.h - which slices of the weights are read, and as what -----------------------------------------===//
//
// What it is for: in an object the weights are bytes; in C a slice is an array of the type that it is read as, so that
// nothing depends on the compiler's idea of aliasing or on the order of bytes.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_C_WEIGHTTABLES_H
#define ONNX_AOT_CODEGEN_C_WEIGHTTABLES_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include <string>
#include <vector>

namespace onnx_aot::c {

/// `static const ELEMENT NAME[COUNT]`, the bytes of the weights from `offset` on.
struct WeightTable {
  std::string name;
  mlir::Type element;
  uint64_t offset = 0, count = 0;
};

struct WeightTables {
  std::vector<WeightTable> tables;

  /// The table that `view`, a constant part of the weights, reads; made where there is none yet. Views of the same
  /// place and type share one, which is as long as the longest of them.
  const WeightTable &of(uint64_t offset, mlir::MemRefType type, llvm::StringRef prefix);
};

} // namespace onnx_aot::c

#endif // ONNX_AOT_CODEGEN_C_WEIGHTTABLES_H
