//===- TextFunctions.cpp - counting n-grams as a graph ------------------------------------------------------------===//
//
// An n-gram with skip s starts at every position and takes every (s + 1)-th word. So for one length and one skip, word
// i of all of them is a slice of the sequence, which is compared with word i of every n-gram in the pool:
//
//   count[g] = sum over positions of (slice 0 == word 0 of g) and ... and (slice n - 1 == word n - 1 of g)
//
// The counts of all n-grams are then brought to the places that the output has for them.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/support/Functions.h"
#include "dialects/onnx/text/Text.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
/// The n-grams of one length.
struct Grams {
  int64_t length;
  SmallVector<SmallVector<int64_t>> words; // words[i][g]: word i of n-gram g
  SmallVector<int64_t> numbers;            // the number of n-gram g in the pool
};
} // namespace

/// Divides the pool by lengths and checks the attributes.
static FailureOr<SmallVector<Grams>> readPool(TfIdfVectorizerOp op) {
  if (op.getPoolStrings() || !op.getPoolInt64s())
    return op.emitError("unsupported: a pool of strings; pool_int64s is supported");
  if (op.getMode() != "TF" && op.getMode() != "IDF" && op.getMode() != "TFIDF") // (C3)
    return op.emitOpError("mode must be TF, IDF or TFIDF, not \"") << op.getMode() << "\"";
  if (op.getMinGramLength() < 1 || op.getMaxGramLength() < op.getMinGramLength() || op.getMaxSkipCount() < 0) // (C2)
    return op.emitOpError("min_gram_length, max_gram_length and max_skip_count do not fit together");
  ArrayRef<int64_t> pool = *op.getPoolInt64s(), starts = op.getNgramCounts(), places = op.getNgramIndexes();
  SmallVector<Grams> lengths;
  int64_t number = 0;
  for (size_t index = 0; index < starts.size(); ++index) {
    int64_t length = index + 1, start = starts[index];
    int64_t end = index + 1 < starts.size() ? starts[index + 1] : int64_t(pool.size());
    if (start < 0 || end < start || end > int64_t(pool.size()) || (end - start) % length != 0) // (C4)
      return op.emitOpError("ngram_counts does not divide the pool into n-grams");
    Grams grams{length, SmallVector<SmallVector<int64_t>>(length), {}};
    for (; start < end; start += length, ++number) {
      for (int64_t word = 0; word < length; ++word)
        grams.words[word].push_back(pool[start + word]);
      grams.numbers.push_back(number);
    }
    if (length >= op.getMinGramLength() && length <= op.getMaxGramLength() && !grams.numbers.empty())
      lengths.push_back(grams);
  }
  if (number != int64_t(places.size()) || llvm::any_of(places, [](int64_t place) { return place < 0; })) // (C5)
    return op.emitOpError("ngram_indexes does not have one place for each n-gram of the pool");
  if (op.getWeights() && op.getWeights()->size() != places.size()) // (C6)
    return op.emitOpError("weights does not have one entry for each n-gram of the pool");
  return lengths;
}

/// How often each of `grams` occurs in the rows of `x` [rows, words]: [rows, n-grams].
static Value countGrams(TfIdfVectorizerOp op, FunctionBuilder &f, Value x, const Grams &grams) {
  Value total;
  int64_t skips = grams.length == 1 ? 0 : op.getMaxSkipCount();
  for (int64_t skip = 0; skip <= skips; ++skip) {
    int64_t distance = skip + 1;
    Value isFound;
    for (int64_t word = 0; word < grams.length; ++word) {
      int64_t after = (grams.length - 1 - word) * distance;
      Value slice = f.slice(x, 1, word * distance, after == 0 ? std::numeric_limits<int64_t>::max() : -after);
      Value own = f.reshape(f.list(grams.words[word]), {-1, 1});
      Value isEqual = f.op("Equal", {f.unsqueeze(slice, {1}), own});
      isFound = isFound ? f.op("And", {isFound, isEqual}) : isEqual;
    }
    Value count = f.reduce("ReduceSum", f.cast(isFound, f.builder.getF32Type()), {2}, false);
    total = total ? f.add(total, count) : count;
  }
  return total;
}

static LogicalResult expandTfIdf(Operation *operation, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto op = cast<TfIdfVectorizerOp>(operation);
  FailureOr<SmallVector<Grams>> lengths = readPool(op);
  if (failed(lengths))
    return failure();
  std::optional<int64_t> rank = rankOf(op.getX());
  if (!rank)
    return success();
  if (*rank != 1 && *rank != 2) // (C1)
    return op.emitOpError("X must have rank 1 or 2, not ") << *rank;
  Value x = f.cast(*rank == 1 ? f.unsqueeze(op.getX(), {0}) : op.getX(), f.builder.getI64Type());

  // The counts in the order of `numbers`, after a column of zeros for the places that no n-gram has.
  SmallVector<Value> columns = {
      f.op("Expand", {f.number(0, f.builder.getF32Type()), f.concat({f.extents(x, 0, 1), f.list(int64_t(1))}, 0)})};
  SmallVector<int64_t> numbers;
  for (const Grams &grams : *lengths) {
    columns.push_back(countGrams(op, f, x, grams));
    llvm::append_range(numbers, grams.numbers);
  }
  Value counts = f.concat(columns, 1);

  ArrayRef<int64_t> places = op.getNgramIndexes();
  int64_t width = places.empty() ? 0 : *std::max_element(places.begin(), places.end()) + 1;
  SmallVector<float> weights(width, 1);
  if (op.getWeights())
    for (auto [place, weight] : llvm::zip(places, *op.getWeights()))
      weights[place] = weight;
  // Usually each place belongs to one n-gram; where several share one, they are gathered in turn and summed.
  Value total;
  SmallVector<bool> isDone(numbers.size(), false);
  do {
    SmallVector<int64_t> columnOf(width, 0);
    for (auto [index, number] : llvm::enumerate(numbers))
      if (int64_t &column = columnOf[places[number]]; !isDone[index] && column == 0) {
        column = index + 1;
        isDone[index] = true;
      }
    Value part = f.op("Gather", {counts, f.list(columnOf)}, {f.integer("axis", 1)});
    total = total ? f.add(total, part) : part;
  } while (llvm::is_contained(isDone, false));

  if (op.getMode() != "TF") {
    if (op.getMode() == "IDF")
      total = f.cast(f.op("Greater", {total, f.number(0, f.builder.getF32Type())}), f.builder.getF32Type());
    auto type = RankedTensorType::get(width, f.builder.getF32Type());
    total = f.mul(total, f.constant(DenseElementsAttr::get(type, ArrayRef(weights))));
  }
  results.push_back(*rank == 1 ? f.squeeze(total, {0}) : total);
  return success();
}

namespace onnx_aot::onnx {
ArrayRef<FunctionRow> getTextFunctions() {
  static const FunctionRow table[] = {{"TfIdfVectorizer", expandTfIdf}};
  return table;
}
} // namespace onnx_aot::onnx
