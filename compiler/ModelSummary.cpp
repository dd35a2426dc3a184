//===- ModelSummary.cpp - A model, readable -------------------------------===//
//
//   mnist.onnx: no errors
//     graph      CNTKGraph, 12 nodes
//     producer   CNTK 2.5.1
//     opsets     ai.onnx 8
//   inputs
//     Input3     float[1][1][28][28], 3136 bytes
//   outputs
//     Plus214    float[1][10], 40 bytes
//   operators
//     Add 3, Conv 2, MatMul 1, MaxPool 2, Relu 2, Reshape 2
//   memory
//     weights    23968 bytes
//     arena      12544 bytes
//
//===----------------------------------------------------------------------===//

#include "compiler/ModelSummary.h"
#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"
#include "compiler/artifact/ModelInterface.h"
#include "compiler/import/ModelReader.h"
#include "compiler/import/Types.h"
#include "compiler/import/onnx_model.pb.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace onnx_aot;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// From the file
//===----------------------------------------------------------------------===//

static std::string qualifiedName(StringRef domain, StringRef name) {
  return domain.empty() || domain == "ai.onnx" ? name.str() : (domain + "." + name).str();
}

/// Counts the operators of a graph and of the graphs inside its nodes.
static void countOperators(const pb::GraphProto &graph, std::map<std::string, int64_t> &counts) {
  for (const pb::NodeProto &node : graph.node()) {
    ++counts[qualifiedName(node.domain(), node.op_type())];
    for (const pb::AttributeProto &attribute : node.attribute()) {
      if (attribute.has_g())
        countOperators(attribute.g(), counts);
      for (const pb::GraphProto &inner : attribute.graphs())
        countOperators(inner, counts);
    }
  }
}

static void printRow(llvm::raw_ostream &os, StringRef title, const llvm::Twine &text) {
  const size_t width = 10;
  os << "  " << title;
  os.indent(title.size() < width ? width - title.size() : 0) << " " << text << "\n";
}

static void printHeading(llvm::raw_ostream &os, const pb::ModelProto &model) {
  const pb::GraphProto &graph = model.graph();
  printRow(os, "graph",
           (graph.name().empty() ? "" : graph.name() + ", ") + llvm::Twine(graph.node_size()) +
               (graph.node_size() == 1 ? " node" : " nodes"));
  if (!model.producer_name().empty())
    printRow(os, "producer", StringRef(model.producer_name() + " " + model.producer_version()).rtrim());
  std::string opsets;
  for (const pb::OperatorSetIdProto &opset : model.opset_import())
    opsets += (opsets.empty() ? "" : ", ") + (opset.domain().empty() ? "ai.onnx" : opset.domain()) + " " +
              std::to_string(opset.version());
  printRow(os, "opsets", opsets);
  for (const pb::StringStringEntryProto &entry : model.metadata_props())
    printRow(os, "metadata", entry.key() + " = " + entry.value());
}

static void printOperatorCounts(llvm::raw_ostream &os, const pb::GraphProto &graph) {
  std::map<std::string, int64_t> counts;
  countOperators(graph, counts);
  os << "operators\n  ";
  llvm::interleaveComma(counts, os, [&](const auto &entry) { os << entry.first << " " << entry.second; });
  os << "\n";
}

//===----------------------------------------------------------------------===//
// From the IR
//===----------------------------------------------------------------------===//

namespace {
/// An input or output of the imported @main.
struct Port {
  std::string name;
  mlir::Type type;
  int32_t dtype = 0;
  std::vector<std::string> dimNames;
};
} // namespace

static Port portOf(mlir::Type type, mlir::DictionaryAttr attributes) {
  Port port;
  port.type = type;
  if (!attributes)
    return port;
  if (auto name = attributes.getAs<mlir::StringAttr>("onnx.name"))
    port.name = name.str();
  if (auto dtype = attributes.getAs<mlir::IntegerAttr>("onnx.dtype"))
    port.dtype = static_cast<int32_t>(dtype.getInt());
  if (auto names = attributes.getAs<mlir::ArrayAttr>("onnx.dim_names"))
    for (mlir::Attribute name : names)
      port.dimNames.push_back(llvm::cast<mlir::StringAttr>(name).str());
  return port;
}

/// "float[N][10]", with its size where it is constant. The names of open dimensions are added to `open`.
static std::string describe(const Port &port, std::vector<std::string> &open) {
  std::string text = port.dtype ? dataTypeName(port.dtype) : "value";
  auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(port.type);
  if (!tensor)
    return text + ", shape not known";
  for (auto [axis, dim] : llvm::enumerate(tensor.getShape())) {
    std::string name = axis < port.dimNames.size() ? port.dimNames[axis] : "";
    if (!mlir::ShapedType::isDynamic(dim))
      name = std::to_string(dim);
    else if (name.empty())
      name = "?";
    else if (!llvm::is_contained(open, name))
      open.push_back(name);
    text += "[" + name + "]";
  }
  if (tensor.hasStaticShape())
    if (std::optional<TensorSize> size = sizeOf(tensor.getShape(), storageBits(tensor.getElementType())))
      text += ", " + std::to_string(size->packedBytes) + " bytes";
  return text;
}

/// "1 to 8"
static std::string boundsOf(mlir::func::FuncOp main, StringRef dim) {
  auto all = main->getAttrOfType<mlir::DictionaryAttr>("onnx.dim_bounds");
  auto bounds = all ? all.getAs<mlir::DenseI64ArrayAttr>(dim) : mlir::DenseI64ArrayAttr();
  if (!bounds)
    return "0 or more";
  return std::to_string(bounds[0]) +
         (bounds[1] == DimBounds::unbounded ? std::string(" or more") : " to " + std::to_string(bounds[1]));
}

static void printPorts(llvm::raw_ostream &os, mlir::func::FuncOp main) {
  std::vector<std::string> open, openOutputs;
  os << "inputs\n";
  for (auto [index, type] : llvm::enumerate(main.getArgumentTypes())) {
    Port port = portOf(type, main.getArgAttrDict(index));
    printRow(os, port.name, describe(port, open));
  }
  os << "outputs\n";
  for (auto [index, type] : llvm::enumerate(main.getResultTypes())) {
    Port port = portOf(type, main.getResultAttrDict(index));
    printRow(os, port.name, describe(port, openOutputs));
  }
  if (!open.empty())
    os << "dimensions\n";
  for (const std::string &dim : open)
    printRow(os, dim, boundsOf(main, dim));
}

//===----------------------------------------------------------------------===//
// The check
//===----------------------------------------------------------------------===//

int onnx_aot::checkModel(StringRef path, const CompilerOptions &options, llvm::raw_ostream &os,
                         Diagnostics &diagnostics) {
  Compilation compilation(options, diagnostics);
  if (!compilation.load(path))
    return diagnostics.exitStatus();
  auto main = compilation.module().lookupSymbol<mlir::func::FuncOp>("main");
  if (!main) {
    diagnostics.internal("the imported module has no main");
    return diagnostics.exitStatus();
  }

  // The inputs and outputs are printed from the imported module, before the stages take it apart, but only when the
  // stages have found nothing wrong.
  std::string ports;
  llvm::raw_string_ostream portsStream(ports);
  printPorts(portsStream, main);
  if (!compilation.runTo(Stage::Buffer) || diagnostics.hasErrors())
    return diagnostics.exitStatus();
  const ModelInterface &interface = *compilation.interface();
  std::string arena = interface.arenaFunction.empty() ? std::to_string(interface.arenaBytes) + " bytes"
                                                      : std::string("depends on the dimensions");
  std::string memory =
      "memory\n  weights    " + std::to_string(interface.weightBytes) + " bytes\n  arena      " + arena + "\n";
  if (interface.slots != 0)
    memory += "  context    " + std::to_string(interface.slots) + (interface.slots == 1 ? " slot\n" : " slots\n");

  os << path << ": no errors\n";
  printHeading(os, *compilation.model().proto);
  os << ports;
  printOperatorCounts(os, compilation.model().proto->graph());
  os << memory;
  return 0;
}
