//===- StatusNode.h - the node that a status names ----------------------------------------------------------------===//
//
// A status carries the index of an ONNX node. Names may repeat or be empty, so the index travels in the location that
// the importer gives to every operation, NameLoc("\"conv1\" (Conv)" over "model.onnx":<index + 1>:0); lowerings pass
// the locations of their operators on, and fusing locations keeps them inside.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_STATUSNODE_H
#define ONNX_AOT_DIALECTS_AOT_STATUSNODE_H

#include "mlir/IR/Location.h"

namespace onnx_aot::aot {
/// The index + 1 of the node that `location` names, as statuses carry it; 0 where it names none.
uint32_t statusNode(mlir::Location location);
} // namespace onnx_aot::aot

#endif
