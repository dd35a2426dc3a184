//===- FuseGenerated.cpp - elementwise neighbours into a provider's kernels ---------------------------------------===//
//
// An elementwise operation that is the only reader of what a provider's kernel makes moves into the kernel, and so does
// one that makes floats of the bytes that the kernel reads. Their bodies are added to the specification, and the
// provider is asked again; where it refuses, or words lack, they stay as they are.
//
//   %f = linalg.generic u8 to f32 (%x)
//   %r = aot.generated "resize" ... ins(%f)                  =>    %y = aot.generated "resize" ... ins(%x, %mean)
//   %y = linalg.generic %r - %mean
//
// Before: aot-fuse-epilogue and aot-fuse-prologue took what kernels of the compiler's own can do.
// After: kernels of providers have the neighbours that they can have.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/KernelProvider.h"
#include "dialects/aot/PostfixBody.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/schedule/Passes.h"
#include "passes/schedule/PlainElementwise.h"

namespace onnx_aot {
#define GEN_PASS_DEF_FUSEGENERATED
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
Type elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

/// A kernel with its neighbours, as it would be.
class FusedKernel {
public:
  explicit FusedKernel(aot::GeneratedOp kernel)
      : text(kernel.getSpecification()->str()), inputs(kernel.getInputs()), init(kernel.getInit()),
        locations{kernel.getLoc()} {}

  /// False where words lack; `read` is the operand of `producer` that the kernel reads instead.
  bool addProducer(linalg::GenericOp producer, OpOperand *read) {
    inputs.front() = read->get();
    text += "data bytes\n";
    return addBody("prologue", producer, read);
  }

  bool addConsumer(linalg::GenericOp consumer, OpOperand *read) {
    init = consumer.getDpsInits().front();
    if (!aot::isWordType(elementOf(init)))
      return false;
    if (elementOf(init).isInteger(8))
      text += "result bytes\n";
    return addBody("epilogue", consumer, read);
  }

  std::string text;
  SmallVector<Value> inputs;
  Value init;
  SmallVector<Location> locations;

private:
  bool addBody(StringRef key, linalg::GenericOp generic, OpOperand *read) {
    SmallVector<std::string> words;
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      if (operand == read) {
        words.push_back("acc");
        continue;
      }
      if (!addOperand(operand->get(), generic.getMatchingIndexingMap(operand)))
        return false;
      words.push_back("x" + std::to_string(operands++));
    }
    words.push_back(""); // the destination's element, which is not read
    std::string reason;
    std::optional<std::string> body = aot::writePostfix(*generic.getBody(), words, reason);
    if (!body)
      return false;
    text += key.str() + *body + "\n";
    locations.push_back(generic.getLoc());
    return true;
  }

  /// Read at the elements that `map` gives of an index of the data or the result.
  bool addOperand(Value operand, AffineMap map) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    if (!type || !type.hasStaticShape() || !aot::isWordType(type.getElementType()))
      return false;
    SmallVector<int64_t> strides(map.getNumDims(), 0);
    int64_t stride = 1;
    for (int64_t dim = type.getRank() - 1; dim >= 0; stride *= type.getDimSize(dim--)) {
      AffineExpr expr = map.getResult(dim);
      if (auto along = dyn_cast<AffineDimExpr>(expr))
        strides[along.getPosition()] += stride;
      else if (auto at = dyn_cast<AffineConstantExpr>(expr); !at || at.getValue() != 0)
        return false;
    }
    text += "input 0";
    for (int64_t each : strides)
      text += " " + std::to_string(each);
    text += type.getElementType().isInteger(8) ? " bytes\n" : "\n";
    inputs.push_back(operand);
    return true;
  }

  int operands = 0;
};

/// What a kernel reads or is read by, and by which operand.
struct Neighbour {
  linalg::GenericOp generic;
  OpOperand *read = nullptr;
};

/// The elementwise operation that makes floats of bytes for the kernel alone.
Neighbour producerOf(aot::GeneratedOp kernel) {
  auto generic = kernel.getInputs().front().getDefiningOp<linalg::GenericOp>();
  if (!generic || !generic->hasOneUse() || generic->getBlock() != kernel->getBlock() || !isPlainElementwise(generic) ||
      !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isIdentity())
    return {};
  Neighbour producer;
  for (OpOperand *operand : generic.getDpsInputOperands()) {
    if (!generic.getMatchingIndexingMap(operand).isIdentity())
      continue;
    if (producer.read || !elementOf(operand->get()).isInteger(8))
      return {};
    producer = {generic, operand};
  }
  return producer;
}

Neighbour consumerOf(aot::GeneratedOp kernel) {
  Value result = kernel.getResults().front();
  if (!result.hasOneUse())
    return {};
  OpOperand &read = *result.use_begin();
  auto generic = dyn_cast<linalg::GenericOp>(read.getOwner());
  if (!generic || generic->getBlock() != kernel->getBlock() || !isPlainElementwise(generic) ||
      !generic.isDpsInput(&read) || !generic.getMatchingIndexingMap(&read).isIdentity() ||
      !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isIdentity())
    return {};
  return {generic, &read};
}

struct FuseGenerated : impl::FuseGeneratedBase<FuseGenerated> {
  explicit FuseGenerated(aot::KernelProvider *provider = nullptr) : provider(provider) {}

  void runOnOperation() override {
    if (!provider)
      return;
    SmallVector<aot::GeneratedOp> kernels;
    getOperation().walk([&](aot::GeneratedOp op) {
      if (op.getSpecification() && op.getProvider() == provider->name())
        kernels.push_back(op);
    });
    for (aot::GeneratedOp kernel : kernels) {
      Neighbour producer = producerOf(kernel), consumer = consumerOf(kernel), none;
      if (!fuse(kernel, producer, consumer) && producer.generic && consumer.generic && !fuse(kernel, none, consumer))
        fuse(kernel, producer, none);
    }
  }

  bool fuse(aot::GeneratedOp kernel, Neighbour producer, Neighbour consumer) {
    FusedKernel fused(kernel);
    if ((!producer.generic && !consumer.generic) ||
        (producer.generic && !fused.addProducer(producer.generic, producer.read)) ||
        (consumer.generic && !fused.addConsumer(consumer.generic, consumer.read)))
      return false;
    std::optional<aot::PreparedKernel> made =
        provider->prepare(aot::KernelRequest{fused.text, kernel.getLoc()}).front();
    if (!made)
      return false;
    Operation *last = consumer.generic ? consumer.generic.getOperation() : kernel.getOperation();
    OpBuilder builder(last);
    auto replaced = aot::GeneratedOp::create(
        builder, builder.getFusedLoc(fused.locations), TypeRange{fused.init.getType()}, kernel.getKindAttr(),
        kernel.getProviderAttr(), FlatSymbolRefAttr::get(&getContext(), made->symbol),
        builder.getI64IntegerAttr(made->scratchBytes), builder.getStringAttr(fused.text), fused.inputs, fused.init,
        /*scratch=*/Value());
    last->getResult(0).replaceAllUsesWith(replaced.getResult(0));
    if (consumer.generic)
      consumer.generic.erase();
    kernel.erase();
    if (producer.generic)
      producer.generic.erase();
    return true;
  }

  aot::KernelProvider *provider;
};
} // namespace

std::unique_ptr<Pass> createFuseGeneratedPass(aot::KernelProvider *provider) {
  return std::make_unique<FuseGenerated>(provider);
}
} // namespace onnx_aot
