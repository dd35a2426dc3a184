//===- Quantize.cpp - scaled floats to narrow integers ------------------------------------------------------------===//
//
// Values are clamped first, to the integers that are left of the type's range without the zero point. Adding 1.5 * 2^23
// then rounds them, halves to even, and leaves the integer in the low bits of the sum: no instruction that rounds, or
// converts, is needed.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/support/Quantize.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>

using namespace mlir;

Value onnx_aot::onnx::roundAndSaturate(ImplicitLocOpBuilder &b, Value value, Value zeroPoint, Type to) {
  unsigned width = to.getIntOrFloatBitWidth();
  assert(width <= 16 && "the sum would not hold the integer");
  Location loc = b.getLoc();
  Type real = b.getF32Type();
  Value low = scalarConstant(b, loc, real, isUnsigned(to) ? 0.0 : -std::ldexp(1.0, width - 1));
  Value high = scalarConstant(b, loc, real, std::ldexp(1.0, isUnsigned(to) ? width : width - 1) - 1);
  if (zeroPoint) {
    low = arith::SubFOp::create(b, low, zeroPoint);
    high = arith::SubFOp::create(b, high, zeroPoint);
  }
  Value isAbove = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, value, low); // false for NaN
  value = arith::SelectOp::create(b, isAbove, value, low);
  Value isBelow = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, value, high);
  value = arith::SelectOp::create(b, isBelow, value, high);
  Value magic = scalarConstant(b, loc, real, 12582912.0);
  Value sum = arith::AddFOp::create(b, value, magic);
  Value bits = arith::BitcastOp::create(b, b.getI32Type(), sum);
  if (zeroPoint)
    bits = arith::AddIOp::create(b, bits, arith::FPToSIOp::create(b, b.getI32Type(), zeroPoint));
  // The low bits of 1.5 * 2^23 itself are 0.
  return arith::TruncIOp::create(b, storageType(to), bits);
}

std::optional<SmallVector<int32_t>> onnx_aot::onnx::zeroPointShare(Value dataZero, Value weights, Value weightZero,
                                                                   int64_t channels,
                                                                   llvm::function_ref<int64_t(int64_t)> channelOf) {
  std::optional<SmallVector<int64_t>> zero = getIntegerElements(dataZero), values = getIntegerElements(weights);
  std::optional<SmallVector<int64_t>> others = weightZero ? getIntegerElements(weightZero) : SmallVector<int64_t>();
  auto isZero = [](int64_t value) { return value == 0; };
  if (!zero || zero->size() != 1 || !values || !others || !llvm::all_of(*others, isZero))
    return std::nullopt;
  SmallVector<int32_t> share(channels, 0);
  for (auto [index, value] : llvm::enumerate(*values))
    share[channelOf(index)] -= int32_t(zero->front() * value);
  return share;
}

Value onnx_aot::onnx::makeShare(OpBuilder &builder, Location loc, ArrayRef<int32_t> share) {
  if (llvm::all_of(share, [](int32_t value) { return value == 0; }))
    return Value();
  auto type = RankedTensorType::get({int64_t(share.size())}, builder.getI32Type());
  return arith::ConstantOp::create(builder, loc, type, makeConstantOf(type, share, "zero_points"));
}
