//===- EmitWinograd.cpp - code of aot.winograd --------------------------------------------------------------------===//
//
// For F(m x m, 3 x 3) with n = m + 2, over data [n, y, x, ic] and blocks of some rows of tiles:
//
//   for each block
//     for each tile of it, and each vector of input channels
//       B' d B of n x n vectors                -> scratch [n * n][tile][ic]
//     for each group of panels of output channels
//       n * n products (tile x ic) * (ic x lanes), an aot.kernel "matmul"
//                                              -> scratch [n * n][tile][lane]
//       for each tile, and each vector of the group
//         A' M A, epilogue                     -> m x m results
//
// Both transforms are done dim by dim, on vectors of channels. A tile that reaches beyond the data is copied to the
// stack first, with zeros for what does not exist; results go to the stack too, from where as many as there are go
// through the epilogue. So there is code for tiles within the data and for tiles at its border, and one of everything
// else.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/Passes.h"
#include "codegen/cpu/RowLoops.h"
#include "codegen/VectorBody.h"
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/Winograd.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Pass/Pass.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace onnx_aot {
#define GEN_PASS_DEF_EMITWINOGRAD
#include "codegen/cpu/Passes.h.inc"
} // namespace onnx_aot

namespace {

/// The functions that multiply, made where they are first needed.
class Multipliers {
public:
  explicit Multipliers(ModuleOp module) : module(module) {}

  /// (scratch, weights, group): the products of a block of `op`.
  func::FuncOp get(WinogradOp op);

private:
  struct Key {
    Type scratch, weights;
    int64_t tiles, width, lanes, rows;
    bool operator==(const Key &other) const {
      return std::tie(scratch, weights, tiles, width, lanes, rows) ==
             std::tie(other.scratch, other.weights, other.tiles, other.width, other.lanes, other.rows);
    }
  };
  ModuleOp module;
  std::vector<std::pair<Key, func::FuncOp>> made;
};

/// A buffer as one dimension, and its strides.
struct Flat {
  Value buffer;
  SmallVector<int64_t> strides;
};

class WinogradEmitter : RowLoops {
public:
  WinogradEmitter(OpBuilder &builder, WinogradOp op, Multipliers &multipliers)
      : RowLoops(builder, op.getLoc()), op(op), multipliers(multipliers), winograd(op.getTile()), scratch(op),
        m(op.getTile()), n(m + 2), width(op.getStrategy().getWidth()),
        dataShape(cast<MemRefType>(op.getData().getType()).getShape()),
        shape(cast<MemRefType>(op.getInit().getType()).getShape()) {}

  void emit() {
    data = flatten(op.getData());
    result = flatten(op.getInit());
    memory = flatten(op.getScratch());
    for (Value input : op.getInputs())
      inputs.push_back(flatten(input));
    tileRows = llvm::divideCeil(shape[1], m);
    int64_t block = op.getBlock(), lastBlock = op.getTileRows() - block;
    loop(0, llvm::alignTo(op.getTileRows(), block), block, [&](Value row) {
      // Computing a row twice is harmless: nothing that is read is written.
      firstRow = lastBlock % block == 0 ? row : Value(arith::MinUIOp::create(b, row, index(lastBlock)));
      transformData();
      loop(0, op.getGroups(), 1, [&](Value group) {
        func::CallOp::create(b, multipliers.get(op), ValueRange{op.getScratch(), op.getWeights(), group});
        transformProducts(times(group, op.getLanes()));
      });
    });
  }

private:
  //===-- Loops and addresses -------------------------------------------------------------------------------------===//

  using RowLoops::loop;
  void loop(int64_t low, int64_t high, int64_t step, llvm::function_ref<void(Value)> body) {
    if (high <= low)
      return;
    if (high - low <= step)
      return body(index(low));
    loop(index(low), index(high), step, body);
  }

  void loop(Value count, llvm::function_ref<void(Value)> body) { loop(index(0), count, 1, body); }

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

  /// Runs `body` for each tile of the block, with (number within the block, image, row, column).
  void forTiles(llvm::function_ref<void(Value, Value, Value, Value)> body) {
    loop(0, op.getBlock(), 1, [&](Value number) {
      Value row = plus(firstRow, number), image = index(0), tileRow = row;
      if (shape[0] > 1) {
        image = arith::DivUIOp::create(b, row, index(tileRows));
        tileRow = arith::RemUIOp::create(b, row, index(tileRows));
      }
      loop(0, scratch.tilesPerRow, 1,
           [&](Value column) { body(plus(times(number, scratch.tilesPerRow), column), image, tileRow, column); });
    });
  }

  /// Whether all positions of tile `number` along a dim lie within [0, limit); null where that holds for all tiles.
  Value liesWithin(Value number, int64_t tiles, int64_t before, int64_t limit) {
    int64_t first = llvm::divideCeil(before, m), last = (limit - n + before) < 0 ? -1 : (limit - n + before) / m;
    if (first == 0 && last >= tiles - 1)
      return Value();
    // Those below `first` wrap around to large numbers.
    Value distance = plus(number, -first);
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, distance, index(std::max<int64_t>(0, last - first + 1)));
  }

  Value both(Value left, Value right) {
    return !left || !right ? (left ? left : right) : b.createOrFold<arith::AndIOp>(left, right);
  }

  /// Memory on the stack of the function, for `elements` vectors.
  Value allocateVectors(int64_t elements) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&op->getParentOfType<FunctionOpInterface>().getFunctionBody().front());
    return memref::AllocaOp::create(b, MemRefType::get({elements * width}, b.getF32Type()),
                                    b.getI64IntegerAttr(width * 4));
  }

  //===-- Arithmetic on vectors -----------------------------------------------------------------------------------===//

  Value constant(double value, int64_t lanes) {
    auto type = vectorOf(lanes);
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, APFloat(float(value))));
  }

  /// sum + factor * value; a null sum is 0.
  Value addScaled(Value sum, Value value, double factor, int64_t lanes) {
    if (factor == 0)
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

  /// A' M: m results from n vectors.
  SmallVector<Value> transformBack(ArrayRef<Value> line) {
    SmallVector<Value> sums, differences, values;
    for (size_t pair = 0; pair < winograd.pairs().size(); ++pair) {
      Value positive = line[1 + 2 * pair], negative = line[2 + 2 * pair];
      sums.push_back(arith::AddFOp::create(b, positive, negative));
      differences.push_back(arith::SubFOp::create(b, positive, negative));
    }
    for (int64_t row = 0; row < m; ++row) {
      Value sum = row == 0 ? line[0] : row == m - 1 ? line[n - 1] : Value();
      for (auto [pair, point] : llvm::enumerate(winograd.pairs()))
        sum = addScaled(sum, row % 2 == 0 ? sums[pair] : differences[pair], std::pow(point, row), width);
      values.push_back(sum);
    }
    return values;
  }

  //===-- The three steps -----------------------------------------------------------------------------------------===//

  void transformData() {
    int64_t channels = dataShape[3], lanes = std::min<int64_t>(width, llvm::bit_floor(uint64_t(channels)));
    Flat patch{allocateVectors(n * n), {0, n * width, width, 1}};
    forTiles([&](Value number, Value image, Value tileRow, Value column) {
      Value y = plus(times(tileRow, m), -op.getPads()[0]), x = plus(times(column, m), -op.getPads()[1]);
      Value ofImage = times(image, data.strides[0]);
      Value from = plus(ofImage, plus(times(y, data.strides[1]), times(x, data.strides[2])));
      Value to = times(number, channels);
      Value isWithin = both(liesWithin(tileRow, tileRows, op.getPads()[0], dataShape[1]),
                            liesWithin(column, scratch.tilesPerRow, op.getPads()[1], dataShape[2]));
      auto withinData = [&] {
        forChannels(lanes, [&](Value channel) { transformTile(data, plus(from, channel), plus(to, channel), lanes); });
      };
      if (!isWithin)
        return withinData();
      auto ifOp = scf::IfOp::create(b, isWithin, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
      withinData();
      b.setInsertionPoint(ifOp.elseBlock()->getTerminator());
      forChannels(lanes, [&](Value channel) {
        copyTile(plus(ofImage, channel), y, x, patch, lanes);
        transformTile(patch, index(0), plus(to, channel), lanes);
      });
    });
  }

  /// Channels `lanes` at a time; the last ones may be some of those before.
  void forChannels(int64_t lanes, llvm::function_ref<void(Value)> body) {
    int64_t channels = dataShape[3];
    loop(0, llvm::alignTo(channels, lanes), lanes, [&](Value channel) {
      if (channels % lanes != 0)
        channel = arith::MinUIOp::create(b, channel, index(channels - lanes));
      body(channel);
    });
  }

  /// Copies a tile at (y, x) of the image whose channel lies at `from`, with zeros for what lies beyond the data. Reads
  /// the nearest element there, so that no condition parts the code.
  void copyTile(Value from, Value y, Value x, const Flat &patch, int64_t lanes) {
    Value zero = constant(0, lanes);
    auto clamp = [&](Value position, int64_t limit) {
      Value low = arith::MaxSIOp::create(b, position, index(0));
      return arith::MinSIOp::create(b, low, index(limit - 1)).getResult();
    };
    auto isSame = [&](Value left, Value right) {
      return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, left, right).getResult();
    };
    loop(0, n, 1, [&](Value row) {
      Value wantedY = plus(y, row), nearY = clamp(wantedY, dataShape[1]), hasRow = isSame(wantedY, nearY);
      Value line = plus(from, times(nearY, data.strides[1]));
      loop(0, n, 1, [&](Value column) {
        Value wantedX = plus(x, column), nearX = clamp(wantedX, dataShape[2]);
        Value isThere = arith::AndIOp::create(b, hasRow, isSame(wantedX, nearX));
        Value value = vector::LoadOp::create(b, vectorOf(lanes), data.buffer,
                                             ValueRange{plus(line, times(nearX, data.strides[2]))});
        value = arith::SelectOp::create(b, isThere, value, zero);
        Value at = plus(times(row, patch.strides[1]), times(column, patch.strides[2]));
        vector::StoreOp::create(b, value, patch.buffer, ValueRange{at});
      });
    });
  }

  void transformTile(const Flat &source, Value from, Value to, int64_t lanes) {
    SmallVector<SmallVector<Value>> half(n, SmallVector<Value>(n)); // [position in y][x]
    for (int64_t x = 0; x < n; ++x) {
      SmallVector<Value> line;
      for (int64_t y = 0; y < n; ++y) {
        Value at = plus(from, y * source.strides[1] + x * source.strides[2]);
        line.push_back(vector::LoadOp::create(b, vectorOf(lanes), source.buffer, ValueRange{at}));
      }
      for (auto [y, value] : llvm::enumerate(transformLine(line, lanes)))
        half[y][x] = value;
    }
    for (int64_t y = 0; y < n; ++y)
      for (auto [x, value] : llvm::enumerate(transformLine(half[y], lanes))) {
        Value at = plus(to, (y * n + int64_t(x)) * scratch.dataStride);
        vector::StoreOp::create(b, value, memory.buffer, ValueRange{at});
      }
  }

  /// Those of the channels from `first` on.
  void transformProducts(Value first) {
    int64_t channels = shape[3] / op.getGroups(), whole = channels / width * width;
    forTiles([&](Value number, Value image, Value tileRow, Value column) {
      Value from = plus(times(number, op.getLanes()), scratch.products);
      auto store = [&](Value lane, int64_t valid) {
        storeTile(plus(from, lane), {image, times(tileRow, m), times(column, m), plus(first, lane)}, valid);
      };
      loop(0, whole, width, [&](Value lane) { store(lane, width); });
      if (whole < channels)
        store(index(whole), channels - whole);
    });
  }

  /// The first result of a tile, [image, y, x, channel].
  struct Place {
    Value image, y, x, channel;
  };

  void storeTile(Value from, const Place &place, int64_t valid) {
    SmallVector<SmallVector<Value>> half(m, SmallVector<Value>(n)); // [y][position in x]
    for (int64_t x = 0; x < n; ++x) {
      SmallVector<Value> line;
      for (int64_t y = 0; y < n; ++y) {
        Value at = plus(from, (y * n + x) * scratch.productStride);
        line.push_back(vector::LoadOp::create(b, vectorOf(width), memory.buffer, ValueRange{at}));
      }
      for (auto [y, value] : llvm::enumerate(transformBack(line)))
        half[y][x] = value;
    }
    if (!results)
      results = allocateVectors(m * m);
    for (int64_t y = 0; y < m; ++y)
      for (auto [x, sum] : llvm::enumerate(transformBack(half[y])))
        vector::StoreOp::create(b, sum, results, ValueRange{index((y * m + int64_t(x)) * width)});
    // As many as there are.
    auto count = [&](Value first, int64_t extent) -> Value {
      if (extent % m == 0)
        return index(m);
      return arith::MinUIOp::create(b, arith::SubIOp::create(b, index(extent), first), index(m));
    };
    loop(count(place.y, shape[1]), [&](Value y) {
      loop(count(place.x, shape[2]), [&](Value x) {
        Value at = times(plus(times(y, m), x), width);
        Value sum = vector::LoadOp::create(b, vectorOf(width), results, ValueRange{at});
        storeResult(sum, {place.image, plus(place.y, y), plus(place.x, x), place.channel}, valid);
      });
    });
  }

  void storeResult(Value sum, const Place &place, int64_t valid) {
    Value position[] = {place.image, place.y, place.x, place.channel};
    auto addressOf = [&](const Flat &flat, AffineMap map) {
      Value at = index(0);
      for (auto [expr, stride] : llvm::zip(map.getResults(), flat.strides)) {
        if (auto dim = dyn_cast<AffineDimExpr>(expr))
          at = plus(at, times(position[dim.getPosition()], stride));
        else
          at = plus(at, cast<AffineConstantExpr>(expr).getValue() * stride);
      }
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
      vector::MaskedStoreOp::create(b, result.buffer, ValueRange{at}, laneMask(b, width, valid), value);
  }

  Value loadLanes(Value buffer, Value at, Type element, int64_t valid) {
    auto type = VectorType::get({width}, element);
    if (valid == width)
      return vector::LoadOp::create(b, type, buffer, ValueRange{at});
    return vector::MaskedLoadOp::create(b, type, buffer, ValueRange{at}, laneMask(b, width, valid),
                                        harmlessLanes(b, type));
  }

  WinogradOp op;
  Multipliers &multipliers;
  Winograd winograd;
  WinogradScratch scratch;
  int64_t m, n, width, tileRows = 0;
  ArrayRef<int64_t> dataShape, shape; // [n, y, x, channels]
  Flat data, result, memory;
  SmallVector<Flat> inputs;
  Value firstRow; // of the block
  Value results;  // of one tile, on the stack
};

struct EmitWinograd : onnx_aot::impl::EmitWinogradBase<EmitWinograd> {
  void runOnOperation() override {
    Multipliers multipliers(getOperation());
    SmallVector<WinogradOp> operations;
    getOperation().walk([&](WinogradOp op) { operations.push_back(op); });
    for (WinogradOp op : operations) {
      OpBuilder builder(op);
      WinogradEmitter(builder, op, multipliers).emit();
      op.erase();
    }
  }
};
} // namespace

func::FuncOp Multipliers::get(WinogradOp op) {
  WinogradScratch scratch(op);
  int64_t lanes = op.getLanes();
  Key key{op.getScratch().getType(), op.getWeights().getType(), scratch.tiles, op.getStrategy().getWidth(), lanes,
          op.getStrategy().getRows()};
  for (auto &[known, function] : made)
    if (known == key)
      return function;

  MLIRContext *context = op.getContext();
  ImplicitLocOpBuilder b(op.getLoc(), context);
  b.setInsertionPointToEnd(module.getBody());
  Type real = b.getF32Type();
  auto function = func::FuncOp::create(b, ("winograd_products_" + Twine(made.size())).str(),
                                       b.getFunctionType({key.scratch, key.weights, b.getIndexType()}, {}));
  function.setPrivate();
  function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(context, LLVM::Linkage::Internal));
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  made.push_back({key, function});
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);

  int64_t size = op.getTile() + 2, positions = size * size, width = op.getStrategy().getWidth();
  int64_t channels = cast<MemRefType>(op.getData().getType()).getDimSize(3);
  Value memory = entry->getArgument(0), group = entry->getArgument(2);
  auto view = [&](int64_t offset, ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
    auto type = MemRefType::get(sizes, real, StridedLayoutAttr::get(context, offset, strides));
    return memref::ReinterpretCastOp::create(b, type, memory, b.getIndexAttr(offset),
                                             getAsIndexOpFoldResult(context, sizes),
                                             getAsIndexOpFoldResult(context, strides))
        .getResult();
  };
  Value left = view(0, {positions, scratch.tiles, channels}, {scratch.dataStride, channels, 1});
  Value product = view(scratch.products, {positions, scratch.tiles, lanes}, {scratch.productStride, lanes, 1});
  SmallVector<int64_t> sizes(cast<MemRefType>(key.weights).getShape());
  sizes[0] = 1;
  SmallVector<OpFoldResult> offsets(sizes.size(), b.getIndexAttr(0)), ones(sizes.size(), b.getIndexAttr(1));
  offsets[0] = group;
  auto ofGroup =
      memref::SubViewOp::inferRankReducedResultType(ArrayRef(sizes).drop_front(), cast<MemRefType>(key.weights),
                                                    offsets, getAsIndexOpFoldResult(context, sizes), ones);
  Value weights = memref::SubViewOp::create(b, ofGroup, entry->getArgument(1), offsets,
                                            getAsIndexOpFoldResult(context, sizes), ones);

  // Loops: position, tile, lane, channel.
  auto map = [&](ArrayRef<unsigned> dims) {
    return AffineMapAttr::get(AffineMap::getMultiDimMapWithTargets(4, dims, context));
  };
  AffineExpr position = b.getAffineDimExpr(0), lane = b.getAffineDimExpr(2), channel = b.getAffineDimExpr(3);
  int64_t panel = op.getPanel();
  auto panels = AffineMap::get(4, 0, {position, lane.floorDiv(panel), channel, lane % panel}, context);
  auto tile = StrategyAttr::get(context, "loops", 2, width, panel / width, 1, op.getStrategy().getRows(), 0);
  auto kernel = KernelOp::create(b, TypeRange(), "matmul", ValueRange{left, weights}, product,
                                 b.getArrayAttr({map({0, 1, 3}), AffineMapAttr::get(panels), map({0, 1, 2})}),
                                 b.getStrArrayAttr({"parallel", "parallel", "parallel", "reduction"}),
                                 b.getF32FloatAttr(0), tile);
  for (Region *region : {&kernel.getCompute(), &kernel.getEpilogue()}) {
    OpBuilder::InsertionGuard guard(b);
    Block *block = b.createBlock(region, {}, SmallVector<Type>(3, real), SmallVector<Location>(3, b.getLoc()));
    Value next = block->getArgument(2);
    if (region == &kernel.getCompute())
      next = math::FmaOp::create(b, block->getArgument(0), block->getArgument(1), next);
    YieldOp::create(b, next);
  }
  func::ReturnOp::create(b);
  return function;
}
