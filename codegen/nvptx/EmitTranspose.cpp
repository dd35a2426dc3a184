//===- EmitTranspose.cpp - elementwise operations whose neighbours lie apart --------------------------------------===//
//
// For results that are neighbours along one dim, made of elements that are neighbours along another one (NCHW to NHWC,
// a head's keys to [channel][token]): a block takes a square tile of both dims and brings such inputs to shared memory,
// so that neighbouring threads load neighbours and store neighbours:
//
//   for i in 0 .. size / rows: shared[y + i * rows][x] = in[from = first + x][to = first + y + i * rows]; barrier
//   for i in 0 .. size / rows: out[from = first + y + i * rows][to = first + x] = body(shared[x][y + i * rows], ...)
//
// Rows of shared memory are a word longer than the tile, so that a column's elements lie in different banks; the method
// is that of Ruetsch and Micikevicius, "Optimizing Matrix Transpose in CUDA" (NVIDIA, 2009).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/NestKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
constexpr int64_t kThreads = 256;
/// Sides of a tile, of elements of 32 bits and more and of narrower ones.
constexpr int64_t kSide = 32, kNarrowSide = 64;
/// Shorter sides leave most of a tile empty; smaller faces are there in no time anyway.
constexpr int64_t kFewest = 16, kSmallFace = 1024;
/// Inputs that a block brings at most; others are read where they lie.
constexpr size_t kMostInputs = 4;

struct Transposition {
  unsigned from, to; // dims along which neighbours lie in the inputs and in the result
  SmallVector<unsigned> inputs;

  static std::optional<Transposition> of(const LoopNest &nest) {
    Transposition result;
    auto dims = llvm::seq<unsigned>(0, nest.dims.size());
    auto to = llvm::find_if(dims, [&](unsigned dim) { return nest.output.strides[dim].is(1); });
    if (nest.compute || to == dims.end())
      return std::nullopt;
    result.to = *to;
    for (unsigned dim : dims) {
      result.from = dim;
      result.inputs.clear();
      for (auto [index, access] : llvm::enumerate(nest.inputs)) {
        bool isApart =
            access.strides[dim].is(1) && !access.strides[result.to].is(0) && !access.strides[result.to].is(1);
        bool isWhole = access.elementType.isIntOrFloat() && access.elementType.getIntOrFloatBitWidth() % 8 == 0;
        if (dim != result.to && isApart && isWhole && access.inEpilogue && access.panelDim < 0 &&
            result.inputs.size() < kMostInputs)
          result.inputs.push_back(unsigned(index));
      }
      if (!result.inputs.empty())
        break;
    }
    int64_t width = nest.dims[result.to].extent.estimate(), height = nest.dims[result.from].extent.estimate();
    if (result.inputs.empty() || std::min(width, height) < kFewest || width * height < kSmallFace)
      return std::nullopt;
    return result;
  }

  int64_t sideOf(const LoopNest &nest) const {
    bool isNarrow = llvm::all_of(
        inputs, [&](unsigned input) { return nest.inputs[input].elementType.getIntOrFloatBitWidth() <= 16; });
    auto isLong = [&](unsigned dim) { return nest.dims[dim].extent.estimate() >= kNarrowSide; };
    return isNarrow && isLong(from) && isLong(to) ? kNarrowSide : kSide;
  }
};

class TransposeEmitter : NestKernel {
public:
  TransposeEmitter(const DeviceContext &context, Operation *op, const LoopNest &nest,
                   const Transposition &transposition)
      : NestKernel(context, op, nest, "transpose"), from(transposition.from), to(transposition.to),
        inputs(transposition.inputs), side(transposition.sideOf(nest)) {}

  void emit() {
    placeBlock();
    SmallVector<Value> tiles;
    for (unsigned input : inputs)
      tiles.push_back(bring(input));
    kernel.barrier();
    store(tiles);
    kernel.launch(blocks, kThreads);
  }

private:
  /// Tiles vary first along the result's neighbours, then along the inputs', then the other dims.
  void placeBlock() {
    SmallVector<unsigned> others;
    for (unsigned dim : device.parallelDims)
      if (dim != from && dim != to)
        others.push_back(dim);
    auto tilesOf = [&](ImplicitLocOpBuilder &at, Value extent) -> Value {
      return at.createOrFold<arith::CeilDivUIOp>(extent, arith::ConstantIndexOp::create(at, side).getResult());
    };
    ImplicitLocOpBuilder &host = kernel.host;
    blocks =
        host.createOrFold<arith::MulIOp>(tilesOf(host, device.hostVolume(to)), tilesOf(host, device.hostVolume(from)));
    blocks = host.createOrFold<arith::MulIOp>(blocks, device.hostVolume(others));
    Value alongTo = tilesOf(b, device.volume(to)), alongFrom = tilesOf(b, device.volume(from));
    Value block = kernel.blockX(), rest = b.createOrFold<arith::DivUIOp>(block, alongTo);
    firstTo = times(b.createOrFold<arith::RemUIOp>(block, alongTo), side);
    firstFrom = times(b.createOrFold<arith::RemUIOp>(rest, alongFrom), side);
    if (!others.empty())
      device.delinearize(b.createOrFold<arith::DivUIOp>(rest, alongFrom), others);
    Value thread = kernel.threadX();
    x = b.createOrFold<arith::RemUIOp>(thread, kernel.index(side));
    y = b.createOrFold<arith::DivUIOp>(thread, kernel.index(side));
  }

  /// Runs `body` for each element of the thread, x being the place along dim `across`, with its row in the tile and
  /// whether it is within the ends, which is null where it is so anyway.
  void forElements(unsigned across, llvm::function_ref<void(Value, Value)> body) {
    unsigned down = across == to ? from : to;
    for (int64_t first = 0; first < side; first += kThreads / side) {
      Value row = add(y, kernel.index(first)), isInside;
      device.ivs[across] = add(across == to ? firstTo : firstFrom, x);
      device.ivs[down] = add(down == to ? firstTo : firstFrom, row);
      for (unsigned dim : {across, down}) {
        const Amount &extent = device.nest.dims[dim].extent;
        if (extent.isMultipleOf(side))
          continue;
        Value isBelow = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, device.ivs[dim], device.valueOf(extent));
        isInside = isInside ? arith::AndIOp::create(b, isInside, isBelow).getResult() : isBelow;
      }
      body(row, isInside);
    }
  }

  /// All loads are on their way before the first element is stored; zeros stand for what is beyond the ends.
  Value bring(unsigned input) {
    Type element = device.nest.inputs[input].elementType;
    int64_t padding = std::max<int64_t>(1, 32 / element.getIntOrFloatBitWidth());
    Value tile = kernel.shared({side, side + padding}, element);
    SmallVector<std::pair<Value, Value>> brought; // the row, the element
    forElements(from, [&](Value row, Value isInside) {
      if (!isInside) {
        brought.push_back({row, device.load(input)});
        return;
      }
      auto choice = scf::IfOp::create(b, element, isInside, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(choice.thenBlock());
      scf::YieldOp::create(b, device.load(input));
      b.setInsertionPointToStart(choice.elseBlock());
      scf::YieldOp::create(b, arith::ConstantOp::create(b, b.getZeroAttr(element)).getResult());
      brought.push_back({row, choice.getResult(0)});
    });
    for (auto &[row, value] : brought)
      memref::StoreOp::create(b, value, tile, ValueRange{row, x});
    return tile;
  }

  void store(ArrayRef<Value> tiles) {
    forElements(to, [&](Value row, Value isInside) {
      auto storeOne = [&] {
        SmallVector<Value> values;
        for (unsigned index = 0; index < device.nest.inputs.size(); ++index) {
          const unsigned *tile = llvm::find(inputs, index);
          if (tile != inputs.end())
            values.push_back(memref::LoadOp::create(b, tiles[size_t(tile - inputs.begin())], ValueRange{x, row}));
          else
            values.push_back(device.nest.inputs[index].inEpilogue ? device.load(index) : Value());
        }
        device.storeResult(values, /*accumulator=*/Value());
      };
      if (isInside)
        kernel.emitIf(isInside, storeOne);
      else
        storeOne();
    });
  }

  unsigned from, to;
  SmallVector<unsigned> inputs;
  int64_t side;
  Value blocks, firstFrom, firstTo, x, y;
};
} // namespace

bool onnx_aot::isTransposition(const LoopNest &nest) { return Transposition::of(nest).has_value(); }

LogicalResult onnx_aot::emitTranspose(const DeviceContext &context, Operation *op, const LoopNest &nest) {
  std::optional<Transposition> transposition = Transposition::of(nest);
  if (!transposition)
    return failure();
  TransposeEmitter(context, op, nest, *transposition).emit();
  return success();
}
