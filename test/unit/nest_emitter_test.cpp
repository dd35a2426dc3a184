// The loops that the nest emitter makes, executed: random small nests under random strategies, compared with plain
// loops. Values are small integers, so that sums are exact in any order; what lies between and behind the elements that
// are written must stay as it was. Half of them know their extents and strides only at run time.

#include "codegen/cpu/CpuTargetModel.h"
#include "codegen/cpu/NestEmitter.h"
#include "codegen/cpu/TargetMachine.h"
#include "compiler/Pipeline.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ThreadSafeModule.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include "gtest/gtest.h"

#include <limits>
#include <random>

using namespace mlir;
using namespace onnx_aot;

namespace {

using Coefficients = std::vector<int64_t>; // of the nest's dims, for one result of an indexing map

/// An operand: one linear expression per dim, and the layout of the buffer.
struct Operand {
  std::vector<Coefficients> map;
  std::vector<int64_t> shape, strides;
  int64_t offset = 0, elements = 0;
  bool isSlice = false;
  std::vector<bool> dynamicSizes, dynamicStrides; // empty: all are static

  int64_t address(const std::vector<int64_t> &point) const {
    int64_t at = offset;
    for (size_t result = 0; result < map.size(); ++result)
      for (size_t dim = 0; dim < point.size(); ++dim)
        at += map[result][dim] * point[dim] * strides[result];
    return at;
  }
};

enum class Body { MultiplyAdd, Sum, Maximum, MultiplyAddBias, Copy, Subtract, Position };

struct Nest {
  Body body;
  std::vector<int64_t> extents;
  std::vector<bool> reduction;
  std::vector<Operand> operands; // the destination last
  int64_t vector = -1, width = 1, vectors = 1, row = -1, rows = 1;
  bool inPlace = false;

  bool isDynamic() const { return !operands[0].dynamicSizes.empty(); }
  bool isKernel() const { return body <= Body::MultiplyAddBias; }
};

class Generator {
public:
  /// Extents are at least `least`.
  explicit Generator(uint64_t seed, int64_t least = 1) : random(seed), least(least) {}

  int64_t between(int64_t low, int64_t high) { return low + int64_t(random() % uint64_t(high - low + 1)); }

  /// C[m][n] = sum of A[m][k] * B[k][n], any operand transposed, with a bias or without.
  Nest matmul() { return matmul({between(least, 9), between(least, 21), between(0, 20)}); }
  Nest matmul(const std::vector<int64_t> &extents) {
    Nest nest;
    nest.body = between(0, 1) ? Body::MultiplyAdd : Body::MultiplyAddBias;
    nest.extents = extents;
    nest.reduction = {false, false, true};
    nest.operands = {operand(nest, {0, 2}), operand(nest, {2, 1})};
    if (nest.body == Body::MultiplyAddBias)
      nest.operands.push_back(operand(nest, {int(between(0, 1))}));
    nest.operands.push_back(operand(nest, {0, 1}));
    return nest;
  }

  /// Y[o][h][w] = sum of X[c][h * s + i * d][w * s + j * d] * W[o][c][i][j]
  Nest convolution() {
    Nest nest;
    nest.body = Body::MultiplyAdd;
    nest.extents = {between(1, 9), between(1, 4), between(1, 13), between(1, 4), between(1, 3), between(1, 3)};
    nest.reduction = {false, false, false, true, true, true};
    int64_t stride = between(1, 2), dilation = between(1, 2);
    Operand image;
    image.map = {{0, 0, 0, 1, 0, 0}, {0, stride, 0, 0, dilation, 0}, {0, 0, stride, 0, 0, dilation}};
    layOut(image, nest);
    nest.operands = {image, operand(nest, {0, 3, 4, 5}), operand(nest, {0, 1, 2})};
    return nest;
  }

  /// A sum or maximum over any of three dims.
  Nest reductionNest() {
    Nest nest;
    nest.body = between(0, 1) ? Body::Sum : Body::Maximum;
    nest.extents = {between(least, 6), between(least, 18), between(least, 18)};
    nest.reduction = {bool(between(0, 1)), bool(between(0, 1)), bool(between(0, 1))};
    std::vector<int> kept;
    for (int dim = 0; dim < 3; ++dim)
      if (!nest.reduction[dim])
        kept.push_back(dim);
    nest.operands = {operand(nest, {0, 1, 2}), operand(nest, kept)};
    return nest;
  }

  /// A transposed or broadcast input, in place where the places agree.
  Nest elementwise() {
    Nest nest;
    nest.body = Body(between(int(Body::Copy), int(Body::Position)));
    nest.extents = {between(least, 4), between(least, 19), between(least, 19)};
    nest.reduction = {false, false, false};
    std::vector<int> all = {0, 1, 2};
    nest.operands = {operand(nest, shuffled(all))};
    if (nest.body == Body::Subtract)
      nest.operands.push_back(operand(nest, between(0, 1) ? std::vector<int>{int(between(0, 2))} : shuffled(all)));
    nest.inPlace = between(0, 2) == 0;
    nest.operands.push_back(nest.inPlace ? nest.operands[0] : operand(nest, all));
    return nest;
  }

  /// Any strategy, also one whose tile is larger than the nest.
  void chooseStrategy(Nest &nest) {
    int64_t dims = nest.extents.size();
    nest.vector = between(-1, dims - 1);
    nest.width = std::max<int64_t>(1, between(0, 2) * 4);
    nest.vectors = between(1, 3);
    nest.row = between(-1, dims - 1);
    if (nest.row == nest.vector)
      nest.row = -1;
    nest.rows = nest.row < 0 ? 1 : between(1, 4);
  }

  /// Any extents and strides become values of the run, and an input that is a slice may repeat one element.
  void makeDynamic(Nest &nest) {
    for (size_t i = 0; i < nest.operands.size(); ++i) {
      Operand &operand = nest.operands[i];
      for (size_t dim = 0; dim < operand.shape.size(); ++dim) {
        operand.dynamicSizes.push_back(between(0, 3) != 0);
        operand.dynamicStrides.push_back(between(0, 2) != 0);
      }
      bool repeats = operand.isSlice && !nest.inPlace && !operand.shape.empty() && i + 1 < nest.operands.size();
      if (repeats && between(0, 2) == 0)
        operand.strides.back() = 0, operand.dynamicStrides.back() = true;
    }
    if (nest.inPlace)
      nest.operands.back() = nest.operands[0];
  }

private:
  std::vector<int> shuffled(std::vector<int> dims) {
    std::shuffle(dims.begin(), dims.end(), random);
    return dims;
  }

  Operand operand(const Nest &nest, const std::vector<int> &dims) {
    Operand result;
    for (int dim : dims) {
      Coefficients coefficients(nest.extents.size(), 0);
      coefficients[dim] = 1;
      result.map.push_back(coefficients);
    }
    layOut(result, nest);
    return result;
  }

  /// Row-major; every third operand is a slice of something larger.
  void layOut(Operand &operand, const Nest &nest) {
    bool isSlice = operand.isSlice = between(0, 2) == 0;
    int64_t stride = 1, last = 0;
    for (const Coefficients &coefficients : operand.map) {
      bool empty = false;
      int64_t extent = 1;
      for (size_t dim = 0; dim < coefficients.size(); ++dim) {
        extent += coefficients[dim] * (nest.extents[dim] - 1);
        empty |= coefficients[dim] != 0 && nest.extents[dim] == 0;
      }
      operand.shape.push_back(empty ? 0 : extent);
    }
    operand.strides.assign(operand.shape.size(), 1);
    for (size_t dim = operand.shape.size(); dim-- > 0;) {
      operand.strides[dim] = stride;
      last += stride * std::max<int64_t>(operand.shape[dim] - 1, 0);
      stride *= std::max<int64_t>(operand.shape[dim], 1) + (isSlice ? between(0, 2) : 0);
    }
    operand.offset = isSlice ? between(0, 5) : 0;
    operand.elements = operand.offset + last + 1;
  }

  std::mt19937_64 random;
  int64_t least;
};

//===- The nest as text -------------------------------------------------------------------------------------------===//

std::string join(size_t count, llvm::function_ref<std::string(size_t)> item, StringRef separator = ", ") {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text += (i ? separator.str() : "") + item(i);
  return text;
}

std::string typeOf(const Operand &operand) {
  std::string text = "memref<";
  for (int64_t extent : operand.shape)
    text += std::to_string(extent) + "x";
  // The strides of what is empty do not matter, and no ABI has them.
  if (llvm::is_contained(operand.shape, 0))
    return text + "f32>";
  text += "f32, strided<[" +
          join(operand.strides.size(), [&](size_t i) { return std::to_string(operand.strides[i]); }) + "]";
  return text + (operand.offset ? ", offset: " + std::to_string(operand.offset) : "") + ">>";
}

std::string mapOf(const Operand &operand, size_t dims) {
  auto dim = [](size_t i) { return "d" + std::to_string(i); };
  return "affine_map<(" + join(dims, dim) + ") -> (" +
         join(operand.map.size(),
              [&](size_t result) {
                std::string text;
                for (size_t i = 0; i < dims; ++i)
                  if (operand.map[result][i])
                    text += (text.empty() ? "" : " + ") + dim(i) + " * " + std::to_string(operand.map[result][i]);
                return text;
              }) +
         ")>";
}

/// Makes operand `index`, of whose layout parts are elements of %dims, from its base. `dims` gets the elements.
std::string makeDynamicOperand(const Operand &operand, size_t index, std::vector<int64_t> &dims, std::string &type) {
  std::string text, name = std::to_string(index);
  auto load = [&](int64_t value) {
    std::string at = std::to_string(dims.size());
    dims.push_back(value);
    text += "%c" + at + " = arith.constant " + at + " : index\n%v" + at + " = memref.load %dims[%c" + at +
            "] : memref<64xindex>\n";
    return "%v" + at;
  };
  size_t rank = operand.shape.size();
  std::vector<std::string> sizes(rank), strides(rank, "1");
  std::string shape, stridedLayout;
  for (size_t dim = 0; dim < rank; ++dim) {
    sizes[dim] = operand.dynamicSizes[dim] ? load(operand.shape[dim]) : std::to_string(operand.shape[dim]);
    shape += (operand.dynamicSizes[dim] ? "?" : sizes[dim]) + "x";
  }
  for (size_t dim = rank; dim-- > 0;) {
    bool isDynamic = operand.dynamicStrides[dim];
    if (operand.isSlice) {
      strides[dim] = isDynamic ? load(operand.strides[dim]) : std::to_string(operand.strides[dim]);
      stridedLayout = (isDynamic ? "?" : strides[dim]) + (stridedLayout.empty() ? "" : ", ") + stridedLayout;
    } else if (dim + 1 < rank) {
      auto value = [&](const std::string &of) {
        if (of[0] == '%')
          return of;
        std::string constant = "%k" + name + "_" + std::to_string(text.size());
        text += constant + " = arith.constant " + of + " : index\n";
        return constant;
      };
      bool isNumber = sizes[dim + 1][0] != '%' && strides[dim + 1][0] != '%';
      if (isNumber) {
        strides[dim] = std::to_string(std::stoll(sizes[dim + 1]) * std::stoll(strides[dim + 1]));
        continue;
      }
      std::string left = value(sizes[dim + 1]), right = value(strides[dim + 1]);
      strides[dim] = "%t" + name + "_" + std::to_string(dim);
      text += strides[dim] + " = arith.muli " + left + ", " + right + " : index\n";
    }
  }
  std::string offset = operand.isSlice ? load(operand.offset) : "0";
  type = "memref<" + shape + "f32" + (operand.isSlice ? ", strided<[" + stridedLayout + "], offset: ?>>" : ">");
  auto list = [&](const std::vector<std::string> &items) { return join(rank, [&](size_t i) { return items[i]; }); };
  return text + "%a" + name + " = memref.reinterpret_cast %p" + name + " to offset: [" + offset + "], sizes: [" +
         list(sizes) + "], strides: [" + list(strides) + "] : memref<f32> to " + type + "\n";
}

std::string bodyOf(Body body) {
  switch (body) {
  case Body::MultiplyAdd:
  case Body::MultiplyAddBias:
    return "%r = math.fma %b0, %b1, %acc : f32\n";
  case Body::Sum:
    return "%r = arith.addf %acc, %b0 : f32\n";
  case Body::Maximum:
    return "%r = arith.maximumf %acc, %b0 : f32\n";
  case Body::Copy:
    return "%r = arith.negf %b0 : f32\n";
  case Body::Subtract:
    return "%two = arith.constant 2.0 : f32\n%d = arith.mulf %b1, %two : "
           "f32\n%r = arith.subf %b0, %d : f32\n";
  case Body::Position:
    return "%i = linalg.index 1 : index\n%j = linalg.index 2 : index\n%s = "
           "arith.subi %i, %j : index\n"
           "%c = arith.index_cast %s : index to i32\n%f = arith.sitofp %c : "
           "i32 to f32\n%r = arith.addf %b0, %f : f32\n";
  }
  return "";
}

/// The nest as a function of its buffers and, where it is dynamic, of %dims, whose content `runtime` gets.
std::string textOf(const Nest &nest, const std::string &name, std::vector<int64_t> *runtime = nullptr) {
  size_t inputs = nest.operands.size() - 1, dims = nest.extents.size();
  std::vector<std::string> types;
  std::vector<int64_t> values;
  std::string text;
  for (const Operand &operand : nest.operands) {
    types.push_back(nest.isDynamic() ? "memref<f32>" : typeOf(operand));
    text += (types.size() > 1 ? ", " : "") + std::string(nest.isDynamic() ? "%p" : "%a") +
            std::to_string(types.size() - 1) + ": " + types.back();
  }
  text = "func.func @" + name + "(" + text + (nest.isDynamic() ? ", %dims: memref<64xindex>" : "") + ") {\n";
  if (nest.isDynamic())
    for (size_t i = 0; i <= inputs; ++i)
      text += makeDynamicOperand(nest.operands[i], i, values, types[i]);
  if (runtime)
    *runtime = values;
  auto type = [&](size_t i) { return types[i]; };
  std::string maps = "[" + join(inputs + 1, [&](size_t i) { return mapOf(nest.operands[i], dims); }) + "]";
  std::string iterators =
      "[" + join(dims, [&](size_t i) { return nest.reduction[i] ? "\"reduction\"" : "\"parallel\""; }) + "]";
  std::string arguments = join(inputs, [](size_t i) { return "%b" + std::to_string(i) + ": f32, "; }, "") + "%acc: f32";
  std::string operands = " ins(" + join(inputs, [](size_t i) { return "%a" + std::to_string(i); }) + " : " +
                         join(inputs, type) + ") outs(%a" + std::to_string(inputs) + " : " + type(inputs) + ")";
  if (!nest.isKernel())
    return text + "linalg.generic {indexing_maps = " + maps + ", iterator_types = " + iterators + "}" + operands +
           " {\n^bb0(" + arguments + "):\n" + bodyOf(nest.body) + "linalg.yield %r : f32\n}\nreturn\n}\n";
  bool hasBias = nest.body == Body::MultiplyAddBias;
  return text + "aot.kernel \"test\"" + operands + " maps " + maps + " iterators " + iterators + " identity " +
         (nest.body == Body::Maximum ? "0xFF800000" : "0.0") + " : f32 compute {\n^bb0(" + arguments + "):\n" +
         bodyOf(nest.body) + "aot.yield %r : f32\n} epilogue {\n^bb0(" + arguments + "):\n" +
         (hasBias ? "%r = arith.addf %acc, %b2 : f32\naot.yield %r : f32" : "aot.yield %acc : f32") +
         "\n}\nreturn\n}\n";
}

std::string describe(const Nest &nest, const std::string &text) {
  return "vector " + std::to_string(nest.vector) + " width " + std::to_string(nest.width) + " vectors " +
         std::to_string(nest.vectors) + " row " + std::to_string(nest.row) + " rows " + std::to_string(nest.rows) +
         (nest.inPlace ? " in place\n" : "\n") + text;
}

//===- Reference --------------------------------------------------------------------------------------------------===//

void forEachPoint(const Nest &nest, bool reduction, std::vector<int64_t> &point, size_t dim,
                  llvm::function_ref<void()> visit) {
  if (dim == nest.extents.size())
    return visit();
  if (nest.reduction[dim] != reduction)
    return forEachPoint(nest, reduction, point, dim + 1, visit);
  for (point[dim] = 0; point[dim] < nest.extents[dim]; ++point[dim])
    forEachPoint(nest, reduction, point, dim + 1, visit);
  point[dim] = 0;
}

void interpret(const Nest &nest, const std::vector<std::vector<float>> &inputs, std::vector<float> &output) {
  std::vector<int64_t> point(nest.extents.size(), 0);
  forEachPoint(nest, false, point, 0, [&] {
    auto value = [&](size_t input) { return inputs[input][nest.operands[input].address(point)]; };
    float result = nest.body == Body::Maximum ? -std::numeric_limits<float>::infinity() : 0;
    if (nest.isKernel())
      forEachPoint(nest, true, point, 0, [&] {
        if (nest.body == Body::Sum)
          result += value(0);
        else if (nest.body == Body::Maximum)
          result = std::max(result, value(0));
        else
          result += value(0) * value(1);
      });
    if (nest.body == Body::MultiplyAddBias)
      result += value(2);
    if (nest.body == Body::Copy)
      result = -value(0);
    if (nest.body == Body::Subtract)
      result = value(0) - 2 * value(1);
    if (nest.body == Body::Position)
      result = value(0) + float(point[1] - point[2]);
    output[nest.operands.back().address(point)] = result;
  });
}

//===- Compiled ---------------------------------------------------------------------------------------------------===//

std::unique_ptr<llvm::orc::LLJIT> compile(const std::vector<Nest> &nests) {
  std::string error, text;
  TargetSpec spec;
  spec.triple = llvm::sys::getDefaultTargetTriple();
  spec.cpu = llvm::sys::getHostCPUName().str();
  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(spec, error);
  EXPECT_TRUE(machine) << error;
  for (size_t i = 0; i < nests.size(); ++i)
    text += textOf(nests[i], "nest_" + std::to_string(i));

  DialectRegistry registry;
  registerAllOnnxAotDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  EXPECT_TRUE(module);
  if (!module || !machine)
    return nullptr;
  for (size_t i = 0; i < nests.size(); ++i) {
    auto function = module->lookupSymbol<func::FuncOp>("nest_" + std::to_string(i));
    Operation &op = *function.getBody().front().getTerminator()->getPrevNode();
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(&op);
    EXPECT_TRUE(succeeded(nest)) << describe(nests[i], textOf(nests[i], "nest"));
    if (failed(nest))
      return nullptr;
    OpBuilder builder(&op);
    emitLoopNest(builder, op.getLoc(), *nest,
                 aot::StrategyAttr::get(&context, "loops", nests[i].vector, nests[i].width, nests[i].vectors,
                                        nests[i].row, nests[i].rows, 0));
    op.erase();
  }
  PassManager passes(&context);
  CpuTargetModel target(*machine);
  buildStage(passes, Stage::Codegen, CompilerOptions(), {target});
  if (failed(passes.run(*module))) {
    ADD_FAILURE() << "the codegen stage failed";
    return nullptr;
  }
  auto llvmContext = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(*module, *llvmContext);
  EXPECT_TRUE(llvmModule);
  if (!llvmModule)
    return nullptr;
  auto builder = llvm::cantFail(llvm::orc::JITTargetMachineBuilder::detectHost());
  builder.setCodeGenOptLevel(llvm::CodeGenOptLevel::None);
  auto jit = llvm::cantFail(llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(builder).create());
  llvmModule->setDataLayout(jit->getDataLayout());
  llvmModule->setTargetTriple(builder.getTargetTriple());
  llvm::cantFail(jit->addIRModule(llvm::orc::ThreadSafeModule(std::move(llvmModule), std::move(llvmContext))));
  return jit;
}

void call(llvm::orc::ExecutorAddr code, std::vector<void *> p) {
  p.resize(5); // more than a function takes do no harm
  code.toPtr<void (*)(void *, void *, void *, void *, void *)>()(p[0], p[1], p[2], p[3], p[4]);
}

/// Compiles the nests together and compares each with its reference.
void check(const std::vector<Nest> &nests) {
  std::unique_ptr<llvm::orc::LLJIT> jit = compile(nests);
  ASSERT_TRUE(jit);
  std::mt19937_64 random(7);
  for (size_t i = 0; i < nests.size(); ++i) {
    const Nest &nest = nests[i];
    std::vector<std::vector<float>> inputs;
    for (size_t operand = 0; operand + 1 < nest.operands.size(); ++operand) {
      std::vector<float> &values = inputs.emplace_back(nest.operands[operand].elements);
      for (float &value : values)
        value = float(int(random() % 17) - 8);
    }
    std::vector<float> output(nest.operands.back().elements + 16, 1234.0f);
    if (nest.inPlace)
      std::copy(inputs[0].begin(), inputs[0].end(), output.begin());
    std::vector<float> expected = output;
    interpret(nest, inputs, expected);
    std::vector<void *> pointers;
    for (std::vector<float> &values : inputs)
      pointers.push_back(values.data());
    pointers.push_back(output.data());
    if (nest.inPlace)
      pointers[0] = output.data();
    std::vector<int64_t> runtime;
    (void)textOf(nest, "nest", &runtime);
    runtime.resize(64);
    pointers.push_back(runtime.data());
    auto code = jit->lookup("nest_" + std::to_string(i));
    ASSERT_TRUE(static_cast<bool>(code));
    call(*code, pointers);
    ASSERT_EQ(output, expected) << describe(nest, textOf(nest, "nest"));
  }
}

std::vector<Nest> generate(uint64_t seed, size_t count, Nest (Generator::*make)(), bool isDynamic = false) {
  Generator generator(seed, isDynamic ? 0 : 1);
  std::vector<Nest> nests;
  while (nests.size() < count) {
    nests.push_back((generator.*make)());
    generator.chooseStrategy(nests.back());
    if (isDynamic)
      generator.makeDynamic(nests.back());
  }
  return nests;
}

TEST(NestEmitter, MatrixProducts) { check(generate(1, 150, &Generator::matmul)); }
TEST(NestEmitter, Convolutions) { check(generate(2, 100, &Generator::convolution)); }
TEST(NestEmitter, Reductions) { check(generate(3, 150, &Generator::reductionNest)); }
TEST(NestEmitter, ElementwiseOperations) { check(generate(4, 150, &Generator::elementwise)); }

TEST(NestEmitter, DynamicMatrixProducts) { check(generate(11, 150, &Generator::matmul, true)); }
TEST(NestEmitter, DynamicConvolutions) { check(generate(12, 100, &Generator::convolution, true)); }
TEST(NestEmitter, DynamicReductions) { check(generate(13, 150, &Generator::reductionNest, true)); }
TEST(NestEmitter, DynamicElementwiseOperations) { check(generate(14, 150, &Generator::elementwise, true)); }

// Every strategy of one product with rests in all directions.
TEST(NestEmitter, AllStrategies) {
  std::vector<Nest> nests;
  Nest nest = Generator(5).matmul({7, 19, 11});
  for (int64_t vector = -1; vector < 3; ++vector)
    for (int64_t width : {1, 4, 8})
      for (int64_t row = -1; row < 2; ++row)
        for (int64_t rows = 1; rows <= 4; ++rows) {
          if (row == vector || (row < 0 && rows > 1))
            continue;
          nest.vector = vector, nest.width = width, nest.vectors = 1 + rows % 2, nest.row = row, nest.rows = rows;
          nests.push_back(nest);
        }
  check(nests);
}

} // namespace
