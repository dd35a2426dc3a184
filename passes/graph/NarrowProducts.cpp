//===- NarrowProducts.cpp - products of 16-bit floats -------------------------------------------------------------===//
//
// With --precision=fp16 or bf16, matrix products and convolutions of 32-bit floats take 16-bit ones, which matrix units
// multiply; their sums have 32 bits as before, their results 16. Everything else computes as it did: softmax, norms and reductions see
// 32-bit floats, and inputs and outputs keep their types. Weights are rounded here.
//
//   %y = onnx.MatMul %x, %w : f32    =>    %a = onnx.Cast %x to f16
//                                          %b = onnx.MatMul %a, %w16 : f16 ; %y = onnx.Cast %b to f32
//
// The casts become part of the kernels around them: what lies in memory between a product and the next one's operand
// has 16 bits where nothing else reads it.
//
// Before: constants are folded.  After: no product of 32-bit floats is left.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/bit.h"

namespace onnx_aot {
#define GEN_PASS_DEF_NARROWPRODUCTS
#include "passes/graph/Passes.h.inc"

using namespace mlir;
using namespace onnx;

namespace {
constexpr int64_t kFloat = 1, kFloat16 = 10, kBfloat16 = 16; // of TensorProto.DataType

/// The nearest number of `semantics`, ties to even, as its bits.
uint16_t roundTo(const llvm::fltSemantics &semantics, float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value), magnitude = bits & 0x7fffffffu;
  bool isHalf = &semantics == &llvm::APFloat::IEEEhalf();
  // What is normal in both types is a shift with a carry; the exponent of a half is 112 less.
  if (isHalf ? magnitude >= 0x38800000u && magnitude < 0x477ff000u
             : magnitude >= 0x00800000u && magnitude < 0x7f7f8000u) {
    unsigned shift = isHalf ? 13 : 16;
    uint32_t rebased = isHalf ? magnitude - 0x38000000u : magnitude;
    uint32_t rounded = (rebased + (1u << (shift - 1)) - 1 + (rebased >> shift & 1)) >> shift;
    return uint16_t((bits >> 16 & 0x8000u) | rounded);
  }
  llvm::APFloat number(value);
  bool losesInfo = false;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return uint16_t(number.bitcastToAPInt().getZExtValue());
}

struct NarrowProducts : impl::NarrowProductsBase<NarrowProducts> {
  using NarrowProductsBase::NarrowProductsBase;

  void runOnOperation() override {
    OpBuilder builder(&getContext());
    narrow = brain ? Type(builder.getBF16Type()) : Type(builder.getF16Type());
    SmallVector<Operation *> products;
    getOperation().walk([&](Operation *op) {
      auto isFloat = [](Type type) { return !type || getElementTypeOrSelf(type).isF32(); };
      if (isa<MatMulOp, GemmOp, ConvOp, ConvTransposeOp>(op) && llvm::all_of(op->getResultTypes(), isFloat))
        products.push_back(op);
    });
    for (Operation *op : products)
      convert(op);
  }

  void convert(Operation *op) {
    OpBuilder builder(op);
    for (OpOperand &operand : op->getOpOperands())
      if (auto type = dyn_cast<RankedTensorType>(operand.get().getType()))
        operand.set(narrowed(builder, operand.get(), type));
    Value result = op->getResult(0);
    auto wide = cast<RankedTensorType>(result.getType());
    result.setType(wide.clone(narrow));
    builder.setInsertionPointAfter(op);
    auto cast = CastOp::create(builder, op->getLoc(), wide, result, kFloat, 1, "up");
    result.replaceAllUsesExcept(cast, cast);
  }

  Value narrowed(OpBuilder &builder, Value value, RankedTensorType type) {
    if (Value known = rounded.lookup(value))
      return known;
    ElementsAttr constant;
    SmallVector<char> storage;
    ArrayRef<char> bytes;
    if (!matchPattern(value, m_Constant(&constant)) || !getRawBytes(constant, storage, bytes))
      return CastOp::create(builder, value.getLoc(), type.clone(narrow), value, brain ? kBfloat16 : kFloat16, 1, "up");
    const llvm::fltSemantics &semantics = cast<FloatType>(narrow).getFloatSemantics();
    const auto *numbers = reinterpret_cast<const float *>(bytes.data());
    std::vector<uint16_t> bits;
    bits.reserve(bytes.size() / sizeof(float));
    for (size_t i = 0; i < bytes.size() / sizeof(float); ++i)
      bits.push_back(roundTo(semantics, numbers[i]));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfterValue(value);
    RankedTensorType narrowType = cast<RankedTensorType>(constant.getType()).clone(narrow);
    ElementsAttr attribute = makeConstantOf(narrowType, ArrayRef<uint16_t>(bits), "narrow");
    return rounded[value] = ConstantOp::create(builder, value.getLoc(), narrowType, attribute);
  }

  Type narrow;
  DenseMap<Value, Value> rounded; // constants that several products read
};
} // namespace
} // namespace onnx_aot
