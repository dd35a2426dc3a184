//===- AotBase.td - the aot dialect itself --------------------------------===//
//
// Its operations are in Aot.td (kernels and checks) and Device.td (what a run
// asks of a device).
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_AOT_BASE
#define ONNX_AOT_AOT_BASE

include "mlir/IR/OpBase.td"

def Aot_Dialect : Dialect {
  let name = "aot";
  let cppNamespace = "::onnx_aot::aot";
  let summary = "Kernels and their strategies";
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerDeviceOps();
  }];
}

#endif // ONNX_AOT_AOT_BASE
