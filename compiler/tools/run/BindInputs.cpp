//===- BindInputs.cpp - What a model has to know of its inputs ------------===//
//
// See BindInputs.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/BindInputs.h"
#include "compiler/import/onnx_model.pb.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace onnx_aot;
using llvm::StringRef;

/// The inputs that a caller passes, in order, with their positions.
static std::vector<std::pair<int64_t, const pb::ValueInfoProto *>> runtimeInputs(const pb::GraphProto &graph) {
  llvm::StringSet<> initializers;
  for (const pb::TensorProto &tensor : graph.initializer())
    initializers.insert(tensor.name());
  std::vector<std::pair<int64_t, const pb::ValueInfoProto *>> inputs;
  for (const pb::ValueInfoProto &input : graph.input())
    if (!initializers.contains(input.name()))
      inputs.emplace_back(inputs.size(), &input);
  return inputs;
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static void bindList(const pb::ValueInfoProto &input, int64_t position, llvm::ArrayRef<DataItem> given,
                     ImportOptions &import) {
  if (import.shapes.count(input.name()) || import.sequences.count(input.name()))
    return;
  const DataItem *list = findList(given, input.name(), position);
  bool isOptional = input.type().has_optional_type();
  const pb::TypeProto &inner = isOptional ? input.type().optional_type().elem_type() : input.type();
  if (!list)
    return;
  std::vector<std::vector<int64_t>> shapes;
  for (int64_t index = 0; index < list->length; ++index)
    shapes.push_back((list + 1 + index)->tensor.dims);
  if (shapes.empty() || inner.has_sequence_type())
    import.sequences[input.name()] = std::move(shapes);
}

void onnx_aot::bindShapes(const pb::GraphProto &graph, llvm::ArrayRef<DataItem> given, ImportOptions &import) {
  for (auto [position, input] : runtimeInputs(graph)) {
    if (input->type().has_sequence_type() || input->type().has_optional_type()) {
      bindList(*input, position, given, import);
      continue;
    }
    const DataItem *item = findItem(given, input->name(), position);
    if (item && input->type().has_tensor_type() && !input->type().tensor_type().has_shape())
      import.shapes.emplace(input->name(), item->tensor.dims);
  }
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

namespace {
/// The nodes of a graph and of all graphs in it, and what decides about sequences among the names that they use.
struct NodeCollector {
  std::vector<const pb::NodeProto *> nodes;
  llvm::StringSet<> deciding;

  static bool isList(const pb::TypeProto &type) { return type.has_sequence_type() || type.has_optional_type(); }

  void need(const pb::NodeProto &node, int index) {
    if (index < node.input_size() && !node.input(index).empty())
      deciding.insert(node.input(index));
  }

  /// Whether the graph makes or takes a sequence or an optional anywhere.
  static bool usesLists(const pb::GraphProto &graph) {
    auto isListInfo = [](const pb::ValueInfoProto &info) { return isList(info.type()); };
    return llvm::any_of(graph.input(), isListInfo) || llvm::any_of(graph.output(), isListInfo) ||
           llvm::any_of(graph.node(), [](const pb::NodeProto &node) {
             return StringRef(node.op_type()).contains("Sequence") || StringRef(node.op_type()).starts_with("Optional");
           });
  }

  void collect(const pb::GraphProto &graph) {
    for (const pb::NodeProto &node : graph.node()) {
      nodes.push_back(&node);
      if (node.op_type() == "SplitToSequence" || node.op_type() == "SequenceErase" || node.op_type() == "SequenceAt")
        need(node, 1);
      else if (node.op_type() == "SequenceInsert")
        need(node, 2);
      for (const pb::AttributeProto &attribute : node.attribute()) {
        if (!attribute.has_g())
          continue;
        collect(attribute.g());
        if (!usesLists(attribute.g()))
          continue;
        need(node, 0);
        if (node.op_type() != "Loop")
          continue;
        need(node, 1);
        if (attribute.g().output_size() > 0)
          deciding.insert(attribute.g().output(0).name());
      }
    }
  }

  /// Adds what the names of `deciding` are computed from.
  void close() {
    for (bool isGrowing = true; isGrowing;) {
      isGrowing = false;
      for (const pb::NodeProto *node : nodes) {
        auto isDeciding = [&](const std::string &output) { return deciding.contains(output); };
        if (llvm::none_of(node->output(), isDeciding))
          continue;
        for (const std::string &input : node->input())
          isGrowing |= !input.empty() && deciding.insert(input).second;
      }
    }
  }
};
} // namespace

bool onnx_aot::bindDecidingValues(const pb::GraphProto &graph, llvm::ArrayRef<DataItem> given, ImportOptions &import) {
  constexpr int64_t mostElements = 64;
  NodeCollector collector;
  collector.collect(graph);
  collector.close();
  bool isBound = false;
  for (auto [position, input] : runtimeInputs(graph)) {
    const DataItem *item = findItem(given, input->name(), position);
    if (!item || !collector.deciding.contains(input->name()) || import.values.count(input->name()) ||
        !input->type().has_tensor_type())
      continue;
    const DtypeInfo *dtype = findDtype(item->tensor.dtype);
    if (!dtype || dtype->epsilon != 0 || item->tensor.numElements() > mostElements)
      continue; // no integers, or too many to be a count
    std::vector<int64_t> &values = import.values[input->name()];
    for (int64_t index = 0; index < item->tensor.numElements(); ++index)
      values.push_back(static_cast<int64_t>(item->tensor.number(index)));
    // The value has a shape of its own.
    import.shapes.emplace(input->name(), item->tensor.dims);
    isBound = true;
  }
  return isBound;
}
