//===- OperatorList.cpp - Every operator that is supported ----------------===//
//
//   Gemm 13  inputs A, B, C?  outputs Y  attributes alpha, beta, transA, transB
//   {"domain":"ai.onnx","name":"Gemm","since_version":13,"inputs":[{"name":"A"}, ... {"name":"C","optional":true}],
//   ...}
//
//===----------------------------------------------------------------------===//

#include "compiler/OperatorList.h"
#include "dialects/onnx/OnnxDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace onnx_aot;
using onnx::FormalAttribute;
using onnx::FormalValue;
using onnx::OpSignature;

static std::vector<const OpSignature *> supportedOperators(mlir::MLIRContext &context) {
  context.loadDialect<onnx::OnnxDialect>();
  std::vector<const OpSignature *> signatures;
  for (mlir::RegisteredOperationName name : context.getRegisteredOperationsByDialect("onnx"))
    if (auto *interface = name.getInterface<onnx::OnnxOpInterface>();
        interface && interface->getSignature().sinceVersion)
      signatures.push_back(&interface->getSignature());
  llvm::sort(signatures, [](const OpSignature *a, const OpSignature *b) { return a->name < b->name; });
  return signatures;
}

/// The dialect writes "com_microsoft.Gelu" for Gelu of com.microsoft, "ml.Scaler" for Scaler of ai.onnx.ml.
static std::pair<std::string, llvm::StringRef> splitDomain(llvm::StringRef name) {
  auto [prefix, op] = name.rsplit('.');
  if (op.empty())
    return {"ai.onnx", name};
  std::string domain = prefix == "ml" ? "ai.onnx.ml" : prefix.str();
  std::replace(domain.begin(), domain.end(), '_', '.');
  return {domain, op};
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static void printValues(llvm::raw_ostream &os, llvm::StringRef title, llvm::ArrayRef<FormalValue> values) {
  if (values.empty())
    return;
  os << "  " << title << " ";
  llvm::interleaveComma(values, os, [&](const FormalValue &value) {
    os << value.name << (value.kind == FormalValue::Optional ? "?" : value.kind == FormalValue::Variadic ? "..." : "");
  });
}

static void printText(llvm::raw_ostream &os, const OpSignature &signature) {
  auto [domain, name] = splitDomain(signature.name);
  os << (domain == "ai.onnx" ? "" : domain + ".") << name << " " << signature.sinceVersion;
  printValues(os, "inputs", signature.inputs);
  printValues(os, "outputs", signature.outputs);
  if (!signature.attributes.empty()) {
    os << "  attributes ";
    llvm::interleaveComma(signature.attributes, os, [&](const FormalAttribute &attribute) {
      os << attribute.name << (attribute.required ? "" : "?");
    });
  }
  os << "\n";
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static llvm::json::Array valuesToJson(llvm::ArrayRef<FormalValue> values) {
  llvm::json::Array array;
  for (const FormalValue &value : values) {
    llvm::json::Object object{{"name", value.name}};
    if (value.kind == FormalValue::Optional)
      object["optional"] = true;
    if (value.kind == FormalValue::Variadic)
      object["variadic"] = true;
    array.push_back(std::move(object));
  }
  return array;
}

static llvm::json::Object toJson(const OpSignature &signature) {
  auto [domain, name] = splitDomain(signature.name);
  llvm::json::Array attributes;
  for (const FormalAttribute &attribute : signature.attributes)
    attributes.push_back(llvm::json::Object{{"name", attribute.name}, {"required", attribute.required}});
  return llvm::json::Object{{"domain", domain},
                            {"name", name},
                            {"since_version", signature.sinceVersion},
                            {"inputs", valuesToJson(signature.inputs)},
                            {"outputs", valuesToJson(signature.outputs)},
                            {"attributes", std::move(attributes)}};
}

void onnx_aot::printOperators(llvm::raw_ostream &os, bool json) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  std::vector<const OpSignature *> signatures = supportedOperators(context);
  if (!json) {
    os << "# operator, opset that last changed it (all earlier ones are read too); ? optional, ... any number\n";
    for (const OpSignature *signature : signatures)
      printText(os, *signature);
    return;
  }
  llvm::json::Array array;
  for (const OpSignature *signature : signatures)
    array.push_back(toJson(*signature));
  os << llvm::formatv("{0:2}", llvm::json::Value(std::move(array))) << "\n";
}
