//===- ControlflowFunctions.cpp - old forms of the operators with bodies as graphs --------------------------------===//
//
// A Scan over a batch is a Scan whose slices are the entries of the batch, and whose body is the Scan over the
// sequence.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/controlflow/Controlflow.h"
#include "dialects/onnx/support/Functions.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace onnx_aot::onnx;

static LogicalResult expandBatchScan(Operation *operation, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto op = cast<BatchScanOp>(operation);
  OperandRange operands = op.getInitialStateAndScanInputs();
  int64_t scanned = op.getNumScanInputs();
  if (scanned < 1 || scanned > int64_t(operands.size())) // (C1), (C2)
    return op.emitOpError("num_scan_inputs is ") << scanned << " of " << operands.size() << " inputs";
  for (auto [index, operand] : llvm::enumerate(operands)) {
    std::optional<int64_t> rank = rankOf(operand);
    if (!rank)
      return success();
    if (*rank < 1 || (*rank < 2 && int64_t(index + scanned) >= int64_t(operands.size())))
      return op.emitOpError("operand ") << index << " has no batch or no sequence axis";
  }
  results = f.scan({}, SmallVector<Value>(operands), 0, op->getNumResults(), [&](ArrayRef<Value> entry) {
    SmallVector<NamedAttribute> attributes = {f.integer("num_scan_inputs", scanned)};
    if (op.getDirections())
      attributes.push_back(f.integers("scan_input_directions", *op.getDirections()));
    return f.scanWith(entry, attributes, op->getNumResults(), op.getBody());
  });
  return success();
}

namespace onnx_aot::onnx {
ArrayRef<FunctionRow> getControlflowFunctions() {
  static const FunctionRow table[] = {{"BatchScan", expandBatchScan}};
  return table;
}
} // namespace onnx_aot::onnx
