//===- DeviceOps.cpp - what a run asks of a device (see Device.td) ------------------------------------------------===//
#include "dialects/aot/DeviceOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;
using namespace onnx_aot::aot;

#define GET_OP_CLASSES
#include "dialects/aot/DeviceOps.cpp.inc"

void AotDialect::registerDeviceOps() {
  addOperations<
#define GET_OP_LIST
#include "dialects/aot/DeviceOps.cpp.inc"
      >();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto module = getOperation()->getParentOfType<ModuleOp>();
  auto device = module ? module.lookupSymbol<ModuleOp>(kDeviceModule) : ModuleOp();
  if (!device)
    return success(); // what has been compiled is not here any more
  Operation *kernel = symbols.lookupSymbolIn(device, getKernelAttr());
  auto function = dyn_cast_or_null<FunctionOpInterface>(kernel);
  if (!function)
    return emitOpError("launches @") << getKernel() << ", which is no function of @" << kDeviceModule;
  if (function.getNumArguments() != getPassed().size())
    return emitOpError("passes ") << getPassed().size() << " operands to @" << getKernel() << ", which takes "
                                  << function.getNumArguments();
  return success();
}
