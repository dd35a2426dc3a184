//===- Expansions.h - what the files of this family share ---------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_CONTRIB_EXPANSIONS_H
#define ONNX_AOT_DIALECTS_ONNX_CONTRIB_EXPANSIONS_H

#include "dialects/onnx/support/Functions.h"

namespace onnx_aot::onnx {
llvm::ArrayRef<FunctionRow> getQuantizedContribFunctions();
llvm::ArrayRef<FunctionRow> getAttentionContribFunctions();
} // namespace onnx_aot::onnx

#endif
