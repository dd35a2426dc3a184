//===- onnx-aot-opt.cpp - The passes of the stages, one by one ------------===//
//
// What it is for: mlir-opt with our dialects and passes, for tests and for looking at what a pass does:
//
//   onnx-aot-opt --aot-fuse-epilogue fuse-epilogue.mlir
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipeline.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  onnx_aot::registerAllOnnxAotDialects(registry);
  onnx_aot::registerAllOnnxAotPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "onnx-aot passes\n", registry));
}
