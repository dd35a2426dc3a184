//===- WinogradEmitter.cpp - code of aot.winograd -----------------------------------------------------------------===//
//
// For F(m x m, 3 x 3) with n = m + 2, over data [n, y, x, ic] and blocks of some rows of tiles:
//
//   for each block
//     for each tile of it, and each vector of input channels      B' d B of n x n vectors  -> scratch [n * n][tile][ic]
//     for each panel of output channels
//       n * n products of matrices (tile x ic) * (ic x lanes)     an aot.kernel "matmul"   -> scratch [n *
//       n][tile][lane] for each tile, and each vector of the panel               A' M A, epilogue         -> m x m
//       results
//
// Both transforms are done dim by dim, on vectors of channels. Where a tile reaches beyond the data, what lies there is
// known to be 0 when the code is made: rows of tiles are told apart by which of their rows of data exist (the first,
// the last, those between), and likewise the tiles of a row, so that each group has code of its own without a
// condition. Results that lie beyond the end are not stored.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/WinogradEmitter.h"
#include "codegen/cpu/NestEmitter.h"
#include "codegen/cpu/VectorBody.h"
#include "dialects/aot/LoopNest.h"
#include "dialects/aot/Winograd.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {

/// Neighbouring tiles along a dim for which the same positions exist: first <= tile < last, positions low <= p < high.
struct Group {
  int64_t first, last, low, high;
};

/// Tiles along a dim of `extent` results, of which `size` positions each, from tile * step - before on, exist within
/// [0, limit).
SmallVector<Group> groupsOf(int64_t tiles, int64_t step, int64_t before, int64_t size, int64_t limit) {
  SmallVector<Group> groups;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    int64_t start = tile * step - before;
    int64_t low = std::clamp<int64_t>(-start, 0, size), high = std::clamp<int64_t>(limit - start, low, size);
    if (!groups.empty() && groups.back().low == low && groups.back().high == high)
      groups.back().last = tile + 1;
    else
      groups.push_back({tile, tile + 1, low, high});
  }
  return groups;
}

/// A buffer as one dimension, and its strides.
struct Flat {
  Value buffer;
  SmallVector<int64_t> strides;
};

class WinogradEmitter {
public:
  WinogradEmitter(OpBuilder &builder, WinogradOp op)
      : b(op.getLoc(), builder), op(op), winograd(op.getTile()), scratch(op), m(op.getTile()), n(m + 2),
        width(op.getStrategy().getWidth()), dataShape(cast<MemRefType>(op.getData().getType()).getShape()),
        shape(cast<MemRefType>(op.getInit().getType()).getShape()) {}

  void emit() {
    data = flatten(op.getData());
    result = flatten(op.getInit());
    memory = flatten(op.getScratch());
    for (Value input : op.getInputs())
      inputs.push_back(flatten(input));
    tileRows = llvm::divideCeil(shape[1], m);
    int64_t blocks = shape[0] * tileRows / op.getBlock();
    loop(0, blocks, 1, [&](Value block) {
      firstRow = b.createOrFold<arith::MulIOp>(block, index(op.getBlock()));
      transformData();
      int64_t panel = op.getPanel(), whole = shape[3] / panel;
      loop(0, whole, 1, [&](Value at) { computePanel(at, panel); });
      if (int64_t rest = shape[3] % panel)
        computePanel(index(whole), rest);
    });
  }

private:
  //===-- Loops and addresses -------------------------------------------------------------------------------------===//

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, value); }

  /// value * factor + constant + ...
  Value plus(Value left, Value right) { return b.createOrFold<arith::AddIOp>(left, right); }
  Value plus(Value left, int64_t right) { return right == 0 ? left : plus(left, index(right)); }
  Value times(Value value, int64_t factor) { return b.createOrFold<arith::MulIOp>(value, index(factor)); }

  void loop(int64_t low, int64_t high, int64_t step, llvm::function_ref<void(Value)> body) {
    if (high <= low)
      return;
    if (high - low <= step)
      return body(index(low));
    auto forOp = scf::ForOp::create(b, index(low), index(high), index(step));
    auto yes = b.getBoolAttr(true);
    auto vectorize = LLVM::LoopVectorizeAttr::get(b.getContext(), yes, {}, {}, {}, {}, {}, {});
    auto unroll = LLVM::LoopUnrollAttr::get(b.getContext(), yes, {}, {}, {}, {}, {}, {});
    forOp->setAttr("llvm.loop_annotation", LLVM::LoopAnnotationAttr::get(b.getContext(), {}, vectorize, {}, unroll, {},
                                                                         {}, {}, {}, {}, {}, {}, {}, {}, {}, {}));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    body(forOp.getInductionVar());
  }

  /// The buffer of a static shape as one dimension.
  Flat flatten(Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    Flat flat;
    int64_t offset = 0, last = 0;
    (void)type.getStridesAndOffset(flat.strides, offset);
    for (auto [extent, stride] : llvm::zip(type.getShape(), flat.strides))
      last += (extent - 1) * stride;
    OpFoldResult start = b.getIndexAttr(offset);
    Value base = buffer;
    MemRefLayoutAttrInterface layout;
    if (ShapedType::isDynamic(offset)) {
      auto metadata = memref::ExtractStridedMetadataOp::create(b, buffer);
      base = metadata.getBaseBuffer();
      start = metadata.getOffset();
    }
    if (offset != 0)
      layout = StridedLayoutAttr::get(b.getContext(), offset, {1});
    auto flatType = MemRefType::get({last + 1}, type.getElementType(), layout);
    flat.buffer =
        memref::ReinterpretCastOp::create(b, flatType, base, start, ArrayRef<OpFoldResult>{b.getIndexAttr(last + 1)},
                                          ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
    return flat;
  }

  VectorType vectorOf(int64_t lanes) { return VectorType::get({lanes}, b.getF32Type()); }

  /// Runs `body` for each row of tiles of the block, once for each group that it may belong to, with (number within the
  /// block, image, row within the image, group).
  void forRows(ArrayRef<Group> groups, llvm::function_ref<void(Value, Value, Value, const Group &)> body) {
    loop(0, op.getBlock(), 1, [&](Value number) {
      Value row = plus(firstRow, number), image = index(0), tileRow = row;
      if (shape[0] > 1) {
        image = arith::DivUIOp::create(b, row, index(tileRows));
        tileRow = arith::RemUIOp::create(b, row, index(tileRows));
      }
      branch(groups, tileRow, [&](const Group &group) { body(number, image, tileRow, group); });
    });
  }

  void branch(ArrayRef<Group> groups, Value tile, llvm::function_ref<void(const Group &)> body) {
    if (groups.size() == 1)
      return body(groups.front());
    Value isHere = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, tile, index(groups.front().last));
    auto ifOp = scf::IfOp::create(b, isHere, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
    body(groups.front());
    b.setInsertionPoint(ifOp.elseBlock()->getTerminator());
    branch(groups.drop_front(), tile, body);
  }

  /// Runs `body` for each tile of a row, group by group.
  void forTiles(ArrayRef<Group> groups, llvm::function_ref<void(Value, const Group &)> body) {
    for (const Group &group : groups)
      loop(group.first, group.last, 1, [&](Value tile) { body(tile, group); });
  }

  //===-- Arithmetic on vectors, of which null ones are 0 ---------------------------------------------------------===//

  Value constant(double value, int64_t lanes) {
    auto type = vectorOf(lanes);
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, APFloat(float(value))));
  }

  /// sum + factor * value.
  Value addScaled(Value sum, Value value, double factor, int64_t lanes) {
    if (!value || factor == 0)
      return sum;
    if (!sum)
      return factor == 1 ? value : Value(arith::MulFOp::create(b, value, constant(factor, lanes)));
    if (factor == 1)
      return arith::AddFOp::create(b, sum, value);
    if (factor == -1)
      return arith::SubFOp::create(b, sum, value);
    return math::FmaOp::create(b, value, constant(factor, lanes), sum);
  }

  /// B' d: size() vectors to as many.
  SmallVector<Value> transformLine(ArrayRef<Value> line, int64_t lanes) {
    SmallVector<Value> transformed(n);
    auto wholeRow = [&](int64_t row) {
      Value sum;
      for (int64_t k = n; k-- > 0;) // the highest power has the factor 1
        sum = addScaled(sum, line[k], winograd.dataRow(row)[k], lanes);
      return sum;
    };
    transformed[0] = wholeRow(0);
    transformed[n - 1] = wholeRow(n - 1);
    for (auto [pair, point] : llvm::enumerate(winograd.pairs())) {
      // Row p is even + odd, row -p even - odd, where odd is p * (x^3 + ...).
      ArrayRef<double> row = winograd.dataRow(1 + 2 * pair);
      Value even, odd;
      for (int64_t k = n; k-- > 0;)
        if (k % 2 == 0)
          even = addScaled(even, line[k], row[k], lanes);
        else
          odd = addScaled(odd, line[k], row[k] / point, lanes);
      transformed[1 + 2 * pair] = addScaled(even, odd, point, lanes);
      transformed[2 + 2 * pair] = addScaled(even, odd, -point, lanes);
    }
    return transformed;
  }

  /// A' M: the first `count` of m results from n vectors.
  SmallVector<Value> transformBack(ArrayRef<Value> line, int64_t count, int64_t lanes) {
    SmallVector<Value> sums, differences, results;
    for (size_t pair = 0; pair < winograd.pairs().size(); ++pair) {
      Value plusRow = line[1 + 2 * pair], minusRow = line[2 + 2 * pair];
      sums.push_back(arith::AddFOp::create(b, plusRow, minusRow));
      if (count > 1)
        differences.push_back(arith::SubFOp::create(b, plusRow, minusRow));
    }
    for (int64_t row = 0; row < count; ++row) {
      Value sum = row == 0 ? line[0] : row == m - 1 ? line[n - 1] : Value();
      for (auto [pair, point] : llvm::enumerate(winograd.pairs()))
        sum = addScaled(sum, row % 2 == 0 ? sums[pair] : differences[pair], std::pow(point, row), lanes);
      results.push_back(sum);
    }
    return results;
  }

  //===-- The three steps -----------------------------------------------------------------------------------------===//

  void transformData() {
    SmallVector<Group> rows = groupsOf(tileRows, m, op.getPads()[0], n, dataShape[1]);
    SmallVector<Group> columns = groupsOf(scratch.tilesPerRow, m, op.getPads()[1], n, dataShape[2]);
    forRows(rows, [&](Value number, Value image, Value tileRow, const Group &row) {
      forTiles(columns, [&](Value tile, const Group &column) {
        Value from = times(image, data.strides[0]);
        from = plus(from, times(tileRow, m * data.strides[1]));
        from = plus(from, times(tile, m * data.strides[2]));
        Value to = times(plus(times(number, scratch.tilesPerRow), tile), dataShape[3]);
        int64_t whole = dataShape[3] / width * width;
        auto transform = [&](Value channel, int64_t lanes) {
          transformTile(plus(from, channel), plus(to, channel), row, column, lanes);
        };
        loop(0, whole, width, [&](Value channel) { transform(channel, width); });
        for (int64_t at = whole, lanes = width / 2; lanes > 0; lanes /= 2)
          if (at + lanes <= dataShape[3]) {
            transform(index(at), lanes);
            at += lanes;
          }
      });
    });
  }

  void transformTile(Value from, Value to, const Group &row, const Group &column, int64_t lanes) {
    SmallVector<SmallVector<Value>> half(n); // [position in y][x]
    for (SmallVector<Value> &line : half)
      line.resize(n);
    int64_t corner = -(op.getPads()[0] * data.strides[1] + op.getPads()[1] * data.strides[2]);
    for (int64_t x = column.low; x < column.high; ++x) {
      SmallVector<Value> line(n);
      for (int64_t y = row.low; y < row.high; ++y) {
        Value at = plus(from, corner + y * data.strides[1] + x * data.strides[2]);
        line[y] = vector::LoadOp::create(b, vectorOf(lanes), data.buffer, ValueRange{at});
      }
      for (auto [y, value] : llvm::enumerate(transformLine(line, lanes)))
        half[y][x] = value;
    }
    for (int64_t y = 0; y < n; ++y)
      for (auto [x, value] : llvm::enumerate(transformLine(half[y], lanes))) {
        if (!value)
          value = constant(0, lanes);
        Value at = plus(to, (y * n + int64_t(x)) * scratch.dataStride);
        vector::StoreOp::create(b, value, memory.buffer, ValueRange{at});
      }
  }

  /// Output channels panel * P .. panel * P + lanes - 1 of the block.
  void computePanel(Value panel, int64_t lanes) {
    multiply(panel, llvm::alignTo(lanes, width));
    SmallVector<Group> rows = groupsOf(tileRows, m, 0, m, shape[1]);
    SmallVector<Group> columns = groupsOf(scratch.tilesPerRow, m, 0, m, shape[2]);
    forRows(rows, [&](Value number, Value image, Value tileRow, const Group &row) {
      forTiles(columns, [&](Value tile, const Group &column) {
        Value from = times(plus(times(number, scratch.tilesPerRow), tile), op.getPanel());
        for (int64_t lane = 0; lane < lanes; lane += width) {
          Value channel = plus(times(panel, op.getPanel()), lane);
          Place place{image, times(tileRow, m), times(tile, m), channel};
          storeTile(plus(from, scratch.products + lane), place, row, column, std::min(width, lanes - lane));
        }
      });
    });
  }

  void multiply(Value panel, int64_t lanes) {
    int64_t positions = n * n, channels = dataShape[3], stride = op.getPanel();
    auto view = [&](Value base, OpFoldResult offset, ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
      auto constant = getConstantIntValue(offset);
      if (constant)
        offset = b.getIndexAttr(*constant);
      auto layout = StridedLayoutAttr::get(b.getContext(), constant ? *constant : ShapedType::kDynamic, strides);
      return memref::ReinterpretCastOp::create(b, MemRefType::get(sizes, b.getF32Type(), layout), base, offset,
                                               getAsIndexOpFoldResult(b.getContext(), sizes),
                                               getAsIndexOpFoldResult(b.getContext(), strides))
          .getResult();
    };
    Value left = view(op.getScratch(), b.getIndexAttr(0), {positions, scratch.tiles, channels},
                      {scratch.dataStride, channels, 1});
    Value product = view(op.getScratch(), b.getIndexAttr(scratch.products), {positions, scratch.tiles, lanes},
                         {scratch.productStride, stride, 1});
    auto weightsType = cast<MemRefType>(op.getWeights().getType());
    SmallVector<int64_t> weightStrides;
    int64_t offset = 0;
    (void)weightsType.getStridesAndOffset(weightStrides, offset);
    Value base = op.getWeights(), start = times(panel, positions * channels * stride);
    if (ShapedType::isDynamic(offset)) {
      auto metadata = memref::ExtractStridedMetadataOp::create(b, op.getWeights());
      base = metadata.getBaseBuffer();
      start = plus(start, metadata.getOffset());
    } else {
      start = plus(start, offset);
    }
    Value right = view(base, start, {positions, channels, lanes}, {channels * stride, stride, 1});

    // Loops: position, tile, lane, channel.
    MLIRContext *context = b.getContext();
    auto map = [&](ArrayRef<unsigned> dims) {
      return AffineMapAttr::get(AffineMap::getMultiDimMapWithTargets(4, dims, context));
    };
    auto tile = StrategyAttr::get(context, "loops", 2, width, lanes / width, 1, op.getStrategy().getRows(), 0);
    auto kernel = KernelOp::create(b, TypeRange(), "matmul", ValueRange{left, right}, product,
                                   b.getArrayAttr({map({0, 1, 3}), map({0, 3, 2}), map({0, 1, 2})}),
                                   b.getStrArrayAttr({"parallel", "parallel", "parallel", "reduction"}),
                                   b.getF32FloatAttr(0), tile);
    for (Region *region : {&kernel.getCompute(), &kernel.getEpilogue()}) {
      OpBuilder::InsertionGuard guard(b);
      Block *block =
          b.createBlock(region, {}, SmallVector<Type>(3, b.getF32Type()), SmallVector<Location>(3, b.getLoc()));
      Value next = block->getArgument(2);
      if (region == &kernel.getCompute())
        next = math::FmaOp::create(b, block->getArgument(0), block->getArgument(1), next);
      YieldOp::create(b, next);
    }
    FailureOr<LoopNest> nest = LoopNest::of(kernel);
    assert(succeeded(nest) && "views of static strides have linear addresses");
    emitLoopNest(b, b.getLoc(), *nest, tile);
    kernel.erase();
  }

  /// The first result of a tile, [image, y, x, channel].
  struct Place {
    Value image, y, x, channel;
  };

  void storeTile(Value from, const Place &place, const Group &row, const Group &column, int64_t valid) {
    int64_t lanes = width;
    SmallVector<SmallVector<Value>> half(row.high, SmallVector<Value>(n)); // [y][position in x]
    for (int64_t x = 0; x < n; ++x) {
      SmallVector<Value> line;
      for (int64_t y = 0; y < n; ++y) {
        Value at = plus(from, (y * n + x) * scratch.productStride);
        line.push_back(vector::LoadOp::create(b, vectorOf(lanes), memory.buffer, ValueRange{at}));
      }
      for (auto [y, value] : llvm::enumerate(transformBack(line, row.high, lanes)))
        half[y][x] = value;
    }
    for (int64_t y = 0; y < row.high; ++y)
      for (auto [x, sum] : llvm::enumerate(transformBack(half[y], column.high, lanes)))
        storeResult(sum, {place.image, plus(place.y, y), plus(place.x, x), place.channel}, valid);
  }

  void storeResult(Value sum, const Place &place, int64_t valid) {
    Value position[] = {place.image, place.y, place.x, place.channel};
    auto addressOf = [&](const Flat &flat, AffineMap map) {
      Value at = index(0);
      for (auto [expr, stride] : llvm::zip(map.getResults(), flat.strides))
        if (auto dim = dyn_cast<AffineDimExpr>(expr))
          at = plus(at, times(position[dim.getPosition()], stride));
      return at;
    };
    Block &body = op.getEpilogue().front();
    IRMapping mapping;
    for (auto [number, input] : llvm::enumerate(inputs)) {
      Value argument = body.getArgument(number);
      if (argument.use_empty())
        continue;
      AffineMap map = op.getMap(number);
      Value at = addressOf(input, map);
      bool hasLanes = map.isFunctionOfDim(3);
      mapping.map(argument, hasLanes ? loadLanes(input.buffer, at, argument.getType(), valid)
                                     : memref::LoadOp::create(b, input.buffer, ValueRange{at}).getResult());
    }
    mapping.map(body.getArguments().back(), sum);
    Value value = cloneOnVectors(b, body, mapping, width);
    Value at = addressOf(result, b.getMultiDimIdentityMap(4));
    if (valid == width)
      vector::StoreOp::create(b, value, result.buffer, ValueRange{at});
    else
      vector::MaskedStoreOp::create(b, result.buffer, ValueRange{at}, maskOf(valid), value);
  }

  Value loadLanes(Value buffer, Value at, Type element, int64_t valid) {
    auto type = VectorType::get({width}, element);
    if (valid == width)
      return vector::LoadOp::create(b, type, buffer, ValueRange{at});
    Value one = arith::ConstantOp::create(b, DenseElementsAttr::get(type, cast<Attribute>(b.getOneAttr(element))));
    return vector::MaskedLoadOp::create(b, type, buffer, ValueRange{at}, maskOf(valid), one);
  }

  Value maskOf(int64_t valid) {
    SmallVector<bool> lanes(width, false);
    std::fill_n(lanes.begin(), valid, true);
    return arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get({width}, b.getI1Type()), lanes));
  }

  ImplicitLocOpBuilder b;
  WinogradOp op;
  Winograd winograd;
  WinogradScratch scratch;
  int64_t m, n, width, tileRows = 0;
  ArrayRef<int64_t> dataShape, shape; // [n, y, x, channels]
  Flat data, result, memory;
  SmallVector<Flat> inputs;
  Value firstRow; // of the block
};
} // namespace

void onnx_aot::emitWinograd(OpBuilder &builder, WinogradOp op) { WinogradEmitter(builder, op).emit(); }
