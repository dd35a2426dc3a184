//===- import_graph_test.cpp - whole graphs through the importer --------------------------------------------------===//
#include "ImportHelpers.h"

using namespace onnx_aot;
using namespace onnx_aot::test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

std::string initializer(const std::string &name, const std::string &rest) {
  return "initializer { name: '" + name + "' " + rest + " } ";
}
const std::string weights = initializer("w", "dims: 3 dims: 2 data_type: 1 float_data: 1 float_data: 2 float_data: 3 "
                                             "float_data: 4 float_data: 5 float_data: 6");

TEST(GraphImport, InputsOutputsLocationsAndMetadata) {
  Import import(modelOf(input("x", {"N", "3"}) + weights + node("MatMul", {"x", "w"}, {"y"}, "name: 'mm'") +
                            output("y", {"N", "2"}),
                        13, "producer_name: 'tester' model_version: 7 metadata_props { key: 'author' value: 'me' }"));
  ASSERT_THAT(import.errors, IsEmpty());
  EXPECT_THAT(import.ir,
              HasSubstr("@main(%arg0: tensor<?x3xf32> {onnx.dim_names = [\"N\", \"\"], onnx.dtype = 1 : i32, "
                        "onnx.name = \"x\"}) -> (tensor<?x2xf32> {onnx.dim_names = [\"N\", \"\"], "
                        "onnx.dtype = 1 : i32, onnx.name = \"y\"})"));
  EXPECT_THAT(import.ir, HasSubstr("metadata = {author = \"me\"}"));
  EXPECT_THAT(import.ir, HasSubstr("model_version = 7"));
  EXPECT_THAT(import.ir, HasSubstr("onnx.node_names = [\"mm\"]"));
  EXPECT_THAT(import.ir, HasSubstr("onnx.opset_imports = {ai.onnx = 13 : i64}"));

  std::string located;
  llvm::raw_string_ostream os(located);
  import.module->print(os, mlir::OpPrintingFlags().enableDebugInfo());
  EXPECT_THAT(located, HasSubstr("loc(\"\\22mm\\22 (MatMul)\"("));
  EXPECT_THAT(located, HasSubstr("loc(\"model.onnx\":1:0)"));
}

TEST(GraphImport, DimensionsAreBound) {
  std::string text = modelOf(input("x", {"N", "K"}) + input("v", {"N"}) + weights + node("MatMul", {"x", "w"}, {"y"}) +
                             output("y", {"N", "2"}) + output("v", {"N"}));
  ImportOptions options;
  options.dims["N"] = 5;
  options.shapes["x"] = {5, 3};
  Import good(text, options);
  EXPECT_THAT(good.ir, HasSubstr("%arg0: tensor<5x3xf32>"));
  EXPECT_THAT(good.ir, HasSubstr("%arg1: tensor<5xf32>"));

  ImportOptions shapeBindsName;
  shapeBindsName.shapes["x"] = {4, 3};
  EXPECT_THAT(Import(text, shapeBindsName).ir, HasSubstr("%arg1: tensor<4xf32>"));
}

TEST(GraphImport, WrongDimensionFlags) {
  std::string text =
      modelOf(input("x", {"N", "3"}) + weights + node("MatMul", {"x", "w"}, {"y"}) + output("y", {"N", "2"}));
  auto errors = [&](std::map<std::string, int64_t> dims, std::map<std::string, std::vector<int64_t>> shapes) {
    ImportOptions options;
    options.dims = std::move(dims);
    options.shapes = std::move(shapes);
    return Import(text, options).errors;
  };
  EXPECT_THAT(errors({{"M", 2}}, {}), ElementsAre("--dim M=2: no input of the model has a dimension of this name"));
  EXPECT_THAT(errors({}, {{"w", {3, 2}}}), ElementsAre("--shape w=3x2: the model has no input of this name"));
  EXPECT_THAT(errors({}, {{"x", {3}}}), ElementsAre("--shape x=3: the input has rank 2"));
  EXPECT_THAT(errors({}, {{"x", {1, 4}}}), ElementsAre("--shape x=1x4: dimension 1 of the input is fixed to 3"));
  EXPECT_THAT(errors({{"N", 2}}, {{"x", {1, 3}}}), ElementsAre("--shape x=1x3: dimension \"N\" is 2 by another flag"));
  EXPECT_THAT(errors({{"N", int64_t(1) << 62}}, {}), ElementsAre(HasSubstr("product of its dimensions overflows")));
}

TEST(GraphImport, InitializersAreConstantsEvenWhenListedAsInputs) {
  Import import(modelOf(input("x", {"1", "3"}) + input("w", {"3", "2"}) + weights + node("MatMul", {"x", "w"}, {"y"}) +
                        output("y", {"1", "2"})));
  ASSERT_THAT(import.errors, IsEmpty());
  EXPECT_THAT(import.ir, AllOf(HasSubstr("onnx.Constant"), Not(HasSubstr("%arg1"))));
}

TEST(GraphImport, SparseInitializersBecomeDense) {
  Import import(
      modelOf(input("x", {"1", "3"}) +
              "sparse_initializer { values { name: 'w' dims: 1 data_type: 1 float_data: 9 } indices { dims: 1 "
              "data_type: 7 int64_data: 2 } dims: 3 dims: 1 } " +
              node("MatMul", {"x", "w"}, {"y"}) + output("y", {"1", "1"})));
  ASSERT_THAT(import.errors, IsEmpty());
  EXPECT_THAT(import.ir, HasSubstr("dense<[[0.000000e+00], [0.000000e+00], [9.000000e+00]]> : tensor<3x1xf32>"));
}

TEST(GraphImport, ConstantForms) {
  auto ir = [](const std::string &attribute, int type) {
    return Import(modelOf(node("Constant", {}, {"y"}, "attribute { " + attribute + " }") +
                          "output { name: 'y' type { tensor_type { elem_type: " + std::to_string(type) + " } } }"));
  };
  EXPECT_THAT(ir("name: 'value_int' i: 3 type: INT", 7).ir, HasSubstr("dense<3> : tensor<i64>"));
  EXPECT_THAT(ir("name: 'value_ints' ints: 3 ints: 4 type: INTS", 7).ir, HasSubstr("dense<[3, 4]> : tensor<2xi64>"));
  EXPECT_THAT(ir("name: 'value_float' f: 2 type: FLOAT", 1).ir, HasSubstr("dense<2.000000e+00> : tensor<f32>"));
  EXPECT_THAT(ir("name: 'value_floats' floats: 2 type: FLOATS", 1).ir,
              HasSubstr("dense<2.000000e+00> : tensor<1xf32>"));
  EXPECT_THAT(ir("name: 'value_float' i: 2 type: INT", 1).errors, ElementsAre(HasSubstr("not a value of its type")));
  EXPECT_THAT(Import(modelOf(node("Constant", {}, {"y"}) + output("y", {"1"}))).errors,
              ElementsAre(HasSubstr("needs exactly one of value")));
}

TEST(GraphImport, UnsortedNodesAreSorted) {
  Import import(modelOf(input("x", {"1", "3"}) + weights + node("MatMul", {"y", "v"}, {"z"}, "name: 'second'") +
                        node("MatMul", {"x", "w"}, {"y"}, "name: 'first'") +
                        initializer("v", "dims: 2 dims: 1 data_type: 1 float_data: 1 float_data: 1") +
                        output("z", {"1", "1"})));
  ASSERT_THAT(import.errors, IsEmpty());
  EXPECT_THAT(import.ir, HasSubstr("onnx.node_names = [\"second\", \"first\"]"));
}

TEST(GraphImport, OldModelsImportOpsetOne) {
  std::string text = "ir_version: 2 graph { name: 'g' " + input("x", {"2"}) + output("x", {"2"}) + " }";
  EXPECT_THAT(Import(text).ir, HasSubstr("onnx.opset_imports = {ai.onnx = 1 : i64}"));
}

TEST(GraphImport, FunctionsAreInlined) {
  std::string function =
      "functions { domain: 'my' name: 'Twice' input: 'a' input: 'b' output: 'r' "
      "opset_import { domain: '' version: 13 } attribute: 'flip' " +
      node("Gemm", {"a", "b"}, {"h"}, "name: 'inner' attribute { name: 'transB' ref_attr_name: 'flip' type: INT }") +
      node("MatMul", {"h", "b"}, {"r"}) + " }";
  std::string call =
      input("x", {"2", "2"}) + input("y", {"2", "2"}) +
      node("Twice", {"x", "y"}, {"z"}, "name: 'call' domain: 'my' attribute { name: 'flip' i: 1 type: INT }") +
      node("Twice", {"z", "y"}, {"t"}, "name: 'again' domain: 'my'") + output("t", {"2", "2"});
  Import import(modelOf(call, 13, function + " opset_import { domain: 'my' version: 1 }"));
  ASSERT_THAT(import.errors, IsEmpty());
  EXPECT_THAT(import.ir, HasSubstr("onnx.node_names = [\"call\", \"again\", \"call/inner\", \"call/r\", "
                                   "\"again/inner\", \"again/r\"]"));
  EXPECT_THAT(import.ir, HasSubstr("transB = 1"));
}

TEST(GraphImport, FunctionFaults) {
  auto errors = [](const std::string &functions, const std::string &call) {
    return Import(modelOf(input("x", {"2"}) + call + output("y", {"2"}), 13,
                          functions + " opset_import { domain: 'my' version: 1 }"))
        .errors;
  };
  std::string calls = node("F", {"x"}, {"y"}, "domain: 'my' name: 'c'");
  std::string signature = "domain: 'my' input: 'a' output: 'r' ";
  EXPECT_THAT(errors("functions { name: 'F' " + signature + node("F", {"a"}, {"r"}, "domain: 'my'") + "}", calls),
              ElementsAre(HasSubstr("node \"c/r\" (my.F, opset 1): the function calls itself")));
  EXPECT_THAT(errors("functions { name: 'F' " + signature + node("G", {"a"}, {"r"}, "domain: 'my'") +
                         "} functions { "
                         "name: 'G' " +
                         signature + node("F", {"a"}, {"r"}, "domain: 'my'") + "}",
                     calls),
              ElementsAre(HasSubstr("the function calls itself, directly or through others")));
  EXPECT_THAT(errors("functions { name: 'F' " + signature + "}", calls),
              ElementsAre(HasSubstr("the function does not define its output \"r\"")));
  EXPECT_THAT(errors("functions { name: 'F' " + signature + "}", node("F", {"x", "x"}, {"y"}, "domain: 'my'")),
              ElementsAre(HasSubstr("has 2 inputs; the function takes 1")));
  EXPECT_THAT(errors("functions { name: 'F' " + signature + "}",
                     node("F", {"x"}, {"y"}, "domain: 'my' attribute { name: 'q' i: 1 type: INT }")),
              ElementsAre(HasSubstr("the function has no attribute \"q\"")));
}

TEST(GraphImport, FunctionsCannotExplode) {
  // 2^40 nodes if all calls were inlined.
  std::string functions;
  for (int level = 0; level < 40; ++level) {
    std::string callee = level == 0 ? "Leaf" : "F" + std::to_string(level - 1);
    functions += "functions { domain: 'my' name: 'F" + std::to_string(level) + "' input: 'a' output: 'r' " +
                 node(callee, {"a"}, {"h"}, "domain: 'my'") + node(callee, {"h"}, {"r"}, "domain: 'my'") + "} ";
  }
  functions +=
      "functions { domain: 'my' name: 'Leaf' input: 'a' output: 'a' } opset_import { domain: 'my' version: 1 }";
  EXPECT_THAT(
      Import(modelOf(input("x", {"2"}) + node("F39", {"x"}, {"y"}, "domain: 'my'") + output("y", {"2"}), 13, functions))
          .errors,
      ElementsAre(HasSubstr("nodes once its functions are inlined")));
}

} // namespace
