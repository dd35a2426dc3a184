//===- EmitAttention.cpp - attention in registers -----------------------------------------------------------------===//
//
// A block walks the keys once, with what the softmax needs of the scores so far:
//
//   m = -inf, l = 0, o = 0                           of each query; o: a vector of the value's elements
//   for each tile of keys
//     s = scores of the tile;  next = max(m, max s);  p = exp(s - next)
//     o = exp(m - next) * o + p V;  l = exp(m - next) * l + sum p;  m = next
//   y = o / l
//
// The softmax of a stream is Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018), and attention
// by it Dao et al., "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness" (NeurIPS 2022).
//
// Eight neighbouring threads share four queries: of the scores each makes four by four, of the result the four rows of
// an eighth of the value's elements. Weights go through shared memory, keys and values through the same.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/AttentionTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
constexpr int64_t kKeys = 32;
constexpr int64_t kSharing = 8, kRows = 4; // threads that share so many queries
constexpr int64_t kGroup = 4;              // elements that are brought from shared memory at once

/// Tiles of at most 48 KB.
int64_t queriesOfTile(AttentionOp op, const LoopNest &nest) {
  constexpr int64_t kSmallHead = 64;
  bool isSmall = true;
  for (unsigned loop : {op.dimOfDepth(), op.dimOfValue()})
    if (int dim = nest.dimOf(loop); dim >= 0)
      isSmall &= nest.dims[unsigned(dim)].extent.factor <= kSmallHead;
  return isSmall ? 64 : 32;
}

class RegisterAttention : AttentionTile {
public:
  RegisterAttention(const DeviceContext &context, AttentionOp op, const LoopNest &nest, int64_t ofTile)
      : AttentionTile(context, op, nest, {ofTile, kKeys, ofTile / kRows * kSharing, kSharing * kGroup}) {}

  void emit() {
    place();
    Type f32 = b.getF32Type();
    queryTile = tileLike(AttentionOp::Query, f32, size.queries, kGroup);
    // Keys and values take turns.
    bool isKeyLonger = depth() >= width();
    keyTile = tileLike(isKeyLonger ? unsigned(AttentionOp::Key) : unsigned(AttentionOp::Value), f32, kKeys, kGroup);
    weightTile = kernel.shared({size.queries, kKeys + kGroup}, f32);
    inGroup = rest(thread, kSharing);
    firstRow = times(divided(thread, kSharing), kRows);
    bring(AttentionOp::Query, queryStart, queryTile, kernel.index(0), size.queries);

    SmallVector<Value> carried(size_t(kRows), constant(-std::numeric_limits<double>::infinity()));
    carried.append(size_t(kRows * (1 + columns())), constant(0));
    SmallVector<Value> results = kernel.emitFor(kernel.index(0), keys, kernel.index(kKeys), carried,
                                                [&](Value start, ValueRange values) { return step(start, values); });
    ArrayRef<Value> sums = ArrayRef(results).drop_front(kRows);
    for (int64_t row = 0; row < kRows; ++row) {
      Value sum =
          acrossGroup(sums[size_t(row)], [&](Value x, Value y) -> Value { return arith::AddFOp::create(b, x, y); });
      Value scale = inverse(sum), query = add(queryStart, add(firstRow, row));
      for (int64_t column = 0; column < columns(); ++column)
        store(arith::MulFOp::create(b, sums[size_t(kRows + row * columns() + column)], scale), query,
              placeOfColumn(column));
    }
    launch();
  }

private:
  /// Elements of the result's rows that a thread makes: groups of neighbours.
  int64_t columns() const { return width() / kSharing; }
  Value placeOfColumn(int64_t column) {
    return add(times(inGroup, kGroup), column / kGroup * kGroup * kSharing + column % kGroup);
  }

  Value acrossGroup(Value value, llvm::function_ref<Value(Value, Value)> combine) {
    for (int64_t mask = kSharing / 2; mask > 0; mask /= 2)
      value = combine(value, kernel.shuffleXor(value, mask));
    return value;
  }

  SmallVector<Value> loadGroup(Value tile, Value row, Value element) {
    auto loaded = vector::LoadOp::create(b, VectorType::get({kGroup}, b.getF32Type()), tile, ValueRange{row, element});
    loaded.setAlignmentAttr(b.getI64IntegerAttr(kGroup * 4));
    SmallVector<Value> values;
    for (int64_t i = 0; i < kGroup; ++i)
      values.push_back(vector::ExtractOp::create(b, loaded, i));
    return values;
  }

  Value multiplyAdd(Value left, Value right, Value sum) { return math::FmaOp::create(b, left, right, sum); }

  /// The sums of products of the thread's queries with keys inGroup, inGroup + 8, ...
  SmallVector<Value> multiplyKeys() {
    constexpr int64_t kOwn = kKeys / kSharing;
    SmallVector<Value> zeros(size_t(kRows * kOwn), constant(0));
    return kernel.emitFor(kernel.index(0), kernel.index(depth()), kernel.index(kGroup), zeros,
                          [&](Value element, ValueRange carried) {
                            SmallVector<Value> sums(carried);
                            SmallVector<SmallVector<Value>> left, right;
                            for (int64_t row = 0; row < kRows; ++row)
                              left.push_back(loadGroup(queryTile, add(firstRow, row), element));
                            for (int64_t key = 0; key < kOwn; ++key)
                              right.push_back(loadGroup(keyTile, add(inGroup, key * kSharing), element));
                            for (size_t i = 0; i < size_t(kGroup); ++i)
                              for (size_t row = 0; row < size_t(kRows); ++row)
                                for (size_t key = 0; key < size_t(kOwn); ++key) {
                                  Value &sum = sums[row * size_t(kOwn) + key];
                                  sum = multiplyAdd(left[row][i], right[key][i], sum);
                                }
                            return sums;
                          });
  }

  SmallVector<Value> multiplyValues(SmallVector<Value> sums) {
    return kernel.emitFor(kernel.index(0), kernel.index(kKeys), kernel.index(kGroup), sums,
                          [&](Value key, ValueRange carried) {
                            SmallVector<Value> next(carried);
                            SmallVector<SmallVector<Value>> weights;
                            for (int64_t row = 0; row < kRows; ++row)
                              weights.push_back(loadGroup(weightTile, add(firstRow, row), key));
                            for (int64_t i = 0; i < kGroup; ++i)
                              for (int64_t column = 0; column < columns(); column += kGroup) {
                                SmallVector<Value> right = loadGroup(keyTile, add(key, i), placeOfColumn(column));
                                for (int64_t row = 0; row < kRows; ++row)
                                  for (int64_t j = 0; j < kGroup; ++j) {
                                    Value &sum = next[size_t(row * columns() + column + j)];
                                    sum = multiplyAdd(weights[size_t(row)][size_t(i)], right[size_t(j)], sum);
                                  }
                              }
                            return next;
                          });
  }

  /// (maxima, sums of weights, weighted sums) -> those with the keys from `start` on.
  SmallVector<Value> step(Value start, ValueRange carried) {
    constexpr int64_t kOwn = kKeys / kSharing;
    kernel.barrier();
    bring(AttentionOp::Key, start, keyTile, kernel.index(0), kKeys);
    kernel.barrier();
    SmallVector<Value> scores = multiplyKeys(), maxima, weightSums, sums(carried.drop_front(2 * kRows));
    for (int64_t row = 0; row < kRows; ++row) {
      Value query = add(queryStart, add(firstRow, row)), most;
      for (int64_t key = 0; key < kOwn; ++key) {
        Value &own = scores[size_t(row * kOwn + key)];
        own = score(own, query, add(start, add(inGroup, key * kSharing)));
        most = most ? arith::MaxNumFOp::create(b, most, own).getResult() : own;
      }
      most = acrossGroup(most, [&](Value x, Value y) -> Value { return arith::MaxNumFOp::create(b, x, y); });
      Value before = carried[size_t(row)];
      auto [maximum, subtracted] = advance(before, most);
      Value fade = math::ExpOp::create(b, arith::SubFOp::create(b, before, subtracted));
      Value weightSum = arith::MulFOp::create(b, carried[size_t(kRows + row)], fade);
      for (int64_t key = 0; key < kOwn; ++key) {
        Value weight = math::ExpOp::create(b, arith::SubFOp::create(b, scores[size_t(row * kOwn + key)], subtracted));
        weightSum = arith::AddFOp::create(b, weightSum, weight);
        memref::StoreOp::create(b, weight, weightTile, ValueRange{add(firstRow, row), add(inGroup, key * kSharing)});
      }
      maxima.push_back(maximum);
      weightSums.push_back(weightSum);
      for (int64_t column = 0; column < columns(); ++column) {
        Value &sum = sums[size_t(row * columns() + column)];
        sum = arith::MulFOp::create(b, sum, fade);
      }
    }
    kernel.barrier();
    bring(AttentionOp::Value, start, keyTile, kernel.index(0), kKeys);
    kernel.barrier();
    SmallVector<Value> result = std::move(maxima);
    llvm::append_range(result, weightSums);
    llvm::append_range(result, multiplyValues(std::move(sums)));
    return result;
  }

  Value queryTile, keyTile, weightTile;
  Value inGroup, firstRow; // the thread among those that share queries; their first one in the tile
};
} // namespace

LogicalResult onnx_aot::emitAttention(const DeviceContext &context, Operation *op, const LoopNest &nest) {
  auto attention = cast<AttentionOp>(op);
  if (failed(emitMatrixAttention(context, attention, nest)))
    RegisterAttention(context, attention, nest, queriesOfTile(attention, nest)).emit();
  return success();
}
