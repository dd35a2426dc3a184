//===- kernel_specification_test.cpp - loop nests as text for a provider
//-------------------------------------------===//

#include "compiler/Pipeline.h"
#include "dialects/aot/KernelSpecification.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace onnx_aot;

namespace {
class KernelSpecification : public testing::Test {
protected:
  KernelSpecification() {
    DialectRegistry registry;
    registerAllOnnxAotDialects(registry);
    context.appendDialectRegistry(registry);
  }

  /// The specification of a maximum over windows of 3 along `width` numbers, with this epilogue; or why there is none.
  std::string specify(std::string epilogue, std::string element = "f32", std::string width = "9") {
    std::string x = "memref<4x" + width + "x" + element + ">", y = "memref<4x7x" + element + ">";
    if (width == "?")
      y = "memref<4x?x" + element + ">";
    std::string text = "func.func @f(%x: " + x + ", %k: memref<3xi8>, %y: " + y + R"() {
      aot.kernel "pool" ins(%x, %k : )" +
                       x + ", memref<3xi8>) outs(%y : " + y + R"()
          maps [affine_map<(a, b, c) -> (a, b + c)>, affine_map<(a, b, c) -> (c)>, affine_map<(a, b, c) -> (a, b)>]
          iterators ["parallel", "parallel", "reduction"] identity 0xFF800000 : f32
          strategy <provider = "loops", vector = 1, width = 4, vectors = 1, row = 0, rows = 2>
          compute { ^bb0(%e: f32, %n: i8, %acc: f32): %m = arith.maximumf %acc, %e : f32 aot.yield %m : f32 }
          epilogue { ^bb0(%e: f32, %n: i8, %acc: f32): )" +
                       epilogue + " }\nreturn }";
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return "no module";
    std::string result;
    module->walk([&](aot::KernelOp kernel) {
      FailureOr<aot::LoopNest> nest = aot::LoopNest::of(kernel);
      std::string reason = "no nest";
      std::optional<std::string> made;
      if (succeeded(nest))
        made = aot::specifyWindow(*nest, kernel.getStrategyAttr(), reason);
      result = made.value_or(reason);
    });
    return result;
  }

  MLIRContext context;
};

TEST_F(KernelSpecification, HasDimsAddressesAndBodies) {
  EXPECT_EQ(specify("aot.yield %acc : f32"), "family window\n"
                                             "dim 4 p\n"
                                             "dim 7 p\n"
                                             "dim 3 r\n"
                                             "input 0 9 1 1\n"
                                             "output 0 7 1 0\n"
                                             "identity ff800000\n"
                                             "compute acc x0 max\n"
                                             "epilogue acc\n"
                                             "tile 1 1 0 2\n");
}

TEST_F(KernelSpecification, WritesEpiloguesInPostfix) {
  std::string text =
      specify("%h = arith.constant 6.0 : f32 %two = arith.constant 2.0 : f32 %b = math.fma %acc, %two, %h : f32 "
              "%c = arith.cmpf olt, %h, %b : f32 %r = arith.select %c, %h, %b : f32 aot.yield %r : f32");
  EXPECT_NE(text.find("epilogue c40c00000 acc c40000000 mul c40c00000 add lt c40c00000 acc c40000000 mul c40c00000 add "
                      "select\n"),
            std::string::npos)
      << text;
}

TEST_F(KernelSpecification, HasRoots) {
  std::string text = specify("%r = math.sqrt %acc : f32 aot.yield %r : f32");
  EXPECT_NE(text.find("epilogue acc sqrt\n"), std::string::npos) << text;
}

TEST_F(KernelSpecification, RefusesWhatHasNoWord) {
  EXPECT_EQ(specify("%r = math.exp %acc : f32 aot.yield %r : f32"), "its body computes math.exp");
  EXPECT_EQ(specify("%c = arith.cmpf une, %acc, %acc : f32 %r = arith.select %c, %acc, %acc : f32 aot.yield %r : f32"),
            "its body chooses by something else than an order");
  EXPECT_EQ(specify("aot.yield %acc : f32", "f32", "?"), "an extent is only known when the model runs");
}
} // namespace
