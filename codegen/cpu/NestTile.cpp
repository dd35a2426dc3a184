//===- NestTile.cpp - the operands and bodies of one tile of a loop nest ------------------------------------------===//
//
// See NestTile.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/NestTile.h"
#include "codegen/VectorBody.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

void NestTile::prepare() {
  materializeAll();
  for (const Access &access : nest.inputs)
    flat.push_back(flatten(access));
  flatOutput = flatten(nest.output);
  zero = arith::ConstantIndexOp::create(b, 0);
  ivs.assign(nest.dims.size(), zero);
}

//===-- Memory ----------------------------------------------------------------------------------------------------===//

Value NestTile::index(int64_t value) { return arith::ConstantIndexOp::create(b, value); }

Value NestTile::valueOf(const Symbol &symbol) {
  if (symbol.kind == Symbol::Sum)
    return arith::AddIOp::create(b, valueOf(symbol.left), valueOf(symbol.right));
  if (symbol.dim < 0)
    return symbol.value;
  if (symbol.kind == Symbol::Size)
    return memref::DimOp::create(b, symbol.value, symbol.dim);
  return memref::ExtractStridedMetadataOp::create(b, symbol.value).getStrides()[symbol.dim];
}

Value NestTile::valueOf(const Amount &amount) {
  for (auto &[known, value] : amounts)
    if (known == amount)
      return value;
  Value result;
  for (unsigned symbol : amount.symbols) {
    Value value = valueOf(nest.symbols[symbol]);
    result = result ? Value(arith::MulIOp::create(b, result, value)) : value;
  }
  if (!result)
    return index(amount.factor);
  if (amount.factor != 1)
    result = arith::MulIOp::create(b, result, index(amount.factor));
  amounts.push_back({amount, result});
  return result;
}

void NestTile::materializeAll() {
  auto materialize = [&](const Amount &amount) {
    if (!amount.isStatic())
      (void)valueOf(amount);
  };
  for (const LoopDim &dim : nest.dims)
    materialize(dim.extent);
  auto ofAccess = [&](const Access &access) {
    materialize(access.offset);
    llvm::for_each(access.strides, materialize);
    if (access.panelDim >= 0) {
      materialize(access.panelStride);
      materialize(access.strideOfPoints());
    }
  };
  llvm::for_each(nest.inputs, ofAccess);
  ofAccess(nest.output);
}

Value NestTile::flatten(const Access &access) {
  auto type = cast<MemRefType>(access.operand.getType());
  int64_t offset = 0;
  SmallVector<int64_t> strides; // none where the buffer is empty
  (void)type.getStridesAndOffset(strides, offset);
  if (!type.hasStaticShape() || llvm::any_of(strides, ShapedType::isDynamic))
    return flattenDynamic(access.operand);
  bool isDynamic = ShapedType::isDynamic(offset);
  int64_t last = isDynamic ? 0 : offset;
  for (auto [extent, stride] : llvm::zip(type.getShape(), strides))
    last += std::max<int64_t>(extent - 1, 0) * std::max<int64_t>(stride, 0);
  int64_t size = last + 1;
  if (isDynamic) {
    auto layout = StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, {1});
    auto metadata = memref::ExtractStridedMetadataOp::create(b, access.operand);
    OpFoldResult start = metadata.getOffset(), extent = b.getIndexAttr(size), stride = b.getIndexAttr(1);
    return memref::ReinterpretCastOp::create(b, MemRefType::get({size}, type.getElementType(), layout),
                                             metadata.getBaseBuffer(), start, ArrayRef<OpFoldResult>{extent},
                                             ArrayRef<OpFoldResult>{stride});
  }
  auto flatType = MemRefType::get({size}, type.getElementType());
  if (type == flatType)
    return access.operand;
  return memref::ReinterpretCastOp::create(b, flatType, access.operand, /*offset=*/0, ArrayRef<int64_t>{size},
                                           ArrayRef<int64_t>{1});
}

Value NestTile::flattenDynamic(Value operand) {
  auto type = cast<MemRefType>(operand.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(b, operand);
  Value elements = index(1);
  for (auto [size, stride] : llvm::zip(metadata.getConstifiedMixedSizes(), metadata.getConstifiedMixedStrides())) {
    Value extent = getValueOrCreateConstantIndexOp(b, b.getLoc(), size);
    Value step = getValueOrCreateConstantIndexOp(b, b.getLoc(), stride);
    elements = arith::AddIOp::create(b, elements, arith::MulIOp::create(b, extent, step));
  }
  int64_t offset = 0;
  SmallVector<int64_t> strides;
  (void)type.getStridesAndOffset(strides, offset);
  // Where the offset is a number, linear addresses hold it.
  bool isDynamic = ShapedType::isDynamic(offset);
  OpFoldResult start = isDynamic ? OpFoldResult(metadata.getOffset()) : OpFoldResult(b.getIndexAttr(0));
  if (!isDynamic && offset != 0)
    elements = arith::AddIOp::create(b, elements, index(offset));
  MemRefLayoutAttrInterface layout;
  if (isDynamic)
    layout = StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, {1});
  auto flatType = MemRefType::get({ShapedType::kDynamic}, type.getElementType(), layout);
  return memref::ReinterpretCastOp::create(b, flatType, metadata.getBaseBuffer(), start,
                                           ArrayRef<OpFoldResult>{elements}, ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
}

Value NestTile::address(const Access &access, int64_t row, int64_t lane) {
  int64_t constant = 0;
  Value sum;
  auto add = [&](const Amount &amount, int64_t times) {
    if (amount.isStatic()) {
      constant += amount.factor * times;
      return;
    }
    if (times == 0)
      return;
    Value term = valueOf(amount);
    if (times != 1)
      term = arith::MulIOp::create(b, term, index(times));
    sum = sum ? Value(arith::AddIOp::create(b, sum, term)) : term;
  };
  auto addTerm = [&](Value value, const Amount &times) {
    Value term = arith::MulIOp::create(b, value, valueOf(times));
    sum = sum ? Value(arith::AddIOp::create(b, sum, term)) : term;
  };
  add(access.offset, 1);
  for (auto [dim, stride] : llvm::enumerate(access.strides)) {
    if (stride.is(0))
      continue;
    std::optional<int64_t> known = getConstantIntValue(ivs[dim]);
    if (int(dim) == access.panelDim) {
      if (known) {
        add(access.panelStride, *known / access.panel);
        add(stride, *known % access.panel);
      } else if (int(dim) == vectorDim) {
        // Tiles begin where panels do.
        addTerm(ivs[dim], access.strideOfPoints());
      } else {
        addTerm(arith::DivUIOp::create(b, ivs[dim], index(access.panel)), access.panelStride);
        addTerm(arith::RemUIOp::create(b, ivs[dim], index(access.panel)), stride);
      }
      continue;
    }
    if (known) {
      add(stride, *known);
      continue;
    }
    Value term = ivs[dim];
    if (!stride.is(1))
      term = arith::MulIOp::create(b, term, valueOf(stride));
    sum = sum ? Value(arith::AddIOp::create(b, sum, term)) : term;
  }
  if (rowDim >= 0)
    add(access.strides[rowDim], row);
  if (vectorDim >= 0)
    add(access.strides[vectorDim], lane);
  Value offset = arith::ConstantIndexOp::create(b, constant);
  if (!sum)
    return offset;
  return constant == 0 ? sum : Value(arith::AddIOp::create(b, sum, offset));
}

Value NestTile::maskOf(const Chunk &chunk) { return chunk.mask ? chunk.mask : laneMask(b, chunk.width, chunk.valid); }

Value NestTile::load(Value buffer, const Access &access, int64_t row, const Chunk &chunk) {
  Amount stride = vectorDim < 0 ? Amount(0) : access.strides[vectorDim];
  if (nest.readsWords(access))
    return loadWords(buffer, access, row, chunk);
  Value at = address(access, row, chunk.offset);
  if (chunk.width == 1)
    return memref::LoadOp::create(b, buffer, at);
  auto type = VectorType::get({chunk.width}, access.elementType);
  // Panels are filled up, with zeros, which an epilogue might divide by.
  bool isInPanels = access.panelDim >= 0 && access.panelDim == vectorDim && !access.inEpilogue;
  if (stride.is(1) && chunk.isPartial() && !isInPanels)
    return vector::MaskedLoadOp::create(b, type, buffer, ValueRange{at}, maskOf(chunk), harmlessLanes(b, type));
  if (stride.is(1))
    return vector::LoadOp::create(b, type, buffer, ValueRange{at});
  if (stride.is(0))
    return vector::BroadcastOp::create(b, type, memref::LoadOp::create(b, buffer, at));
  if (stride.is(2) && !chunk.isPartial())
    return loadEven(buffer, access, row, chunk, type);
  SmallVector<Value> lanes;
  for (int64_t lane = 0; lane < chunk.width; ++lane)
    lanes.push_back(lane < chunk.valid
                        ? memref::LoadOp::create(b, buffer, address(access, row, chunk.offset + lane)).getResult()
                        : lanes[0]);
  return vector::FromElementsOp::create(b, type, lanes);
}

Value NestTile::loadWords(Value buffer, const Access &access, int64_t row, const Chunk &chunk) {
  auto word = VectorType::get({DotOp::kBytes}, access.elementType);
  auto type = VectorType::get({DotOp::kBytes * chunk.width}, access.elementType);
  Amount stride = vectorDim < 0 ? Amount(0) : access.strides[vectorDim];
  auto loadWord = [&](int64_t lane) -> Value {
    return vector::LoadOp::create(b, word, buffer, ValueRange{address(access, row, chunk.offset + lane)});
  };
  if (chunk.width == 1)
    return loadWord(0);
  bool isFilledUp = !chunk.isPartial() || (access.panelDim >= 0 && access.panelDim == vectorDim);
  if (stride.is(DotOp::kBytes) && isFilledUp)
    return vector::LoadOp::create(b, type, buffer, ValueRange{address(access, row, chunk.offset)});
  auto asInteger = [&](Value bytes) {
    return vector::ExtractOp::create(b, vector::BitCastOp::create(b, VectorType::get({1}, b.getI32Type()), bytes), 0);
  };
  auto integers = VectorType::get({chunk.width}, b.getI32Type());
  if (stride.is(0))
    return vector::BitCastOp::create(b, type, vector::BroadcastOp::create(b, integers, asInteger(loadWord(0))));
  SmallVector<Value> lanes;
  for (int64_t lane = 0; lane < chunk.width; ++lane)
    lanes.push_back(lane < chunk.valid ? asInteger(loadWord(lane)).getResult() : lanes[0]);
  return vector::BitCastOp::create(b, type, vector::FromElementsOp::create(b, integers, lanes));
}

Value NestTile::loadEven(Value buffer, const Access &access, int64_t row, const Chunk &chunk, VectorType type) {
  int64_t width = chunk.width;
  Value at = address(access, row, chunk.offset);
  Value low = vector::LoadOp::create(b, type, buffer, ValueRange{at});
  Value next = arith::AddIOp::create(b, at, arith::ConstantIndexOp::create(b, width - 1));
  Value high = vector::LoadOp::create(b, type, buffer, ValueRange{next});
  SmallVector<int64_t> lanes;
  for (int64_t lane = 0; lane < width; ++lane)
    lanes.push_back(2 * lane < width ? 2 * lane : 2 * lane + 1);
  return vector::ShuffleOp::create(b, low, high, lanes);
}

bool NestTile::isTurned(const Access &access, const Chunk &chunk) const {
  return !nest.compute && vectorDim >= 0 && rowDim >= 0 && chunk.width > 1 && chunk.width == tileRows &&
         !chunk.isPartial() && access.strides[rowDim].is(1) && !access.strides[vectorDim].is(0) &&
         !access.strides[vectorDim].is(1);
}

SmallVector<Value> NestTile::loadTurned(Value buffer, const Access &access, const Chunk &chunk) {
  int64_t size = chunk.width;
  auto type = VectorType::get({size}, access.elementType);
  SmallVector<Value> lines;
  for (int64_t lane = 0; lane < size; ++lane)
    lines.push_back(vector::LoadOp::create(b, type, buffer, ValueRange{address(access, 0, chunk.offset + lane)}));
  // Interleaving line i with line i + size / 2 for all i, log2(size) times, is a transposition.
  SmallVector<int64_t> low, high;
  for (int64_t lane = 0; lane < size / 2; ++lane) {
    low.append({lane, size + lane});
    high.append({size / 2 + lane, size + size / 2 + lane});
  }
  for (int64_t step = 1; step < size; step *= 2) {
    SmallVector<Value> next;
    for (int64_t line = 0; line < size / 2; ++line)
      for (ArrayRef<int64_t> half : {ArrayRef(low), ArrayRef(high)})
        next.push_back(vector::ShuffleOp::create(b, lines[line], lines[line + size / 2], half));
    lines = std::move(next);
  }
  return lines;
}

void NestTile::loadRow(int64_t row, llvm::function_ref<bool(const Access &)> wanted,
                       SmallVectorImpl<TileValues> &tiles) {
  tiles.resize(nest.inputs.size());
  for (auto [index, access] : llvm::enumerate(nest.inputs)) {
    if (!wanted(access))
      continue;
    TileValues &tile = tiles[index];
    SmallVector<Value> values;
    for (auto [at, chunk] : llvm::enumerate(chunks)) {
      if (isTurned(access, chunk)) {
        if (row == 0)
          turnedBlocks[{index, at}] = loadTurned(flat[index], access, chunk);
        values.push_back(turnedBlocks[{index, at}][row]);
      } else if (row > 0 && (rowDim < 0 || access.strides[rowDim].is(0)))
        values.push_back(tile[0][at]);
      else if (at > 0 && vectorDim >= 0 && access.strides[vectorDim].is(0) && chunk.width == chunks[0].width)
        values.push_back(values[0]);
      else
        values.push_back(load(flat[index], access, row, chunk));
    }
    tile.push_back(values);
  }
}

void NestTile::prefetch(const Access &access, Value at, uint32_t locality) {
  memref::PrefetchOp::create(b, flat[&access - nest.inputs.begin()], ValueRange{at}, /*isWrite=*/false, locality,
                             /*isDataCache=*/true);
}

void NestTile::store(const TileValues &accumulators) {
  // All loads come before the stores: an input of what reduces nothing may be the destination itself. A nest with a
  // reduction never is in place, so that its tiles may overlap and its epilogue may run row by row.
  SmallVector<TileValues> inputs;
  for (int64_t row = 0; row < tileRows; ++row)
    loadRow(row, [](const Access &access) { return access.inEpilogue; }, inputs);
  TileValues results(tileRows);
  for (int64_t row = 0; row < tileRows; ++row)
    for (size_t at = 0; at < chunks.size(); ++at)
      results[row].push_back(
          cloneBody(*nest.epilogue, inputs, row, at, nest.compute ? accumulators[row][at] : Value()));
  for (int64_t row = 0; row < tileRows; ++row)
    for (auto [at, chunk] : llvm::enumerate(chunks))
      storeChunk(results[row][at], row, chunk);
}

void NestTile::storeChunk(Value value, int64_t row, const Chunk &chunk) {
  const Access &access = nest.output;
  Amount stride = vectorDim < 0 ? Amount(0) : access.strides[vectorDim];
  if (chunk.width == 1) {
    memref::StoreOp::create(b, value, flatOutput, address(access, row, chunk.offset));
  } else if (stride.is(1) && chunk.isPartial()) {
    vector::MaskedStoreOp::create(b, flatOutput, ValueRange{address(access, row, chunk.offset)}, maskOf(chunk), value);
  } else if (stride.is(1)) {
    vector::StoreOp::create(b, value, flatOutput, ValueRange{address(access, row, chunk.offset)});
  } else {
    for (int64_t lane = 0; lane < chunk.valid; ++lane)
      memref::StoreOp::create(b, vector::ExtractOp::create(b, value, lane), flatOutput,
                              address(access, row, chunk.offset + lane));
  }
}

//===-- Bodies ----------------------------------------------------------------------------------------------------===//

Value NestTile::cloneBody(Region &body, ArrayRef<TileValues> inputs, int64_t row, size_t chunkIndex,
                          Value accumulator) {
  const Chunk &chunk = chunks[chunkIndex];
  Block &block = body.front();
  IRMapping mapping;
  for (auto [index, argument] : llvm::enumerate(block.getArguments())) {
    if (index < inputs.size() && !inputs[index].empty())
      mapping.map(argument, inputs[index][row][chunkIndex]);
    else if (index == inputs.size() && accumulator)
      mapping.map(argument, accumulator);
  }
  return cloneOnVectors(b, block, mapping, chunk.width, [&](uint64_t dim) { return position(dim, row, chunk); });
}

Value NestTile::position(uint64_t original, int64_t row, const Chunk &chunk) {
  int dim = nest.dimOf(original);
  if (dim < 0)
    return zero;
  int64_t constant = dim == rowDim ? row : dim == vectorDim ? chunk.offset : 0;
  Value base = arith::AddIOp::create(b, ivs[dim], arith::ConstantIndexOp::create(b, constant));
  if (chunk.width == 1)
    return base;
  auto type = VectorType::get({chunk.width}, b.getIndexType());
  Value lanes = vector::BroadcastOp::create(b, type, base);
  if (dim != vectorDim)
    return lanes;
  return arith::AddIOp::create(b, lanes, vector::StepOp::create(b, type));
}
