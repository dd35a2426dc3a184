//===- Sampling.cpp - what a position of a resized axis reads -----------------------------------------------------===//
//
// See Sampling.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/Sampling.h"
#include "codegen/VectorBody.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace onnx_aot;

static Value index(ImplicitLocOpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, value); }

Value onnx_aot::insideOf(ImplicitLocOpBuilder &b, const SampledAxis &axis, Value position) {
  Value last = b.createOrFold<arith::AddIOp>(axis.in, index(b, -1));
  return b.createOrFold<arith::MinSIOp>(b.createOrFold<arith::MaxSIOp>(position, index(b, 0)), last);
}

SmallVector<Tap> onnx_aot::tapsAt(ImplicitLocOpBuilder &b, const SampledAxis &axis, Value position, Type element,
                                  bool moves) {
  SmallVector<Tap> taps;
  if (!axis.hasPhases()) {
    for (auto [tap, positions] : llvm::enumerate(axis.positions)) {
      Value read = memref::LoadOp::create(b, positions, position);
      taps.push_back({arith::IndexCastOp::create(b, b.getIndexType(), read), Value()});
      if (!moves)
        taps.back().weight = memref::LoadOp::create(b, axis.weights[tap], position);
    }
    return taps;
  }
  auto number = [&](double value) -> Value { return arith::ConstantOp::create(b, b.getFloatAttr(element, value)); };
  int64_t scale = axis.sampling.getScale();
  Value q = arith::DivUIOp::create(b, position, index(b, scale)),
        phase = arith::RemUIOp::create(b, position, index(b, scale));
  for (int64_t tap = 0; tap < axis.sampling.getTaps(); ++tap) {
    Value offset = index(b, axis.offset(0, tap)), weight = moves ? Value() : number(axis.weight(0, tap));
    for (int64_t other = 1; other < scale; ++other) {
      Value isIt = b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, phase, index(b, other));
      offset = b.createOrFold<arith::SelectOp>(isIt, index(b, axis.offset(other, tap)), offset);
      weight = moves ? Value() : b.createOrFold<arith::SelectOp>(isIt, number(axis.weight(other, tap)), weight);
    }
    taps.push_back({insideOf(b, axis, b.createOrFold<arith::AddIOp>(q, offset)), weight});
  }
  return taps;
}

Value onnx_aot::accumulateTap(ImplicitLocOpBuilder &b, Value sum, Value value, Value weight, int64_t lanes) {
  if (!weight)
    return value;
  weight = asVector(b, weight, lanes);
  return sum ? math::FmaOp::create(b, value, weight, sum).getResult()
             : arith::MulFOp::create(b, value, weight).getResult();
}
