//===- artifact_fixture.h - A tiny model for the artifact tests -----------===//
//
// y = x * w + b on four floats, as the buffer stage and the codegen stage would leave it; and helpers to run the
// system's C compiler in a folder of the test's own.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_TEST_ARTIFACT_FIXTURE_H
#define ONNX_AOT_TEST_ARTIFACT_FIXTURE_H

#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/artifact/Artifact.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <cstdlib>
#include <string>

namespace onnx_aot::test {

inline const char *const bufferModule = R"mlir(
module attributes {
  onnx.model = {graph_name = "tiny", producer_name = "tests", producer_version = "1", domain = "d", doc_string = "doc",
                model_version = 7 : i64, metadata = {author = "someone", "key with space" = "v"}},
  onnx.node_names = ["conv1", "relu"]} {
  memref.global "private" @weights : memref<80xi8> = uninitialized {alignment = 64 : i64, aot.slices = [
    {offset = 0 : i64, value = dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>},
    {offset = 64 : i64, value = dense<0.5> : tensor<4xf32>}]}
  func.func @main(%x: memref<2x2xf32> {onnx.name = "x", onnx.dtype = 1 : i32},
                  %y: memref<4xf32> {onnx.name = "y", onnx.dtype = 1 : i32, bufferize.result},
                  %arena: memref<64xi8>) -> i32 {
    %0 = "arith.constant"() {value = 0 : i32} : () -> i32
    return %0 : i32
  }
}
)mlir";

inline const char *const codeModule = R"llvm(
@weights = external hidden global [80 x i8]
define i32 @main(ptr %x, ptr %y, ptr %arena) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %xp = getelementptr float, ptr %x, i64 %i
  %xv = load float, ptr %xp
  %wp = getelementptr float, ptr @weights, i64 %i
  %wv = load float, ptr %wp
  %b0 = getelementptr i8, ptr @weights, i64 64
  %bp = getelementptr float, ptr %b0, i64 %i
  %bv = load float, ptr %bp
  %m = fmul float %xv, %wv
  %ap = getelementptr float, ptr %arena, i64 %i
  store float %m, ptr %ap
  %s = fadd float %m, %bv
  %yp = getelementptr float, ptr %y, i64 %i
  store float %s, ptr %yp
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, 4
  br i1 %more, label %loop, label %exit
exit:
  ret i32 0
}
)llvm";

inline std::string readFile(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, false, false);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

class ArtifactTest : public ::testing::Test {
protected:
  void SetUp() override {
    llvm::SmallString<128> path;
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("onnx-aot-artifact", path));
    folder = path.str().str();
    context.allowUnregisteredDialects();
    context.loadDialect<mlir::func::FuncDialect, mlir::memref::MemRefDialect>();
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string in(const std::string &name) const { return folder + "/" + name; }

  void write(const std::string &name, const std::string &text) {
    std::error_code code;
    llvm::raw_fd_ostream os(in(name), code);
    os << text;
  }

  /// Runs a shell command in the folder; what it prints is in `log`.
  int shell(const std::string &command) {
    int status = std::system(("cd '" + folder + "' && (" + command + ") > log.txt 2>&1").c_str());
    log = readFile(in("log.txt"));
    llvm::sys::fs::remove(in("log.txt"));
    return status;
  }

  /// Names in the folder, sorted.
  std::vector<std::string> files() {
    std::vector<std::string> names;
    std::error_code code;
    for (llvm::sys::fs::directory_iterator it(folder, code), end; it != end && !code; it.increment(code))
      names.push_back(it->path().substr(folder.size() + 1));
    llvm::sort(names);
    return names;
  }

  mlir::FailureOr<ModelInterface> interface(const std::string &text = bufferModule) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    if (!module)
      return mlir::failure();
    return ModelInterface::fromModule(*module);
  }

  CompilerOptions options(const std::string &output, OutputKind kind, const std::string &prefix = "tiny") {
    CompilerOptions result;
    result.artifact.prefix = prefix;
    result.artifact.output = output == "-" ? output : in(output);
    result.artifact.kind = kind;
    return result;
  }

  /// The whole stage, on the tiny model unless told otherwise.
  bool build(const CompilerOptions &options, const std::string &code = codeModule,
             const std::string &buffers = bufferModule) {
    ArtifactInput input;
    auto described = interface(buffers);
    if (mlir::failed(described))
      return false;
    input.module = *module;
    input.interface = *described;
    input.inputFiles = {"tiny.onnx", "a b.bin"};
    llvm::SMDiagnostic parseError;
    input.llvmModule = llvm::parseAssemblyString(code, parseError, llvmContext);
    if (!input.llvmModule) {
      ADD_FAILURE() << parseError.getMessage().str();
      return false;
    }
    Diagnostics diagnostics;
    bool ok = mlir::succeeded(writeArtifact(input, options, diagnostics));
    errors.clear();
    llvm::raw_string_ostream os(errors);
    diagnostics.print(os);
    exitStatus = diagnostics.exitStatus();
    EXPECT_EQ(ok, !diagnostics.hasErrors());
    return ok;
  }

  std::string folder, log, errors;
  int exitStatus = 0;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  llvm::LLVMContext llvmContext;
};

} // namespace onnx_aot::test

#endif // ONNX_AOT_TEST_ARTIFACT_FIXTURE_H
