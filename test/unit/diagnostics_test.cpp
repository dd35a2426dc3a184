//===- diagnostics_test.cpp - Every error a user sees ---------------------===//

#include "compiler/Diagnostics.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

using namespace onnx_aot;
using mlir::Location;

namespace {

class DiagnosticsTest : public testing::Test {
protected:
  Location fileLocation(unsigned line) { return mlir::FileLineColLoc::get(&context, "model.onnx", line, 0); }
  Location nodeLocation(llvm::StringRef name, unsigned line) {
    return mlir::NameLoc::get(mlir::StringAttr::get(&context, name), fileLocation(line));
  }
  std::string printed() {
    std::string text;
    llvm::raw_string_ostream os(text);
    diagnostics.print(os);
    return text;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  Diagnostics diagnostics;
};

TEST_F(DiagnosticsTest, NamesFileNodeAndOpset) {
  diagnostics.setFile("model.onnx");
  diagnostics.setOpset("ai.onnx", 13);
  diagnostics.setOpset("com.microsoft", 1);
  diagnostics.user({"conv1", "Conv"}, "input 1 has rank 3");
  diagnostics.unsupported({"g", "com.microsoft.Gelu"}, "not there");
  diagnostics.user({"old", "Pad", 2}, "bad mode");
  EXPECT_EQ(printed(), "onnx-aot: error: model.onnx: node \"conv1\" (Conv, opset 13): input 1 has rank 3\n"
                       "onnx-aot: error: model.onnx: node \"g\" (com.microsoft.Gelu, opset 1): not there\n"
                       "onnx-aot: error: model.onnx: node \"old\" (Pad, opset 2): bad mode\n");
  EXPECT_EQ(diagnostics.exitStatus(), 1);
}

TEST_F(DiagnosticsTest, FlagsAreNotInTheFile) {
  diagnostics.setFile("model.onnx");
  diagnostics.fault("--dim=N=2: the model has no dimension N");
  diagnostics.fault("cut off");
  diagnostics.fault("model.onnx: already named");
  EXPECT_EQ(printed(), "onnx-aot: error: --dim=N=2: the model has no dimension N\n"
                       "onnx-aot: error: model.onnx: cut off\n"
                       "onnx-aot: error: model.onnx: already named\n");
}

TEST_F(DiagnosticsTest, ExitStatus) {
  EXPECT_EQ(diagnostics.exitStatus(), 0);
  diagnostics.fault("bad");
  EXPECT_EQ(diagnostics.exitStatus(), 1);
  diagnostics.internal("oh");
  EXPECT_EQ(diagnostics.exitStatus(), 2);
}

TEST_F(DiagnosticsTest, TheSameFaultOnce) {
  diagnostics.fault("bad");
  diagnostics.fault("bad");
  EXPECT_EQ(diagnostics.errors().size(), 1u);
}

TEST_F(DiagnosticsTest, NodesOfLocations) {
  NodeRef node = nodeOfLocation(nodeLocation("\"conv1\" (Conv)", 3));
  EXPECT_EQ(node.name, "conv1");
  EXPECT_EQ(node.opType, "Conv");

  // Quotes and parentheses inside a name.
  EXPECT_EQ(nodeOfLocation(nodeLocation("\"a\" (b)\" (Add)", 3)).name, "a\" (b)");

  Location fused = mlir::FusedLoc::get(&context, {fileLocation(1), nodeLocation("\"a\" (Add)", 2)});
  EXPECT_EQ(nodeOfLocation(fused).name, "a");

  Location call = mlir::CallSiteLoc::get(nodeLocation("\"inner\" (Mul)", 5), nodeLocation("\"outer\" (Celu)", 4));
  EXPECT_EQ(nodeOfLocation(call).opType, "Mul");

  Location nested = mlir::NameLoc::get(mlir::StringAttr::get(&context, "kernel"), nodeLocation("\"a\" (Add)", 2));
  EXPECT_EQ(nodeOfLocation(nested).name, "a");

  EXPECT_EQ(nodeOfLocation(fileLocation(1)).opType, "");
  EXPECT_EQ(nodeOfLocation(mlir::UnknownLoc::get(&context)).opType, "");
}

TEST_F(DiagnosticsTest, KindsOfMlirErrors) {
  DiagnosticCapture capture(context, diagnostics);
  Location node = nodeLocation("\"conv1\" (Conv)", 3);
  struct {
    Location location;
    const char *text;
    ErrorKind kind;
    const char *shown;
  } cases[] = {
      {node, "'onnx.Conv' op input 1 has rank 3", ErrorKind::User, "node \"conv1\" (Conv): input 1 has rank 3"},
      {node, "strides must be positive", ErrorKind::User, "node \"conv1\" (Conv): strides must be positive"},
      {node, "'onnx.Conv' op unsupported: 4 spatial axes", ErrorKind::Unsupported,
       "node \"conv1\" (Conv): unsupported: 4 spatial axes"},
      {node, "failed to legalize operation 'onnx.Conv' that was explicitly marked illegal", ErrorKind::Unsupported,
       "node \"conv1\" (Conv): Conv with these types and attributes cannot be compiled yet"},
      {node, "'linalg.generic' op has no body", ErrorKind::Internal,
       "internal error: node \"conv1\" (Conv): 'linalg.generic': has no body"},
      {mlir::UnknownLoc::get(&context), "lost", ErrorKind::Internal, "internal error: lost"},
  };
  for (const auto &test : cases) {
    mlir::emitError(test.location) << test.text;
    ASSERT_FALSE(diagnostics.errors().empty());
    EXPECT_EQ(diagnostics.errors().back().kind, test.kind) << test.text;
    EXPECT_EQ(diagnostics.errors().back().text, test.shown);
  }
  EXPECT_EQ(diagnostics.errors().size(), std::size(cases));
}

TEST_F(DiagnosticsTest, NotesStayWithTheirError) {
  DiagnosticCapture capture(context, diagnostics);
  {
    mlir::InFlightDiagnostic error = mlir::emitError(nodeLocation("\"a\" (Add)", 2)) << "shapes differ";
    error.attachNote() << "the other operand comes from here";
    error.attachNote() << "see current operation: onnx.Add";
  }
  ASSERT_EQ(diagnostics.errors().size(), 1u);
  EXPECT_EQ(diagnostics.errors()[0].notes, std::vector<std::string>{"the other operand comes from here"});
}

} // namespace
