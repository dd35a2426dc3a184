//===- UseWinograd.cpp - 3x3 convolutions by minimal filtering ----------------------------------------------------===//
//
// Turns a convolution with a constant 3x3 kernel, stride 1 and channels last into aot.winograd where that is faster by
// the target's model: a quarter of the multiplications, against transforms of data and results, and more than twice the
// weights (36 / 9), which count where they outgrow the second-level cache. Padding of the data goes into the operation.
//
//   %p = insert_slice %x into zeros [0, 1, 1, 0]
//   %y = aot.kernel "conv" ins(%p, %w, ...)         =>   %y = aot.winograd tile 4 pads [1, 1] block 7 ins(%x, %u, ...)
//
// Rounding errors of F(4x4, 3x3) with the points of Winograd.h are about twice those of the direct sum.
//
// Before: layouts are chosen, epilogues fused.  After: what is left is for ChooseStrategy.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/TargetModel.h"
#include "dialects/aot/Winograd.h"
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
  int64_t tile = 0, block = 1;
  RegisterTile registers;
  double cycles = INFINITY;
};

struct UseWinograd : impl::UseWinogradBase<UseWinograd> {
  explicit UseWinograd(const aot::TargetModel &target = genericTargetModel()) : target(&target) {}

  void runOnOperation() override {
    if (target->vectorBits(/*floatingPoint=*/true) < 128 || !target->hasFusedMultiplyAdd())
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
      for (int64_t tile : {2, 4})
        if (Plan plan = planFor(*candidate, tile); plan.cycles < best.cycles)
          best = plan;
      if (best.cycles < directCycles(*candidate))
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

  //===-- What it costs -------------------------------------------------------------------------------------------===//

  int64_t lanes() const { return target->vectorBits(/*floatingPoint=*/true) / 32; }

  /// Cycles to bring `bytes` that are used over and over to where they are used.
  double transferCycles(double bytes, double times) const {
    if (bytes <= target->secondLevelBytes() / 2)
      return bytes * times / kBytesFromNear;
    return bytes * times / (modelBytes > kLastLevelBytes ? kBytesFromMemory : kBytesFromFar);
  }

  /// Arithmetic and the weights that are fetched beside it: the longer of the two, and some of the other.
  static double overlapped(double arithmetic, double weights) {
    return std::max(arithmetic, weights) + 0.3 * std::min(arithmetic, weights);
  }

  double directCycles(const Candidate &found) const {
    RankedTensorType result = found.result();
    RegisterTile tile =
        chooseRegisterTile({found.outputs(), std::min(lanes(), int64_t(llvm::bit_ceil(uint64_t(found.outputs())))),
                            result.getDimSize(2), 9 * found.inputs()},
                           *target);
    double lines = double(result.getDimSize(0)) * result.getDimSize(1);
    return overlapped(lines * tile.cycles * 9 * found.inputs(),
                      transferCycles(36.0 * found.inputs() * found.outputs(), double(result.getDimSize(0))));
  }

  Plan planFor(const Candidate &found, int64_t tile) const {
    RankedTensorType result = found.result();
    int64_t size = tile + 2, positions = size * size, ic = found.inputs(), oc = found.outputs();
    int64_t tileRows = result.getDimSize(0) * llvm::divideCeil(result.getDimSize(1), tile);
    int64_t perRow = llvm::divideCeil(result.getDimSize(2), tile);
    double weightBytes = 4.0 * positions * ic * oc;
    int64_t width = lanes();
    // Loads and stores of each position, and the multiply-adds of size + size (size + tile) one-dimensional transforms.
    double perTransform = size == 6 ? 12 : 6, tiles = double(tileRows) * perRow;
    double ofData = tiles * llvm::divideCeil(ic, width) * (positions * 1.3 + 2 * size * perTransform / 2);
    double ofResults = tiles * llvm::divideCeil(oc, width) * (positions * 1.3 + (size + tile) * perTransform / 2);
    int64_t mostVectors = std::min<int64_t>(llvm::divideCeil(oc, width), kMostTileVectors);
    Plan best;
    for (int64_t block = 1; block <= tileRows; ++block)
      for (int64_t vectors = 1; vectors <= mostVectors; ++vectors) {
        if (tileRows % block != 0)
          continue;
        Plan plan{tile, block, chooseRegisterTile({oc, width, block * perRow, ic}, *target, vectors), 0};
        double blocks = double(tileRows) / block, panels = llvm::divideCeil(oc, width * vectors);
        double dataBytes = 4.0 * positions * ic * block * perRow;
        double productBytes = 4.0 * positions * block * perRow * width * vectors;
        // What is used over and over within a block: its data, for each panel of weights, and the products. Either all
        // of it stays in the second-level cache, or it displaces itself.
        bool isNear = dataBytes + productBytes + weightBytes / panels <= 0.7 * target->secondLevelBytes();
        double bytesPerCycle = isNear ? kBytesFromNear : kBytesFromFar;
        double weights = transferCycles(weightBytes, 1) + weightBytes * (blocks - 1) / kBytesFromFar;
        plan.cycles = overlapped(blocks * plan.registers.cycles * positions * ic, weights) +
                      blocks * (panels * dataBytes + 2 * panels * productBytes) / bytesPerCycle + ofData + ofResults;
        if (plan.cycles < best.cycles)
          best = plan;
      }
    return best;
  }

  //===-- The rewriting -------------------------------------------------------------------------------------------===//

  void replace(const Candidate &found, const Plan &plan) {
    aot::KernelOp kernel = found.kernel;
    OpBuilder builder(kernel);
    int64_t width = lanes(), panel = width * plan.registers.vectors;
    Value weights = transformWeights(builder, found, plan.tile, panel);
    if (!weights)
      return;
    auto strategy =
        aot::StrategyAttr::get(&getContext(), "winograd", 3, width, plan.registers.vectors, -1, plan.registers.rows, 0);
    auto made = aot::WinogradOp::create(builder, kernel.getLoc(), kernel.getResultTypes(), found.data, weights,
                                        kernel.getInputs().drop_front(2), kernel.getInit(), /*scratch=*/Value(),
                                        builder.getAffineMapArrayAttr(found.maps), builder.getI64IntegerAttr(plan.tile),
                                        builder.getDenseI64ArrayAttr({found.top, found.left}),
                                        builder.getI64IntegerAttr(plan.block), strategy);
    made.getEpilogue().takeBody(kernel.getEpilogue());
    made.getEpilogue().front().eraseArguments(0, 2);
    kernel->replaceAllUsesWith(made->getResults());
    kernel.erase();
  }

  /// G g G' of each kernel, [panel][position][ic][lane].
  static Value transformWeights(OpBuilder &builder, const Candidate &found, int64_t tile, int64_t panel) {
    SmallVector<char> storage;
    ArrayRef<char> bytes;
    if (!onnx::getRawBytes(found.weights, storage, bytes))
      return Value();
    Winograd winograd(tile);
    int64_t oc = found.outputs(), ic = found.inputs(), positions = winograd.size() * winograd.size();
    auto type =
        RankedTensorType::get({int64_t(llvm::divideCeil(oc, panel)), positions, ic, panel}, builder.getF32Type());
    std::vector<float> packed(type.getNumElements(), 0.0f);
    for (int64_t o = 0; o < oc; ++o)
      for (int64_t i = 0; i < ic; ++i) {
        float kernel[9];
        std::memcpy(kernel, bytes.data() + (o * ic + i) * sizeof(kernel), sizeof(kernel));
        SmallVector<double> transformed = winograd.transformKernel(SmallVector<double>(kernel, kernel + 9));
        for (int64_t position = 0; position < positions; ++position)
          packed[((o / panel * positions + position) * ic + i) * panel + o % panel] = float(transformed[position]);
      }
    ArrayRef<char> data(reinterpret_cast<const char *>(packed.data()), packed.size() * sizeof(float));
    return arith::ConstantOp::create(builder, found.kernel.getLoc(), type, onnx::makeConstant(type, data, "winograd"));
  }

  /// Bytes per cycle from the second-level cache, from the one behind it, and from memory, which is where weights come
  /// from in each run when all of them are more than a last-level cache holds of them.
  static constexpr double kBytesFromNear = 40, kBytesFromFar = 8, kBytesFromMemory = 5;
  static constexpr double kLastLevelBytes = 32 << 20;

  double modelBytes = 0;
  const aot::TargetModel *target;
};
} // namespace

std::unique_ptr<Pass> createUseWinogradPass(const aot::TargetModel &target) {
  return std::make_unique<UseWinograd>(target);
}
} // namespace onnx_aot
