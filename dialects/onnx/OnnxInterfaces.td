//===- OnnxInterfaces.td - what every ONNX operator answers ---------------===//
//
// The dialect is the registry of operators: the importer, --list-ops and the
// shape passes ask an operation itself for its signature and its result types.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_ONNX_INTERFACES
#define ONNX_AOT_ONNX_INTERFACES

include "mlir/IR/OpBase.td"

def OnnxOpInterface : OpInterface<"OnnxOpInterface"> {
  let cppNamespace = "::onnx_aot::onnx";
  let description = [{
    Implemented by every operation of the `onnx` dialect that stands for an ONNX operator.
  }];
  let methods = [
    StaticInterfaceMethod<[{
      The operator's inputs, outputs and attributes in ONNX's order, and the
      opset that last changed it. Made from the ODS record.
    }], "const ::onnx_aot::onnx::OpSignature &", "getSignature", (ins)>,
    InterfaceMethod<[{
      Computes the element type and the shape of each result from the operands.
      The one function serves inference and, through dims that are symbolic
      expressions, the sizes that a lowering computes at run time.
      Emits an error on the operation when the operands do not agree.
    }], "::llvm::LogicalResult", "inferResults",
      (ins "::onnx_aot::onnx::ShapeContext &":$ctx,
           "::llvm::SmallVectorImpl<::onnx_aot::onnx::ResultShape> &":$results)>,
    InterfaceMethod<[{
      The elements of one result, an integer tensor of rank 0 or 1 with few
      elements, as expressions of the operands' shapes and elements. Operators
      that take part in shape arithmetic answer; nullopt elsewhere. An element
      that cannot be told is an unknown Dim.
    }], "::std::optional<::onnx_aot::onnx::Shape>", "inferElements",
      (ins "::onnx_aot::onnx::ShapeContext &":$ctx, "unsigned":$result), "", [{
        return ::std::nullopt;
      }]>,
  ];
}

#endif // ONNX_AOT_ONNX_INTERFACES
