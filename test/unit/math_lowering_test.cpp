// The code that aot-lower-math makes, executed: every function on vectors, compared with the C library's long double
// version in units in the last place, with and without the instructions that a target may lack; and compiled for other
// targets, to see that no libm function is referenced.

#include "codegen/RuntimeLink.h"
#include "codegen/cpu/LowerMath.h"
#include "codegen/cpu/TargetMachine.h"
#include "runtime_lib/math/functions.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace mlir;
using namespace onnx_aot;

namespace {

constexpr int kLanes = 8;
constexpr double kInf = std::numeric_limits<double>::infinity();

double ulpError(float got, long double want) {
  float rounded = static_cast<float>(want);
  if (std::isnan(want))
    return std::isnan(got) ? 0 : kInf;
  if (std::isnan(got))
    return kInf;
  if (got == rounded)
    return want == 0 && std::signbit(got) != std::signbit(want) ? kInf : 0;
  if (std::isinf(got))
    got = std::copysign(std::numeric_limits<float>::max(), got);
  int exponent;
  std::frexp(want, &exponent);
  exponent = std::max(exponent - 24, -149);
  return static_cast<double>(std::fabs(std::ldexp(static_cast<long double>(got) - want, -exponent)));
}

/// A function of the test module: loads its operands of type `type` from one buffer, stores the result to another.
std::string function(StringRef name, StringRef type, int operands, StringRef body, StringRef result = "") {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << "func.func @" << name << "(%in: !llvm.ptr, %out: !llvm.ptr) {\n";
  for (int i = 0; i < operands; ++i)
    out << "  %p" << i << " = llvm.getelementptr %in[" << i << "] : (!llvm.ptr) -> !llvm.ptr, " << type << "\n  %x" << i
        << " = llvm.load %p" << i << " {alignment = 2 : i64} : !llvm.ptr -> " << type << "\n";
  out << "  " << body << "\n  llvm.store %r, %out {alignment = 2 : i64} : " << (result.empty() ? type : result)
      << ", !llvm.ptr\n  return\n}\n";
  return text;
}

std::string unary(StringRef op, StringRef type) {
  return function(op, type, 1, ("%r = math." + op + " %x0 : " + type).str());
}

struct Compiled {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::Module> module;
  std::unique_ptr<llvm::TargetMachine> machine;
};

/// The text through the pass, LLVM's dialect and LLVM IR, with the runtime linked in and optimised for the target.
Compiled compile(StringRef text, TargetSpec spec, std::optional<LowerMathOptions> options = std::nullopt,
                 OptLevel level = OptLevel::O2) {
  Compiled result;
  std::string error;
  result.machine = createTargetMachine(spec, error);
  EXPECT_TRUE(result.machine) << error;
  if (!result.machine)
    return result;

  DialectRegistry registry;
  registry.insert<arith::ArithDialect, math::MathDialect, func::FuncDialect, scf::SCFDialect, vector::VectorDialect,
                  cf::ControlFlowDialect, LLVM::LLVMDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  MLIRContext context(registry);
  context.disableMultithreading();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  EXPECT_TRUE(module);
  PassManager passes(&context);
  passes.addPass(createLowerMath(options ? *options : lowerMathOptionsFor(*result.machine)));
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(createConvertFuncToLLVMPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  passes.addPass(createUBToLLVMConversionPass());
  passes.addPass(createReconcileUnrealizedCastsPass());
  if (!module || failed(passes.run(*module))) {
    ADD_FAILURE() << "the passes failed";
    return result;
  }
  result.context = std::make_unique<llvm::LLVMContext>();
  result.module = translateModuleToLLVMIR(*module, *result.context);
  EXPECT_TRUE(result.module);
  prepareModule(*result.module, *result.machine);
  EXPECT_FALSE(static_cast<bool>(linkRuntime(*result.module)));
  prepareModule(*result.module, *result.machine);
  optimizeModule(*result.module, *result.machine, OptOptions{level});
  return result;
}

class Jit {
public:
  Jit(StringRef text, TargetSpec spec, std::optional<LowerMathOptions> options = std::nullopt) {
    Compiled compiled = compile(text, spec, options);
    if (!compiled.module)
      return;
    auto builder = llvm::cantFail(llvm::orc::JITTargetMachineBuilder::detectHost());
    jit = llvm::cantFail(llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(builder).create());
    compiled.module->setDataLayout(jit->getDataLayout());
    llvm::cantFail(jit->addIRModule(
        llvm::orc::ThreadSafeModule(std::move(compiled.module), std::move(compiled.context))));
  }

  using Function = void (*)(const void *, void *);
  Function lookup(StringRef name) {
    if (!jit)
      return nullptr;
    auto address = jit->lookup(name);
    EXPECT_TRUE(static_cast<bool>(address)) << name.str();
    return address ? address->toPtr<Function>() : nullptr;
  }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

std::vector<float> specials() {
  using L = std::numeric_limits<float>;
  std::vector<float> values = {0, 1, 2, 3, 10, 100, 0.5f, 0.25f, 1.5f, 2.5f, 3.5f, 0.1f, L::min(), L::denorm_min(),
                               L::max(), L::infinity(), L::epsilon(), 1 + L::epsilon(), 1 - L::epsilon() / 2, 1e-39f,
                               float(M_PI), float(M_PI_2), float(M_PI_4), 65536, 65537, 1e6f, 1e22f, 0.49999997f,
                               4194303.5f, 8388607.5f, 8388609, 88.722839f, 88.72284f, 89.4f, 89.5f, 103.97f, 103.98f,
                               104.5f, 128, 127.99999f, 149, 149.5f, 150, 1e-8f, 1e-20f, 3.9f, 4, 4.1f, 9, 17.5f};
  size_t count = values.size();
  for (size_t i = 0; i < count; ++i)
    values.push_back(-values[i]);
  values.push_back(L::quiet_NaN());
  while (values.size() % kLanes)
    values.push_back(0.3f);
  return values;
}

struct Row {
  const char *op;
  long double (*reference)(long double);
  double lo, hi;
  double limit;
};

long double rsqrtl(long double x) { return 1 / sqrtl(x); }

const Row kRows[] = {
    {"exp", expl, -104, 89, 1.5},     {"exp2", exp2l, -150, 128, 1.5},  {"expm1", expm1l, -2, 2, 3},
    {"log", logl, 0, 3, 1.5},         {"log2", log2l, 0, 3, 2.5},       {"log10", log10l, 0, 3, 2.5},
    {"log1p", log1pl, -1, 2, 2.5},    {"sin", sinl, -100, 100, 2},      {"cos", cosl, -100, 100, 2},
    {"tan", tanl, -100, 100, 4},      {"asin", asinl, -1, 1, 2.5},       {"acos", acosl, -1, 1, 2},
    {"atan", atanl, -4, 4, 2},        {"sinh", sinhl, -5, 5, 3.5},      {"cosh", coshl, -5, 5, 2.5},
    {"tanh", tanhl, -4, 4, 3.5},      {"asinh", asinhl, -5, 5, 0.51},   {"acosh", acoshl, 1, 5, 0.51},
    {"atanh", atanhl, -1, 1, 0.51},   {"erf", erfl, -4, 4, 2.5},        {"erfc", erfcl, -4, 9, 0.51},
    {"cbrt", cbrtl, -10, 10, 0.51},   {"rsqrt", rsqrtl, 0, 10, 1.5},    {"sqrt", sqrtl, 0, 10, 0.5},
    {"floor", floorl, -9, 9, 0},      {"ceil", ceill, -9, 9, 0},        {"trunc", truncl, -9, 9, 0},
    {"round", roundl, -9, 9, 0},      {"roundeven", rintl, -9, 9, 0},
};

int sampleCount() {
  const char *text = std::getenv("ONNX_AOT_MATH_SAMPLES");
  return text ? std::atoi(text) : 8000;
}

/// Runs every row on inputs that are multiples of the lane count, and returns the worst error.
double worstOf(Jit::Function code, const Row &row, float &where) {
  std::vector<float> inputs = specials();
  std::mt19937_64 random(2026);
  std::uniform_real_distribution<double> interval(row.lo, row.hi);
  for (int i = 0; i < sampleCount() / kLanes * kLanes; ++i) {
    uint32_t bits = static_cast<uint32_t>(random());
    float any;
    std::memcpy(&any, &bits, sizeof any);
    // Whole vectors of moderate arguments, so that the fast paths are seen, and mixed ones.
    inputs.push_back((i / kLanes) % 2 ? any : static_cast<float>(interval(random)));
  }
  double worst = 0;
  float output[kLanes];
  for (size_t i = 0; i < inputs.size(); i += kLanes) {
    code(&inputs[i], output);
    for (int lane = 0; lane < kLanes; ++lane) {
      double error = ulpError(output[lane], row.reference(inputs[i + lane]));
      if (!(error <= worst)) {
        worst = error;
        where = inputs[i + lane];
      }
    }
  }
  return worst;
}

void checkAllRows(Jit &jit, const char *label) {
  for (const Row &row : kRows) {
    auto code = jit.lookup(row.op);
    ASSERT_TRUE(code) << row.op;
    float where = 0;
    double worst = worstOf(code, row, where);
    EXPECT_LE(worst, row.limit) << label << " " << row.op << " at " << std::hexfloat << where;
    if (std::getenv("ONNX_AOT_MATH_SAMPLES"))
      std::printf("%-9s %-10s %.3f ulp at %a\n", label, row.op, worst, where);
  }
}

std::string allRows() {
  std::string text;
  for (const Row &row : kRows)
    text += unary(row.op, "vector<8xf32>");
  return text;
}

TargetSpec hostLevel(const char *cpu) {
  TargetSpec spec;
  spec.triple = "x86_64-unknown-linux-gnu";
  spec.cpu = cpu;
  return spec;
}

#if defined(__x86_64__)

TEST(MathLowering, VectorsWithAllInstructions) {
  Jit jit(allRows(), hostLevel("x86-64-v3"));
  checkAllRows(jit, "v3");
}

TEST(MathLowering, VectorsWithBaselineInstructions) {
  Jit jit(allRows(), hostLevel("x86-64"));
  checkAllRows(jit, "v1");
}

TEST(MathLowering, VectorsWithoutAnyInstruction) {
  LowerMathOptions none;
  none.hardwareRounding = none.hardwareFma = none.hardwareSqrt = none.hardwareMinMax = false;
  none.hardwareF64 = none.hardwareF16 = false;
  Jit jit(allRows(), hostLevel("x86-64"), none);
  checkAllRows(jit, "none");
}

TEST(MathLowering, ScalarsAndOddShapes) {
  std::string cast = "%t = vector.shape_cast %x0 : vector<8xf32> to vector<2x4xf32>\n";
  std::string back = "%r = vector.shape_cast %u : vector<2x4xf32> to vector<8xf32>\n";
  std::string text = unary("exp", "f32");
  text += function("sin", "vector<8xf32>", 1, cast + "%u = math.sin %t : vector<2x4xf32>\n" + back);
  text += function("erfc", "vector<8xf32>", 1, cast + "%u = math.erfc %t : vector<2x4xf32>\n" + back);
  text += function("wide", "vector<24xf32>", 1, "%r = math.cbrt %x0 : vector<24xf32>");
  Jit jit(text, hostLevel("x86-64-v3"));
  float input[24], output[24];
  for (int i = 0; i < 24; ++i)
    input[i] = i * 0.7f - 8;
  jit.lookup("exp")(input, output);
  EXPECT_LE(ulpError(output[0], expl(input[0])), 1.5);
  jit.lookup("wide")(input, output);
  for (int i = 0; i < 24; ++i)
    EXPECT_EQ(output[i], static_cast<float>(cbrtl(input[i])));
  for (float extra : {1.0f, 1e9f}) { // the second makes every lane take the slow path
    input[5] = extra;
    jit.lookup("sin")(input, output);
    for (int i = 0; i < 8; ++i)
      EXPECT_LE(ulpError(output[i], sinl(input[i])), 1.5);
  }
  jit.lookup("erfc")(input, output);
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(output[i], static_cast<float>(erfcl(input[i])));
}

using Binary = long double (*)(long double, long double);
long double maximum(long double a, long double b) {
  if (std::isnan(a) || std::isnan(b))
    return NAN;
  return a == b ? (std::signbit(a) ? b : a) : std::max(a, b);
}
long double minimum(long double a, long double b) { return -maximum(-a, -b); }

TEST(MathLowering, BinaryOperations) {
  struct {
    const char *name, *op;
    Binary reference;
    double limit;
  } rows[] = {{"pow", "math.powf", powl, 0.51},         {"atan2", "math.atan2", atan2l, 0.51},
              {"fmod", "arith.remf", fmodl, 0},         {"maximum", "arith.maximumf", maximum, 0},
              {"minimum", "arith.minimumf", minimum, 0}};
  std::string text;
  for (auto &row : rows)
    text += function(row.name, "vector<8xf32>", 2, std::string("%r = ") + row.op + " %x0, %x1 : vector<8xf32>");
  text += function("maxnum", "vector<8xf32>", 2, "%r = arith.maxnumf %x0, %x1 : vector<8xf32>");
  text += function("minnum", "vector<8xf32>", 2, "%r = arith.minnumf %x0, %x1 : vector<8xf32>");
  LowerMathOptions none;
  none.hardwareRounding = none.hardwareFma = none.hardwareSqrt = none.hardwareMinMax = false;
  none.hardwareF64 = none.hardwareF16 = false;
  for (auto options : {std::optional<LowerMathOptions>(), std::optional<LowerMathOptions>(none)}) {
    Jit jit(text, hostLevel("x86-64-v3"), options);
    std::vector<float> values = specials();
    for (auto &row : rows) {
      auto code = jit.lookup(row.name);
      for (float y : values)
        for (size_t i = 0; i < values.size(); i += kLanes) {
          float input[2 * kLanes], output[kLanes];
          std::copy_n(&values[i], kLanes, input);
          std::fill_n(input + kLanes, kLanes, y);
          code(input, output);
          for (int lane = 0; lane < kLanes; ++lane)
            ASSERT_LE(ulpError(output[lane], row.reference(input[lane], y)), row.limit)
                << row.name << " of " << input[lane] << ", " << y << " gives " << output[lane];
        }
    }
    // fmax may return either of two zeros, so only the value is compared.
    for (float y : values)
      for (size_t i = 0; i < values.size(); i += kLanes) {
        float input[2 * kLanes], most[kLanes], least[kLanes];
        std::copy_n(&values[i], kLanes, input);
        std::fill_n(input + kLanes, kLanes, y);
        jit.lookup("maxnum")(input, most);
        jit.lookup("minnum")(input, least);
        for (int lane = 0; lane < kLanes; ++lane) {
          float a = input[lane];
          if (std::isnan(a) && std::isnan(y)) {
            ASSERT_TRUE(std::isnan(most[lane]) && std::isnan(least[lane]));
            continue;
          }
          ASSERT_EQ(most[lane], std::fmax(a, y));
          ASSERT_EQ(least[lane], std::fmin(a, y));
        }
      }
  }
}

TEST(MathLowering, ConstantPowers) {
  std::string text;
  const double exponents[] = {-2, -1, -0.5, 0, 0.5, 1, 2, 3, 4, 5, 1.5};
  int number = 0;
  for (double y : exponents)
    text += function("pow" + std::to_string(number++), "vector<8xf32>", 1,
                     "%y = arith.constant dense<" + std::to_string(y) +
                         "> : vector<8xf32>\n%r = math.powf %x0, %y : vector<8xf32>");
  Jit jit(text, hostLevel("x86-64-v3"));
  number = 0;
  for (double y : exponents) {
    auto code = jit.lookup("pow" + std::to_string(number++));
    std::vector<float> values = specials();
    for (size_t i = 0; i < values.size(); i += kLanes) {
      float output[kLanes];
      code(&values[i], output);
      for (int lane = 0; lane < kLanes; ++lane)
        EXPECT_LE(ulpError(output[lane], powl(values[i + lane], y)), 2)
            << "pow(" << values[i + lane] << ", " << y << ") = " << output[lane];
    }
  }
}

TEST(MathLowering, DoublesAndIntegers) {
  std::string text = unary("tanh", "vector<2xf64>") + unary("floor", "vector<2xf64>");
  text += function("fma", "vector<2xf64>", 3, "%r = vector.fma %x0, %x1, %x2 : vector<2xf64>");
  text += function("fpowi", "vector<2xf64>", 1,
                   "%n = arith.constant dense<-7> : vector<2xi32>\n"
                   "%r = math.fpowi %x0, %n : vector<2xf64>, vector<2xi32>");
  text += function("ipowi", "vector<4xi32>", 2, "%r = math.ipowi %x0, %x1 : vector<4xi32>");
  for (const char *cpu : {"x86-64", "x86-64-v3"}) {
    Jit jit(text, hostLevel(cpu));
    double input[6] = {0.7, -3.5, 2, 4, 1, 1}, output[2];
    jit.lookup("tanh")(input, output);
    EXPECT_DOUBLE_EQ(output[0], std::tanh(0.7));
    EXPECT_DOUBLE_EQ(output[1], std::tanh(-3.5));
    jit.lookup("floor")(input, output);
    EXPECT_EQ(output[1], -4);
    jit.lookup("fma")(input, output);
    EXPECT_DOUBLE_EQ(output[0], 2.4);
    EXPECT_EQ(output[1], -13);
    jit.lookup("fpowi")(input, output);
    EXPECT_DOUBLE_EQ(output[0], std::pow(0.7, -7));
    int32_t integers[8] = {3, -2, 7, 1, 5, 3, 0, -1}, powers[4];
    jit.lookup("ipowi")(integers, powers);
    EXPECT_EQ(powers[0], 243);
    EXPECT_EQ(powers[1], -8);
    EXPECT_EQ(powers[2], 1);
    EXPECT_EQ(powers[3], 1);
  }
}

TEST(MathLowering, SixteenBitFormats) {
  std::string text = unary("exp", "vector<8xf16>");
  text += function("exp_bf16", "vector<8xbf16>", 1, "%r = math.exp %x0 : vector<8xbf16>");
  text += function("add", "vector<8xbf16>", 1, "%r = arith.addf %x0, %x0 : vector<8xbf16>");
  text += function("from_f16", "vector<8xf16>", 1, "%r = arith.extf %x0 : vector<8xf16> to vector<8xf32>",
                   "vector<8xf32>");
  text += function("to_f16", "vector<8xf32>", 1, "%r = arith.truncf %x0 : vector<8xf32> to vector<8xf16>",
                   "vector<8xf16>");
  text += function("to_bf16", "vector<8xf32>", 1, "%r = arith.truncf %x0 : vector<8xf32> to vector<8xbf16>",
                   "vector<8xbf16>");
  text += function("reduce", "vector<8xbf16>", 1, "%r = vector.reduction <maxnumf>, %x0 : vector<8xbf16> into bf16",
                   "bf16");
  text += function("from_f64", "vector<2xf64>", 1, "%r = arith.truncf %x0 : vector<2xf64> to vector<2xf16>",
                   "vector<2xf16>");
  for (const char *cpu : {"x86-64", "x86-64-v3"}) {
    Jit jit(text, hostLevel(cpu));
    auto exp = jit.lookup("exp"), expBrain = jit.lookup("exp_bf16"), add = jit.lookup("add");
    auto fromHalf = jit.lookup("from_f16");
    for (uint32_t bits = 0; bits < 0x10000; bits += kLanes) {
      uint16_t input[kLanes], output[kLanes];
      float wide[kLanes];
      for (int lane = 0; lane < kLanes; ++lane)
        input[lane] = static_cast<uint16_t>(bits + lane);
      fromHalf(input, wide);
      for (int lane = 0; lane < kLanes; ++lane) {
        float want = onnx_aot_f16_to_f32(input[lane]);
        ASSERT_TRUE(std::isnan(want) ? std::isnan(wide[lane]) : want == wide[lane]) << cpu << " " << input[lane];
      }
      exp(input, output);
      for (int lane = 0; lane < kLanes; ++lane) {
        float x = onnx_aot_f16_to_f32(input[lane]), got = onnx_aot_f16_to_f32(output[lane]);
        float want = onnx_aot_f16_to_f32(onnx_aot_f32_to_f16(std::exp(x)));
        // An f32 error can tip a tie between neighbours.
        ASSERT_TRUE(std::isnan(want) ? std::isnan(got)
                                     : got == want || std::abs(onnx_aot_f32_to_f16(want) - output[lane]) <= 1)
            << cpu << " exp(" << x << ") = " << got;
      }
      expBrain(input, output);
      for (int lane = 0; lane < kLanes; ++lane) {
        float x = onnx_aot_bf16_to_f32(input[lane]), got = onnx_aot_bf16_to_f32(output[lane]);
        uint16_t want = onnx_aot_f32_to_bf16(std::exp(x));
        ASSERT_TRUE(std::isnan(x) ? std::isnan(got) : std::abs(want - output[lane]) <= 1) << "exp(" << x << ")";
      }
      add(input, output);
      for (int lane = 0; lane < kLanes; ++lane) {
        float x = onnx_aot_bf16_to_f32(input[lane]);
        if (!std::isnan(x)) {
          ASSERT_EQ(output[lane], onnx_aot_f32_to_bf16(x + x));
        }
      }
    }
    std::mt19937_64 random(7);
    auto toHalf = jit.lookup("to_f16"), toBrain = jit.lookup("to_bf16"), fromDouble = jit.lookup("from_f64");
    for (int i = 0; i < 20000; ++i) {
      uint32_t bits[kLanes];
      float input[kLanes];
      uint16_t half[kLanes], brain[kLanes];
      for (int lane = 0; lane < kLanes; ++lane) // mostly exponents within reach of f16
        bits[lane] = i % 4 ? (static_cast<uint32_t>(random()) & 0x8fffffff) | 0x30000000 : random();
      std::memcpy(input, bits, sizeof input);
      toHalf(input, half);
      toBrain(input, brain);
      for (int lane = 0; lane < kLanes; ++lane) {
        if (std::isnan(input[lane])) {
          ASSERT_TRUE(std::isnan(onnx_aot_f16_to_f32(half[lane])) && std::isnan(onnx_aot_bf16_to_f32(brain[lane])));
          continue;
        }
        ASSERT_EQ(half[lane], onnx_aot_f32_to_f16(input[lane])) << cpu << " " << input[lane];
        ASSERT_EQ(brain[lane], onnx_aot_f32_to_bf16(input[lane]));
      }
    }
    const uint16_t brains[kLanes] = {0xbf80, 0x3f80, 0x7fc0, 0x4000, 0xc000, 0, 0x8000, 0x3f00};
    uint16_t most;
    jit.lookup("reduce")(brains, &most);
    EXPECT_EQ(most, 0x4000); // 2; the NaN is ignored
    // Just above the middle of 1 and its successor, by less than an f32 can tell: one rounding gives the successor.
    double doubles[2] = {1 + 0x1p-11 + 0x1p-40, -(1 + 0x1p-11)};
    uint16_t half[2];
    fromDouble(doubles, half);
    EXPECT_EQ(half[0], 0x3c01);
    EXPECT_EQ(half[1], 0xbc00);
  }
}

#endif // __x86_64__

std::string identifier(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return text;
}

/// The undefined symbols of the module's object code.
std::vector<std::string> undefinedSymbols(Compiled &compiled) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager codegen;
  EXPECT_FALSE(compiled.machine->addPassesToEmitFile(codegen, stream, nullptr, llvm::CodeGenFileType::ObjectFile));
  codegen.run(*compiled.module);
  llvm::SmallVectorMemoryBuffer buffer(std::move(bytes), false);
  auto object = llvm::cantFail(llvm::object::ObjectFile::createObjectFile(buffer.getMemBufferRef()));
  std::vector<std::string> names;
  for (const auto &symbol : object->symbols())
    if (llvm::cantFail(symbol.getFlags()) & llvm::object::SymbolRef::SF_Undefined)
      names.push_back(llvm::cantFail(symbol.getName()).str());
  return names;
}

TEST(MathLowering, NoTargetReferencesLibm) {
  std::string text;
  for (const Row &row : kRows) {
    std::string op = row.op;
    for (std::string type : {"f32", "f64", "f16", "vector<4xf32>"}) {
      // The formats differ only where an operation may stay one.
      bool mayStay = StringRef("sqrt floor ceil trunc round roundeven").contains(op) || op == "exp";
      if (!mayStay && type != "f32" && type != "f64")
        continue;
      std::string name = identifier(op + "_" + type);
      text += function(name, type, 1, "%r = math." + op + " %x0 : " + type);
    }
  }
  const char *binary[] = {"math.powf", "math.atan2", "arith.remf", "arith.maximumf", "arith.minimumf", "arith.maxnumf",
                          "arith.minnumf", "math.copysign"};
  for (std::string op : binary)
    for (std::string type : {"f32", "f64", "f16", "bf16", "vector<4xf32>", "vector<2xf64>"}) {
      std::string name = identifier(op + "_" + type);
      text += function(name, type, 2, "%r = " + op + " %x0, %x1 : " + type);
    }
  for (std::string type : {"f32", "f64", "f16", "vector<4xf32>"}) {
    std::string name = "fma_" + type.substr(0, 6);
    text += function(name == "fma_vector" ? "fma_v" : name, type, 3, "%r = math.fma %x0, %x1, %x2 : " + type);
  }
  for (std::string kind : {"add", "maximumf", "minnumf"})
    for (std::string element : {"f32", "f64", "f16", "bf16"})
      text += function("reduce_" + kind + "_" + element, "vector<4x" + element + ">", 1,
                       "%r = vector.reduction <" + kind + ">, %x0 : vector<4x" + element + "> into " + element,
                       element);
  text += function("vfma", "vector<4xf32>", 3, "%r = vector.fma %x0, %x1, %x2 : vector<4xf32>");
  text += function("f64_to_f16", "f64", 1, "%r = arith.truncf %x0 : f64 to f16", "f16");
  text += function("f64_to_bf16", "f64", 1, "%r = arith.truncf %x0 : f64 to bf16", "bf16");
  text += function("f16_to_f64", "f16", 1, "%r = arith.extf %x0 : f16 to f64", "f64");

  const TargetSpec targets[] = {{"x86_64-unknown-linux-gnu", "x86-64-v3", "", ""},
                                {"x86_64-unknown-linux-gnu", "x86-64", "", ""},
                                {"aarch64-unknown-linux-gnu", "generic", "", ""},
                                {"thumbv7em-none-eabihf", "cortex-m4", "", "hard"},
                                {"thumbv7em-none-eabihf", "cortex-m7", "", "hard"},
                                {"thumbv6m-none-eabi", "cortex-m0", "", ""},
                                {"riscv64-unknown-linux-gnu", "generic-rv64", "+m,+f,+d", ""},
                                {"riscv32-unknown-elf", "generic-rv32", "+m", ""}};
  for (const TargetSpec &target : targets) {
    Compiled compiled = compile(text, target, std::nullopt, OptLevel::Os);
    ASSERT_TRUE(compiled.module) << target.triple;
    for (const std::string &name : undefinedSymbols(compiled)) {
      StringRef symbol = name;
      bool isBuiltin = symbol.starts_with("__") || symbol.starts_with("mem") || symbol.empty();
      EXPECT_TRUE(isBuiltin) << target.triple << " " << target.cpu << " references " << name;
      // Formats of 16 bits are converted inline: not every libgcc has those.
      EXPECT_FALSE(symbol.contains("hf") || symbol.contains("bf")) << target.triple << " references " << name;
    }
  }
}

} // namespace
