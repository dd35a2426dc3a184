//===- MatrixFragments.cpp - operands and products of the matrix units --------------------------------------------===//
//
// See MatrixFragments.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/MatrixFragments.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

static constexpr int64_t kShape[] = {16, 8, 16}, kWideShape[] = {16, 8, 8};

/// nvgpu has no word for bfloat16: pairs are registers of 32 bits.
static Value multiplyBrain(ImplicitLocOpBuilder &b, Value left, Value right, Value sum) {
  auto registersOf = [&](Value pairs) {
    SmallVector<Value> registers;
    for (int64_t i = 0; i < cast<VectorType>(pairs.getType()).getDimSize(0); ++i) {
      Value pair = vector::ExtractOp::create(b, pairs, i);
      Value word = vector::BitCastOp::create(b, VectorType::get({1}, b.getI32Type()), pair);
      registers.push_back(vector::ExtractOp::create(b, word, 0));
    }
    return registers;
  };
  SmallVector<Value> sums;
  for (int64_t i : {0, 1})
    for (int64_t j : {0, 1})
      sums.push_back(vector::ExtractOp::create(b, sum, ArrayRef<int64_t>{i, j}));
  Type f32 = b.getF32Type();
  auto result = NVVM::MmaOp::create(b, LLVM::LLVMStructType::getLiteral(b.getContext(), {f32, f32, f32, f32}),
                                    registersOf(left), registersOf(right), sums, ArrayRef<int64_t>(kShape),
                                    std::nullopt, std::nullopt, std::array{NVVM::MMATypes::bf16, NVVM::MMATypes::bf16},
                                    std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  for (int64_t i = 0; i < 4; ++i)
    sum = vector::InsertOp::create(b, LLVM::ExtractValueOp::create(b, result, i), sum, ArrayRef<int64_t>{i / 2, i % 2});
  return sum;
}

Value onnx_aot::multiplyFragments(ImplicitLocOpBuilder &b, Value left, Value right, Value sum) {
  Type element = cast<VectorType>(left.getType()).getElementType();
  if (element.isBF16())
    return multiplyBrain(b, left, right, sum);
  bool isWide = element.isF32();
  return nvgpu::MmaSyncOp::create(b, left, right, sum, ArrayRef<int64_t>(isWide ? kWideShape : kShape), isWide);
}
