//===- EmitMatrixAttention.cpp - attention by the matrix units ----------------------------------------------------===//
//
// As EmitAttention, for elements of 16 bits. A warp has 16 queries, whose fragments stay in registers; four warps share
// tiles of keys and values. A lane has the scores of two neighbouring keys for its row and for the one eight below, and
// so of each eight keys: just what the second product wants as its left operand, two fragments of scores, rounded,
// being one of weights. They go through no memory.
//
// Where keys and values lie in whole chunks of 16 bytes, cp.async brings the next tile of both while one is worked on,
// to the other half of their shared memory. That of the keys holds the queries before.
//
// Between lanes, four of which share a row, go maxima, and in the end the sums of weights. Weights are powers of two by
// the special function unit: they are rounded to 16 bits anyway.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/AttentionTile.h"
#include "codegen/nvptx/MatrixFragments.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
constexpr int64_t kWarps = 4;
constexpr int64_t kRows = 16, kColumns = 8, kDepth = 16; // of one instruction
constexpr int64_t kHalves = 2, kSharing = 4;             // rows of a lane in a fragment; lanes that share a row
constexpr int64_t kPadding = 8;                          // so that the rows of a matrix lie in different banks

int64_t keysOfTile(AttentionOp op, const LoopNest &nest) {
  constexpr int64_t kSmallHead = 64;
  for (unsigned loop : {op.dimOfDepth(), op.dimOfValue()})
    if (int dim = nest.dimOf(loop); dim >= 0 && nest.dims[unsigned(dim)].extent.factor > kSmallHead)
      return 32;
  return 64;
}

class MatrixAttention : AttentionTile {
public:
  MatrixAttention(const DeviceContext &context, AttentionOp op, const LoopNest &nest)
      : AttentionTile(context, op, nest, {kWarps * kRows, keysOfTile(op, nest), kWarps * KernelBuilder::kWarp, kDepth}),
        element(nest.inputs[AttentionOp::Query].elementType) {}

  void emit() {
    place();
    lane = rest(thread, KernelBuilder::kWarp);
    firstRow = times(divided(thread, KernelBuilder::kWarp), kRows);
    isAhead = liesInChunks(AttentionOp::Key) && liesInChunks(AttentionOp::Value);
    int64_t places = isAhead ? 2 * size.keys : size.keys;
    keyTile = tileLike(AttentionOp::Key, element, std::max(places, size.queries), kPadding);
    valueTile = tileLike(AttentionOp::Value, element, places, kPadding);
    Value zero = kernel.index(0);
    bring(AttentionOp::Query, queryStart, keyTile, zero, size.queries);
    kernel.barrier();
    for (int64_t k = 0; k < depth(); k += kDepth)
      queryFragments.push_back(
          loadMatrices(keyTile, firstRow, kernel.index(k), /*isSecondAlongRow=*/false, /*transposes=*/false));

    SmallVector<Value> carried(size_t(kHalves), constant(-std::numeric_limits<double>::infinity()));
    carried.append(size_t(kHalves), constant(0));
    carried.append(size_t(width() / kColumns), zeros());
    if (isAhead) {
      kernel.barrier();
      carried.push_back(zero); // where the tile is
      carried.push_back(copyTile(zero, zero));
    }
    SmallVector<Value> results = kernel.emitFor(kernel.index(0), keys, kernel.index(size.keys), carried,
                                                [&](Value start, ValueRange values) { return step(start, values); });
    ArrayRef<Value> sums = ArrayRef(results).slice(2 * kHalves, size_t(width() / kColumns));
    for (int64_t half = 0; half < kHalves; ++half) {
      Value sum = acrossRow(results[size_t(kHalves + half)],
                            [&](Value x, Value y) -> Value { return arith::AddFOp::create(b, x, y); });
      Value scale = inverse(sum);
      for (auto [number, fragment] : llvm::enumerate(sums))
        for (int64_t neighbour : {0, 1}) {
          Value value = vector::ExtractOp::create(b, fragment, ArrayRef<int64_t>{half, neighbour});
          store(arith::MulFOp::create(b, value, scale), queryOf(half), columnOf(int64_t(number), neighbour));
        }
    }
    launch();
  }

private:
  Value zeros() { return arith::ConstantOp::create(b, b.getZeroAttr(VectorType::get({kHalves, 2}, b.getF32Type()))); }

  /// Where the lane's elements of a fragment are.
  Value queryOf(int64_t half) { return add(queryStart, add(add(firstRow, divided(lane, kSharing)), half * 8)); }
  Value columnOf(int64_t fragment, int64_t neighbour) {
    return add(times(rest(lane, kSharing), 2), fragment * kColumns + neighbour);
  }

  Value acrossRow(Value value, llvm::function_ref<Value(Value, Value)> combine) {
    for (int64_t mask = kSharing / 2; mask > 0; mask /= 2)
      value = combine(value, kernel.shuffleXor(value, mask));
    return value;
  }

  /// exp(left - right)
  Value power(Value left, Value right) {
    Value exponent = arith::MulFOp::create(b, arith::SubFOp::create(b, left, right), constant(M_LOG2E));
    return LLVM::CallIntrinsicOp::create(b, b.getF32Type(), b.getStringAttr("llvm.nvvm.ex2.approx.ftz.f"),
                                         ValueRange{exponent})
        .getResult(0);
  }

  /// Four matrices of 8 by 8, two by two from (row, element) on; the second one lies along the row, or below.
  Value loadMatrices(Value tile, Value row, Value at, bool isSecondAlongRow, bool transposes) {
    Value inMatrix = rest(lane, 8), matrix = divided(lane, 8);
    Value second = times(rest(matrix, 2), 8), third = times(divided(matrix, 2), 8);
    Value down = isSecondAlongRow ? third : second, along = isSecondAlongRow ? second : third;
    return nvgpu::LdMatrixOp::create(b, VectorType::get({4, 2}, element), tile,
                                     ValueRange{add(add(row, down), inMatrix), add(at, along)}, transposes, 4u);
  }

  SmallVector<Value> halvesOf(Value matrices) {
    SmallVector<Value> halves;
    for (int64_t half : {0, 2})
      halves.push_back(vector::ExtractStridedSliceOp::create(b, matrices, ArrayRef<int64_t>{half}, ArrayRef<int64_t>{2},
                                                             ArrayRef<int64_t>{1}));
    return halves;
  }

  /// The sums of products with all keys of the tile, by [fragment].
  SmallVector<Value> multiplyKeys(Value place) {
    SmallVector<Value> sums(size_t(size.keys / kColumns), zeros());
    for (int64_t key = 0; key < size.keys; key += 2 * kColumns)
      for (auto [k, left] : llvm::enumerate(queryFragments)) {
        Value both = loadMatrices(keyTile, add(place, key), kernel.index(int64_t(k) * kDepth),
                                  /*isSecondAlongRow=*/true, /*transposes=*/false);
        for (auto [half, right] : llvm::enumerate(halvesOf(both))) {
          Value &sum = sums[size_t(key / kColumns) + half];
          sum = multiplyFragments(b, left, right, sum);
        }
      }
    return sums;
  }

  /// Adds the weighted values; `weights` by [fragment][half][neighbour].
  void multiplyValues(Value place, ArrayRef<SmallVector<Value>> weights, MutableArrayRef<Value> sums) {
    auto pairs = VectorType::get({4, 2}, element);
    for (int64_t key = 0; key < size.keys; key += kDepth) {
      SmallVector<Value> elements;
      for (int64_t fragment : {key / kColumns, key / kColumns + 1})
        llvm::append_range(elements, weights[size_t(fragment)]);
      Value left = arith::TruncFOp::create(
          b, pairs, vector::FromElementsOp::create(b, VectorType::get({4, 2}, b.getF32Type()), elements));
      for (int64_t column = 0; column < width(); column += 2 * kColumns) {
        Value both = loadMatrices(valueTile, add(place, key), kernel.index(column), /*isSecondAlongRow=*/false,
                                  /*transposes=*/true);
        for (auto [half, right] : llvm::enumerate(halvesOf(both))) {
          Value &sum = sums[size_t(column / kColumns) + half];
          sum = multiplyFragments(b, left, right, sum);
        }
      }
    }
  }

  /// Begins to copy the tile from `start` on, as one group.
  Value copyTile(Value start, Value place) {
    copy(AttentionOp::Key, start, keyTile, place, size.keys);
    copy(AttentionOp::Value, start, valueTile, place, size.keys);
    return nvgpu::DeviceAsyncCreateGroupOp::create(b, nvgpu::DeviceAsyncTokenType::get(b.getContext()), ValueRange());
  }

  SmallVector<Value> step(Value start, ValueRange carried) {
    if (!isAhead) {
      Value place = kernel.index(0);
      kernel.barrier();
      bring(AttentionOp::Key, start, keyTile, place, size.keys);
      bring(AttentionOp::Value, start, valueTile, place, size.keys);
      kernel.barrier();
      return multiply(start, place, carried);
    }
    Value place = carried.drop_back().back(), other = arith::SubIOp::create(b, kernel.index(size.keys), place);
    nvgpu::DeviceAsyncWaitOp::create(b, carried.back(), b.getI32IntegerAttr(0));
    kernel.barrier();
    Value next = copyTile(add(start, size.keys), other);
    SmallVector<Value> result = multiply(start, place, carried.drop_back(2));
    result.append({other, next});
    return result;
  }

  /// (maxima, sums of weights, weighted sums) -> those with the keys from `start` on, which are at `place`.
  SmallVector<Value> multiply(Value start, Value place, ValueRange carried) {
    SmallVector<Value> products = multiplyKeys(place), maxima, weightSums, fades;
    SmallVector<SmallVector<Value>> weights(products.size());
    for (int64_t half = 0; half < kHalves; ++half) {
      SmallVector<Value> scores;
      Value most;
      for (auto [number, fragment] : llvm::enumerate(products))
        for (int64_t neighbour : {0, 1}) {
          Value sum = vector::ExtractOp::create(b, fragment, ArrayRef<int64_t>{half, neighbour});
          scores.push_back(score(sum, queryOf(half), add(start, columnOf(int64_t(number), neighbour))));
          most = most ? arith::MaxNumFOp::create(b, most, scores.back()).getResult() : scores.back();
        }
      most = acrossRow(most, [&](Value x, Value y) -> Value { return arith::MaxNumFOp::create(b, x, y); });
      Value before = carried[size_t(half)];
      auto [maximum, subtracted] = advance(before, most);
      Value fade = power(before, subtracted);
      Value weightSum = arith::MulFOp::create(b, carried[size_t(kHalves + half)], fade);
      for (auto [number, own] : llvm::enumerate(scores)) {
        Value weight = power(own, subtracted);
        weightSum = arith::AddFOp::create(b, weightSum, weight);
        weights[number / 2].push_back(weight);
      }
      maxima.push_back(maximum);
      weightSums.push_back(weightSum);
      fades.append({fade, fade});
    }
    Value fade = vector::FromElementsOp::create(b, VectorType::get({kHalves, 2}, b.getF32Type()), fades);
    SmallVector<Value> sums;
    for (Value sum : carried.drop_front(2 * kHalves))
      sums.push_back(arith::MulFOp::create(b, sum, fade));
    multiplyValues(place, weights, sums);
    SmallVector<Value> result = std::move(maxima);
    llvm::append_range(result, weightSums);
    llvm::append_range(result, sums);
    return result;
  }

  Type element;
  bool isAhead = false;
  Value lane, firstRow, keyTile, valueTile;
  SmallVector<Value> queryFragments;
};
} // namespace

LogicalResult onnx_aot::emitMatrixAttention(const DeviceContext &context, AttentionOp op, const LoopNest &nest) {
  Type element = nest.inputs[AttentionOp::Query].elementType;
  bool isNarrow = element.isF16() || element.isBF16();
  for (unsigned input : {AttentionOp::Key, AttentionOp::Value})
    isNarrow &= nest.inputs[input].elementType == element;
  if (!context.hasMatrixUnits || !isNarrow)
    return failure();
  MatrixAttention(context, op, nest).emit();
  return success();
}
