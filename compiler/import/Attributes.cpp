//===- Attributes.cpp - AttributeProto -> MLIR attributes ---------------------------------------------------------===//
//
// INT -> i64, FLOAT -> f32, STRING -> string, their lists -> arrays, TENSOR -> elements, TYPE_PROTO -> type. Graphs are
// handed back by name: they become regions of the operation.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/import/Importer.h"
#include "compiler/import/Types.h"

using namespace mlir;
using namespace onnx_aot;

static llvm::Error fail(const llvm::Twine &text) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), text);
}

/// Files from before the field existed do not say which kind an attribute has: it is what is filled in.
static pb::AttributeProto::AttributeType kindOf(const pb::AttributeProto &proto) {
  if (proto.type() != pb::AttributeProto::UNDEFINED)
    return proto.type();
  if (proto.has_f())
    return pb::AttributeProto::FLOAT;
  if (proto.has_i())
    return pb::AttributeProto::INT;
  if (proto.has_s())
    return pb::AttributeProto::STRING;
  if (proto.has_t())
    return pb::AttributeProto::TENSOR;
  if (proto.has_g())
    return pb::AttributeProto::GRAPH;
  if (proto.floats_size())
    return pb::AttributeProto::FLOATS;
  if (proto.ints_size())
    return pb::AttributeProto::INTS;
  if (proto.strings_size())
    return pb::AttributeProto::STRINGS;
  return pb::AttributeProto::UNDEFINED;
}

llvm::Expected<Attribute> Importer::importAttribute(const pb::AttributeProto &proto, const NodeRef &ref) {
  std::string key = ref.name + "." + proto.name();
  auto element = [](auto expected) -> llvm::Expected<Attribute> {
    if (!expected)
      return expected.takeError();
    return Attribute(*expected);
  };
  switch (kindOf(proto)) {
  case pb::AttributeProto::FLOAT:
    return builder.getF32FloatAttr(proto.f());
  case pb::AttributeProto::INT:
    return builder.getI64IntegerAttr(proto.i());
  case pb::AttributeProto::STRING:
    return builder.getStringAttr(proto.s());
  case pb::AttributeProto::TENSOR:
    return element(tensors.read(proto.t(), proto.t().name().empty() ? key : proto.t().name()));
  case pb::AttributeProto::SPARSE_TENSOR:
    return element(tensors.read(proto.sparse_tensor(), key));
  case pb::AttributeProto::FLOATS:
    return builder.getDenseF32ArrayAttr({proto.floats().data(), static_cast<size_t>(proto.floats_size())});
  case pb::AttributeProto::INTS: {
    SmallVector<int64_t> ints(proto.ints().begin(), proto.ints().end());
    return builder.getDenseI64ArrayAttr(ints);
  }
  case pb::AttributeProto::STRINGS: {
    SmallVector<StringRef> strings(proto.strings().begin(), proto.strings().end());
    return builder.getStrArrayAttr(strings);
  }
  case pb::AttributeProto::TENSORS: {
    SmallVector<Attribute> elements;
    for (const pb::TensorProto &tensor : proto.tensors()) {
      llvm::Expected<Attribute> attribute = element(tensors.read(tensor, key));
      if (!attribute)
        return attribute.takeError();
      elements.push_back(*attribute);
    }
    return builder.getArrayAttr(elements);
  }
  case pb::AttributeProto::TYPE_PROTO: {
    llvm::Expected<Type> type = typeOf(proto.tp(), dims, &context);
    if (!type)
      return type.takeError();
    return TypeAttr::get(*type);
  }
  default:
    break;
  }
  if (proto.type() == pb::AttributeProto::UNDEFINED)
    return fail("it has no value");
  return fail("attributes of kind " + pb::AttributeProto::AttributeType_Name(proto.type()) + " are not supported");
}

bool Importer::importAttributes(const pb::NodeProto &node, const NodeRef &ref, const Frame &frame,
                                NamedAttrList &attributes, llvm::StringMap<const pb::GraphProto *> &graphs) {
  bool isGood = true;
  auto error = [&](const llvm::Twine &reason) {
    diagnostics.user(ref, reason);
    isGood = false;
  };
  for (const pb::AttributeProto &written : node.attribute()) {
    const pb::AttributeProto *proto = &written;
    if (written.name().empty()) {
      error("has an attribute without a name");
      continue;
    }
    if (!written.ref_attr_name().empty()) {
      auto bound = frame.attributes.find(written.ref_attr_name());
      if (bound == frame.attributes.end()) {
        error("attribute \"" + written.name() + "\" refers to \"" + written.ref_attr_name() +
              "\", which no function around it has");
        continue;
      }
      proto = bound->second;
      if (!proto) // the call leaves it out, so the operator's default holds
        continue;
    }
    if (attributes.get(written.name()) || graphs.contains(written.name())) {
      error("has the attribute \"" + written.name() + "\" twice");
      continue;
    }
    if (kindOf(*proto) == pb::AttributeProto::GRAPH) {
      if (proto != &written) // its free names would be those of the caller
        error("attribute \"" + written.name() +
              "\" refers to a graph given by the function's caller, which is not supported");
      else
        graphs[written.name()] = &proto->g();
      continue;
    }
    llvm::Expected<Attribute> attribute = importAttribute(*proto, ref);
    if (attribute)
      attributes.set(written.name(), *attribute);
    else
      error("attribute \"" + written.name() + "\": " + llvm::toString(attribute.takeError()));
  }
  return isGood;
}
