//===- UseWinograd.cpp - 3x3 convolutions by minimal filtering ----------------------------------------------------===//
//
// Turns a convolution with a constant 3x3 kernel, stride 1 and channels last into aot.winograd where that is faster by
// the target's model: a quarter of the multiplications, against transforms of data and results, and more than twice the
// weights (36 / 9), which count where they outgrow the second-level cache. Padding of the data goes into the operation.
//
//   %p = insert_slice %x into zeros [0, 1, 1, 0]
//   %y = aot.kernel "conv" ins(%p, %w, ...)         =>   %y = aot.winograd tile 4 pads [1, 1] block 7 ins(%x, %u, ...)
//
// Rounding errors of F(4x4, 3x3) with the points of Winograd.h are two to three times those of the direct sum. They are
// measured with each layer's weights (WinogradError.h), and a tile whose results would be too far off is not used.
//
// Before: layouts are chosen, epilogues fused.  After: what is left is for ChooseStrategy.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/TargetModel.h"
#include "dialects/aot/Winograd.h"
#include "dialects/aot/WinogradError.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "passes/schedule/LoopStrategy.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_USEWINOGRAD
#include "passes/schedule/Passes.h.inc"

using namespace mlir;
using aot::Winograd;

namespace {
/// A convolution that could be computed this way.
struct Candidate {
  mutable aot::KernelOp kernel;
  Value data; // without padding
  int64_t top = 0, left = 0;
  ElementsAttr weights;        // [oc, ic, 3, 3]
  SmallVector<AffineMap> maps; // of the inputs that the epilogue reads, over (n, y, x, oc)

  RankedTensorType result() const { return cast<RankedTensorType>(kernel.getResult(0).getType()); }
  int64_t inputs() const { return cast<ShapedType>(data.getType()).getDimSize(3); }
  int64_t outputs() const { return result().getDimSize(3); }
};

/// How it is computed, and in how many cycles.
struct Plan {
  int64_t tile = 0, block = 1, group = 1;
  RegisterTile registers;
  double cycles = INFINITY;
  aot::WinogradError error;
};

struct UseWinograd : impl::UseWinogradBase<UseWinograd> {
  explicit UseWinograd(const aot::TargetModel &target = genericTargetModel()) : target(&target) {}

  void runOnOperation() override {
    if (target->vectorBits(/*floatingPoint=*/true) < 128 || !target->hasFusedMultiplyAdd())
      return;
    // Transformed weights are 1.8 or 4 times as large, and their scratch memory outgrows the images.
    if (target->hasLittleMemory() || target->isForSize())
      return;
    SmallVector<aot::KernelOp> kernels;
    getOperation().walk([&](aot::KernelOp kernel) { kernels.push_back(kernel); });
    modelBytes = 0;
    getOperation().walk([&](arith::ConstantOp constant) {
      if (auto type = dyn_cast<RankedTensorType>(constant.getType()))
        modelBytes += 4.0 * type.getNumElements();
    });
    for (aot::KernelOp kernel : kernels) {
      std::optional<Candidate> candidate = match(kernel);
      if (!candidate)
        continue;
      Plan best;
      best.cycles = directCycles(*candidate);
      for (int64_t tile : {2, 4}) {
        Plan plan = planFor(*candidate, tile);
        if (plan.cycles >= best.cycles)
          continue;
        plan.error = errorOf(*candidate, tile);
        if (plan.error.relative <= kMostError)
          best = plan;
      }
      if (best.tile != 0)
        replace(*candidate, best);
    }
  }

  //===-- Which convolutions --------------------------------------------------------------------------------------===//

  static std::optional<Candidate> match(aot::KernelOp kernel) {
    if (kernel.getKind() != "conv" || kernel.getNumLoops() != 7 || kernel->getNumResults() != 1 ||
        !kernel.getIdentity().getType().isF32() || !isMultiplyAdd(kernel))
      return std::nullopt;
    // Loops are (n, oc, y, x, ky, kx, ic).
    MLIRContext *context = kernel.getContext();
    auto d = [&](unsigned dim) { return getAffineDimExpr(dim, context); };
    auto is = [&](unsigned operand, ArrayRef<AffineExpr> exprs) {
      return kernel.getMap(operand).getResults() == exprs;
    };
    unsigned init = kernel.getInputs().size();
    if (!is(0, {d(0), d(2) + d(4), d(3) + d(5), d(6)}) || !is(1, {d(1), d(6), d(4), d(5)}) ||
        !is(init, {d(0), d(2), d(3), d(1)}))
      return std::nullopt;
    Candidate found{kernel, kernel.getInputs()[0], 0, 0, {}, {}};
    auto data = cast<RankedTensorType>(found.data.getType());
    if (!matchPattern(kernel.getInputs()[1], m_Constant(&found.weights)) || !data.hasStaticShape() ||
        !found.result().hasStaticShape() || !found.result().getElementType().isF32() || data.getNumElements() == 0 ||
        found.result().getNumElements() == 0 ||
        found.weights.getShapedType().getShape().drop_front(2) != ArrayRef<int64_t>{3, 3})
      return std::nullopt;
    for (unsigned input = 2; input < init; ++input) {
      std::optional<AffineMap> map = epilogueMap(kernel, input);
      if (!map)
        return std::nullopt;
      found.maps.push_back(*map);
    }
    absorbPadding(found);
    return found;
  }

  /// Whether the sum is that of products of the first two inputs, which nothing else reads.
  static bool isMultiplyAdd(aot::KernelOp kernel) {
    Block &compute = kernel.getCompute().front(), &epilogue = kernel.getEpilogue().front();
    auto fma = compute.getTerminator()->getOperand(0).getDefiningOp<math::FmaOp>();
    return fma && fma->getBlock() == &compute && llvm::hasNItems(compute.without_terminator(), 1) &&
           fma.getA() == compute.getArgument(0) && fma.getB() == compute.getArgument(1) &&
           fma.getC() == compute.getArguments().back() && epilogue.getArgument(0).use_empty() &&
           epilogue.getArgument(1).use_empty() && llvm::all_of(epilogue.without_terminator(), [](Operation &op) {
             return op.hasTrait<OpTrait::ConstantLike>() || OpTrait::hasElementwiseMappableTraits(&op);
           });
  }

  /// The map of an input over (n, y, x, oc), if channels are the innermost dim that it has or are none of its dims.
  static std::optional<AffineMap> epilogueMap(aot::KernelOp kernel, unsigned input) {
    MLIRContext *context = kernel.getContext();
    AffineMap map = kernel.getMap(input);
    SmallVector<AffineExpr> dims(kernel.getNumLoops(), getAffineConstantExpr(0, context));
    for (auto [to, from] : {std::pair(0, 0), std::pair(1, 2), std::pair(2, 3), std::pair(3, 1)})
      dims[from] = getAffineDimExpr(to, context);
    for (auto [position, expr] : llvm::enumerate(map.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim && !isa<AffineConstantExpr>(expr))
        return std::nullopt;
      bool isChannel = dim && dim.getPosition() == 1;
      if ((dim && kernel.isReduction(dim.getPosition())) || (isChannel && position + 1 != map.getNumResults()))
        return std::nullopt;
    }
    return map.replaceDimsAndSymbols(dims, {}, 4, 0);
  }

  /// Reads what zeros were put around.
  static void absorbPadding(Candidate &found) {
    auto insert = found.data.getDefiningOp<tensor::InsertSliceOp>();
    if (!insert || !isZero(insert.getDest()) || insert.getSourceType().getRank() != 4 ||
        !insert.getSourceType().hasStaticShape() || !insert.hasUnitStride())
      return;
    ArrayRef<int64_t> offsets = insert.getStaticOffsets();
    if (llvm::any_of(offsets, ShapedType::isDynamic) || offsets[0] != 0 || offsets[3] != 0 ||
        insert.getSourceType().getDimSize(3) != insert.getDestType().getDimSize(3) ||
        insert.getSourceType().getDimSize(0) != insert.getDestType().getDimSize(0) ||
        insert.getSourceType().getNumElements() == 0)
      return;
    found.data = insert.getSource();
    found.top = offsets[1];
    found.left = offsets[2];
  }

  static bool isZero(Value value) {
    auto generic = value.getDefiningOp<linalg::GenericOp>();
    return generic && generic.getNumDpsInputs() == 0 &&
           matchPattern(generic.getBody()->getTerminator()->getOperand(0), m_AnyZeroFloat());
  }

  //===-- How exact it is -----------------------------------------------------------------------------------------===//

  /// The largest errors of a layer are about ten times their root mean square. Up to this bound they stay below 1e-4 of
  /// the results' size, which is what the tests allow a whole model. Weights of even sizes have 0.3e-6 to 2e-6.
  static constexpr double kMostError = 1e-5;

  static aot::WinogradError errorOf(const Candidate &found, int64_t tile) {
    SmallVector<char> storage;
    ArrayRef<char> bytes;
    if (!onnx::getRawBytes(found.weights, storage, bytes))
      return {INFINITY, INFINITY};
    ArrayRef<float> weights(reinterpret_cast<const float *>(bytes.data()), bytes.size() / sizeof(float));
    return aot::measureWinogradError(Winograd(tile), weights, found.outputs(), found.inputs());
  }

  //===-- What it costs -------------------------------------------------------------------------------------------===//

  int64_t lanes() const { return target->vectorBits(/*floatingPoint=*/true) / 32; }

  /// Cycles to bring `bytes` of weights to where they are used. They stay near where they are few, and come from memory
  /// where all the model's weights, which this way of computing makes `growth` times as many, outgrow the caches. Tiles
  /// of rows that read a panel again keep line buffers busy which then do not fetch.
  double weightCycles(double bytes, double growth, bool readsOnce) const {
    if (bytes <= target->secondLevelBytes() / 2)
      return bytes / kBytesFromNear;
    if (modelBytes * growth <= kLastLevelBytes)
      return bytes / kBytesFromFar;
    return bytes / (readsOnce ? kBytesFromMemory : kBytesBesideRows);
  }

  /// Arithmetic and the weights that are fetched beside it: the longer of the two, and some of the other.
  static double overlapped(double arithmetic, double weights) {
    return std::max(arithmetic, weights) + 0.3 * std::min(arithmetic, weights);
  }

  double directCycles(const Candidate &found) const {
    RankedTensorType result = found.result();
    RegisterTile tile =
        chooseRegisterTile({found.outputs(), std::min(lanes(), int64_t(llvm::bit_ceil(uint64_t(found.outputs())))),
                            result.getDimSize(2), 9 * found.inputs(), 4 * found.inputs()},
                           *target);
    double lines = double(result.getDimSize(0)) * result.getDimSize(1);
    return overlapped(lines * tile.cycles * 9 * found.inputs(),
                      double(result.getDimSize(0)) *
                          weightCycles(36.0 * found.inputs() * found.outputs(), 1, /*readsOnce=*/false));
  }

  /// The fastest blocks, panels and groups of panels for tiles of `tile` x `tile` results.
  Plan planFor(const Candidate &found, int64_t tile) const {
    RankedTensorType result = found.result();
    int64_t oc = found.outputs(), width = lanes();
    int64_t tileRows = result.getDimSize(0) * llvm::divideCeil(result.getDimSize(1), tile);
    int64_t perRow = llvm::divideCeil(result.getDimSize(2), tile);
    int64_t mostVectors = std::min<int64_t>(llvm::divideCeil(oc, width), kMostTileVectors);
    Plan best;
    for (int64_t blocks = 1, last = 0; blocks <= tileRows; ++blocks) {
      int64_t block = llvm::divideCeil(tileRows, blocks);
      if (block == std::exchange(last, block))
        continue;
      for (int64_t vectors = 1; vectors <= mostVectors; ++vectors) {
        TileSpace space{oc, width, block * perRow, found.inputs(), 4 * found.inputs()};
        Plan plan{tile, block, 1, chooseRegisterTile(space, *target, vectors), 0, {}};
        int64_t panels = llvm::divideCeil(oc, width * vectors);
        bool fillsPanels = oc % (width * vectors) == 0;
        for (plan.group = fillsPanels ? 1 : panels; plan.group <= panels; ++plan.group) {
          if (panels % plan.group != 0)
            continue;
          plan.cycles = cyclesOf(found, plan, tileRows, perRow, panels / plan.group);
          if (plan.cycles < best.cycles)
            best = plan;
        }
      }
    }
    return best;
  }

  /// For `tileRows` rows of `perRow` tiles and `groups` groups of panels.
  double cyclesOf(const Candidate &found, const Plan &plan, int64_t tileRows, int64_t perRow, int64_t groups) const {
    int64_t size = plan.tile + 2, positions = size * size, ic = found.inputs(), oc = found.outputs(), width = lanes();
    // Some rows are computed twice where blocks do not fit.
    double blocks = llvm::divideCeil(tileRows, plan.block), ofBlock = double(plan.block) * perRow;
    // Loads and stores of each position, and the multiply-adds of size + size (size + tile) one-dimensional transforms.
    double perTransform = size == 6 ? 12 : 6;
    double ofData = llvm::divideCeil(ic, width) * (positions * 1.3 + 2 * size * perTransform / 2);
    double ofResults = llvm::divideCeil(oc, width) * (positions * 1.3 + (size + plan.tile) * perTransform / 2);
    // Data are written once and read for each group, the products of a group written and read, and both stay in the
    // second-level cache or do not. So do weights from one block to the next.
    double dataBytes = 4.0 * positions * ic * ofBlock;
    double productBytes = 4.0 * positions * ofBlock * llvm::alignTo(oc, width);
    double weightBytes = 4.0 * positions * ic * oc, kept = dataBytes + productBytes / groups;
    bool isNear = kept <= 0.7 * target->secondLevelBytes();
    bool keepsWeights = kept + weightBytes <= 0.7 * target->secondLevelBytes();
    bool readsOnce = plan.registers.rows >= ofBlock;
    double weights = weightCycles(weightBytes, positions / 9.0, readsOnce) +
                     weightBytes * (blocks - 1) / (keepsWeights ? kBytesFromNear : kBytesFromFar);
    return overlapped(blocks * plan.registers.cycles * positions * ic, weights) +
           blocks * (ofBlock * (ofData + ofResults) +
                     ((groups + 1) * dataBytes + 2 * productBytes) / (isNear ? kBytesFromNear : kBytesFromFar));
  }

  //===-- The rewriting -------------------------------------------------------------------------------------------===//

  void replace(const Candidate &found, const Plan &plan) {
    aot::KernelOp kernel = found.kernel;
    OpBuilder builder(kernel);
    int64_t width = lanes(), panel = width * plan.registers.vectors;
    Value weights = transformWeights(builder, found, plan.tile, panel, plan.group);
    if (!weights)
      return;
    auto strategy =
        aot::StrategyAttr::get(&getContext(), "winograd", 3, width, plan.registers.vectors, -1, plan.registers.rows, 0);
    auto error = builder.getDenseF64ArrayAttr({plan.error.relative, plan.error.direct});
    auto made = aot::WinogradOp::create(
        builder, kernel.getLoc(), kernel.getResultTypes(), found.data, weights, kernel.getInputs().drop_front(2),
        kernel.getInit(), /*scratch=*/Value(), builder.getAffineMapArrayAttr(found.maps),
        builder.getI64IntegerAttr(plan.tile), builder.getDenseI64ArrayAttr({found.top, found.left}),
        builder.getI64IntegerAttr(plan.block), builder.getI64IntegerAttr(plan.group), strategy, error);
    made.getEpilogue().takeBody(kernel.getEpilogue());
    made.getEpilogue().front().eraseArguments(0, 2);
    kernel->replaceAllUsesWith(made->getResults());
    kernel.erase();
  }

  /// G g G' of each kernel, [group of panels][position][panel][ic][lane].
  static Value transformWeights(OpBuilder &builder, const Candidate &found, int64_t tile, int64_t panel,
                                int64_t group) {
    SmallVector<char> storage;
    ArrayRef<char> bytes;
    if (!onnx::getRawBytes(found.weights, storage, bytes))
      return Value();
    Winograd winograd(tile);
    int64_t oc = found.outputs(), ic = found.inputs(), positions = winograd.size() * winograd.size();
    int64_t groups = llvm::divideCeil(oc, panel * group);
    auto type = RankedTensorType::get({groups, positions, group, ic, panel}, builder.getF32Type());
    std::vector<float> packed(type.getNumElements(), 0.0f);
    for (int64_t o = 0; o < oc; ++o)
      for (int64_t i = 0; i < ic; ++i) {
        float kernel[9];
        std::memcpy(kernel, bytes.data() + (o * ic + i) * sizeof(kernel), sizeof(kernel));
        SmallVector<double> transformed = winograd.transformKernel(SmallVector<double>(kernel, kernel + 9));
        int64_t at = o / panel;
        for (int64_t position = 0; position < positions; ++position) {
          int64_t block = (at / group * positions + position) * group + at % group;
          packed[(block * ic + i) * panel + o % panel] = float(transformed[position]);
        }
      }
    ArrayRef<char> data(reinterpret_cast<const char *>(packed.data()), packed.size() * sizeof(float));
    return arith::ConstantOp::create(builder, found.kernel.getLoc(), type, onnx::makeConstant(type, data, "winograd"));
  }

  /// Bytes per cycle from the second-level cache, from the one behind it, and from memory, which is where weights come
  /// from in each run when all of them are more than a last-level cache holds of them; fewer beside tiles that read
  /// again.
  static constexpr double kBytesFromNear = 40, kBytesFromFar = 8, kBytesFromMemory = 5.5, kBytesBesideRows = 4;
  static constexpr double kLastLevelBytes = 32 << 20;

  double modelBytes = 0;
  const aot::TargetModel *target;
};
} // namespace

std::unique_ptr<Pass> createUseWinogradPass(const aot::TargetModel &target) {
  return std::make_unique<UseWinograd>(target);
}
} // namespace onnx_aot
