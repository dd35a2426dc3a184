//===- OpSignature.cpp - reading the signature text that ODS makes ------------------------------------------------===//
#include "dialects/onnx/support/OpSignature.h"
#include "llvm/ADT/STLExtras.h"
#include <cstdint>

using namespace llvm;
using namespace onnx_aot::onnx;

static SmallVector<FormalValue> parseValues(StringRef text) {
  SmallVector<FormalValue> values;
  SmallVector<StringRef> items;
  text.split(items, ' ', -1, /*KeepEmpty=*/false);
  for (StringRef item : items) {
    auto [name, kind] = item.split(':');
    values.push_back({name, kind == "o"   ? FormalValue::Optional
                            : kind == "v" ? FormalValue::Variadic
                                          : FormalValue::Single});
  }
  return values;
}

OpSignature::OpSignature(StringRef operationName, int sinceVersion, StringRef inputText, StringRef outputText,
                         StringRef attributeText)
    : name(operationName.substr(operationName.find('.') + 1)), sinceVersion(sinceVersion),
      inputs(parseValues(inputText)), outputs(parseValues(outputText)) {
  SmallVector<StringRef> items;
  attributeText.split(items, ' ', -1, /*KeepEmpty=*/false);
  for (StringRef item : items) {
    // "name:::mlir::IntegerAttr:r": the storage class itself holds colons.
    auto [attribute, rest] = item.split(':');
    auto [storage, flag] = rest.rsplit(':');
    attributes.push_back({attribute, storage, flag == "r"});
  }
}

size_t OpSignature::minInputs() const {
  size_t count = 0;
  for (auto [index, input] : enumerate(inputs))
    if (input.kind == FormalValue::Single)
      count = index + 1;
  return count;
}

size_t OpSignature::maxInputs() const {
  bool open = !inputs.empty() && inputs.back().kind == FormalValue::Variadic;
  return open ? SIZE_MAX : inputs.size();
}

const FormalAttribute *OpSignature::findAttribute(StringRef attribute) const {
  const auto *it = find_if(attributes, [&](const FormalAttribute &a) { return a.name == attribute; });
  return it == attributes.end() ? nullptr : it;
}
