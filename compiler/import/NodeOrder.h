//===- NodeOrder.h - Nodes sorted by their dependencies -----------------------------------------------------------===//
//
// What it is for: ONNX demands that nodes are sorted; files that are not, but could be, are read all the same. How it
// works: Kahn's algorithm, always taking the ready node that comes first in the file, so that a sorted graph keeps its
// order. What the subgraphs of a node capture from outside counts as its input.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_IMPORT_NODEORDER_H
#define ONNX_AOT_COMPILER_IMPORT_NODEORDER_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSet.h"
#include <google/protobuf/repeated_ptr_field.h>

namespace onnx_aot {

namespace pb {
class GraphProto;
class NodeProto;
} // namespace pb

using NodeList = google::protobuf::RepeatedPtrField<pb::NodeProto>;

struct NodeOrder {
  llvm::SmallVector<int> sorted;   // indices into the list
  llvm::SmallVector<int> unsorted; // those that depend on themselves, or on one that does
  llvm::SmallVector<int> cycle;    // one of the cycles behind that, each node before its user
};

NodeOrder orderNodes(const NodeList &nodes);

/// The names that `graph` uses without defining them itself.
llvm::StringSet<> capturedNames(const pb::GraphProto &graph);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_IMPORT_NODEORDER_H
