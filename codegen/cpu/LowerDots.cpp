//===- LowerDots.cpp - sums of products of bytes as the target's instructions -------------------------------------===//
//
//   name   lanes      instructions for four products per lane
//   vnni   4, 8, 16   VPDPBUSD, unsigned by signed
//   madd   4, 8, 16   VPMADDWD of the even bytes of each word, and of the odd ones, in 16 bits
//   neon   2, 4       SDOT or UDOT, equal signs
//   dsp    1          SXTB16 or UXTB16 for the even and the odd bytes of each word, and two SMLAD
//
// The words that several sums share are taken apart once: common subexpressions see to that. Everything else becomes
// extensions, multiplications and additions.
//
// Before: aot.dot on vectors of bytes.  After: none.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/LowerDots.h"
#include "codegen/cpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace onnx_aot {
#define GEN_PASS_DEF_LOWERDOTS
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;
using aot::DotOp;

static Value flipTopBits(ImplicitLocOpBuilder &b, Value bytes) {
  TypedAttr mask = b.getI8IntegerAttr(-128);
  if (auto type = dyn_cast<VectorType>(bytes.getType()))
    mask = DenseElementsAttr::get(type, cast<Attribute>(mask));
  return arith::XOrIOp::create(b, bytes, arith::ConstantOp::create(b, mask));
}

static Value leftOf(ImplicitLocOpBuilder &b, DotOp dot) {
  return dot.getFlipsA() ? flipTopBits(b, dot.getA()) : dot.getA();
}

static Value extend(ImplicitLocOpBuilder &b, Value bytes, bool isUnsigned) {
  Type type = b.getI32Type();
  if (auto vector = dyn_cast<VectorType>(bytes.getType()))
    type = VectorType::get(vector.getShape(), type);
  return isUnsigned ? Value(arith::ExtUIOp::create(b, type, bytes)) : arith::ExtSIOp::create(b, type, bytes);
}

Value expandDot(ImplicitLocOpBuilder &b, DotOp dot) {
  Value a = extend(b, leftOf(b, dot), dot.getAUnsigned());
  Value products = arith::MulIOp::create(b, a, extend(b, dot.getB(), dot.getBUnsigned()));
  auto type = dyn_cast<VectorType>(products.getType());
  if (!type)
    return arith::AddIOp::create(b, dot.getSum(), products);
  Value sum = dot.getSum();
  int64_t lanes = type.getNumElements() / DotOp::kBytes;
  for (int64_t byte = 0; byte < DotOp::kBytes; ++byte) {
    if (!isa<VectorType>(sum.getType())) {
      sum = arith::AddIOp::create(b, sum, vector::ExtractOp::create(b, products, byte));
      continue;
    }
    SmallVector<int64_t> picked;
    for (int64_t lane = 0; lane < lanes; ++lane)
      picked.push_back(lane * DotOp::kBytes + byte);
    sum = arith::AddIOp::create(b, sum, vector::ShuffleOp::create(b, products, products, picked));
  }
  return sum;
}

namespace {
struct LowerDots : impl::LowerDotsBase<LowerDots> {
  using LowerDotsBase::LowerDotsBase;

  void runOnOperation() override {
    SmallVector<DotOp> dots;
    getOperation().walk([&](DotOp dot) { dots.push_back(dot); });
    for (DotOp dot : dots) {
      ImplicitLocOpBuilder b(dot.getLoc(), dot);
      auto sum = dyn_cast<VectorType>(dot.getSum().getType());
      int64_t lanes = sum ? sum.getNumElements() : 1;
      bool hasWords = isa<VectorType>(dot.getA().getType());
      Value result;
      if (hasWords && instructions == "vnni" && llvm::is_contained({4, 8, 16}, lanes) && dot.getAUnsigned() &&
          !dot.getBUnsigned())
        result = vnni(b, dot, lanes);
      else if (hasWords && instructions == "madd" && llvm::is_contained({4, 8, 16}, lanes))
        result = madd(b, dot, lanes);
      else if (hasWords && instructions == "neon" && llvm::is_contained({2, 4}, lanes) &&
               dot.getAUnsigned() == dot.getBUnsigned())
        result = neon(b, dot, lanes);
      else if (hasWords && instructions == "dsp" && !sum)
        result = dsp(b, dot);
      else
        result = expandDot(b, dot);
      dot.replaceAllUsesWith(result);
      dot.erase();
    }
  }

  static Value call(ImplicitLocOpBuilder &b, Type type, const Twine &name, ValueRange operands) {
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr(name), operands).getResult(0);
  }

  static Value vnni(ImplicitLocOpBuilder &b, DotOp dot, int64_t lanes) {
    return call(b, dot.getSum().getType(), "llvm.x86.avx512.vpdpbusd." + Twine(lanes * 32),
                {dot.getSum(), leftOf(b, dot), dot.getB()});
  }

  /// The even and the odd ones of `bytes`, in 16 bits.
  static std::pair<Value, Value> widen(ImplicitLocOpBuilder &b, Value bytes, bool isUnsigned) {
    int64_t pairs = cast<VectorType>(bytes.getType()).getNumElements() / 2;
    auto type = VectorType::get({pairs}, b.getI16Type());
    Value both = vector::BitCastOp::create(b, type, bytes);
    Value eight = arith::ConstantOp::create(b, DenseElementsAttr::get(type, cast<Attribute>(b.getI16IntegerAttr(8))));
    if (isUnsigned) {
      Attribute low = b.getI16IntegerAttr(255);
      return {arith::AndIOp::create(b, both, arith::ConstantOp::create(b, DenseElementsAttr::get(type, low))),
              arith::ShRUIOp::create(b, both, eight)};
    }
    return {arith::ShRSIOp::create(b, arith::ShLIOp::create(b, both, eight), eight),
            arith::ShRSIOp::create(b, both, eight)};
  }

  static Value madd(ImplicitLocOpBuilder &b, DotOp dot, int64_t lanes) {
    StringRef name = lanes == 4   ? "llvm.x86.sse2.pmadd.wd"
                     : lanes == 8 ? "llvm.x86.avx2.pmadd.wd"
                                  : "llvm.x86.avx512.pmaddw.d.512";
    auto [aEven, aOdd] = widen(b, leftOf(b, dot), dot.getAUnsigned());
    auto [bEven, bOdd] = widen(b, dot.getB(), dot.getBUnsigned());
    Type type = dot.getSum().getType();
    Value even = call(b, type, name, {aEven, bEven}), odd = call(b, type, name, {aOdd, bOdd});
    return arith::AddIOp::create(b, arith::AddIOp::create(b, dot.getSum(), even), odd);
  }

  static Value neon(ImplicitLocOpBuilder &b, DotOp dot, int64_t lanes) {
    return call(b, dot.getSum().getType(),
                Twine("llvm.aarch64.neon.") + (dot.getAUnsigned() ? "udot" : "sdot") + ".v" + Twine(lanes) + "i32.v" +
                    Twine(lanes * DotOp::kBytes) + "i8",
                {dot.getSum(), leftOf(b, dot), dot.getB()});
  }

  /// Two pairs of 16 bits per word: bytes 0 and 2, bytes 1 and 3.
  static std::pair<Value, Value> takeApart(ImplicitLocOpBuilder &b, Value bytes, bool isUnsigned) {
    Type i32 = b.getI32Type();
    Value word = vector::ExtractOp::create(b, vector::BitCastOp::create(b, VectorType::get({1}, i32), bytes), 0);
    StringRef name = isUnsigned ? "llvm.arm.uxtb16" : "llvm.arm.sxtb16";
    Value eight = arith::ConstantOp::create(b, b.getI32IntegerAttr(8));
    Value rotated = call(b, i32, "llvm.fshr", {word, word, eight});
    return {call(b, i32, name, word), call(b, i32, name, rotated)};
  }

  static Value dsp(ImplicitLocOpBuilder &b, DotOp dot) {
    auto [aEven, aOdd] = takeApart(b, leftOf(b, dot), dot.getAUnsigned());
    auto [bEven, bOdd] = takeApart(b, dot.getB(), dot.getBUnsigned());
    Type i32 = b.getI32Type();
    Value sum = call(b, i32, "llvm.arm.smlad", {aEven, bEven, dot.getSum()});
    return call(b, i32, "llvm.arm.smlad", {aOdd, bOdd, sum});
  }
};
} // namespace
} // namespace onnx_aot
