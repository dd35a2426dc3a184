//===- import_history_test.cpp - every version of every operator is read ------------------------------------------===//
//
// data/operator-history.txt lists what each version of an operator takes. A node with all its inputs and attributes is
// upgraded from every opset at which that version holds, and must fit the newest form: a registered operator that knows
// all the attributes that are left, and takes as many inputs. Then the same with the required ones alone.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/import/OpsetUpgrade.h"
#include "dialects/onnx/OnnxDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include <gtest/gtest.h>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

namespace {

/// Operators that are not supported, or, Constant, whose many forms the importer folds itself.
const char *const kMissing[] = {"Constant",     "ImageDecoder",     "RegexFullMatch",
                                "StringConcat", "StringNormalizer", "StringSplit"};

/// Forms that are refused with a reason, or that no model has: "NAME VERSION".
const char *const kRefused[] = {
    "Attention 25",         // a window
    "BatchNormalization 1", // saved_mean and saved_var
    "BatchNormalization 6",
    "BatchNormalization 7",
    "BatchNormalization 9",
    "LpPool 1",                            // no kernel_shape
    "Reshape 1",                           // no shape
    "Scan 8",                              // sequence_lens
    "Tile 1",                              // repeats that are not constant
    "ai_onnx_preview_training.Gradient 1", // the inputs go with the names
};

/// The opset that withdrew an operator.
int64_t withdrawnIn(StringRef op) {
  if (op == "Upsample")
    return 10;
  return op == "Scatter" ? 11 : 29;
}

struct Version {
  std::string op; // as the dialect spells it
  int64_t version;
  SmallVector<StringRef> inputs, outputs, attributes;
};

/// Makes values of unknown shape; rows that look at shapes or constants have tests of their own.
class Builder : public NodeBuilder {
public:
  explicit Builder(MLIRContext &context) : context(context) {}
  ~Builder() override {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      op.erase();
  }

  Value input() {
    return block.addArgument(RankedTensorType::get({4, 4, 4, 4}, Float32Type::get(&context)),
                             UnknownLoc::get(&context));
  }
  Value create(StringRef op, ValueRange inputs, ArrayRef<NamedAttribute>) override {
    OperationState state(UnknownLoc::get(&context), ("test." + op).str());
    state.addOperands(inputs);
    state.addTypes(RankedTensorType::get({4, 4, 4, 4}, Float32Type::get(&context)));
    return insert(Operation::create(state));
  }
  Value constant(ElementsAttr value) override {
    OperationState state(UnknownLoc::get(&context), "onnx.Constant");
    state.addTypes(value.getType());
    state.addAttribute("value", value);
    return insert(Operation::create(state));
  }
  Value lookup(StringRef) override { return input(); }
  void error(const llvm::Twine &reason, bool) override { message = reason.str(); }

  std::string message;

private:
  Value insert(Operation *op) {
    block.push_back(op);
    return op->getResult(0);
  }
  MLIRContext &context;
  Block block;
};

/// "axis:i=1": an attribute of that kind.
Attribute sample(MLIRContext &context, StringRef kind, StringRef value) {
  int64_t integer = 1;
  double real = 1;
  switch (kind.front()) {
  case 'i':
    (void)value.getAsInteger(10, integer);
    return IntegerAttr::get(IntegerType::get(&context, 64), integer);
  case 'f':
    (void)value.getAsDouble(real);
    return FloatAttr::get(Float32Type::get(&context), real);
  case 's':
    return StringAttr::get(&context, value.empty() ? "FLOAT" : value);
  case 'I':
    return DenseI64ArrayAttr::get(&context, {1});
  case 'F':
    return DenseF32ArrayAttr::get(&context, {1.0f});
  case 'S':
    return ArrayAttr::get(&context, {StringAttr::get(&context, "a")});
  case 't':
    return DenseElementsAttr::get(RankedTensorType::get({1}, Float32Type::get(&context)), 1.0f);
  default:
    return {}; // graphs do not take part in upgrades; the others are forms of Constant
  }
}

/// What is wrong with the newest form of the node; empty if nothing is.
std::string problemOf(const Version &row, int64_t opset, bool isFull, MLIRContext &context) {
  Builder builder(context);
  NodeForm form(builder, &context);
  form.op = row.op;
  for (StringRef input : row.inputs)
    if (isFull || !input.ends_with("?"))
      form.inputs.push_back(builder.input());
  for (StringRef output : row.outputs)
    if (isFull || !output.ends_with("?"))
      form.outputs.push_back(true);
  for (StringRef text : row.attributes) {
    auto [name, rest] = text.split(':');
    auto [kind, value] = rest.split('=');
    Attribute attribute = sample(context, kind, value);
    // An attribute and the input that it became later exclude each other; lists have no default to fall back on.
    if (attribute && (isFull || kind.ends_with("!")))
      form.attributes.append(name, attribute);
  }
  if (form.op == "Split" && opset == 1 && isFull)
    form.inputs.pop_back();
  if (failed(upgradeToNewest(form, opset)))
    return builder.message;
  auto name = RegisteredOperationName::lookup("onnx." + form.op, &context);
  auto *interface = name ? name->getInterface<OnnxOpInterface>() : nullptr;
  if (!interface)
    return "no operator " + form.op;
  const OpSignature &signature = interface->getSignature();
  for (NamedAttribute attribute : form.attributes)
    // An upgrade leaves a unit to a later stage.
    if (!isa<UnitAttr>(attribute.getValue()) && !signature.findAttribute(attribute.getName()))
      return form.op + " has no attribute " + attribute.getName().str();
  for (const FormalAttribute &formal : signature.attributes)
    if (formal.required && !formal.storage.contains("Region") && !form.attributes.get(formal.name))
      return form.op + " needs the attribute " + formal.name.str();
  if (form.inputs.size() < signature.minInputs() || form.inputs.size() > signature.maxInputs())
    return form.op + " does not take " + std::to_string(form.inputs.size()) + " inputs";
  return "";
}

} // namespace

TEST(OperatorHistory, EveryVersionIsRead) {
  auto file = llvm::MemoryBuffer::getFile(ONNX_AOT_TEST_DIR "/unit/data/operator-history.txt");
  ASSERT_TRUE(bool(file));
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<OnnxDialect>();
  context.allowUnregisteredDialects();
  SmallVector<StringRef> lines;
  (*file)->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
  SmallVector<Version> rows;
  for (StringRef line : lines) {
    if (line.starts_with("#"))
      continue;
    Version row;
    auto [name, rest] = line.split(' ');
    auto [domain, op] = name.rsplit('.');
    row.op = op.empty() ? name.str() : domain.str();
    if (!op.empty()) {
      std::replace(row.op.begin(), row.op.end(), '.', '_');
      row.op += "." + op.str();
    }
    rest.split(' ').first.getAsInteger(10, row.version);
    auto list = [](StringRef text, StringRef open, StringRef close, SmallVector<StringRef> &items) {
      StringRef inner = text.split(open).second.split(close).first;
      inner.split(items, ' ', -1, /*KeepEmpty=*/false);
      return text.split(close).second;
    };
    rest = list(list(rest, "(", ")", row.inputs), "(", ")", row.outputs);
    list(rest, "{", "}", row.attributes);
    rows.push_back(row);
  }
  ASSERT_GT(rows.size(), 500u);
  for (auto [index, row] : llvm::enumerate(rows)) {
    bool isFirst = index == 0 || rows[index - 1].op != row.op;
    if (isFirst && row.op.find('.') == std::string::npos && row.op != "GroupNormalization") // 18 was withdrawn by 21
      EXPECT_EQ(introducedIn(row.op), row.version) << row.op;
    if (llvm::is_contained(kMissing, row.op))
      continue;
    bool hasNext = index + 1 < rows.size() && rows[index + 1].op == row.op;
    int64_t newest = row.op.find('.') == std::string::npos ? 28 : 1;
    int64_t end = hasNext ? rows[index + 1].version : std::min(newest + 1, withdrawnIn(row.op));
    std::string label = row.op + " " + std::to_string(row.version);
    for (int64_t opset = row.version; opset < end; ++opset) {
      if (llvm::is_contained(kRefused, label))
        continue;
      EXPECT_EQ(problemOf(row, opset, /*isFull=*/false, context), "") << label << " at opset " << opset;
      EXPECT_EQ(problemOf(row, opset, /*isFull=*/true, context), "") << label << " at opset " << opset << ", in full";
    }
  }
}
