//===- import_subgraph_test.cpp - GRAPH attributes become regions -------------------------------------------------===//
//
// Registers an operator with two bodies by hand, so that the importer's part is tested apart from the control flow
// operators.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "ImportHelpers.h"
#include "dialects/onnx/OnnxDialect.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

struct TestBranchOp : Op<TestBranchOp, OpTrait::OneOperand, OpTrait::VariadicResults, OpTrait::VariadicRegions,
                         onnx::OnnxOpInterface::Trait> {
  using Op::Op;
  static StringRef getOperationName() { return "onnx.com_microsoft.TestBranch"; }
  static ArrayRef<StringRef> getAttributeNames() { return {}; }
  static const onnx::OpSignature &getSignature() {
    static const onnx::OpSignature signature(getOperationName(), 1, "cond:s ", "outputs:v ",
                                             "then_branch:::mlir::Region:r else_branch:::mlir::Region:r ");
    return signature;
  }
  LogicalResult inferResults(onnx::ShapeContext &context, SmallVectorImpl<onnx::ResultShape> &results) {
    for (Value value : getOperation()->getRegion(0).front().back().getOperands())
      results.emplace_back(context.elementType(value), context.shape(value));
    return success();
  }
};

/// Imports with the operation registered.
std::unique_ptr<Import> import(const std::string &nodes) {
  auto loaded = std::make_unique<LoadedModel>("model.onnx");
  std::string text = modelOf(input("c", {}, 9) + input("x", {"2"}) + nodes + output("y", {"2"}), 13,
                             "opset_import { domain: 'com.microsoft' version: 1 }");
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, loaded->proto));
  return std::make_unique<Import>(std::move(loaded), ImportOptions(), [](MLIRContext &context) {
    auto *dialect = context.getOrLoadDialect<onnx::OnnxDialect>();
    RegisteredOperationName::insert<TestBranchOp>(*dialect);
  });
}

std::string body(const std::string &attribute, const std::string &graph) {
  return "attribute { name: '" + attribute + "' type: GRAPH g { name: 'b' " + graph + " } } ";
}
std::string branch(const std::string &bodies) {
  return node("TestBranch", {"c"}, {"y"}, "name: 'if' domain: 'com.microsoft' " + bodies);
}

TEST(Subgraph, BodiesUseTheValuesAroundThem) {
  auto result = import(branch(body("else_branch", node("Neg", {"h"}, {"e"}, "name: 'minus'") + output("e", {"2"})) +
                              body("then_branch", "initializer { name: 'one' dims: 1 data_type: 1 float_data: 1 } " +
                                                      node("Add", {"x", "one"}, {"t"}) + output("t", {"2"}))) +
                       node("Relu", {"x"}, {"h"}, "name: 'later in the file'"));
  ASSERT_THAT(result->errors, IsEmpty());
  // The captured value is made before, and the regions have the order of the signature.
  EXPECT_THAT(result->ir, testing::ContainsRegex("Relu.*(.|\n)*TestBranch.*(.|\n)*Constant.*(.|\n)*Add.*(.|\n)*Yield"
                                                 ".*(.|\n)*Neg"));
  EXPECT_THAT(result->ir, HasSubstr("onnx.node_names = [\"if\", \"later in the file\", \"t\", \"minus\"]"));
  EXPECT_THAT(result->ir, HasSubstr("-> tensor<2xf32>"));
}

TEST(Subgraph, Faults) {
  std::string good = body("then_branch", output("x", {"2"}));
  EXPECT_THAT(import(branch(good))->errors,
              ElementsAre(HasSubstr("the required attribute \"else_branch\" is missing")));
  EXPECT_THAT(import(branch(good + body("else_branch", output("q", {"2"}))))->errors,
              ElementsAre(HasSubstr("output \"q\" of its subgraph is not defined")));
  EXPECT_THAT(import(branch(good + body("else_branch", node("Rulu", {"x"}, {"e"}) + output("e", {"2"}))))->errors,
              ElementsAre(HasSubstr("node \"e\" (Rulu, opset 13): ONNX has no operator of this name")));
  EXPECT_THAT(import(branch(good + body("else_branch", node("Neg", {"y"}, {"e"}) + output("e", {"2"}))))->errors,
              ElementsAre(HasSubstr("the graph is cyclic")));
  EXPECT_THAT(import(node("Yield", {"x"}, {"y"}))->errors, ElementsAre(HasSubstr("ONNX has no operator of this name")));
  EXPECT_THAT(import(branch(good + good))->errors, ElementsAre(HasSubstr("has the attribute \"then_branch\" twice")));
}

} // namespace
