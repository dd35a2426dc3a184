//===- GeneratorFunctions.cpp - random operators that are graphs --------------------------------------------------===//
//
// A class is drawn by where a uniform number falls in the cumulated probabilities:
//   output = how many of cumulated[0], ..., cumulated[classes - 2] are <= uniform * cumulated[classes - 1]
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/support/DataTypes.h"
#include "dialects/onnx/support/Functions.h"

using namespace mlir;
using namespace onnx_aot::onnx;

static LogicalResult expandMultinomial(Operation *operation, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto op = cast<MultinomialOp>(operation);
  std::optional<int64_t> rank = rankOf(op.getInput());
  if (!rank)
    return success();
  if (*rank != 2) // (C4)
    return op.emitOpError("the input must have rank 2, not ") << *rank;
  Type element = elementTypeOfDataType(op.getContext(), op.getDtype());
  if (!element || (!element.isInteger(32) && !element.isInteger(64)) || element.isUnsignedInteger()) // (C5)
    return op.emitOpError("dtype must be that of int32 or int64");
  if (op.getSampleSize() < 1)
    return op.emitOpError("sample_size must be positive, not ") << op.getSampleSize();
  Type real = f.builder.getF32Type();
  Value probabilities = f.op("Softmax", {f.cast(op.getInput(), real)}, {f.integer("axis", 1)});
  Value cumulated = f.op("CumSum", {probabilities, f.number(1, f.builder.getI64Type())});
  Value total = f.slice(cumulated, 1, -1, std::numeric_limits<int64_t>::max());
  Value bounds = f.slice(cumulated, 1, 0, -1);
  Value shape = f.concat({f.extents(op.getInput(), 0, 1), f.list(op.getSampleSize())}, 0);
  SmallVector<NamedAttribute> seed;
  f.copy(operation, "seed", seed);
  Value uniform = f.op("RandomUniformLike", {f.op("Expand", {f.number(0, real), shape})}, seed);
  Value drawn = f.unsqueeze(f.mul(uniform, total), {2});
  Value isBelow = f.op("LessOrEqual", {f.unsqueeze(bounds, {1}), drawn});
  results.push_back(f.cast(f.reduce("ReduceSum", f.cast(isBelow, f.builder.getI32Type()), {2}, false), element));
  return success();
}

namespace onnx_aot::onnx {
ArrayRef<FunctionRow> getGeneratorFunctions() {
  static const FunctionRow table[] = {{"Multinomial", expandMultinomial}};
  return table;
}
} // namespace onnx_aot::onnx
