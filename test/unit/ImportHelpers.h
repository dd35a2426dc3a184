//===- ImportHelpers.h - models in memory and folders of their own for the importer's tests -----------------------===//
#ifndef ONNX_AOT_TEST_UNIT_IMPORTHELPERS_H
#define ONNX_AOT_TEST_UNIT_IMPORTHELPERS_H

#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/import/GraphImporter.h"
#include "compiler/import/ModelReader.h"
#include "compiler/import/onnx_model.pb.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace onnx_aot::test {

/// A folder that is gone after the test.
struct TemporaryFolder {
  TemporaryFolder() { EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("onnx_aot_import", path)); }
  ~TemporaryFolder() { llvm::sys::fs::remove_directories(path); }

  std::string file(llvm::StringRef name) const {
    llvm::SmallString<128> full(path);
    llvm::sys::path::append(full, name);
    return std::string(full);
  }
  std::string write(llvm::StringRef name, llvm::StringRef bytes) const {
    std::error_code code;
    llvm::raw_fd_ostream(file(name), code) << bytes;
    EXPECT_FALSE(code);
    return file(name);
  }
  llvm::SmallString<128> path;
};

/// One import; `text` is the ModelProto in protobuf text format.
struct Import {
  explicit Import(const std::string &text, const ImportOptions &options = {}) {
    model = std::make_unique<LoadedModel>("model.onnx");
    if (google::protobuf::TextFormat::ParseFromString(text, model->proto))
      run(options);
    else
      ADD_FAILURE() << "the test's model does not parse";
  }
  /// `prepare` may register more in the context.
  explicit Import(
      std::unique_ptr<LoadedModel> loaded, const ImportOptions &options = {},
      llvm::function_ref<void(mlir::MLIRContext &)> prepare = [](mlir::MLIRContext &) {})
      : model(std::move(loaded)) {
    prepare(context);
    run(options);
  }

  void run(const ImportOptions &options) {
    diagnostics.setFile("model.onnx");
    module = importModel(*model, options, context, diagnostics);
    EXPECT_NE(!module, !diagnostics.hasErrors()) << "a module or errors, not both";
    if (module)
      llvm::raw_string_ostream(ir) << *module;
    for (const ErrorEntry &entry : diagnostics.errors())
      errors.push_back(entry.text);
  }

  std::unique_ptr<LoadedModel> model;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  Diagnostics diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string ir;
  std::vector<std::string> errors;
};

/// A float input or output: `value("x", {"1", "N"})`.
inline std::string value(const std::string &name, const std::vector<std::string> &dims, int dataType = 1) {
  std::string text = "name: '" + name + "' type { tensor_type { elem_type: " + std::to_string(dataType) + " shape {";
  for (const std::string &dim : dims)
    text += " dim { " + (isdigit(dim[0]) ? "dim_value: " + dim : "dim_param: '" + dim + "'") + " }";
  return text + " } } }";
}

/// A model of opset `opset` whose graph is `graph`.
inline std::string modelOf(const std::string &graph, int opset = 13, const std::string &more = "") {
  return "ir_version: 8 opset_import { domain: '' version: " + std::to_string(opset) + " } graph { name: 'g' " + graph +
         " } " + more;
}

inline std::string node(const std::string &op, const std::vector<std::string> &inputs,
                        const std::vector<std::string> &outputs, const std::string &more = "") {
  std::string text = "node { op_type: '" + op + "'";
  for (const std::string &input : inputs)
    text += " input: '" + input + "'";
  for (const std::string &output : outputs)
    text += " output: '" + output + "'";
  return text + " " + more + " } ";
}

inline std::string input(const std::string &name, const std::vector<std::string> &dims, int dataType = 1) {
  return "input { " + value(name, dims, dataType) + " } ";
}
inline std::string output(const std::string &name, const std::vector<std::string> &dims, int dataType = 1) {
  return "output { " + value(name, dims, dataType) + " } ";
}

} // namespace onnx_aot::test

#endif
