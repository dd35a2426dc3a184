//===- NodeOrder.cpp - Nodes sorted by their dependencies ---------------------------------------------------------===//
#include "compiler/import/NodeOrder.h"
#include "compiler/import/onnx_model.pb.h"
#include "llvm/ADT/StringMap.h"
#include <functional>
#include <queue>
#include <vector>

using namespace llvm;
using namespace onnx_aot;

/// Calls `visit` with each name that `node` or a subgraph of it reads; a name may come more than once.
static void forEachRead(const pb::NodeProto &node, function_ref<void(StringRef)> visit) {
  for (const std::string &input : node.input())
    if (!input.empty())
      visit(input);
  for (const pb::AttributeProto &attribute : node.attribute()) {
    if (attribute.has_g())
      for (const auto &entry : capturedNames(attribute.g()))
        visit(entry.getKey());
    for (const pb::GraphProto &graph : attribute.graphs())
      for (const auto &entry : capturedNames(graph))
        visit(entry.getKey());
  }
}

StringSet<> onnx_aot::capturedNames(const pb::GraphProto &graph) {
  StringSet<> defined, captured;
  for (const pb::ValueInfoProto &input : graph.input())
    defined.insert(input.name());
  for (const pb::TensorProto &tensor : graph.initializer())
    defined.insert(tensor.name());
  for (const pb::SparseTensorProto &tensor : graph.sparse_initializer())
    defined.insert(tensor.values().name());
  // Nodes may be unsorted, so all definitions are collected before the first use is looked at.
  for (const pb::NodeProto &node : graph.node())
    for (const std::string &output : node.output())
      defined.insert(output);
  auto use = [&](StringRef name) {
    if (!defined.contains(name))
      captured.insert(name);
  };
  for (const pb::NodeProto &node : graph.node())
    forEachRead(node, use);
  for (const pb::ValueInfoProto &output : graph.output())
    use(output.name());
  return captured;
}

/// Every unsorted node waits for another unsorted one, so going from user to producer must come back at some time.
static SmallVector<int> findCycle(ArrayRef<int> unsorted, ArrayRef<SmallVector<int, 2>> users) {
  std::vector<int> producer(users.size(), -1);
  for (int index : unsorted)
    for (int user : users[index])
      producer[user] = index;
  std::vector<bool> visited(users.size(), false);
  int node = unsorted.front();
  for (; !visited[node]; node = producer[node])
    visited[node] = true;
  SmallVector<int> cycle{node};
  for (int before = producer[node]; before != node; before = producer[before])
    cycle.push_back(before);
  std::reverse(cycle.begin() + 1, cycle.end());
  return cycle;
}

NodeOrder onnx_aot::orderNodes(const NodeList &nodes) {
  StringMap<int> producers;
  for (int index = 0; index < nodes.size(); ++index)
    for (const std::string &output : nodes[index].output())
      if (!output.empty())
        producers.try_emplace(output, index);

  std::vector<SmallVector<int, 2>> users(nodes.size());
  std::vector<int> missing(nodes.size(), 0);
  for (int index = 0; index < nodes.size(); ++index)
    forEachRead(nodes[index], [&](StringRef name) {
      if (auto it = producers.find(name); it != producers.end()) {
        users[it->second].push_back(index);
        ++missing[index];
      }
    });

  std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
  for (int index = 0; index < nodes.size(); ++index)
    if (missing[index] == 0)
      ready.push(index);
  NodeOrder order;
  while (!ready.empty()) {
    int index = ready.top();
    ready.pop();
    order.sorted.push_back(index);
    for (int user : users[index])
      if (--missing[user] == 0)
        ready.push(user);
  }
  for (int index = 0; index < nodes.size(); ++index)
    if (missing[index] != 0)
      order.unsorted.push_back(index);
  if (!order.unsorted.empty())
    order.cycle = findCycle(order.unsorted, users);
  return order;
}
