//===- GenerateResize.cpp - Resize by a provider's kernels --------------------------------------------------------===//
//
// Resize of constant shape becomes an aot.generated, whose kernel the provider prepares here, before the operator is
// taken apart. Where results some period apart read alike - x3: every third one - and nothing but the clamping at the
// borders differs, weights are part of the specification; else positions and weights come as tables.
//
//   %y = onnx.Resize %x, ...   =>   %y = aot.generated "resize" by "halide" @hk_1f ins(%x) outs(%init)
//
// Bytes that are interpolated become floats before and bytes again behind it, by Cast, which the schedule stage fuses
// into the kernel as it does with other elementwise operations (aot-fuse-generated).
//
// Before: onnx operations.  After: those Resize that the provider makes are kernels; the others are as before.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/KernelProvider.h"
#include "dialects/aot/PostfixBody.h"
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/quantization/Quantization.h"
#include "dialects/onnx/resampling/Resampling.h"
#include "dialects/onnx/resampling/ResizeTables.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/tensor/Passes.h"
#include <cmath>
#include <map>

namespace onnx_aot {
#define GEN_PASS_DEF_GENERATERESIZE
#include "passes/tensor/Passes.h.inc"

using namespace mlir;
using onnx::ResizeAxis;
using onnx::ResizeTable;

namespace {
constexpr int64_t kFloat = 1, kUint8 = 2, kInt8 = 3; // of TensorProto.DataType

/// (position -> weight) of what one result reads.
using Taps = std::map<int64_t, double>;

Taps tapsOf(const ResizeTable &table, int64_t result) {
  Taps taps;
  for (int64_t tap = 0; tap < table.taps; ++tap)
    if (double weight = table.weights[result * table.taps + tap]; weight != 0)
      taps[table.positions[result * table.taps + tap]] += weight;
  return taps;
}

/// Results o and o + period read alike, `step` elements apart.
struct Phases {
  int64_t period, step;
  SmallVector<Taps> taps; // of results 0 ... period - 1, before they are clamped to the data
};

class PhaseFinder {
public:
  PhaseFinder(const ResizeTable &table, int64_t in, int64_t out) : in(in) {
    for (int64_t result = 0; result < out; ++result)
      rows.push_back(tapsOf(table, result));
  }

  std::optional<Phases> find() const {
    constexpr int64_t kMostPeriod = 8, kMostStarts = 8;
    int64_t out = rows.size();
    for (int64_t period = 1; period <= kMostPeriod && 2 * period <= out; ++period) {
      if (out % period != 0)
        continue;
      // The first results may be clamped.
      for (int64_t start = 0; start < kMostStarts && (start + 2) * period <= out; ++start)
        if (std::optional<Phases> phases = readPhases(start, period); phases && fits(*phases))
          return phases;
    }
    return std::nullopt;
  }

private:
  std::optional<Phases> readPhases(int64_t start, int64_t period) const {
    int64_t first = start * period;
    if (rows[first].empty() || rows[first + period].empty())
      return std::nullopt;
    int64_t step = rows[first + period].begin()->first - rows[first].begin()->first;
    Phases phases{period, step, {}};
    for (int64_t phase = 0; phase < period; ++phase) {
      Taps taps;
      for (auto [position, weight] : rows[first + phase])
        taps[position - start * step] = weight;
      phases.taps.push_back(std::move(taps));
    }
    return step < 1 ? std::nullopt : std::optional(std::move(phases));
  }

  /// Whether they give all rows. Coordinates were rounded to single precision, and weights show it.
  bool fits(const Phases &phases) const {
    constexpr double kTolerance = 1e-4;
    for (auto [result, row] : llvm::enumerate(rows)) {
      Taps expected;
      for (auto [offset, weight] : phases.taps[result % phases.period]) {
        int64_t position = offset + int64_t(result) / phases.period * phases.step;
        expected[std::clamp<int64_t>(position, 0, in - 1)] += weight;
      }
      for (auto [position, weight] : row)
        expected[position] -= weight;
      if (llvm::any_of(expected, [](auto entry) { return std::abs(entry.second) > kTolerance; }))
        return false;
    }
    return true;
  }

  int64_t in;
  SmallVector<Taps> rows;
};

class ResizeGenerator {
public:
  ResizeGenerator(onnx::ResizeOp op, aot::KernelProvider &provider) : op(op), provider(provider) {}

  void run() {
    auto type = dyn_cast<RankedTensorType>(op.getX().getType()),
         result = dyn_cast<RankedTensorType>(op.getY().getType());
    if (!type || !result || !type.hasStaticShape() || !result.hasStaticShape())
      return provider.refuse(op.getLoc(), "an extent is only known when the model runs");
    if (type.getNumElements() == 0 || result.getNumElements() == 0)
      return;
    bool isBytes = type.getElementType().isInteger(8);
    if (!type.getElementType().isF32() && !isBytes)
      return provider.refuse(op.getLoc(), "it is neither of f32 nor of bytes");
    if (isBytes && isNearest())
      return provider.refuse(op.getLoc(), "bytes are moved");
    onnx::ShapeContext shapes;
    FailureOr<std::optional<SmallVector<ResizeAxis>>> axes = onnx::resolveResize(op, shapes);
    if (failed(axes) || !*axes)
      return;
    std::string text;
    if (!provider.wants(familyOf(**axes), result.getNumElements()) || !specify(**axes, text))
      return;
    if (std::optional<aot::PreparedKernel> kernel = provider.prepare(aot::KernelRequest{text, op.getLoc()}).front())
      replace(*kernel, text, result);
  }

private:
  /// Whether the kernel can read bytes: those of the data, or those that become its floats.
  bool readsBytes() {
    auto isOfBytes = [](Value value) { return getElementTypeOrSelf(value.getType()).isInteger(8); };
    Operation *maker = op.getX().getDefiningOp();
    return isOfBytes(op.getX()) || (isa_and_nonnull<onnx::CastOp, onnx::DequantizeLinearOp>(maker) &&
                                    maker->hasOneUse() && isOfBytes(maker->getOperand(0)));
  }

  /// By the last axis that has more than one element.
  aot::KernelFamily familyOf(ArrayRef<ResizeAxis> axes) {
    // Of more axes, aot.resample takes all but two in passes of their own.
    constexpr int64_t kMostFactor = 4, kMostAxesAtOnce = 2;
    int64_t resized = llvm::count_if(axes, [](const ResizeAxis &axis) { return axis.isResized; });
    for (const ResizeAxis &axis : llvm::reverse(axes)) {
      if (axis.isResized && axis.isTold) {
        std::optional<Phases> phases =
            PhaseFinder(onnx::makeResizeTable(op, axis), axis.in.get(), axis.out.get()).find();
        if (!phases)
          return aot::KernelFamily::ResizeByTables;
        if (readsBytes())
          return aot::KernelFamily::ResizeOfBytes;
        bool isFactor = phases->step == 1 && phases->period > 1 && phases->period <= kMostFactor;
        bool isMoved = isNearest() && phases->step < phases->period;
        return resized <= kMostAxesAtOnce && (isFactor || isMoved) ? aot::KernelFamily::ResizeByFactor
                                                                   : aot::KernelFamily::ResizeByPhases;
      }
      if (!axis.in.is(1))
        break;
    }
    return aot::KernelFamily::ResizeByPhases;
  }

  bool isNearest() { return op.getMode() == "nearest"; }

  bool specify(ArrayRef<ResizeAxis> axes, std::string &text) {
    llvm::raw_string_ostream os(text);
    os << "family resize\n" << (isNearest() ? "moves\n" : "");
    bool isResized = false;
    for (const ResizeAxis &axis : axes) {
      if (!axis.isResized) {
        os << "axis " << axis.in.get() << " " << axis.in.get() << " same\n";
        continue;
      }
      if (!axis.isTold) {
        provider.refuse(op.getLoc(), "a scale is only known when the model runs");
        return false;
      }
      isResized = true;
      if (!specifyAxis(axis, os))
        return false;
    }
    return isResized;
  }

  bool specifyAxis(const ResizeAxis &axis, llvm::raw_ostream &os) {
    ResizeTable table = onnx::makeResizeTable(op, axis);
    if (llvm::is_contained(table.isOutside, 1)) {
      provider.refuse(op.getLoc(), "its region reaches outside of the data");
      return false;
    }
    os << "axis " << axis.in.get() << " " << axis.out.get();
    if (std::optional<Phases> phases = PhaseFinder(table, axis.in.get(), axis.out.get()).find()) {
      os << " phases " << phases->period << " " << phases->step << "\n";
      for (const Taps &taps : phases->taps) {
        os << "phase";
        for (auto [position, weight] : taps)
          os << " " << position << " " << aot::floatWord(float(weight));
        os << "\n";
      }
      return true;
    }
    os << " table " << table.taps << "\n";
    addTables(table, axis.out.get());
    return true;
  }

  /// Positions and weights, all results of one tap after the other.
  void addTables(const ResizeTable &table, int64_t out) {
    OpBuilder builder(op);
    SmallVector<int32_t> positions;
    SmallVector<float> weights;
    for (int64_t tap = 0; tap < table.taps; ++tap)
      for (int64_t result = 0; result < out; ++result) {
        positions.push_back(table.positions[result * table.taps + tap]);
        weights.push_back(table.weights[result * table.taps + tap]);
      }
    auto add = [&](Type element, auto &values, StringRef hint) {
      auto type = RankedTensorType::get({int64_t(values.size())}, element);
      ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(values[0]));
      inputs.push_back(arith::ConstantOp::create(builder, op.getLoc(), type,
                                                 cast<TypedAttr>(onnx::makeConstant(type, bytes, hint))));
    };
    add(builder.getI32Type(), positions, "positions");
    if (!isNearest())
      add(builder.getF32Type(), weights, "weights");
  }

  void replace(const aot::PreparedKernel &kernel, StringRef text, RankedTensorType result) {
    OpBuilder builder(op);
    Type element = builder.getF32Type();
    inputs.insert(inputs.begin(), castElements(builder, op.getX(), element));
    Value init = onnx::emptyTensor(builder, op.getLoc(), cast<RankedTensorType>(result.clone(element)));
    auto generated = aot::GeneratedOp::create(
        builder, op.getLoc(), TypeRange{init.getType()}, builder.getStringAttr("resize"),
        builder.getStringAttr(provider.name()), FlatSymbolRefAttr::get(builder.getContext(), kernel.symbol),
        builder.getI64IntegerAttr(kernel.scratchBytes), builder.getStringAttr(text), inputs, init, /*scratch=*/Value());
    op.getY().replaceAllUsesWith(castElements(builder, generated.getResult(0), result.getElementType()));
    op.erase();
  }

  Value castElements(OpBuilder &builder, Value value, Type element) {
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getElementType() == element)
      return value;
    int64_t dataType = element.isF32() ? kFloat : element.isUnsignedInteger() ? kUint8 : kInt8;
    return onnx::CastOp::create(builder, op.getLoc(), type.clone(element), value, dataType, /*saturate=*/1, "up");
  }

  onnx::ResizeOp op;
  aot::KernelProvider &provider;
  SmallVector<Value> inputs;
};

struct GenerateResize : impl::GenerateResizeBase<GenerateResize> {
  explicit GenerateResize(aot::KernelProvider *provider = nullptr) : provider(provider) {}

  void runOnOperation() override {
    if (!provider)
      return;
    SmallVector<onnx::ResizeOp> found;
    getOperation().walk([&](onnx::ResizeOp op) { found.push_back(op); });
    for (onnx::ResizeOp op : found)
      ResizeGenerator(op, *provider).run();
  }

  aot::KernelProvider *provider;
};
} // namespace

std::unique_ptr<Pass> createGenerateResizePass(aot::KernelProvider *provider) {
  return std::make_unique<GenerateResize>(provider);
}
} // namespace onnx_aot
