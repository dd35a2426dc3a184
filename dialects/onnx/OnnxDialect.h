//===- OnnxDialect.h - the onnx dialect ---------------------------------------------------------------------------===//
//
// What an operator family's generated header needs: the dialect, the operator interface, and the MLIR headers that ODS
// output refers to.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_ONNXDIALECT_H
#define ONNX_AOT_DIALECTS_ONNX_ONNXDIALECT_H

#include "dialects/onnx/OnnxInterfaces.h"
#include "dialects/onnx/support/SequenceTypes.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/onnx/OnnxDialect.h.inc"

#endif
