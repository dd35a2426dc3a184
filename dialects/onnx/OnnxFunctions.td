//===- OnnxFunctions.td - the base class of operators that are graphs ---------===//
//
// See dialects/onnx/support/Functions.h. Such an operator's shapes are those of its expansion.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_ONNX_FUNCTIONS
#define ONNX_AOT_ONNX_FUNCTIONS

include "dialects/onnx/OnnxBase.td"

class Onnx_Function<string name, int since, dag ins, dag attrs, dag outs, list<Trait> traits = [],
                    dag bodies = (region), list<Trait> effects = [Pure]>
    : Onnx_Op<name, since, ins, attrs, outs, traits, bodies, effects> {
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferResults(ShapeContext &, ::llvm::SmallVectorImpl<ResultShape> &results) {
      return inferByExpansion(*this, results);
    }
  }];
}

#endif // ONNX_AOT_ONNX_FUNCTIONS
