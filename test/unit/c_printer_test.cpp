// What codegen/c prints for single operations, and what it refuses.
#include "codegen/c/Program.h"
#include "codegen/c/RuntimeSource.h"
#include "compiler/Pipeline.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace onnx_aot;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {
class CPrinter : public ::testing::Test {
protected:
  CPrinter() {
    DialectRegistry registry;
    registerAllOnnxAotDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The functions, or the message of the error.
  std::string print(llvm::StringRef source, bool movesComplex = false) {
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      message += diagnostic.str();
      return success();
    });
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(source, &context);
    if (!module)
      return "no module: " + message;
    FailureOr<c::Program> program = c::printProgram(*module, "m", movesComplex);
    if (failed(program))
      return "error: " + message;
    needs = program->needs;
    return program->functions;
  }

  MLIRContext context;
  c::Needs needs;
};
} // namespace

TEST_F(CPrinter, WrapsIntegersThatMayOverflow) {
  std::string text = print(R"(func.func @main(%x: memref<4xi32>, %y: memref<4xi16>, %n: index) -> i32 {
    %0 = memref.load %x[%n] : memref<4xi32>
    %1 = memref.load %y[%n] : memref<4xi16>
    %2 = arith.muli %0, %0 : i32
    memref.store %2, %x[%n] : memref<4xi32>
    %3 = arith.muli %1, %1 : i16
    memref.store %3, %y[%n] : memref<4xi16>
    %zero = arith.constant 0 : i32
    return %zero : i32
  })");
  EXPECT_THAT(text, HasSubstr("(int32_t)((uint32_t)t0 * (uint32_t)t0)"));
  EXPECT_THAT(text, HasSubstr("(int16_t)((uint32_t)t1 * (uint32_t)t1)"));
}

TEST_F(CPrinter, ComputesPlainlyWhatFits) {
  std::string text = print(R"(func.func @main(%x: memref<40xi32>) -> i32 {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c10 = arith.constant 10 : index
    %c3 = arith.constant 3 : index
    scf.for %i = %c0 to %c10 step %c1 {
      %0 = arith.muli %i, %c3 : index
      %1 = arith.index_cast %0 : index to i32
      memref.store %1, %x[%0] : memref<40xi32>
    }
    %zero = arith.constant 0 : i32
    return %zero : i32
  })");
  EXPECT_THAT(text, HasSubstr("for (ptrdiff_t i = 0; i < 10; ++i) {"));
  EXPECT_THAT(text, HasSubstr("ptrdiff_t t0 = i * 3;"));
  EXPECT_THAT(text, HasSubstr("out0[t0] = (int32_t)t0;"));
}

TEST_F(CPrinter, MasksDistancesOfShifts) {
  std::string text = print(R"(func.func @main(%x: memref<2xi32>) -> i32 {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : i32
    %0 = memref.load %x[%c0] : memref<2xi32>
    %1 = memref.load %x[%c1] : memref<2xi32>
    %2 = arith.shli %0, %1 : i32
    %3 = arith.shrui %2, %c3 : i32
    return %3 : i32
  })");
  EXPECT_THAT(text, HasSubstr("<< (in0[1] & 31)"));
  EXPECT_THAT(text, HasSubstr(">> 3"));
}

TEST_F(CPrinter, AssignsAtOnceWhatALoopYields) {
  std::string text = print(R"(func.func @main(%x: memref<2xf32>, %n: index) -> i32 {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %one = arith.constant 1.0 : f32
    %two = arith.constant 2.0 : f32
    %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %one, %b = %two) -> (f32, f32) {
      %next = arith.addf %b, %one : f32
      scf.yield %next, %a : f32, f32
    }
    memref.store %r#0, %x[%c0] : memref<2xf32>
    memref.store %r#1, %x[%c1] : memref<2xf32>
    %zero = arith.constant 0 : i32
    return %zero : i32
  })");
  EXPECT_THAT(text, HasSubstr("    float next0 = acc1 + 1.0f;\n    float next1 = acc0;\n"
                              "    acc0 = next0;\n    acc1 = next1;\n"));
}

TEST_F(CPrinter, RestrictsWhatNoCallOverlaps) {
  std::string text = print(R"(
  func.func private @apart(%x: memref<4xf32>, %y: memref<4xf32>) {
    %c0 = arith.constant 0 : index
    %0 = memref.load %x[%c0] : memref<4xf32>
    memref.store %0, %y[%c0] : memref<4xf32>
    return
  }
  func.func private @inplace(%x: memref<4xf32>, %y: memref<4xf32>) {
    %c0 = arith.constant 0 : index
    %0 = memref.load %x[%c0] : memref<4xf32>
    memref.store %0, %y[%c0] : memref<4xf32>
    return
  }
  func.func @main(%arena: memref<64xi8>) -> i32 {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %x = memref.view %arena[%c0][] : memref<64xi8> to memref<4xf32>
    %y = memref.view %arena[%c16][] : memref<64xi8> to memref<4xf32>
    call @apart(%x, %y) : (memref<4xf32>, memref<4xf32>) -> ()
    call @inplace(%x, %x) : (memref<4xf32>, memref<4xf32>) -> ()
    %zero = arith.constant 0 : i32
    return %zero : i32
  })");
  EXPECT_THAT(text, HasSubstr("m_apart(const float *restrict in0, float *restrict out1)"));
  EXPECT_THAT(text, HasSubstr("m_inplace(const float *in0, float *out1)"));
  EXPECT_THAT(text, HasSubstr("float *b1 = (float *)(void *)(out0 + 16);"));
}

TEST_F(CPrinter, KeepsALoadBeforeAStore) {
  std::string text = print(R"(func.func @main(%x: memref<2xf32>) -> i32 {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %0 = memref.load %x[%c0] : memref<2xf32>
    %1 = memref.load %x[%c1] : memref<2xf32>
    memref.store %1, %x[%c0] : memref<2xf32>
    memref.store %0, %x[%c1] : memref<2xf32>
    %zero = arith.constant 0 : i32
    return %zero : i32
  })");
  EXPECT_THAT(text, HasSubstr("  float t0 = out0[0];\n  out0[0] = out0[1];\n  out0[1] = t0;\n"));
}

TEST_F(CPrinter, MovesComplexNumbersWithoutTheirType) {
  constexpr llvm::StringLiteral source = R"(func.func @main(%x: memref<2xi64>, %y: memref<2xi64>) -> i32 {
    %c0 = arith.constant 0 : index
    %0 = memref.load %x[%c0] : memref<2xi64>
    memref.store %0, %y[%c0] : memref<2xi64>
    %zero = arith.constant 0 : i32
    return %zero : i32
  })";
  EXPECT_THAT(print(source, /*movesComplex=*/true), HasSubstr("store_bits64(&out1[0], load_bits64(&in0[0]));"));
  EXPECT_THAT(print(source), HasSubstr("out1[0] = in0[0];"));
}

TEST_F(CPrinter, DeclaresWhatTargetsAreTooNarrowFor) {
  print(R"(func.func @main(%x: memref<100000xf32>) -> i32 {
    %c99999 = arith.constant 99999 : index
    %one = arith.constant 1.0 : f32
    memref.store %one, %x[%c99999] : memref<100000xf32>
    %zero = arith.constant 0 : i32
    return %zero : i32
  })");
  EXPECT_EQ(needs.largestIndex, 99999);
}

TEST_F(CPrinter, RefusesWhatHasNoForm) {
  std::string message = print(R"(func.func @main(%x: memref<4xf32>) -> i32 {
    %c0 = arith.constant 0 : index
    %0 = vector.load %x[%c0] : memref<4xf32>, vector<4xf32>
    vector.store %0, %x[%c0] : memref<4xf32>, vector<4xf32>
    %zero = arith.constant 0 : i32
    return %zero : i32
  })");
  EXPECT_THAT(message, HasSubstr("error: unsupported: C has no type for 'vector<4xf32>'"));
  message = print(R"(func.func @main(%n: index) -> i32 {
    %0 = memref.alloca(%n) : memref<?xf32>
    %zero = arith.constant 0 : i32
    return %zero : i32
  })");
  EXPECT_THAT(message, HasSubstr("error: unsupported: C gets no stack memory of a size that only the run knows"));
}

TEST(RuntimeSource, BringsWhatAFunctionNeedsAndNothingElse) {
  std::string text = c::runtimeSource({"onnx_aot_math_expf"});
  EXPECT_THAT(text, HasSubstr("static const Pair kPowers[32] = {"));
  EXPECT_THAT(text, HasSubstr("static double onnx_aot_math_exp(double x) {"));
  EXPECT_THAT(text, HasSubstr("static float onnx_aot_math_expf(float x) { return (float)onnx_aot_math_exp(x); }"));
  EXPECT_THAT(text, Not(HasSubstr("onnx_aot_math_expm1")));
  EXPECT_THAT(text, Not(HasSubstr("#include")));
  EXPECT_LT(text.find("} Pair;"), text.find("kPowers[32]"));
}

TEST(RuntimeSource, MakesPublicFunctionsWeak) {
  std::string text = c::runtimeSource({"onnx_aot_status_text"});
  EXPECT_THAT(text, HasSubstr("ONNX_AOT_WEAK size_t onnx_aot_status_text("));
  EXPECT_THAT(text, HasSubstr("static uint64_t onnx_aot_format_status("));
}

TEST(RuntimeSource, KnowsFloatVersions) {
  EXPECT_TRUE(c::isRuntimeFunction("onnx_aot_math_erff"));
  EXPECT_TRUE(c::isRuntimeFunction("onnx_aot_math_erf"));
  EXPECT_TRUE(c::isRuntimeFunction("onnx_aot_math_powf"));
  EXPECT_FALSE(c::isRuntimeFunction("onnx_aot_math_gamma"));
}
