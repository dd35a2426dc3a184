//===- PostfixBody.h - what is computed of single elements, in words ----------------------------------------------===//
//
// Bodies of kernels and of elementwise operations in postfix form, in the words of
// codegen/halide/plugin/Specification.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_POSTFIXBODY_H
#define ONNX_AOT_DIALECTS_AOT_POSTFIXBODY_H

#include "mlir/IR/Block.h"
#include <optional>
#include <string>

namespace onnx_aot::aot {

/// What the only operand of the block's terminator is, with a blank before each word; `arguments` are the words for the
/// block's. None, and the reason, where words lack.
std::optional<std::string> writePostfix(mlir::Block &block, llvm::ArrayRef<std::string> arguments, std::string &reason);

/// Whether operands of specifications may have such elements: f32 or bytes.
bool isWordType(mlir::Type element);

/// The bits of a float as 8 hexadecimal digits.
std::string floatWord(float value);

} // namespace onnx_aot::aot

#endif
