//===- Importer.h - The state of one import -----------------------------------------------------------------------===//
//
// What it is for: what the parts of the importer share. GraphImporter.cpp reads the model and its main graph,
// NodeImporter.cpp makes operations from nodes, Attributes.cpp turns attributes, Functions.cpp inlines model-local
// functions and imports subgraphs, CompoundInputs.cpp makes sequences and optionals of arguments.
//
// How faults are kept apart: a value whose node is at fault is *poisoned* (its name is known, its Value is null), and
// what depends on it becomes poisoned without a message of its own. So all independent faults are reported at once.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_IMPORT_IMPORTER_H
#define ONNX_AOT_COMPILER_IMPORT_IMPORTER_H

#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/import/ModelReader.h"
#include "compiler/import/NodeOrder.h"
#include "compiler/import/OpsetUpgrade.h"
#include "compiler/import/TensorData.h"
#include "compiler/import/onnx_model.pb.h"
#include "dialects/onnx/support/OpSignature.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"

namespace onnx_aot {

/// The names of one graph, or of one inlined function.
struct Scope {
  Scope(mlir::Block *block, Scope *parent) : block(block), parent(parent) {}

  mlir::Block *block; // where its nodes and constants go
  Scope *parent;      // whose names its nodes may use: that of the graph around a subgraph

  llvm::StringMap<mlir::Value> values;  // null: poisoned
  llvm::StringMap<mlir::Type> declared; // by value_info and the graph's outputs
  // Initializers become constants at their first use; unused ones leave no trace.
  llvm::StringMap<const pb::TensorProto *> initializers;
  llvm::StringMap<const pb::SparseTensorProto *> sparseInitializers;
  mlir::Operation *lastConstant = nullptr;
  llvm::StringSet<> absent; // inputs of a function that the call leaves out
};

/// How the nodes of a graph or function are to be read.
struct Frame {
  const Frame *caller = nullptr;                          // null outside of functions
  const pb::FunctionProto *function = nullptr;            // null outside of functions
  std::string prefix;                                     // of node names: "call/"
  llvm::StringMap<int64_t> opsets;                        // by domain, "" for ai.onnx
  llvm::StringMap<const pb::AttributeProto *> attributes; // what ref_attr_name means; null: absent
};

/// An operation to make: the newest form of an operator with its formal inputs in place.
struct OpRequest {
  llvm::StringRef op; // without "onnx."
  llvm::SmallVector<mlir::Value> inputs;
  mlir::NamedAttrList attributes;
  llvm::SmallVector<const pb::GraphProto *> graphs; // the bodies, in the order of the signature
  llvm::SmallVector<bool> outputs;                  // whether each output is wanted
};

class Importer {
public:
  Importer(LoadedModel &model, const ImportOptions &options, mlir::MLIRContext &context, Diagnostics &diagnostics);
  mlir::OwningOpRef<mlir::ModuleOp> run();

private:
  friend class ImportNodeBuilder;

  //===-- GraphImporter.cpp: the model and its main graph ---------------------------------------------------------===//
  bool readOpsets(const google::protobuf::RepeatedPtrField<pb::OperatorSetIdProto> &imports,
                  llvm::StringMap<int64_t> &opsets, const llvm::Twine &owner);
  void setModelAttributes(mlir::ModuleOp module, const Frame &frame);
  bool bindDimensions(llvm::ArrayRef<const pb::ValueInfoProto *> inputs);
  bool bindShape(const pb::ValueInfoProto &input, llvm::ArrayRef<int64_t> shape);
  void setDimensionBounds(mlir::Operation *main, llvm::ArrayRef<mlir::Attribute> inputAttributes,
                          llvm::ArrayRef<mlir::Type> inputTypes);
  mlir::Type mainInputType(const pb::ValueInfoProto &input);
  void declareInitializers(const pb::GraphProto &graph, Scope &scope);
  void declareTypes(const pb::GraphProto &graph, Scope &scope);
  void importMain(mlir::ModuleOp module, const Frame &frame);
  mlir::DictionaryAttr interfaceAttributes(const pb::ValueInfoProto &info, mlir::Type type, bool isInput);
  mlir::DictionaryAttr resultAttributesOf(const pb::ValueInfoProto &output, mlir::Type type, mlir::Type declared);

  //===-- CompoundInputs.cpp --------------------------------------------------------------------------------------===//
  bool checkInputFlags(llvm::ArrayRef<const pb::ValueInfoProto *> inputs);
  /// False for a plain tensor. Makes arguments of the tensors of another one, and of them its value.
  bool importCompoundInput(const pb::ValueInfoProto &input, Scope &scope, llvm::SmallVectorImpl<mlir::Type> &types,
                           llvm::SmallVectorImpl<mlir::Attribute> &attributes);
  /// The constant that --value fixes an input to, otherwise `argument`; null after a reported error.
  mlir::Value fixValue(const std::string &name, mlir::Value argument, Scope &scope);
  mlir::Value makeOperation(llvm::StringRef op, mlir::ValueRange inputs, mlir::Type type, llvm::StringRef name,
                            Scope &scope, llvm::ArrayRef<mlir::NamedAttribute> attributes = {});

  //===-- NodeImporter.cpp ----------------------------------------------------------------------------------------===//
  void importNodes(const NodeList &nodes, Scope &scope, const Frame &frame);
  void importNode(const pb::NodeProto &node, int64_t number, Scope &scope, const Frame &frame);
  /// The value of `name`; nullopt where it is not defined. May make a constant.
  std::optional<mlir::Value> lookup(llvm::StringRef name, Scope &scope);
  /// Finds all inputs; false when one is poisoned or undefined (which this reports).
  bool resolveInputs(const pb::NodeProto &node, const NodeRef &ref, Scope &scope,
                     llvm::SmallVectorImpl<mlir::Value> &inputs);
  void defineOutputs(const pb::NodeProto &node, const NodeRef &ref, Scope &scope, llvm::ArrayRef<mlir::Value> results);
  void poisonOutputs(const pb::NodeProto &node, Scope &scope);
  mlir::Value makeConstant(mlir::ElementsAttr value, mlir::Location location, Scope &scope);
  /// Checks `request` against the operator's signature, makes the operation at the end of the scope's block and infers
  /// its types. Fills `results` by formal output; false after a reported error.
  bool createOperation(OpRequest &request, const NodeRef &ref, mlir::Location location, Scope &scope,
                       const Frame &frame, llvm::SmallVectorImpl<mlir::Value> &results);
  bool checkRequest(const OpRequest &request, const onnx::OpSignature &signature, const NodeRef &ref);
  /// Puts graph attributes into the order of the operator's regions; false after a reported error.
  bool collectGraphs(OpRequest &request, llvm::StringMap<const pb::GraphProto *> &graphs, const NodeRef &ref);
  bool foldConstantForms(onnx::NodeForm &form, const NodeRef &ref);
  std::string nodeName(const pb::NodeProto &node, const Frame &frame) const;
  mlir::Location locationOf(const NodeRef &ref, int64_t number);

  //===-- Attributes.cpp ------------------------------------------------------------------------------------------===//
  /// False after a reported error.
  bool importAttributes(const pb::NodeProto &node, const NodeRef &ref, const Frame &frame,
                        mlir::NamedAttrList &attributes, llvm::StringMap<const pb::GraphProto *> &graphs);
  llvm::Expected<mlir::Attribute> importAttribute(const pb::AttributeProto &proto, const NodeRef &ref);

  //===-- Functions.cpp: bodies -----------------------------------------------------------------------------------===//
  void declareFunctions();
  const pb::FunctionProto *findFunction(const pb::NodeProto &node) const;
  bool bindAttributes(const pb::FunctionProto &function, const pb::NodeProto &node, const NodeRef &ref,
                      const Frame &caller, Frame &frame);
  void inlineFunction(const pb::FunctionProto &function, const pb::NodeProto &node, const NodeRef &ref,
                      llvm::ArrayRef<mlir::Value> inputs, Scope &scope, const Frame &caller);
  /// `inputTypes` are for inputs that declare none.
  bool importSubgraph(const pb::GraphProto &graph, const NodeRef &ref, mlir::Location location, mlir::Region &region,
                      Scope &scope, const Frame &frame, llvm::ArrayRef<mlir::Type> inputTypes);
  /// Imports the bodies of an operator as regions of `state`. One branch of an If may contradict itself with the shapes
  /// that inputs have: then it is `broken`.
  bool importBodies(const OpRequest &request, const NodeRef &ref, mlir::Location location,
                    mlir::OperationState &state, Scope &scope, const Frame &frame, std::optional<unsigned> &broken);
  /// Puts one branch of the If `state` into the place of the operator, and a check that the run takes this one.
  void takeBranch(mlir::OperationState &state, unsigned branch, Scope &scope,
                  llvm::SmallVectorImpl<mlir::Value> &results);

  LoadedModel &model;
  const ImportOptions &options;
  mlir::MLIRContext &context;
  Diagnostics &diagnostics;
  mlir::OpBuilder builder;
  TensorReader tensors;

  std::map<std::string, int64_t> dims; // symbolic dimensions bound by --dim and --shape
  llvm::StringMap<const pb::FunctionProto *> functions;
  std::vector<std::string> nodeNames; // by node number
  size_t contradictions = 0;          // errors that are about types alone
};

/// "" for both names of the default domain.
inline llvm::StringRef normalizedDomain(llvm::StringRef domain) {
  return domain == "ai.onnx" ? llvm::StringRef() : domain;
}

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_IMPORT_IMPORTER_H
