//===- EmitResample.cpp - code of aot.resample --------------------------------------------------------------------===//
//
// Of two axes with weights, the second the last dim, rows that grow:
//
//   for each image (all other dims)
//     next = 0
//     for each row o of the result
//       for each row r of the data up to the last one that o reads, from next on (none, if o - 1 read the same)
//         scratch[r mod window] = r, made as long as a row of the result
//       y[o] = sum over the taps of o of weight * scratch[its row mod window]
//
// So every row is expanded once, and both loops run along contiguous memory. A row is expanded by phases where the
// scale is an integer s: position s * q + p reads the elements around q with weights of p's own, so that s vectors over
// q are s sums of the same few vectors of data, which are stored interleaved. What the ends of a row would read beyond
// it is left to a scalar loop; the last vector begins early, for computing twice is harmless. Other scales have tables
// of positions, and gather. Elements that are moved need no memory: a row that the one before it equals is copied. The
// epilogue is applied to what is stored in the result.
//
// Before: aot.resample on memrefs.  After: scf, vector, memref and arith.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/Sampling.h"
#include "codegen/VectorBody.h"
#include "codegen/cpu/Passes.h"
#include "codegen/cpu/RowLoops.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "passes/schedule/LoopStrategy.h"

namespace onnx_aot {
#define GEN_PASS_DEF_EMITRESAMPLE
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;
using aot::ResampleOp;

namespace {
class ResampleEmitter : RowLoops {
public:
  ResampleEmitter(OpBuilder &builder, ResampleOp op, const aot::TargetModel &target)
      : RowLoops(builder, op.getLoc()), op(op), element(getElementTypeOrSelf(op.getData().getType())),
        moves(op.getMoves()) {
    int64_t bits = target.vectorBits(isa<FloatType>(element)), size = element.getIntOrFloatBitWidth();
    bool isDense = hasUnitStride(op.getData()) && hasUnitStride(op.getInit());
    for (auto [index, input] : llvm::enumerate(op.getInputs()))
      isDense &= hasUnitStride(input) || !op.getMap(index).isFunctionOfDim(op.getMap(index).getNumDims() - 1);
    width = isDense && bits > size ? bits / size : 1;
    // Lanes of an address each.
    gatherWidth = size >= 32 && target.vectorBits(false) >= bits ? width : 1;
  }

  void emit() {
    auto type = cast<MemRefType>(op.getInit().getType());
    if (llvm::is_contained(type.getShape(), 0))
      return;
    auto table = op.getTables().begin();
    for (unsigned index = 0; index < op.getSamplings().size(); ++index) {
      aot::SamplingAttr sampling = op.getSampling(index);
      int64_t dim = sampling.getAxis(), taps = sampling.getTaps();
      SampledAxis axis{sampling, extent(op.getData(), dim), extent(op.getInit(), dim), {}, {}};
      for (int64_t tap = 0; !axis.hasPhases() && tap < taps; ++tap)
        axis.positions.push_back(*table++);
      for (int64_t tap = 0; !axis.hasPhases() && !moves && tap < taps; ++tap)
        axis.weights.push_back(*table++);
      (dim == type.getRank() - 1 ? columns : rows) = axis;
    }
    data = {op.getData(), SmallVector<Value>(type.getRank(), index(0))};
    result = {op.getInit(), data.indices};
    emitImages(0);
  }

private:
  Value number(double value) { return arith::ConstantOp::create(b, b.getFloatAttr(element, value)); }

  Value accumulate(Value sum, Value value, Value weight, int64_t lanes) {
    return accumulateTap(b, sum, value, weight, lanes);
  }

  bool isFinished(const Place &place) { return place.buffer == op.getInit() && !op.getEpilogue().empty(); }

  /// Stores what the epilogue makes of `value` where the place is one of the result.
  void put(Value value, const Place &place) { store(isFinished(place) ? finish(value, place) : value, place); }

  Value finish(Value sum, const Place &at) {
    auto type = dyn_cast<VectorType>(sum.getType());
    int64_t lanes = type ? type.getDimSize(0) : 1;
    Block &body = op.getEpilogue().front();
    IRMapping mapping;
    for (auto [index, input] : llvm::enumerate(op.getInputs())) {
      AffineMap map = op.getMap(index);
      Place place{input, {}};
      for (AffineExpr expr : map.getResults()) {
        auto dim = dyn_cast<AffineDimExpr>(expr);
        place.indices.push_back(dim ? at.indices[dim.getPosition()] : this->index(0));
      }
      mapping.map(body.getArgument(index), load(place, map.isFunctionOfDim(map.getNumDims() - 1) ? lanes : 1));
    }
    mapping.map(body.getArguments().back(), sum);
    return cloneOnVectors(b, body, mapping, lanes);
  }

  //===-- Rows ----------------------------------------------------------------------------------------------------===//

  void emitImages(unsigned dim) {
    unsigned rank = data.indices.size();
    if (dim == rank - 1)
      return emitImage();
    if (rows && rows->sampling.getAxis() == dim)
      return emitImages(dim + 1);
    loop(index(0), extent(op.getInit(), dim), 1, [&](Value at) {
      data.indices[dim] = result.indices[dim] = at;
      emitImages(dim + 1);
    });
  }

  void emitImage() {
    if (!rows)
      return expand(data, result);
    rowDim = rows->sampling.getAxis();
    if (!columns)
      return eachRow([&](Value row) { sumRows(data, rowDim, tapsAt(*rows, row), result.at(rowDim, row)); });
    if (moves)
      return copyRows();
    Place scratch{op.getScratch(), {index(0), index(0)}};
    if (!op.getRowsFirst())
      return expandRows(scratch);
    eachRow([&](Value row) {
      sumRows(data, rowDim, tapsAt(*rows, row), scratch);
      expand(scratch, result.at(rowDim, row));
    });
  }

  void eachRow(llvm::function_ref<void(Value)> body) { loop(index(0), rows->out, 1, body); }

  /// Expands a row of the data unless it is that of the row before, from which an epilogue may make something else.
  void copyRows() {
    if (!op.getEpilogue().empty())
      return eachRow(
          [&](Value row) { expand(data.at(rowDim, tapsAt(*rows, row).front().position), result.at(rowDim, row)); });
    loop(index(0), rows->out, 1, index(-1), [&](Value row, Value before) {
      Value read = tapsAt(*rows, row).front().position;
      Place to = result.at(rowDim, row);
      emitIf(
          b, compare(arith::CmpIPredicate::eq, read, before),
          [&] {
            Place from = result.at(rowDim, plus(row, -1));
            alongRow(columns->out, width, [&](Value at, int64_t lanes) { store(load(from.at(at), lanes), to.at(at)); });
          },
          [&] { expand(data.at(rowDim, read), to); });
      return read;
    });
  }

  /// Every row of the data is expanded once.
  void expandRows(const Place &scratch) {
    int64_t window = rows->sampling.getWindow();
    auto slot = [&](Value row) { return b.createOrFold<arith::RemUIOp>(row, index(window)); };
    loop(index(0), rows->out, 1, index(0), [&](Value row, Value next) {
      SmallVector<Tap> taps = tapsAt(*rows, row);
      Value end = taps.front().position;
      for (const Tap &tap : llvm::drop_begin(taps))
        end = larger(end, tap.position);
      end = plus(end, 1);
      // Of rows that none reads any more there may be some.
      loop(larger(next, plus(end, -window)), end, 1,
           [&](Value read) { expand(data.at(rowDim, read), scratch.at(0, slot(read))); });
      for (Tap &tap : taps)
        tap.position = slot(tap.position);
      sumRows(scratch, 0, taps, result.at(rowDim, row));
      return larger(next, end);
    });
  }

  /// A row of the result, or of the memory to work in: the weighted sum of rows.
  void sumRows(const Place &from, int64_t dim, ArrayRef<Tap> taps, const Place &to) {
    Value count = extent(to.buffer, to.indices.size() - 1);
    alongRow(count, width, [&](Value column, int64_t lanes) {
      Value sum;
      for (const Tap &tap : taps)
        sum = accumulate(sum, load(from.at(dim, tap.position).at(column), lanes), tap.weight, lanes);
      put(sum, to.at(column));
    });
  }

  //===-- What a position reads -----------------------------------------------------------------------------------===//

  Value inside(const SampledAxis &axis, Value position) { return insideOf(b, axis, position); }

  SmallVector<Tap> tapsAt(const SampledAxis &axis, Value position) {
    return onnx_aot::tapsAt(b, axis, position, element, moves);
  }

  //===-- Columns -------------------------------------------------------------------------------------------------===//

  /// A row of the data made as long as one of the result.
  void expand(const Place &from, const Place &to) {
    if (columns->hasPhases())
      return expandByPhases(from, to);
    alongRow(columns->out, gatherWidth, [&](Value column, int64_t lanes) {
      Value sum;
      if (lanes == 1) {
        for (const Tap &tap : tapsAt(*columns, column))
          sum = accumulate(sum, load(from.at(tap.position), 1), tap.weight, 1);
        return put(sum, to.at(column));
      }
      auto type = VectorType::get({lanes}, element), mask = VectorType::get({lanes}, b.getI1Type());
      Value all = arith::ConstantOp::create(b, DenseElementsAttr::get(mask, true));
      Value nothing = arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(type)));
      Place begin = from.at(index(0));
      for (auto [tap, positions] : llvm::enumerate(columns->positions)) {
        Value read = load({positions, {column}}, lanes);
        Value weight = moves ? Value() : load({columns->weights[tap], {column}}, lanes);
        Value value = vector::GatherOp::create(b, type, begin.buffer, begin.indices, read, all, nothing);
        sum = accumulate(sum, value, weight, lanes);
      }
      put(sum, to.at(column));
    });
  }

  void expandByPhases(const Place &from, const Place &to) {
    int64_t scale = columns->sampling.getScale(), before = 0, behind = 0;
    for (int64_t offset : columns->sampling.getOffsets().asArrayRef()) {
      before = std::max(before, -offset);
      behind = std::max(behind, offset);
    }
    // [before, before + count) read nothing beyond the row.
    Value count = plus(columns->in, -(before + behind));
    int64_t lanes = width;
    std::optional<int64_t> known = getConstantIntValue(count);
    while (known && lanes > 1 && *known < lanes)
      lanes /= 2;
    Value isEnough = compare(arith::CmpIPredicate::sge, count, index(lanes));
    Value inVectors = select(isEnough, count, index(0)), scalars = minus(columns->in, inVectors);
    // Below the vectors, all of them where there is none.
    Value below = select(isEnough, index(before), columns->in);
    if (before + behind > 0 || !known || *known < lanes)
      loop(index(0), scalars, 1, [&](Value number) {
        Value isBelow = compare(arith::CmpIPredicate::slt, number, below);
        Value q = select(isBelow, number, plus(number, inVectors));
        for (int64_t phase = 0; phase < scale; ++phase)
          put(sumOfPhase(phase, 1, [&](int64_t offset) { return load(from.at(inside(*columns, plus(q, offset))), 1); }),
              to.at(plus(times(q, scale), phase)));
      });
    auto vectors = [&] {
      Value last = plus(index(before), plus(count, -lanes));
      loop(index(before), plus(index(before), count), lanes, [&](Value at) {
        Value q = smaller(at, last);
        llvm::SmallMapVector<int64_t, Value, 8> loaded;
        auto loadOnce = [&](int64_t offset) {
          Value &value = loaded[offset];
          if (!value)
            value = load(from.at(plus(q, offset)), lanes);
          return value;
        };
        SmallVector<Value> phases;
        for (int64_t phase = 0; phase < scale; ++phase)
          phases.push_back(sumOfPhase(phase, lanes, loadOnce));
        storeInterleaved(phases, to, times(q, scale), lanes);
      });
    };
    if (!known)
      emitIf(b, isEnough, vectors);
    else if (*known >= lanes)
      vectors();
  }

  /// The elements at a phase; what is weighted by 0 is not read.
  Value sumOfPhase(int64_t phase, int64_t lanes, llvm::function_ref<Value(int64_t)> load) {
    Value sum;
    for (int64_t tap = 0; tap < columns->sampling.getTaps(); ++tap) {
      double weight = moves ? 1 : columns->weight(phase, tap);
      bool isLast = tap + 1 == columns->sampling.getTaps();
      if (weight == 0 && (sum || !isLast))
        continue;
      sum = accumulate(sum, load(columns->offset(phase, tap)), moves ? Value() : number(weight), lanes);
    }
    return sum;
  }

  /// Stores the first elements of all, then the second ones, and so on.
  void storeInterleaved(ArrayRef<Value> values, const Place &to, Value at, int64_t lanes) {
    int64_t count = values.size();
    if (lanes == 1) {
      for (auto [phase, value] : llvm::enumerate(values))
        put(value, to.at(plus(at, phase)));
      return;
    }
    SmallVector<int64_t> mask(count * lanes);
    bool isOne = llvm::all_equal(values);
    for (int64_t place = 0; place < count * lanes; ++place)
      mask[place] = isOne ? place / count : place % count * lanes + place / count;
    // An epilogue works on vectors that registers hold.
    bool isSplit = isFinished(to);
    auto storeAll = [&](Value left, Value right) {
      for (int64_t part = 0; part < (isSplit ? count : 1); ++part) {
        ArrayRef<int64_t> places = isSplit ? ArrayRef(mask).slice(part * lanes, lanes) : ArrayRef(mask);
        put(vector::ShuffleOp::create(b, left, right, places), to.at(plus(at, part * lanes)));
      }
    };
    if (isOne)
      return storeAll(values[0], values[0]);
    // One shuffle of two vectors, behind which targets that store so see it.
    SmallVector<Value> joined(values);
    for (int64_t size = lanes; joined.size() > 2; size *= 2) {
      SmallVector<int64_t> all(2 * size);
      std::iota(all.begin(), all.end(), 0);
      SmallVector<Value> pairs;
      for (size_t pair = 0; pair < joined.size(); pair += 2)
        pairs.push_back(vector::ShuffleOp::create(b, joined[pair], joined[std::min(pair + 1, joined.size() - 1)], all));
      joined = std::move(pairs);
    }
    storeAll(joined[0], joined[1]);
  }

  ResampleOp op;
  Type element;
  bool moves;
  int64_t width, gatherWidth; // lanes
  std::optional<SampledAxis> rows, columns;
  int64_t rowDim = -1;
  Place data, result; // of the image
};

struct EmitResample : impl::EmitResampleBase<EmitResample> {
  explicit EmitResample(const aot::TargetModel &target = genericTargetModel()) : target(&target) {}

  void runOnOperation() override {
    SmallVector<ResampleOp> operations;
    getOperation().walk([&](ResampleOp op) { operations.push_back(op); });
    for (ResampleOp op : operations) {
      OpBuilder builder(op);
      ResampleEmitter(builder, op, *target).emit();
      op.erase();
    }
  }

  const aot::TargetModel *target;
};
} // namespace

std::unique_ptr<Pass> createEmitResamplePass(const aot::TargetModel &target) {
  return std::make_unique<EmitResample>(target);
}
} // namespace onnx_aot
