//===- WeightTables.cpp - which slices of the weights are read, and as what ---------------------------------------===//
//
// See WeightTables.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/WeightTables.h"

namespace onnx_aot::c {

const WeightTable &WeightTables::of(uint64_t offset, mlir::MemRefType type, llvm::StringRef prefix) {
  uint64_t count = type.getNumElements();
  for (WeightTable &table : tables)
    if (table.offset == offset && table.element == type.getElementType()) {
      table.count = std::max(table.count, count);
      return table;
    }
  tables.push_back({(prefix + "_w" + std::to_string(tables.size())).str(), type.getElementType(), offset, count});
  return tables.back();
}

} // namespace onnx_aot::c
