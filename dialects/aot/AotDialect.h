//===- AotDialect.h - kernels and their strategies ----------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_AOTDIALECT_H
#define ONNX_AOT_DIALECTS_AOT_AOTDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/aot/AotDialect.h.inc"

#include "dialects/aot/AotEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/aot/AotAttributes.h.inc"

namespace onnx_aot::aot {
/// The status of a run, which a failing check decides.
struct StatusResource : mlir::SideEffects::Resource::Base<StatusResource> {
  llvm::StringRef getName() override { return "status"; }
};
} // namespace onnx_aot::aot

#define GET_OP_CLASSES
#include "dialects/aot/AotOps.h.inc"

namespace onnx_aot::aot {
/// On a loop over strips of rows (FuseRows): what it carries is updated in place, and slices are read and written where
/// they lie.
inline constexpr llvm::StringLiteral kStripsAttr = "aot.strips";

/// Where things lie in the scratch memory of an aot.winograd, in elements: transformed data [position][tile][ic], then
/// the products of a group [position][tile][lane].
struct WinogradScratch {
  explicit WinogradScratch(WinogradOp op);

  int64_t tilesPerRow, tiles;        // of one block
  int64_t dataStride, productStride; // from one position to the next
  int64_t products;                  // where these begin
  int64_t elements;
};

/// Lets one-shot bufferization turn kernels on tensors into kernels on memrefs.
void registerBufferization(mlir::DialectRegistry &registry);
} // namespace onnx_aot::aot

#endif
