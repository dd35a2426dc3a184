//===- import_bad_input_test.cpp - every wrong model gets a message -----------------------------------------------===//
#include "ImportHelpers.h"

using namespace onnx_aot;
using namespace onnx_aot::test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

namespace {

//===-- Files -----------------------------------------------------------------------------------------------------===//

class ModelFileTest : public testing::Test {
protected:
  std::vector<std::string> errorsOf(const std::string &path) {
    Diagnostics diagnostics;
    model = readModel(path, diagnostics);
    EXPECT_NE(!model, !diagnostics.hasErrors());
    std::vector<std::string> errors;
    for (const ErrorEntry &entry : diagnostics.errors())
      errors.push_back(entry.text);
    return errors;
  }
  static std::string goodBytes() {
    pb::ModelProto proto;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        modelOf(input("x", {"2"}) + output("x", {"2"}) +
                "initializer { name: 'w' dims: 3 data_type: 1 raw_data: 'abcdefghijkl' }"),
        &proto));
    return proto.SerializeAsString();
  }

  TemporaryFolder folder;
  std::unique_ptr<LoadedModel> model;
};

TEST_F(ModelFileTest, Good) {
  std::string path = folder.write("m.onnx", goodBytes());
  EXPECT_THAT(errorsOf(path), ElementsAre());
  EXPECT_EQ(model->proto->graph().initializer_size(), 1);
  EXPECT_THAT(model->filesRead(), ElementsAre(path));
}

TEST_F(ModelFileTest, Text) {
  EXPECT_THAT(errorsOf(folder.write("m.onnxtext", modelOf(input("x", {"2"}) + output("x", {"2"})))), ElementsAre());
  EXPECT_THAT(errorsOf(folder.write("bad.onnxtext", "graph {\n nonsense: 3 }")),
              ElementsAre(HasSubstr("not an ONNX model in protobuf text format: line 2, column")));
}

TEST_F(ModelFileTest, MissingEmptyOrAFolder) {
  EXPECT_THAT(errorsOf(folder.file("none.onnx")),
              ElementsAre(AllOf(HasSubstr("none.onnx: cannot be read"), HasSubstr("No such file"))));
  EXPECT_THAT(errorsOf(std::string(folder.path)), ElementsAre(HasSubstr("is a directory")));
  EXPECT_THAT(errorsOf(folder.write("m.onnx", "")), ElementsAre(HasSubstr("the file is empty")));
}

TEST_F(ModelFileTest, NotOnnx) {
  EXPECT_THAT(errorsOf(folder.write("m.onnx", "\x7f"
                                              "ELF and then something else")),
              ElementsAre(HasSubstr("m.onnx: not an ONNX model")));
  EXPECT_THAT(errorsOf(folder.write("m.onnx", "just some words\n")), ElementsAre(HasSubstr("not an ONNX model")));
  EXPECT_THAT(errorsOf(folder.write("m.onnx", std::string("\x08\x08", 2))), ElementsAre(HasSubstr("has no graph")));
}

TEST_F(ModelFileTest, CutOffAnywhere) {
  std::string bytes = goodBytes();
  for (size_t size = 1; size < bytes.size(); ++size) {
    // A cut between two fields is a valid message; then there is no graph, or what is missing is found on import.
    std::vector<std::string> errors = errorsOf(folder.write("m.onnx", llvm::StringRef(bytes).take_front(size)));
    if (errors.empty())
      Import import(std::move(model));
    else
      EXPECT_THAT(errors, ElementsAre(HasSubstr("not an ONNX model")));
  }
}

TEST_F(ModelFileTest, AnyByteChangedNeverCrashes) {
  std::string bytes = goodBytes();
  for (size_t place = 0; place < bytes.size(); ++place)
    for (char change : {'\x01', '\x7f', '\x80'}) {
      std::string changed = bytes;
      changed[place] ^= change;
      if (errorsOf(folder.write("m.onnx", changed)).empty())
        Import import(std::move(model));
    }
}

TEST_F(ModelFileTest, DeepNestingIsRefused) {
  std::string graph = "input { name: 'x' }", text = "graph { name: 'g' ";
  std::string close = "}";
  for (int level = 0; level < 200; ++level) {
    text += "node { op_type: 'If' attribute { name: 'then_branch' type: GRAPH g { ";
    close += " } } }";
  }
  EXPECT_THAT(errorsOf(folder.write("m.onnxtext", text + close)), ElementsAre(HasSubstr("not an ONNX model")));
}

//===-- Opsets and operators --------------------------------------------------------------------------------------===//

std::vector<std::string> errorsOf(const std::string &text) { return Import(text).errors; }

std::string relu(const std::string &op = "MatMul", const std::string &more = "name: 'n'") {
  return input("x", {"2", "2"}) + node(op, {"x", "x"}, {"y"}, more) + output("y", {"2", "2"});
}

TEST(BadModel, Opsets) {
  EXPECT_THAT(errorsOf("ir_version: 8 graph { name: 'g' " + relu() + "}"),
              ElementsAre("model.onnx: the model imports no opset: its opset_import is empty"));
  EXPECT_THAT(errorsOf(modelOf(relu(), 29)),
              ElementsAre("model.onnx: the model uses opset 29 of ai.onnx; the newest that is known is 28"));
  EXPECT_THAT(errorsOf(modelOf(relu(), 0)), ElementsAre(HasSubstr("opset 0 of ai.onnx, which does not exist")));
}

TEST(BadModel, UnknownOperators) {
  EXPECT_THAT(errorsOf(modelOf(relu("Rulu"))),
              ElementsAre("model.onnx: node \"n\" (Rulu, opset 13): ONNX has no operator of this name, and the model "
                          "defines no function for it; the nearest name is \"Relu\""));
  EXPECT_THAT(errorsOf(modelOf(relu("MatMul", "domain: 'some.where'"))),
              ElementsAre("model.onnx: node \"y\" (some.where.MatMul): the model imports no opset of the domain "
                          "\"some.where\""));
  EXPECT_THAT(errorsOf(modelOf(relu("F", "domain: 'a.b'"), 13, "opset_import { domain: 'a.b' version: 2 }")),
              ElementsAre("model.onnx: node \"y\" (a.b.F, opset 2): no operator of this name is known in the domain "
                          "\"a.b\"; known are the operators of ai.onnx, ai.onnx.preview, ai.onnx.preview.training, "
                          "com.microsoft, and the functions that a model defines"));
  EXPECT_THAT(errorsOf(modelOf(relu(""))), ElementsAre(HasSubstr("the node has no operator")));
  EXPECT_THAT(errorsOf(modelOf(relu("com_microsoft.Gelu"))),
              ElementsAre(HasSubstr("ONNX has no operator of this name")));
}

TEST(BadModel, OperatorOfAFutureOpset) {
  EXPECT_THAT(errorsOf(modelOf(relu("Gelu"))),
              ElementsAre("model.onnx: node \"n\" (Gelu, opset 13): the operator exists since opset 20, and the model "
                          "imports opset 13"));
}

TEST(BadModel, WrongNumberOfInputsAndOutputs) {
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2"}) + node("MatMul", {"x"}, {"y"}) + output("y", {"2"}))),
              ElementsAre("model.onnx: node \"y\" (MatMul, opset 13): has 1 inputs; the operator takes 2"));
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2"}) + node("MatMul", {"x", "x", "x"}, {"y"}) + output("y", {"2"}))),
              ElementsAre(HasSubstr("has 3 inputs; the operator takes 2")));
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2", "2"}) + node("Gemm", {"", "x"}, {"y"}) + output("y", {"2"}))),
              ElementsAre(HasSubstr("input 0 (A) is missing")));
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2"}) + node("MatMul", {"x", "x"}, {"y", "z"}) + output("y", {}))),
              ElementsAre(HasSubstr("has 2 outputs; the operator has 1")));
}

TEST(BadModel, Attributes) {
  auto errors = [](const std::string &attributes) { return errorsOf(modelOf(relu("Gemm", attributes))); };
  EXPECT_THAT(errors("attribute { name: 'gamma' f: 1 type: FLOAT }"),
              ElementsAre(HasSubstr("the operator has no attribute \"gamma\"")));
  EXPECT_THAT(errors("attribute { name: 'alpha' i: 1 type: INT }"),
              ElementsAre(HasSubstr("attribute \"alpha\" has the wrong type; it must be FLOAT")));
  EXPECT_THAT(errors("attribute { name: 'alpha' f: 1 type: FLOAT } attribute { name: 'alpha' f: 1 type: FLOAT }"),
              ElementsAre(HasSubstr("has the attribute \"alpha\" twice")));
  EXPECT_THAT(errors("attribute { name: 'alpha' }"), ElementsAre(HasSubstr("attribute \"alpha\": it has no value")));
  EXPECT_THAT(errors("attribute { f: 1 type: FLOAT }"), ElementsAre(HasSubstr("an attribute without a name")));
  EXPECT_THAT(errors("attribute { name: 'alpha' ref_attr_name: 'a' }"),
              ElementsAre(HasSubstr("which no function around it has")));
  EXPECT_THAT(errors("attribute { name: 'alpha' t { dims: 2 data_type: 1 raw_data: 'x' } type: TENSOR }"),
              ElementsAre(HasSubstr("attribute \"alpha\": its shape [2] of float needs 8 bytes")));
  EXPECT_THAT(errors("attribute { name: 'body' g { } type: GRAPH }"),
              ElementsAre(HasSubstr("the operator has no attribute \"body\"")));
}

//===-- Graphs ----------------------------------------------------------------------------------------------------===//

TEST(BadModel, CyclicGraph) {
  EXPECT_THAT(
      errorsOf(modelOf(input("x", {"2", "2"}) + node("MatMul", {"x", "c"}, {"a"}, "name: 'first'") +
                       node("MatMul", {"a", "x"}, {"b"}, "name: 'second'") +
                       node("MatMul", {"b", "x"}, {"c"}, "name: 'third'") +
                       node("MatMul", {"c", "x"}, {"d"}, "name: 'behind'") + output("d", {"2", "2"}))),
      ElementsAre("model.onnx: node \"first\" (MatMul, opset 13): the graph is cyclic: \"first\" -> \"second\" -> "
                  "\"third\" -> \"first\""));
}

TEST(BadModel, NamesUndefinedOrDefinedTwice) {
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2", "2"}) + node("MatMul", {"x", "q"}, {"y"}) + output("y", {"2", "2"}))),
              ElementsAre("model.onnx: node \"y\" (MatMul, opset 13): input \"q\" is not defined by any node, "
                          "initializer or graph input"));
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2", "2"}) + node("MatMul", {"x", "x"}, {"y"}, "name: 'one'") +
                               node("MatMul", {"x", "x"}, {"y"}, "name: 'two'") + output("y", {"2", "2"}))),
              ElementsAre(HasSubstr("node \"two\" (MatMul, opset 13): output \"y\" is already defined")));
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2", "2"}) + input("x", {"2", "2"}) + output("x", {"2", "2"}))),
              ElementsAre("model.onnx: input \"x\" is listed twice"));
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2"}) + output("z", {"2"}))),
              ElementsAre("model.onnx: output \"z\" is not produced by any node, initializer or input"));
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2"}))), ElementsAre("model.onnx: the graph has no outputs"));
  std::string w = "initializer { name: 'w' dims: 1 data_type: 1 float_data: 1 } ";
  EXPECT_THAT(errorsOf(modelOf(w + w + output("w", {"1"}))),
              ElementsAre("model.onnx: initializer \"w\" is defined twice"));
}

TEST(BadModel, ShapesThatDoNotAgree) {
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2", "3"}) + node("MatMul", {"x", "x"}, {"y"}, "name: 'mm'") +
                               output("y", {"2", "3"}))),
              ElementsAre(HasSubstr("node \"mm\" (MatMul, opset 13): ")));
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2", "2"}) + node("MatMul", {"x", "x"}, {"y"}) + output("y", {"2", "3"}))),
              ElementsAre("model.onnx: node \"y\" (MatMul, opset 13): output \"y\" is declared as tensor<2x3xf32>, but "
                          "the node makes tensor<2x2xf32>"));
  EXPECT_THAT(
      errorsOf(modelOf(input("x", {"2", "2"}) + node("MatMul", {"x", "x"}, {"y"}) + node("MatMul", {"y", "x"}, {"z"}) +
                       "value_info { " + value("y", {"2", "2"}, 11) + " } " + output("z", {"2", "2"}))),
      ElementsAre(HasSubstr("output \"y\" is declared as tensor<2x2xf64>")));
  EXPECT_THAT(
      errorsOf(modelOf(input("w", {"3"}) +
                       "initializer { name: 'w' dims: 2 data_type: 1 float_data: 1 "
                       "float_data: 2 } " +
                       output("w", {"2"}))),
      ElementsAre("model.onnx: \"w\" is declared as tensor<3xf32> and as tensor<2xf32>",
                  HasSubstr("initializer \"w\": it is declared as tensor<3xf32>, but its data is tensor<2xf32>")));
}

TEST(BadModel, InitializersAndDimensions) {
  EXPECT_THAT(errorsOf(modelOf("initializer { name: 'w' dims: 2 data_type: 1 raw_data: 'abc' } " + output("w", {"2"}))),
              ElementsAre("model.onnx: initializer \"w\": its shape [2] of float needs 8 bytes, but raw_data has 3"));
  EXPECT_THAT(errorsOf(modelOf("initializer { name: 'w' dims: 2 data_type: 1 data_location: EXTERNAL external_data { "
                               "key: 'location' value: '../w.bin' } } " +
                               output("w", {"2"}))),
              ElementsAre(AllOf(HasSubstr("initializer \"w\""), HasSubstr("../w.bin"))));
  EXPECT_THAT(errorsOf(modelOf(input("x", {"4294967296", "4294967296"}) + output("x", {}))),
              ElementsAre("model.onnx: input \"x\": the product of its dimensions overflows"));
  EXPECT_THAT(
      errorsOf(modelOf(input("x", {"2147483648", "1"}) + input("z", {"1", "2147483648"}) +
                       node("MatMul", {"x", "z"}, {"y"}, "name: 'big'") + output("y", {"2", "2"}))),
      ElementsAre(AllOf(HasSubstr("node \"big\" (MatMul, opset 13): the size of result 0"), HasSubstr("overflows"))));
  EXPECT_THAT(errorsOf(modelOf("input { name: 'x' } " + output("x", {"2"}))),
              ElementsAre("model.onnx: input \"x\": it has no type"));
  EXPECT_THAT(errorsOf(modelOf("input { name: 'x' type { sequence_type { elem_type { } } } } " + output("x", {"2"}))),
              ElementsAre("model.onnx: input \"x\": sequences of what is not a tensor are not supported"));
  EXPECT_THAT(errorsOf(modelOf(input("x", {"2"}, 8) + output("x", {"2"}))),
              ElementsAre("model.onnx: input \"x\": tensors of string are not supported"));
}

TEST(BadModel, AllFaultsAtOnceWithoutEchoes) {
  EXPECT_THAT(
      errorsOf(modelOf(input("x", {"2", "2"}) + node("Rulu", {"x"}, {"a"}, "name: 'n1'") +
                       node("MatMul", {"a", "x"}, {"b"}, "name: 'silent'") +
                       node("MatMul", {"x"}, {"c"}, "name: 'n2'") + node("MatMul", {"b", "c"}, {"d"}) +
                       node("Gelu", {"x"}, {"e"}, "name: 'n3'") + output("d", {"2", "2"}) + output("f", {"2"}))),
      UnorderedElementsAre(HasSubstr("\"n1\""), HasSubstr("\"n2\""), HasSubstr("\"n3\""),
                           HasSubstr("output \"f\" is not produced")));
}

} // namespace
