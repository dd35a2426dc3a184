//===- DescribeDevice.cpp - what the report says of a device ------------------------------------------------------===//
//
// Completes the facts for --report (passes/buffer/DescribeLayers.h) when the entry's work has been divided: the
// launches that each layer has become, told by the number that aot-map-to-device leaves on them; the nodes of which
// something is left on the host; and what is copied between the two.
//
// Before: launches and copies have their places, their sizes are folded.  After: launches have no numbers of layers.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/Passes.h"
#include "dialects/aot/DeviceOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/buffer/DescribeLayers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace onnx_aot;

namespace {
struct DescribeDevice : PassWrapper<DescribeDevice, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(DescribeDevice)

  explicit DescribeDevice(ModelFacts &facts) : facts(facts) {}
  StringRef getName() const override { return "describe-device"; }

  void runOnOperation() override {
    auto entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry)
      return;
    DeviceFacts &device = facts.device.emplace();
    llvm::SetVector<Location> onHost;
    std::optional<int64_t> waits = 0;
    entry.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (auto launch = dyn_cast<aot::LaunchOp>(op)) {
        noteLaunch(launch);
      } else if (auto transfer = dyn_cast<aot::TransferOp>(op)) {
        device.transfers.push_back({op->getLoc(), transfer.getToDevice(), bytesInRun(op, transfer.getSource())});
      } else if (isa<aot::WaitOp>(op)) {
        std::optional<int64_t> times = timesInRun(op);
        waits = waits && times ? std::optional(*waits + *times) : std::nullopt;
      } else if (isLayer(op)) {
        onHost.insert(op->getLoc());
        return WalkResult::skip();
      } else if (isa<memref::LoadOp, memref::StoreOp>(op)) {
        onHost.insert(op->getLoc());
      }
      return WalkResult::advance();
    });
    device.hostNodes.assign(onHost.begin(), onHost.end());
    device.waits = waits;
  }

  void noteLaunch(aot::LaunchOp launch) {
    auto numbers = dyn_cast_or_null<ArrayAttr>(launch->removeDiscardableAttr(kLayersAttr));
    if (!numbers)
      return;
    for (auto number : numbers.getAsRange<IntegerAttr>()) {
      LayerFacts &layer = facts.layers[number.getInt()];
      layer.provider = "nvptx";
      layer.strategy = {}; // was chosen for the CPU
      layer.launches.push_back(
          {launch.getKernel().str(),
           {getConstantIntValue(launch.getX()), getConstantIntValue(launch.getY()), getConstantIntValue(launch.getZ())},
           int64_t(launch.getThreads())});
    }
  }

  ModelFacts &facts;
};
} // namespace

std::unique_ptr<Pass> onnx_aot::createDescribeDevicePass(ModelFacts &facts) {
  return std::make_unique<DescribeDevice>(facts);
}
