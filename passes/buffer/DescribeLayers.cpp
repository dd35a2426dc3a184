//===- DescribeLayers.cpp - what a model does, layer by layer -----------------------------------------------------===//
//
// See DescribeLayers.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/buffer/DescribeLayers.h"
#include "dialects/aot/DeviceOps.h"
#include "dialects/aot/LoopNest.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace onnx_aot;

bool onnx_aot::isLayer(Operation *op) {
  return isa<aot::KernelOp, aot::WinogradOp, aot::ResampleOp, aot::GeneratedOp, aot::RowsOp, aot::AttentionOp,
             linalg::LinalgOp, memref::CopyOp>(op);
}

//===-- How often and how much ------------------------------------------------------------------------------------===//

static std::optional<int64_t> product(std::optional<int64_t> left, std::optional<int64_t> right) {
  // Nothing stays nothing, however often.
  if (left == 0 || right == 0)
    return 0;
  int64_t result = 0;
  if (!left || !right || llvm::MulOverflow(*left, *right, result))
    return std::nullopt;
  return result;
}

static std::optional<int64_t> product(ArrayRef<int64_t> extents) {
  std::optional<int64_t> result = 1;
  for (int64_t extent : extents)
    result = product(result, ShapedType::isDynamic(extent) ? std::optional<int64_t>() : extent);
  return result;
}

std::optional<int64_t> onnx_aot::timesInRun(Operation *op) {
  std::optional<int64_t> times = 1;
  for (Operation *parent = op->getParentOp(); !isa<func::FuncOp>(parent); parent = parent->getParentOp()) {
    if (isa<aot::ReplayOp>(parent))
      continue;
    auto loop = dyn_cast<LoopLikeOpInterface>(parent);
    std::optional<APInt> count = loop ? loop.getStaticTripCount() : std::nullopt;
    times = product(times, count ? std::optional<int64_t>(count->getSExtValue()) : std::nullopt);
  }
  return times;
}

/// The bytes that `buffer` shows; what a view repeats counts once.
static std::optional<int64_t> bytesOf(Value buffer) {
  auto type = dyn_cast<MemRefType>(buffer.getType());
  if (!type)
    return std::nullopt;
  SmallVector<int64_t> extents(type.getShape()), strides;
  int64_t offset = 0;
  if (!type.getLayout().isIdentity() && succeeded(type.getStridesAndOffset(strides, offset)))
    for (auto [extent, stride] : llvm::zip(extents, strides))
      if (stride == 0)
        extent = std::min<int64_t>(extent, 1);
  Type element = type.getElementType();
  return product(product(extents), isa<IndexType>(element) ? 8 : onnx::bytesPerElement(element));
}

std::optional<int64_t> onnx_aot::bytesInRun(Operation *op, Value buffer) {
  return product(bytesOf(buffer), timesInRun(op));
}

static std::optional<int64_t> bytesOf(ArrayRef<Value> buffers) {
  int64_t sum = 0;
  for (Value buffer : buffers) {
    std::optional<int64_t> bytes = bytesOf(buffer);
    if (!bytes)
      return std::nullopt;
    sum += *bytes;
  }
  return sum;
}

static bool isWeight(Value buffer) {
  Operation *op = buffer.getDefiningOp();
  while (auto view = dyn_cast_or_null<ViewLikeOpInterface>(op))
    op = view.getViewSource().getDefiningOp();
  return isa_and_nonnull<memref::GetGlobalOp>(op);
}

//===-- What it computes ------------------------------------------------------------------------------------------===//

/// Whether a step of the reduction is a sum of a product: a fused multiply-add, or a product that is added.
static bool addsProducts(Region &step) {
  auto isProduct = [](Value value) {
    while (Operation *op = value.getDefiningOp()) {
      if (isa<arith::MulFOp, arith::MulIOp>(op))
        return true;
      if (!isa<arith::ExtSIOp, arith::ExtUIOp, arith::ExtFOp>(op))
        break;
      value = op->getOperand(0);
    }
    return false;
  };
  return step
      .walk([&](Operation *op) {
        bool isSum = isa<arith::AddFOp, arith::AddIOp>(op) && !op->getResult(0).getType().isIndex();
        return isa<math::FmaOp>(op) || (isSum && llvm::any_of(op->getOperands(), isProduct)) ? WalkResult::interrupt()
                                                                                             : WalkResult::advance();
      })
      .wasInterrupted();
}

static std::optional<int64_t> pointsOf(Operation *op) {
  if (auto linalg = dyn_cast<linalg::LinalgOp>(op))
    return product(linalg.getStaticLoopRanges());
  FailureOr<aot::LoopNest> nest = aot::LoopNest::of(op);
  if (failed(nest))
    return std::nullopt;
  std::optional<int64_t> points = 1;
  for (const aot::LoopDim &dim : nest->dims)
    points = product(points, dim.extent.isStatic() ? std::optional<int64_t>(dim.extent.factor) : std::nullopt);
  return points;
}

/// What a structured operation of linalg is called.
static StringRef kindOf(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() != 0)
    return "reduce";
  Block *body = op.getBlock();
  if (!body->without_terminator().empty())
    return "elementwise";
  return isa<BlockArgument>(body->getTerminator()->getOperand(0)) ? "copy" : "fill";
}

namespace {
/// The operands by what is done with them.
struct Operands {
  SmallVector<Value> read, written;
};
} // namespace

static Operands operandsOf(Operation *op) {
  llvm::SmallSetVector<Value, 8> read, written;
  auto takeBuffer = [](auto &set, Value value) {
    if (isa<BaseMemRefType>(value.getType()))
      set.insert(value);
  };
  if (auto copy = dyn_cast<memref::CopyOp>(op)) {
    takeBuffer(read, copy.getSource());
    takeBuffer(written, copy.getTarget());
  } else if (auto winograd = dyn_cast<aot::WinogradOp>(op)) {
    takeBuffer(read, winograd.getData());
    takeBuffer(read, winograd.getWeights());
    for (Value input : winograd.getInputs())
      takeBuffer(read, input);
    takeBuffer(written, winograd.getInit());
  } else if (auto resample = dyn_cast<aot::ResampleOp>(op)) {
    takeBuffer(read, resample.getData());
    for (Value table : resample.getTables())
      takeBuffer(read, table);
    for (Value input : resample.getInputs())
      takeBuffer(read, input);
    takeBuffer(written, resample.getInit());
  } else if (auto generated = dyn_cast<aot::GeneratedOp>(op)) {
    for (Value input : generated.getInputs())
      takeBuffer(read, input);
    takeBuffer(written, generated.getInit());
  } else {
    auto styled = cast<DestinationStyleOpInterface>(op);
    for (OpOperand *input : styled.getDpsInputOperands())
      takeBuffer(read, input->get());
    for (OpOperand &init : styled.getDpsInitsMutable()) {
      takeBuffer(written, init.get());
      auto linalg = dyn_cast<linalg::LinalgOp>(op);
      if (linalg && linalg.payloadUsesValueFromOperand(&init))
        takeBuffer(read, init.get());
    }
  }
  return {read.takeVector(), written.takeVector()};
}

/// Those of both products.
static std::optional<int64_t> multiplyAddsOf(aot::AttentionOp attention) {
  SmallVector<int64_t> extents(attention.getNumLoops(), ShapedType::kDynamic);
  for (auto [index, operand] : llvm::enumerate(attention->getOperands()))
    for (auto [result, expr] : llvm::enumerate(attention.getMap(index).getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        extents[dim.getPosition()] = cast<ShapedType>(operand.getType()).getDimSize(result);
  int64_t depth = extents[attention.dimOfDepth()], value = extents[attention.dimOfValue()];
  return product(product(ArrayRef(extents).drop_back(2)), ShapedType::isDynamic(depth) || ShapedType::isDynamic(value)
                                                              ? std::optional<int64_t>()
                                                              : depth + value);
}

static void describeWork(Operation *op, LayerFacts &facts) {
  facts.multiplyAdds = 0;
  if (auto kernel = dyn_cast<aot::KernelOp>(op)) {
    facts.kernel = kernel.getKind().str();
    facts.strategy = kernel.getStrategyAttr();
    if (addsProducts(kernel.getCompute()))
      facts.multiplyAdds = pointsOf(op);
  } else if (auto winograd = dyn_cast<aot::WinogradOp>(op)) {
    std::string tile = std::to_string(winograd.getTile());
    facts.kernel = "winograd F(" + tile + "x" + tile + ", 3x3)";
    facts.strategy = winograd.getStrategy();
    int64_t inputs = cast<ShapedType>(winograd.getData().getType()).getDimSize(3);
    facts.multiplyAdds = product(product(cast<ShapedType>(winograd.getInit().getType()).getShape()), 9 * inputs);
    if (std::optional<ArrayRef<double>> error = winograd.getError(); error && error->size() == 2) {
      facts.error = error->front();
      facts.directError = error->back();
    }
  } else if (isa<aot::ResampleOp>(op)) {
    facts.kernel = "resample";
  } else if (auto generated = dyn_cast<aot::GeneratedOp>(op)) {
    facts.kernel = generated.getKind().str();
    facts.provider = generated.getProvider().str();
  } else if (auto rows = dyn_cast<aot::RowsOp>(op)) {
    facts.kernel = rows.getKind().str();
  } else if (auto attention = dyn_cast<aot::AttentionOp>(op)) {
    facts.kernel = "attention";
    facts.multiplyAdds = multiplyAddsOf(attention);
  } else if (auto linalg = dyn_cast<linalg::LinalgOp>(op)) {
    facts.kernel = kindOf(linalg).str();
    if (linalg.getNumReductionLoops() != 0 && addsProducts(op->getRegion(0)))
      facts.multiplyAdds = pointsOf(op);
  } else {
    facts.kernel = "copy";
  }
  if (facts.strategy)
    facts.provider = facts.strategy.getProvider().str();
}

std::vector<LayerFacts> onnx_aot::describeLayers(func::FuncOp function) {
  std::vector<LayerFacts> layers;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isLayer(op))
      return WalkResult::advance();
    LayerFacts &facts = layers.emplace_back(LayerFacts{op->getLoc(), {}, {}, {}, {}, {}, 0, {}, {}, {}, {}});
    op->setAttr(kLayerAttr, Builder(op).getI64IntegerAttr(int64_t(layers.size()) - 1));
    describeWork(op, facts);
    Operands operands = operandsOf(op);
    for (Value input : operands.read)
      if (isWeight(input))
        facts.weightBytes += bytesOf(input).value_or(0);
    std::optional<int64_t> times = timesInRun(op);
    facts.multiplyAdds = product(facts.multiplyAdds, times);
    facts.readBytes = product(bytesOf(operands.read), times);
    facts.writtenBytes = product(bytesOf(operands.written), times);
    return WalkResult::skip();
  });
  return layers;
}
