//===- import_upgrade_test.cpp - old opsets become the newest one -------------------------------------------------===//
//
// The rows are applied to a node form over a builder that makes operations of no dialect, so that a row can be tested
// whether or not the operators that it makes are there. The result is compared as one line of text.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/import/OpsetUpgrade.h"
#include "dialects/onnx/OnnxDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/STLExtras.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;
using testing::HasSubstr;

namespace {

/// Values are named by what makes them: "x", "[1, 2]", "Unsqueeze(b, [1])".
class UpgradeTest : public testing::Test, public NodeBuilder {
protected:
  UpgradeTest() : form(*this, &context) {
    context.loadDialect<OnnxDialect>();
    context.allowUnregisteredDialects();
  }

  Value input(const std::string &name, ArrayRef<int64_t> dims, Type element = {}) {
    Value value = block.addArgument(RankedTensorType::get(dims, element ? element : Float32Type::get(&context)),
                                    UnknownLoc::get(&context));
    names[value] = name;
    return value;
  }
  Value create(StringRef op, ValueRange inputs, ArrayRef<NamedAttribute> attributes) override {
    OperationState state(UnknownLoc::get(&context), ("test." + op).str());
    state.addOperands(inputs);
    state.addTypes(UnrankedTensorType::get(Float32Type::get(&context)));
    Value result = insert(Operation::create(state));
    names[result] = show(op, inputs, attributes);
    return result;
  }
  Value constant(ElementsAttr value) override {
    OperationState state(UnknownLoc::get(&context), "onnx.Constant");
    state.addTypes(value.getType());
    state.addAttribute("value", value);
    Value result = insert(Operation::create(state));
    std::string text;
    llvm::raw_string_ostream(text) << value;
    names[result] = StringRef(text).split('<').second.split('>').first.str();
    return result;
  }
  void error(const llvm::Twine &reason, bool isUnsupported) override {
    message = (isUnsupported ? "unsupported: " : "error: ") + reason.str();
  }

  NamedAttribute named(StringRef name, Attribute value) { return {StringAttr::get(&context, name), value}; }
  NamedAttribute ints(StringRef name, ArrayRef<int64_t> value) {
    return named(name, DenseI64ArrayAttr::get(&context, value));
  }
  NamedAttribute integer(StringRef name, int64_t value) { return form.intAttribute(name, value); }
  NamedAttribute number(StringRef name, float value) {
    return named(name, FloatAttr::get(Float32Type::get(&context), value));
  }
  NamedAttribute text(StringRef name, StringRef value) { return form.stringAttribute(name, value); }

  /// Upgrades the node and shows it with what its results go through; or the message.
  std::string upgrade(StringRef op, int64_t opset, ArrayRef<Value> inputs, ArrayRef<NamedAttribute> attributes = {},
                      unsigned outputs = 1) {
    form = NodeForm(*this, &context);
    form.op = op.str();
    form.inputs.assign(inputs.begin(), inputs.end());
    form.attributes = attributes;
    form.outputs.assign(outputs, true);
    message.clear();
    if (failed(upgradeToNewest(form, opset)))
      return message;
    std::string line = show(form.op, form.inputs, form.attributes);
    for (auto &[index, wrap] : form.wraps) {
      Value result = input(line + "#" + std::to_string(index), {});
      line = names[wrap(form, result)];
    }
    return line;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  NodeForm form;

private:
  Value insert(Operation *op) {
    block.push_back(op);
    return op->getResult(0);
  }
  std::string show(StringRef op, ValueRange inputs, ArrayRef<NamedAttribute> attributes) {
    auto shown = llvm::map_range(inputs, [&](Value value) { return value ? names[value] : "_"; });
    std::string line = (op + "(" + llvm::join(shown, ", ") + ")").str();
    std::vector<std::string> parts;
    for (NamedAttribute attribute : attributes) {
      std::string value;
      llvm::raw_string_ostream os(value);
      attribute.getValue().print(os, /*elideType=*/true);
      parts.push_back(attribute.getName().str() + "=" + value);
    }
    llvm::sort(parts);
    return parts.empty() ? line : line + " {" + llvm::join(parts, ", ") + "}";
  }

  Block block;
  llvm::DenseMap<Value, std::string> names;
  std::string message;
};

#define REQUIRE_FAMILY(OP)                                                                                             \
  if (!hasUpgrade(OP))                                                                                                 \
  GTEST_SKIP() << "the family of " OP " is not there"

TEST_F(UpgradeTest, NewNodesStayAsTheyAre) {
  Value x = input("x", {2, 3});
  EXPECT_EQ(upgrade("ReduceMax", 18, {x, input("a", {1})}), "ReduceMax(x, a)");
  EXPECT_EQ(upgrade("NoSuchOperator", 1, {x}), "NoSuchOperator(x)");
}

TEST_F(UpgradeTest, Reductions) {
  REQUIRE_FAMILY("ReduceMax");
  Value x = input("x", {2, 3});
  EXPECT_EQ(upgrade("ReduceMax", 11, {x}, {ints("axes", {1}), integer("keepdims", 0)}),
            "ReduceMax(x, 1) {keepdims=0, onnx.undefined_if_empty=unit}");
  EXPECT_EQ(upgrade("ReduceMax", 13, {x}), "ReduceMax(x) {onnx.undefined_if_empty=unit}");
  EXPECT_EQ(upgrade("ReduceMax", 18, {x}), "ReduceMax(x)");
  EXPECT_EQ(upgrade("ReduceSum", 12, {x}, ints("axes", {0, 1})), "ReduceSum(x, [0, 1])");
  // From opset 13 on the attribute does not exist, so it must be left for the importer to refuse.
  EXPECT_EQ(upgrade("ReduceSum", 13, {x}, ints("axes", {0})), "ReduceSum(x) {axes=array<i64: 0>}");
  EXPECT_EQ(upgrade("ReduceSum", 12, {x, x}, ints("axes", {0})),
            "error: has the attribute \"axes\" and too many inputs for its opset");
  EXPECT_EQ(upgrade("ReduceSum", 12, {x}, text("axes", "0")), "error: attribute \"axes\" has the wrong type");
}

TEST_F(UpgradeTest, Movement) {
  REQUIRE_FAMILY("Squeeze");
  Value x = input("x", {2, 3});
  EXPECT_EQ(upgrade("Squeeze", 11, {x}, ints("axes", {0, 2})), "Squeeze(x, [0, 2])");
  EXPECT_EQ(upgrade("Squeeze", 11, {x}), "Squeeze(x)");
  EXPECT_EQ(upgrade("Unsqueeze", 1, {x}, ints("axes", {0, 2})), "Unsqueeze(x, [0, 2])");
  EXPECT_EQ(upgrade("Slice", 9, {x}, {ints("starts", {0, 1}), ints("ends", {1, 2}), ints("axes", {0, 3})}),
            "Slice(x, [0, 1], [1, 2], [0, 3])");
  EXPECT_EQ(upgrade("Slice", 1, {x}, {ints("starts", {0, 1}), ints("ends", {1, 2})}), "Slice(x, [0, 1], [1, 2])");
  EXPECT_EQ(upgrade("Pad", 1, {x}, {ints("paddings", {0, 1}), number("value", 2), text("mode", "constant")}),
            "Pad(x, [0, 1], 2.000000e+00) {mode=\"constant\"}");
  EXPECT_EQ(upgrade("Pad", 2, {x}, {ints("pads", {0, 1})}), "Pad(x, [0, 1])");
  EXPECT_EQ(upgrade("Reshape", 1, {x}, {ints("shape", {3, 2}), ints("consumed_inputs", {0})}), "Reshape(x, [3, 2])");
  EXPECT_EQ(upgrade("Concat", 1, {x, x}), "Concat(x, x) {axis=1}");
  EXPECT_EQ(upgrade("Concat", 4, {x, x}, integer("axis", 0)), "Concat(x, x) {axis=0}");
}

TEST_F(UpgradeTest, SplitAndTile) {
  REQUIRE_FAMILY("Split");
  Value x = input("x", {2, 4});
  EXPECT_EQ(upgrade("Split", 2, {x}, {ints("split", {1, 3}), integer("axis", 1)}, 2), "Split(x, [1, 3]) {axis=1}");
  EXPECT_EQ(upgrade("Split", 11, {x}, integer("axis", 1), 2), "Split(x) {axis=1, num_outputs=2}");
  EXPECT_EQ(upgrade("Split", 13, {x}, {}, 4), "Split(x) {num_outputs=4}");
  EXPECT_EQ(upgrade("Split", 1, {x, x}, {}, 2), "Split(x, Cast(x) {to=7})") << "the lengths were floats";
  EXPECT_EQ(upgrade("Tile", 1, {x, form.integers(int64_t(3)), form.integers(int64_t(-1))}), "Tile(x, [1, 3])");
  EXPECT_EQ(upgrade("Tile", 1, {x, form.scalarLike(3, x), form.scalarLike(0, x)}), "Tile(x, [3, 1])");
  EXPECT_THAT(upgrade("Tile", 1, {x, x, x}), HasSubstr("only with a known rank and constant tiles"));
  EXPECT_EQ(upgrade("Tile", 6, {x, x}), "Tile(x, x)");
}

TEST_F(UpgradeTest, Indexing) {
  REQUIRE_FAMILY("TopK");
  Value x = input("x", {2, 4});
  EXPECT_EQ(upgrade("Scatter", 9, {x, x, x}, integer("axis", 1)), "ScatterElements(x, x, x) {axis=1}");
  EXPECT_EQ(upgrade("TopK", 1, {x}, {integer("k", 3), integer("axis", 0)}, 2), "TopK(x, 3) {axis=0}");
  EXPECT_EQ(upgrade("TopK", 10, {x, x}, {}, 2), "TopK(x, x)");
}

TEST_F(UpgradeTest, Elementwise) {
  REQUIRE_FAMILY("Clip");
  Value x = input("x", {2, 3, 4, 5});
  EXPECT_EQ(upgrade("Clip", 6, {x}, {number("min", 0), number("max", 6)}), "Clip(x, 0.000000e+00, 6.000000e+00)");
  EXPECT_EQ(upgrade("Clip", 6, {x}, number("max", 6)), "Clip(x, _, 6.000000e+00)");
  EXPECT_EQ(upgrade("Clip", 1, {x}, ints("consumed_inputs", {0})), "Clip(x)");
  EXPECT_EQ(upgrade("Cast", 1, {x}, text("to", "INT64")), "Cast(x) {to=7}");
  EXPECT_EQ(upgrade("Cast", 1, {x}, text("to", "int64")), "error: attribute \"to\" names no data type: \"int64\"");
  EXPECT_EQ(upgrade("PRelu", 6, {x, input("s", {3})}), "PRelu(x, Unsqueeze(s, [1, 2]))");
  EXPECT_EQ(upgrade("PRelu", 6, {x, input("s", {1})}), "PRelu(x, s)");
  EXPECT_EQ(upgrade("PRelu", 7, {x, input("s", {3})}), "PRelu(x, s)");
  Type half = Float16Type::get(&context);
  Value h = input("h", {2}, half);
  ASSERT_EQ(upgrade("Clip", 6, {h}, number("max", 6)), "Clip(h, _, 6.000000e+00)");
  EXPECT_EQ(getElementTypeOrSelf(form.inputs[2].getType()), half);
}

TEST_F(UpgradeTest, LegacyBroadcasting) {
  REQUIRE_FAMILY("Add");
  Value x = input("x", {2, 3, 4, 5}), c = input("c", {3}), d = input("d", {3, 4}), s = input("s", {});
  auto add = [&](Value b, int64_t axis) {
    return upgrade("Add", 6, {x, b}, {integer("broadcast", 1), integer("axis", axis)});
  };
  EXPECT_EQ(add(c, 1), "Add(x, Unsqueeze(c, [1, 2]))");
  EXPECT_EQ(add(d, 1), "Add(x, Unsqueeze(d, 2))");
  EXPECT_EQ(add(d, -3), "Add(x, Unsqueeze(d, 2))");
  EXPECT_EQ(add(input("e", {5}), 3), "Add(x, e)");
  EXPECT_EQ(add(s, 1), "Add(x, s)");
  EXPECT_EQ(add(d, 3), "error: the second input does not fit into the first at axis 3");
  EXPECT_EQ(upgrade("Mul", 1, {x, x}, {ints("consumed_inputs", {0, 0})}), "Mul(x, x)");
  EXPECT_EQ(upgrade("Equal", 1, {x, input("e", {5})}, integer("broadcast", 1)), "Equal(x, e)");
  EXPECT_EQ(upgrade("Add", 7, {x, c}, integer("axis", 1)), "Add(x, c) {axis=1}");
}

TEST_F(UpgradeTest, SoftmaxSawAMatrix) {
  REQUIRE_FAMILY("Softmax");
  Value x = input("x", {2, 3, 4});
  EXPECT_EQ(upgrade("Softmax", 13, {x}), "Softmax(x)");
  EXPECT_EQ(upgrade("Softmax", 11, {x}, integer("axis", 2)), "Softmax(x) {axis=2}");
  EXPECT_EQ(upgrade("Softmax", 11, {x}, integer("axis", -1)), "Softmax(x) {axis=2}");
  EXPECT_EQ(upgrade("LogSoftmax", 1, {x}),
            "Reshape(LogSoftmax(Flatten(x) {axis=1}) {axis=1}#0, [2, 3, 4]) {allowzero=1}");
  EXPECT_EQ(upgrade("Hardmax", 11, {x}, integer("axis", -3)),
            "Reshape(Hardmax(Flatten(x) {axis=-3}) {axis=1}#0, [2, 3, 4]) {allowzero=1}");
  EXPECT_EQ(upgrade("Softmax", 11, {input("m", {2, 10})}), "Softmax(m) {axis=1}");
  EXPECT_EQ(upgrade("Softmax", 11, {input("p", {1, 10, 1, 1})}), "Softmax(p) {axis=1}");
  EXPECT_EQ(upgrade("Softmax", 11, {input("d", {ShapedType::kDynamic, 3, 4})}),
            "Reshape(Softmax(Flatten(d) {axis=1}) {axis=1}#0, Shape(d)) {allowzero=1}");
  EXPECT_EQ(upgrade("Softmax", 11, {x}, integer("axis", 4)), "error: axis 4 is outside a tensor of rank 3");
}

TEST_F(UpgradeTest, Normalization) {
  REQUIRE_FAMILY("BatchNormalization");
  Value x = input("x", {1, 4, 2, 2}), p = input("p", {4}), g = input("g", {2});
  EXPECT_EQ(upgrade("BatchNormalization", 1, {x, p, p, p, p},
                    {ints("consumed_inputs", {0, 0, 0, 1, 1}), integer("is_test", 1), integer("spatial", 1),
                     number("epsilon", 0.5)}),
            "BatchNormalization(x, p, p, p, p) {epsilon=5.000000e-01}");
  EXPECT_THAT(upgrade("BatchNormalization", 7, {x, p, p, p, p}, integer("spatial", 0)),
              testing::StartsWith("Add(Mul(Div(Sub(x, p), Sqrt(Add(p, "));
  EXPECT_EQ(upgrade("BatchNormalization", 9, {x, p, p, p, p}, {}, 3),
            "BatchNormalization(x, p, p, p, p) {training_mode=1}");
  EXPECT_THAT(upgrade("BatchNormalization", 9, {x, p, p, p, p}, {}, 5),
              HasSubstr("unsupported: the outputs saved_mean"));
  EXPECT_EQ(upgrade("BatchNormalization", 14, {x, p, p, p, p}, {}, 3), "BatchNormalization(x, p, p, p, p)");
  EXPECT_EQ(upgrade("GroupNormalization", 18, {x, g, g}, integer("num_groups", 2)),
            "GroupNormalization(x, Reshape(Expand(Unsqueeze(g, 1), 2), 4), Reshape(Expand(Unsqueeze(g, 1), 2), 4)) "
            "{num_groups=2}");
  EXPECT_EQ(upgrade("GroupNormalization", 18, {x, g, g}, integer("num_groups", 3)),
            "error: 4 channels cannot be divided into 3 groups");
}

TEST_F(UpgradeTest, Dropout) {
  REQUIRE_FAMILY("Dropout");
  Value x = input("x", {4});
  EXPECT_EQ(upgrade("Dropout", 1, {x}, {number("ratio", 0.5), integer("is_test", 1)}), "Dropout(x, 5.000000e-01)");
  EXPECT_EQ(upgrade("Dropout", 7, {x}, number("ratio", 0.5), 2), "Cast(Dropout(x, 5.000000e-01)#1) {to=1}");
  EXPECT_EQ(upgrade("Dropout", 10, {x}, {}, 2), "Dropout(x)");
}

TEST_F(UpgradeTest, Resampling) {
  REQUIRE_FAMILY("Upsample");
  Value x = input("x", {1, 1, 4, 4}), s = input("s", {4});
  std::string rest =
      "{coordinate_transformation_mode=\"asymmetric\", mode=\"linear\", nearest_mode=\"ceil_if_shrinking\"}";
  EXPECT_EQ(
      upgrade("Upsample", 1, {x}, {number("height_scale", 2), number("width_scale", 3), text("mode", "bilinear")}),
      "Resize(x, _, [1.000000e+00, 1.000000e+00, 2.000000e+00, 3.000000e+00]) " + rest);
  EXPECT_EQ(upgrade("Upsample", 9, {x, s}, text("mode", "linear")), "Resize(x, _, s) " + rest);
  EXPECT_EQ(upgrade("Resize", 10, {x, s}, text("mode", "linear")), "Resize(x, _, s) " + rest);
  EXPECT_EQ(upgrade("Resize", 10, {x, s}), "Resize(x, _, s) {coordinate_transformation_mode=\"asymmetric\", "
                                           "nearest_mode=\"ceil_if_shrinking\"}");
  EXPECT_EQ(upgrade("Resize", 11, {x, input("none", {0}), s}), "Resize(x, _, s)");
  EXPECT_EQ(upgrade("GridSample", 16, {x, x}, text("mode", "bicubic")), "GridSample(x, x) {mode=\"cubic\"}");
}

TEST_F(UpgradeTest, Others) {
  if (hasUpgrade("Gemm"))
    EXPECT_EQ(upgrade("Gemm", 6, {input("x", {2, 2})}, integer("broadcast", 1)), "Gemm(x)");
  if (hasUpgrade("LpPool"))
    EXPECT_EQ(upgrade("LpPool", 1, {input("x", {2, 2})}, number("p", 2)), "LpPool(x) {p=2}");
  if (hasUpgrade("DFT"))
    EXPECT_EQ(upgrade("DFT", 17, {input("x", {2, 2})}), "DFT(x, _, 1)");
}

TEST(OpsetHistory, WhenOperatorsCame) {
  EXPECT_EQ(introducedIn("Relu"), 1);
  EXPECT_EQ(introducedIn("Gelu"), 20);
  EXPECT_EQ(introducedIn("ScatterND"), 11);
  EXPECT_EQ(introducedIn("Nonsense"), std::nullopt);
}

} // namespace
