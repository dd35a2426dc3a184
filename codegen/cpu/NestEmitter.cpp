//===- NestEmitter.cpp - vectorised loops for a loop nest ---------------------------------------------------------===//
//
// The code of one nest, here C[m][n] = f(sum over k of A[m][k] * B[k][n]) with vector dim n, row dim m, tile 6 x 2 x 8:
//
//   for n in 0..N step 16                   parallel dims, the vector dim in tiles
//     for m in 0..M step 6                  the row dim, balanced tiles
//       acc[6][2] = for k in 0..K           reduction dims, accumulators in registers
//         b[2] = two vectors of B[k][n..]   an operand is loaded once for all rows (or vectors) that share it
//         acc[r][v] = compute(broadcast A[m+r][k], b[v], acc[r][v])
//       C[m+r][n+8v] = epilogue(acc[r][v])
//
// What does not fill a tile becomes further pieces of the same code: fewer rows, fewer vectors, and at the end of the
// vector dim a vector that begins early and computes some points twice (where a reduction makes that harmless) or a
// narrower one. When the vector dim is a reduction dim, the lanes hold partial accumulators, which the combiner of the
// reduction merges at the end.
//
// A dim whose extent is only known at run time has its pieces behind each other as loops: tiles, single vectors, and
// for the rest points or, where a reduction makes it harmless, the vector that ends with the dim; of panels, which are
// filled up, a tile whose stores are masked. Likewise tiles of rows, smaller ones, single rows, where a reduction lets
// the last tile of either size end with the dim. Where a stride of the vector dim is anybody's guess (a broadcast that
// the run decides on), there is vector code for the case that all of them are 1, and scalar code.
//
// Here are the loops over tiles. Which ones these are is in NestPlan; a tile's reduction is in NestReduction; loads,
// bodies and stores are in NestTile.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/NestEmitter.h"
#include "codegen/cpu/NestReduction.h"
#include "codegen/cpu/RowLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
class NestEmitter : NestReduction {
public:
  NestEmitter(OpBuilder &builder, Location loc, const LoopNest &nest, StrategyAttr strategy)
      : NestReduction(builder, loc, nest, strategy) {
    if (rowDim >= 0 && nest.dims[rowDim].extent.isStatic())
      rowsHere = nest.dims[rowDim].extent.factor;
  }

  void emit() {
    for (const LoopDim &dim : nest.dims)
      if (dim.extent.is(0) && !dim.reduction)
        return; // nothing to store
    prepare();
    emitParallel(0);
  }

private:
  //===- Loops ----------------------------------------------------------------------------------------------------===//

  /// Runs `body` with ivs[dim] set for low, low + step, ... < high.
  void loop(unsigned dim, int64_t low, int64_t high, int64_t step, llvm::function_ref<void()> body) {
    if (high - low <= step) {
      ivs[dim] = arith::ConstantIndexOp::create(b, low);
      body();
      return;
    }
    loop(dim, index(low), index(high), step, body);
  }

  void loop(unsigned dim, Value low, Value high, int64_t step, llvm::function_ref<void()> body) {
    auto forOp = scf::ForOp::create(b, low, high, index(step));
    annotate(forOp, kPipelineDepth);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    ivs[dim] = forOp.getInductionVar();
    body();
  }

  void emitParallel(unsigned level) {
    if (level == parallelDims.size())
      return emitTile();
    unsigned dim = parallelDims[level];
    if (block > 0 && int(dim) == vectorDim && !rowBase)
      return emitBlocks(level);
    bool isStatic = nest.dims[dim].extent.isStatic();
    auto inner = [&] { emitParallel(level + 1); };
    if (int(dim) == vectorDim && !isStatic) {
      emitDynamicVectors(inner);
    } else if (int(dim) == rowDim && !isStatic) {
      emitDynamicRows(inner);
    } else if (!isStatic) {
      loop(dim, zero, valueOf(nest.dims[dim].extent), 1, inner);
    } else if (int(dim) == vectorDim) {
      for (const VectorPiece &piece : vectorPieces()) {
        chunks = piece.chunks;
        loop(dim, piece.low, piece.high, piece.step, inner);
      }
    } else if (int(dim) == rowDim) {
      for (const RowPiece &piece : rowPieces(rowsHere)) {
        tileRows = piece.rows;
        loop(dim, piece.low, piece.high, piece.rows, [&] {
          if (rowBase)
            ivs[dim] = b.createOrFold<arith::AddIOp>(rowBase, ivs[dim]);
          inner();
        });
      }
      tileRows = 1;
    } else {
      loop(dim, 0, nest.dims[dim].extent.factor, 1, inner);
    }
    ivs[dim] = zero;
  }

  /// The vector dim and all within it, for one block of rows after the other.
  void emitBlocks(unsigned level) {
    if (!nest.dims[rowDim].extent.isStatic()) {
      Value rowsOfAll = valueOf(nest.dims[rowDim].extent);
      loop(rowDim, zero, rowsOfAll, block, [&] {
        rowBase = ivs[rowDim];
        rowEnd = arith::MinUIOp::create(b, arith::AddIOp::create(b, rowBase, index(block)), rowsOfAll);
        emitParallel(level);
        rowBase = Value();
      });
      ivs[rowDim] = zero;
      return;
    }
    int64_t extent = nest.dims[rowDim].extent.factor, whole = extent / block * block;
    auto inner = [&](int64_t count) {
      rowBase = ivs[rowDim];
      rowsHere = count;
      emitParallel(level);
      rowBase = Value();
    };
    if (whole > 0)
      loop(rowDim, 0, whole, block, [&] { inner(block); });
    if (whole < extent)
      loop(rowDim, whole, extent, extent - whole, [&] { inner(extent - whole); });
    ivs[rowDim] = zero;
  }

  void emitDynamicVectors(llvm::function_ref<void()> body) {
    const Amount &amount = nest.dims[vectorDim].extent;
    Value extent = valueOf(amount), at = zero;
    auto walk = [&](int64_t count, int64_t lanes) {
      chunks.clear();
      for (int64_t v = 0; v < count; ++v)
        chunks.push_back({v * lanes, lanes});
      Value end = amount.isMultipleOf(count * lanes) ? extent : wholeSteps(at, extent, count * lanes);
      loop(vectorDim, at, end, count * lanes, body);
      at = end;
    };
    if (vectors > 1 || comesInPanels())
      walk(vectors, width);
    if (comesInPanels())
      return emitRestOfPanel(at, body);
    if (vectors == 1 || !amount.isMultipleOf(vectors * width))
      walk(1, width);
    if (amount.isMultipleOf(width))
      return;
    // See vectorPieces().
    if (!nest.compute)
      return walk(1, 1);
    emitIf(arith::CmpIPredicate::slt, at, extent, [&] {
      auto overlap = [&] {
        chunks = {{0, width}};
        ivs[vectorDim] = arith::SubIOp::create(b, extent, index(width));
        body();
      };
      emitIf(arith::CmpIPredicate::sge, extent, index(width), overlap, [&] { walk(1, 1); });
    });
  }

  /// What is left for the last panel, in one vector where it fits.
  void emitRestOfPanel(Value at, llvm::function_ref<void()> body) {
    const Amount &amount = nest.dims[vectorDim].extent;
    if (amount.isMultipleOf(vectors * width))
      return;
    Value left = arith::SubIOp::create(b, valueOf(amount), at);
    auto tile = [&](int64_t count) {
      chunks.clear();
      for (int64_t v = 0; v < count; ++v) {
        Value lanes = v == 0 ? left : arith::SubIOp::create(b, left, index(v * width)).getResult();
        auto type = VectorType::get({width}, b.getI1Type());
        chunks.push_back({v * width, width, vector::CreateMaskOp::create(b, type, lanes)});
      }
      ivs[vectorDim] = at;
      body();
    };
    emitIf(arith::CmpIPredicate::sgt, left, zero, [&] {
      if (vectors == 1)
        return tile(1);
      emitIf(arith::CmpIPredicate::sle, left, index(width), [&] { tile(1); }, [&] { tile(vectors); });
    });
  }

  /// Of rows [low, high), where what is computed twice is harmless: tiles as long as more than half of one is left, the
  /// last of which ends with the rows; then tiles of half as many rows in the same way; single rows where there are not
  /// even as many.
  void emitOverlappingRows(Value low, Value high, llvm::function_ref<void()> body) {
    Value at = low;
    auto walk = [&](int64_t size, Value end) {
      tileRows = size;
      loop(rowDim, at, end, size, [&] {
        if (size > 1)
          ivs[rowDim] = arith::MinUIOp::create(b, ivs[rowDim], arith::SubIOp::create(b, high, index(size)));
        body();
      });
      at = end;
    };
    auto select = [&](arith::CmpIPredicate predicate, Value left, int64_t right, Value yes, Value no) -> Value {
      return arith::SelectOp::create(b, arith::CmpIOp::create(b, predicate, left, index(right)), yes, no);
    };
    int64_t half = rows >= 4 ? rows / 2 : 1;
    Value left = arith::RemUIOp::create(b, arith::SubIOp::create(b, high, low), index(rows));
    Value whole = arith::SubIOp::create(b, high, left);
    Value end = select(arith::CmpIPredicate::ugt, left, half, high, whole);
    walk(rows, select(arith::CmpIPredicate::uge, high, rows, end, low));
    if (half > 1)
      walk(half, select(arith::CmpIPredicate::uge, high, half, high, at));
    walk(1, high);
    tileRows = 1;
  }

  void emitDynamicRows(llvm::function_ref<void()> body) {
    const Amount &amount = nest.dims[rowDim].extent;
    Value extent = rowBase ? rowEnd : valueOf(amount), at = rowBase ? rowBase : zero;
    if (nest.compute && rows > 1 && (rowBase || !amount.isMultipleOf(rows)))
      return emitOverlappingRows(at, extent, body);
    SmallVector<int64_t> sizes = {rows};
    if (rows > 1)
      sizes.push_back(1);
    for (int64_t size : sizes) {
      tileRows = size;
      Value end = amount.isMultipleOf(size) ? extent : wholeSteps(at, extent, size);
      loop(rowDim, at, end, size, body);
      at = end;
      if (amount.isMultipleOf(size))
        break;
    }
    tileRows = 1;
  }

  void emitIf(arith::CmpIPredicate predicate, Value left, Value right, llvm::function_ref<void()> then,
              llvm::function_ref<void()> otherwise = nullptr) {
    onnx_aot::emitIf(b, arith::CmpIOp::create(b, predicate, left, right), then, otherwise);
  }

  /// The rows that are walked: [0, rowsHere) after `rowBase`; up to `rowEnd` where only the run knows how many there
  /// are.
  int64_t rowsHere = 0;
  Value rowEnd;
};
} // namespace

/// The strides along the vector dim that only the run knows, and that are most often 1.
static SmallVector<Amount *> guessedStrides(LoopNest &nest, StrategyAttr strategy) {
  SmallVector<Amount *> guessed;
  int vector = nest.dimOf(strategy.getVector());
  if (vector < 0 || strategy.getWidth() == 1 || !nest.vectorizable)
    return guessed;
  auto see = [&](Access &access) {
    if (nest.mayBeUnit(access.strides[vector]))
      guessed.push_back(&access.strides[vector]);
  };
  llvm::for_each(nest.inputs, see);
  see(nest.output);
  return guessed;
}

void onnx_aot::emitLoopNest(OpBuilder &builder, Location loc, const LoopNest &nest, StrategyAttr strategy) {
  LoopNest unit = nest;
  SmallVector<Amount *> guessed = guessedStrides(unit, strategy);
  if (guessed.empty())
    return NestEmitter(builder, loc, nest, strategy).emit();

  Value condition, one = arith::ConstantIndexOp::create(builder, loc, 1);
  for (Amount *stride : guessed) {
    const Symbol &symbol = nest.symbols[stride->symbols[0]];
    Value value = symbol.value;
    if (symbol.dim >= 0)
      value = memref::ExtractStridedMetadataOp::create(builder, loc, value).getStrides()[symbol.dim];
    Value isOne = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value, one);
    condition = condition ? Value(arith::AndIOp::create(builder, loc, condition, isOne)) : isOne;
    *stride = 1;
  }
  auto scalar = StrategyAttr::get(strategy.getContext(), strategy.getProvider(), -1, 1, 1, -1, 1, 0);
  auto ifOp = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(ifOp.thenBlock()->getTerminator());
  NestEmitter(builder, loc, unit, strategy).emit();
  builder.setInsertionPoint(ifOp.elseBlock()->getTerminator());
  NestEmitter(builder, loc, nest, scalar).emit();
}
