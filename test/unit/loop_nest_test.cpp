// The strided view of structured operations: merged and unit dims, and the strides of windows, transpositions,
// broadcasts and slices.

#include "compiler/Pipeline.h"
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace onnx_aot;
using testing::ElementsAre;

namespace {

class LoopNestTest : public testing::Test {
protected:
  LoopNestTest() {
    DialectRegistry registry;
    registerAllOnnxAotDialects(registry);
    context.appendDialectRegistry(registry);
  }

  /// The nest of the only structured operation in a function with these arguments.
  FailureOr<aot::LoopNest> nestOf(std::string arguments, std::string body) {
    module = parseSourceString<ModuleOp>("func.func @f(" + arguments + ") {\n" + body + "\nreturn\n}", &context);
    EXPECT_TRUE(module);
    FailureOr<aot::LoopNest> nest = failure();
    if (module)
      module->walk([&](Operation *op) {
        if (isa<aot::KernelOp, linalg::GenericOp>(op))
          nest = aot::LoopNest::of(op);
      });
    return nest;
  }

  /// A copy by two maps.
  FailureOr<aot::LoopNest> copyNest(std::string x, std::string y, std::string from, std::string to, int dims,
                                    std::string value = "%in") {
    std::string iterators = "\"parallel\"";
    for (int i = 1; i < dims; ++i)
      iterators += ", \"parallel\"";
    return nestOf("%x: " + x + ", %y: " + y, "linalg.generic {indexing_maps = [affine_map<" + from + ">, affine_map<" +
                                                 to + ">], iterator_types = [" + iterators + "]} ins(%x : " + x +
                                                 ") outs(%y : " + y + ") {\n^bb0(%in: f32, %out: f32):\n" +
                                                 "linalg.yield " + value + " : f32 }");
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_F(LoopNestTest, DenseDimsMerge) {
  auto nest = copyNest("memref<4x6x8xf32>", "memref<4x6x8xf32>", "(a, b, c) -> (a, b, c)", "(a, b, c) -> (a, b, c)", 3);
  ASSERT_TRUE(succeeded(nest));
  ASSERT_EQ(nest->dims.size(), 1u);
  EXPECT_EQ(nest->dims[0].extent, 192);
  EXPECT_THAT(nest->dims[0].original, ElementsAre(0u, 1u, 2u));
  EXPECT_THAT(nest->output.strides, ElementsAre(1));
  EXPECT_EQ(nest->dimOf(1), 0);
}

TEST_F(LoopNestTest, UnitDimsVanish) {
  auto nest = copyNest("memref<1x6x1xf32>", "memref<1x6x1xf32>", "(a, b, c) -> (a, b, c)", "(a, b, c) -> (a, b, c)", 3);
  ASSERT_TRUE(succeeded(nest));
  ASSERT_EQ(nest->dims.size(), 1u);
  EXPECT_THAT(nest->dims[0].original, ElementsAre(1u));
  EXPECT_EQ(nest->dimOf(0), -1);
}

TEST_F(LoopNestTest, TranspositionKeepsItsDims) {
  auto nest = copyNest("memref<6x4xf32>", "memref<4x6xf32>", "(a, b) -> (b, a)", "(a, b) -> (a, b)", 2);
  ASSERT_TRUE(succeeded(nest));
  EXPECT_THAT(nest->inputs[0].strides, ElementsAre(1, 4));
  EXPECT_THAT(nest->output.strides, ElementsAre(6, 1));
}

// Only the dims along which the input is constant merge.
TEST_F(LoopNestTest, BroadcastHasStrideZero) {
  auto nest = copyNest("memref<8xf32>", "memref<4x6x8xf32>", "(a, b, c) -> (c)", "(a, b, c) -> (a, b, c)", 3);
  ASSERT_TRUE(succeeded(nest));
  ASSERT_EQ(nest->dims.size(), 2u);
  EXPECT_EQ(nest->dims[0].extent, 24);
  EXPECT_THAT(nest->inputs[0].strides, ElementsAre(0, 1));
  EXPECT_THAT(nest->output.strides, ElementsAre(8, 1));
}

TEST_F(LoopNestTest, SliceHasOffsetAndRowStride) {
  auto nest = copyNest("memref<2x3xf32, strided<[10, 2], offset: 12>>", "memref<2x3xf32>", "(a, b) -> (a, b)",
                       "(a, b) -> (a, b)", 2);
  ASSERT_TRUE(succeeded(nest));
  EXPECT_EQ(nest->inputs[0].offset, 12);
  EXPECT_THAT(nest->inputs[0].strides, ElementsAre(10, 2));
}

// A constant in a map moves the offset: only row 2 is read.
TEST_F(LoopNestTest, ConstantResultIsAnOffset) {
  auto nest = copyNest("memref<4x8xf32>", "memref<8xf32>", "(a) -> (2, a)", "(a) -> (a)", 1);
  ASSERT_TRUE(succeeded(nest));
  EXPECT_EQ(nest->inputs[0].offset, 16);
}

TEST_F(LoopNestTest, EmptyBuffersHaveStrides) {
  auto nest = copyNest("memref<4x0x2xf32>", "memref<4x0x2xf32>", "(a, b, c) -> (a, b, c)", "(a, b, c) -> (a, b, c)", 3);
  ASSERT_TRUE(succeeded(nest));
  EXPECT_EQ(nest->reductionVolume(), 1);
}

// A stride that only the run knows is a symbol of its own; with it nothing merges.
TEST_F(LoopNestTest, DynamicStrideIsASymbol) {
  auto nest =
      copyNest("memref<2x3xf32, strided<[?, 1]>>", "memref<2x3xf32>", "(a, b) -> (a, b)", "(a, b) -> (a, b)", 2);
  ASSERT_TRUE(succeeded(nest));
  ASSERT_EQ(nest->dims.size(), 2u);
  EXPECT_TRUE(nest->mayBeUnit(nest->inputs[0].strides[0]));
  EXPECT_EQ(nest->inputs[0].strides[1], 1);
}

// The extents of what is dense are known to be its strides, although nobody knows their values.
TEST_F(LoopNestTest, DynamicDenseDimsMerge) {
  auto nest =
      copyNest("memref<?x?x768xf32>", "memref<?x?x768xf32>", "(a, b, c) -> (a, b, c)", "(a, b, c) -> (a, b, c)", 3);
  ASSERT_TRUE(succeeded(nest));
  ASSERT_EQ(nest->dims.size(), 1u);
  EXPECT_EQ(nest->dims[0].extent.factor, 768);
  EXPECT_EQ(nest->dims[0].extent.symbols.size(), 2u);
  EXPECT_TRUE(nest->dims[0].extent.isMultipleOf(8));
}

// One operand's type tells the extent for all of them.
TEST_F(LoopNestTest, StaticExtentWins) {
  auto nest = copyNest("memref<4x6xf32>", "memref<?x?xf32>", "(a, b) -> (a, b)", "(a, b) -> (a, b)", 2);
  ASSERT_TRUE(succeeded(nest));
  ASSERT_EQ(nest->dims.size(), 1u);
  EXPECT_EQ(nest->dims[0].extent, 24);
  EXPECT_THAT(nest->output.strides, ElementsAre(1));
}

TEST_F(LoopNestTest, DynamicTranspositionKeepsItsDims) {
  auto nest = copyNest("memref<?x4xf32>", "memref<4x?xf32>", "(a, b) -> (b, a)", "(a, b) -> (a, b)", 2);
  ASSERT_TRUE(succeeded(nest));
  ASSERT_EQ(nest->dims.size(), 2u);
  EXPECT_THAT(nest->inputs[0].strides, ElementsAre(1, 4));
  EXPECT_EQ(nest->output.strides[0], nest->dims[1].extent);
}

// Sizes are followed to the value that they come from.
TEST_F(LoopNestTest, StridesOfAViewAreProducts) {
  auto nest = nestOf("%p: memref<f32>, %n: index, %m: index, %y: memref<?x?xf32>", R"(
    %mn = arith.muli %m, %n : index
    %x = memref.reinterpret_cast %p to offset: [0], sizes: [%mn, %n], strides: [%n, 1]
        : memref<f32> to memref<?x?xf32, strided<[?, 1]>>
    linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>],
        iterator_types = ["parallel", "parallel"]}
        ins(%x : memref<?x?xf32, strided<[?, 1]>>) outs(%y : memref<?x?xf32>) {
    ^bb0(%in: f32, %out: f32):
      linalg.yield %in : f32
    })");
  ASSERT_TRUE(succeeded(nest));
  EXPECT_EQ(nest->dims.size(), 1u);
}

TEST_F(LoopNestTest, ModularMapIsRefused) {
  auto nest = copyNest("memref<2xf32>", "memref<8xf32>", "(a) -> (a mod 2)", "(a) -> (a)", 1);
  EXPECT_TRUE(failed(nest));
}

// What reads its destination is not a function of its inputs alone.
TEST_F(LoopNestTest, ReadingTheDestinationIsRefused) {
  auto nest = copyNest("memref<8xf32>", "memref<8xf32>", "(a) -> (a)", "(a) -> (a)", 1, "%out");
  EXPECT_TRUE(failed(nest));
}

constexpr const char *kSum = R"(compute {
    ^bb0(%l: f32, %r: f32, %acc: f32):
      %0 = math.fma %l, %r, %acc : f32
      aot.yield %0 : f32
    } epilogue {
    ^bb0(%l: f32, %r: f32, %acc: f32):
      aot.yield %acc : f32
    })";

// A 3x3 window with stride 2: the input's row stride serves both `oh` and `kh`; windows and sums never merge with what
// is parallel.
TEST_F(LoopNestTest, ConvolutionWindow) {
  auto nest = nestOf("%x: memref<4x9x9xf32>, %w: memref<8x4x3x3xf32>, %y: memref<8x4x4xf32>",
                     std::string(
                         R"(aot.kernel "conv" ins(%x, %w : memref<4x9x9xf32>, memref<8x4x3x3xf32>)
        outs(%y : memref<8x4x4xf32>)
        maps [affine_map<(o, h, w, c, i, j) -> (c, h * 2 + i, w * 2 + j)>,
              affine_map<(o, h, w, c, i, j) -> (o, c, i, j)>, affine_map<(o, h, w, c, i, j) -> (o, h, w)>]
        iterators ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
        identity 0.0 : f32 )") +
                         kSum);
  ASSERT_TRUE(succeeded(nest));
  EXPECT_THAT(nest->inputs[0].strides, ElementsAre(0, 18, 2, 81, 9, 1));
  EXPECT_THAT(nest->inputs[1].strides, ElementsAre(36, 0, 0, 9, 3, 1));
  EXPECT_THAT(nest->output.strides, ElementsAre(16, 4, 1, 0, 0, 0));
  EXPECT_EQ(nest->reductionVolume(), 36);
  EXPECT_TRUE(nest->hasReduction());
  EXPECT_NE(nest->combiner(), nullptr);
  EXPECT_TRUE(nest->inputs[0].inCompute);
  EXPECT_FALSE(nest->inputs[0].inEpilogue);
}

// A 1x1 convolution is a matrix product: its spatial dims merge.
TEST_F(LoopNestTest, PointwiseConvolutionMerges) {
  auto nest = nestOf("%x: memref<4x9x9xf32>, %w: memref<8x4x1x1xf32>, %y: memref<8x9x9xf32>",
                     std::string(
                         R"(aot.kernel "conv" ins(%x, %w : memref<4x9x9xf32>, memref<8x4x1x1xf32>)
        outs(%y : memref<8x9x9xf32>)
        maps [affine_map<(o, h, w, c, i, j) -> (c, h + i, w + j)>,
              affine_map<(o, h, w, c, i, j) -> (o, c, i, j)>, affine_map<(o, h, w, c, i, j) -> (o, h, w)>]
        iterators ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
        identity 0.0 : f32 )") +
                         kSum);
  ASSERT_TRUE(succeeded(nest));
  ASSERT_EQ(nest->dims.size(), 3u);
  EXPECT_EQ(nest->dims[1].extent, 81);
  EXPECT_THAT(nest->inputs[0].strides, ElementsAre(0, 1, 81));
}

} // namespace
