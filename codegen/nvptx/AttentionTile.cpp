//===- AttentionTile.cpp - a block's part of an attention ---------------------------------------------------------===//
//
// See AttentionTile.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/AttentionTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

AttentionTile::AttentionTile(const DeviceContext &context, AttentionOp op, const LoopNest &nest, const Size &size)
    : NestKernel(context, op, nest, "attention"), op(op), size(size),
      dims{nest.dimOf(op.dimOfQuery()), nest.dimOf(op.dimOfKey()), nest.dimOf(op.dimOfDepth()),
           nest.dimOf(op.dimOfValue())} {}

//===-- Arithmetic ------------------------------------------------------------------------------------------------===//

Value AttentionTile::constant(double value) {
  return arith::ConstantOp::create(b, b.getFloatAttr(b.getF32Type(), value));
}

//===-- Where tiles lie -------------------------------------------------------------------------------------------===//

Value AttentionTile::extentValue(int dim) {
  return dim < 0 ? kernel.index(1) : device.valueOf(device.nest.dims[unsigned(dim)].extent);
}

/// Tiles of queries vary first from block to block.
void AttentionTile::place() {
  thread = kernel.threadX();
  queries = extentValue(dims.query);
  keys = extentValue(dims.key);
  SmallVector<unsigned> batch;
  for (unsigned dim : device.parallelDims)
    if (int(dim) != dims.query && int(dim) != dims.value)
      batch.push_back(dim);
  ImplicitLocOpBuilder &host = kernel.host;
  Value ofHost =
      dims.query < 0 ? arith::ConstantIndexOp::create(host, 1).getResult() : device.hostVolume({unsigned(dims.query)});
  Value tilesOfHost =
      host.createOrFold<arith::CeilDivUIOp>(ofHost, arith::ConstantIndexOp::create(host, size.queries).getResult());
  blocks = host.createOrFold<arith::MulIOp>(tilesOfHost, device.hostVolume(batch));
  Value tiles = b.createOrFold<arith::CeilDivUIOp>(queries, kernel.index(size.queries)), block = kernel.blockX();
  queryStart = times(b.createOrFold<arith::RemUIOp>(block, tiles), size.queries);
  if (!batch.empty())
    device.delinearize(b.createOrFold<arith::DivUIOp>(block, tiles), batch);
  for (unsigned input : {AttentionOp::Query, AttentionOp::Key, AttentionOp::Value})
    bases.push_back(device.address(device.nest.inputs[input]));
}

std::pair<int, int> AttentionTile::dimsOf(unsigned input) const {
  return {input == AttentionOp::Query ? dims.query : dims.key, input == AttentionOp::Value ? dims.value : dims.depth};
}

Value AttentionTile::tileLike(unsigned input, Type element, int64_t rows, int64_t padding) {
  return kernel.shared({rows, padded(dimsOf(input).second) + padding}, element);
}

static constexpr int64_t kChunkBytes = 16;

int64_t AttentionTile::chunkOf(unsigned input) const {
  const Access &access = device.nest.inputs[input];
  int dim = dimsOf(input).second;
  int64_t chunk = kChunkBytes * 8 / access.elementType.getIntOrFloatBitWidth();
  bool isWhole = dim >= 0 && extent(dim) % chunk == 0 && isVector(access, unsigned(dim), chunk);
  return isWhole ? chunk : 1;
}

/// Chunks are numbered as they lie, so that neighbouring threads bring neighbours.
AttentionTile::Place AttentionTile::placeOf(unsigned input, Value number, Value start, int64_t rows) {
  int rowDim = dimsOf(input).first, elementDim = dimsOf(input).second;
  int64_t chunk = chunkOf(input), elements = padded(elementDim);
  bool alongRow = !strideOf(input, rowDim).is(1) || strideOf(input, elementDim).is(1);
  Place place;
  place.isChunk = isBelow(number, kernel.index(rows * elements / chunk));
  Value first = times(number, chunk);
  place.row = alongRow ? divided(first, elements) : rest(first, rows);
  place.element = alongRow ? rest(first, elements) : divided(first, rows);
  Value row = add(start, place.row);
  place.isInside = arith::AndIOp::create(b, isBelow(row, input == AttentionOp::Query ? queries : keys),
                                         isBelow(place.element, kernel.index(extent(elementDim))));
  place.isInside = arith::AndIOp::create(b, place.isInside, place.isChunk);
  place.address = bases[input];
  for (auto [value, dim] : {std::pair(row, rowDim), std::pair(place.element, elementDim)})
    if (Amount stride = strideOf(input, dim); !stride.is(0))
      place.address = add(place.address, b.createOrFold<arith::MulIOp>(value, device.valueOf(stride)));
  return place;
}

void AttentionTile::copy(unsigned input, Value start, Value tile, Value firstRow, int64_t rows) {
  int64_t chunk = chunkOf(input), chunks = rows * padded(dimsOf(input).second) / chunk;
  for (int64_t first = 0; first < chunks; first += size.threads) {
    Place place = placeOf(input, add(thread, first), start, rows);
    // What is not inside is not read, and zeros take its place.
    Value at = arith::SelectOp::create(b, place.isInside, place.address, kernel.index(0));
    Value count = arith::SelectOp::create(b, place.isInside, kernel.index(chunk), kernel.index(0));
    auto begin = [&] {
      nvgpu::DeviceAsyncCopyOp::create(b, nvgpu::DeviceAsyncTokenType::get(b.getContext()), tile,
                                       ValueRange{add(firstRow, place.row), place.element}, device.elementsOf(input),
                                       ValueRange{at}, b.getIndexAttr(chunk), count, /*bypassL1=*/b.getUnitAttr());
    };
    if (first + size.threads <= chunks)
      begin();
    else
      kernel.emitIf(place.isChunk, begin);
  }
}

void AttentionTile::bring(unsigned input, Value start, Value tile, Value firstRow, int64_t rows) {
  constexpr int64_t kAtOnce = 8; // chunks of a thread that are on their way
  Type given = device.nest.inputs[input].elementType, element = cast<MemRefType>(tile.getType()).getElementType();
  int64_t chunk = chunkOf(input), chunks = rows * padded(dimsOf(input).second) / chunk;
  int64_t atOnce = std::min(kAtOnce, int64_t(llvm::divideCeil(chunks, size.threads)));
  auto ofChunk = [&](Type type) { return chunk == 1 ? type : Type(VectorType::get({chunk}, type)); };
  auto load = [&](const Place &place) -> Value {
    auto choice = scf::IfOp::create(b, ofChunk(given), place.isInside, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    Value loaded;
    if (chunk == 1) {
      loaded = memref::LoadOp::create(b, device.elementsOf(input), place.address);
    } else {
      auto vector = vector::LoadOp::create(b, cast<VectorType>(ofChunk(given)), device.elementsOf(input),
                                           ValueRange{place.address});
      vector.setAlignmentAttr(b.getI64IntegerAttr(kChunkBytes));
      loaded = vector;
    }
    scf::YieldOp::create(b, loaded);
    b.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(b, arith::ConstantOp::create(b, b.getZeroAttr(ofChunk(given))).getResult());
    return choice.getResult(0);
  };
  auto put = [&](const Place &place, Value value) {
    if (given != element)
      value = arith::ExtFOp::create(b, ofChunk(element), value);
    SmallVector<Value> at = {add(firstRow, place.row), place.element};
    if (chunk == 1) {
      memref::StoreOp::create(b, value, tile, at);
      return;
    }
    auto store = vector::StoreOp::create(b, value, tile, at);
    store.setAlignmentAttr(b.getI64IntegerAttr(kChunkBytes));
  };
  kernel.emitFor(thread, kernel.index(chunks), kernel.index(size.threads * atOnce), {},
                 [&](Value number, ValueRange) -> SmallVector<Value> {
                   SmallVector<std::pair<Place, Value>> brought;
                   for (int64_t i = 0; i < atOnce; ++i) {
                     Place place = placeOf(input, add(number, i * size.threads), start, rows);
                     brought.push_back({place, load(place)});
                   }
                   for (auto &one : brought) {
                     if (chunks % (size.threads * atOnce) == 0)
                       put(one.first, one.second);
                     else
                       kernel.emitIf(one.first.isChunk, [&] { put(one.first, one.second); });
                   }
                   return {};
                 });
}

//===-- Scores and results ----------------------------------------------------------------------------------------===//

Value AttentionTile::score(Value sum, Value query, Value key) {
  // What is beyond the ends reads what the last one does.
  Value isKey = isBelow(key, keys);
  Value lastQuery = arith::SubIOp::create(b, queries, kernel.index(1)),
        lastKey = arith::SubIOp::create(b, keys, kernel.index(1));
  setIv(dims.query, arith::MinUIOp::create(b, query, lastQuery));
  setIv(dims.key, arith::MinUIOp::create(b, key, lastKey));
  Block &body = op.getScores().front();
  IRMapping mapping;
  device.mapCaptured(mapping);
  for (unsigned input = 0; input < device.nest.inputs.size(); ++input)
    if (device.nest.inputs[input].inCompute)
      mapping.map(body.getArgument(input), device.load(input));
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
    int dim = device.nest.dimOf(loop);
    mapping.map(body.getArgument(unsigned(op.getInputs().size()) + loop),
                dim < 0 ? kernel.index(0) : device.ivs[unsigned(dim)]);
  }
  mapping.map(body.getArguments().back(), sum);
  for (Operation &part : body.without_terminator())
    b.clone(part, mapping);
  Value score = mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
  return arith::SelectOp::create(b, isKey, score, constant(-std::numeric_limits<double>::infinity()));
}

std::pair<Value, Value> AttentionTile::advance(Value maximum, Value next) {
  maximum = arith::MaxNumFOp::create(b, maximum, next);
  Value isEmpty =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, maximum, constant(-std::numeric_limits<double>::infinity()));
  return {maximum, arith::SelectOp::create(b, isEmpty, constant(0), maximum)};
}

Value AttentionTile::inverse(Value sum) {
  Value inverse = arith::DivFOp::create(b, constant(1), sum);
  Value isZero = op.getZeroRows()
                     ? arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, sum, constant(0)).getResult()
                     : arith::CmpIOp::create(b, arith::CmpIPredicate::eq, keys, kernel.index(0)).getResult();
  return arith::SelectOp::create(b, isZero, constant(0), inverse);
}

void AttentionTile::store(Value value, Value query, Value element) {
  Value isInside =
      arith::AndIOp::create(b, isBelow(query, queries), isBelow(element, kernel.index(extent(dims.value))));
  kernel.emitIf(isInside, [&] {
    setIv(dims.query, query);
    setIv(dims.value, element);
    device.storeResult(value);
  });
}
