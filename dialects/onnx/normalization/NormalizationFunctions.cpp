//===- NormalizationFunctions.cpp - dropout in training as a graph ------------------------------------------------===//
//
//   keep = not training_mode, or uniform >= ratio         output = keep ? data * scale : 0, scale = 1 / (1 - ratio)
//
// With a seed the uniform numbers are those of ONNX's reference implementation (numpy's generator), as a constant, so
// that masks can be compared; where there would be many of them, or their number is not known, they are computed.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/normalization/Normalization.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Functions.h"
#include <random>

using namespace mlir;
using namespace onnx_aot::onnx;

/// Above this number of elements the uniform numbers are no constant.
static constexpr int64_t kMostConstants = 1 << 16;

/// numpy.random.seed(seed); numpy.random.uniform(0, 1, count)
static SmallVector<double> numpyUniform(uint32_t seed, int64_t count) {
  std::mt19937 generator(seed);
  SmallVector<double> numbers;
  for (int64_t index = 0; index < count; ++index) {
    uint64_t high = uint32_t(generator()) >> 5, low = uint32_t(generator()) >> 6;
    numbers.push_back(double(high * 67108864 + low) / 9007199254740992.0);
  }
  return numbers;
}

static LogicalResult expandDropout(Operation *operation, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto op = cast<DropoutOp>(operation);
  std::optional<SmallVector<int64_t>> training = getConstantIntegers(op.getTrainingMode());
  bool isInference = !op.getTrainingMode() || (training && training->size() == 1 && training->front() == 0);
  auto type = dyn_cast<RankedTensorType>(op.getData().getType());
  if (isInference || !type)
    return success();
  Value isTraining = f.reshape(op.getTrainingMode(), ArrayRef<int64_t>());
  Type wide = f.builder.getF64Type(), element = type.getElementType();
  Value ratio = op.getRatio() ? f.reshape(f.cast(op.getRatio(), wide), ArrayRef<int64_t>()) : f.number(0.5, wide);
  Value uniform;
  if (op.getSeed() && type.hasStaticShape() && type.getNumElements() <= kMostConstants) {
    SmallVector<double> numbers = numpyUniform(uint32_t(*op.getSeed()), type.getNumElements());
    ArrayRef<char> bytes(reinterpret_cast<const char *>(numbers.data()), numbers.size() * sizeof(double));
    uniform = f.constant(makeConstant(RankedTensorType::get(type.getShape(), wide), bytes, "uniform"));
  } else {
    Value like = f.op("Expand", {f.number(0, f.builder.getF32Type()), f.op("Shape", {op.getData()})});
    SmallVector<NamedAttribute> seed;
    if (op.getSeed())
      seed.push_back(f.real("seed", double(*op.getSeed())));
    uniform = f.cast(f.op("RandomUniformLike", {like}, seed), wide);
  }
  Value keep = f.op("Or", {f.op("Not", {isTraining}), f.op("GreaterOrEqual", {uniform, ratio})});
  Value one = f.number(1, wide);
  Value scale = f.op("Where", {isTraining, f.div(one, f.sub(one, ratio)), one});
  Type compute = element.getIntOrFloatBitWidth() < 16 ? Type(f.builder.getF32Type()) : element;
  Value scaled = f.mul(f.cast(op.getData(), compute), f.cast(scale, compute));
  results.push_back(f.cast(f.op("Where", {keep, scaled, f.number(0, compute)}), element));
  if (op.getMask())
    results.push_back(keep);
  return success();
}

namespace onnx_aot::onnx {
ArrayRef<FunctionRow> getNormalizationFunctions() {
  static const FunctionRow table[] = {{"Dropout", expandDropout}};
  return table;
}
} // namespace onnx_aot::onnx
