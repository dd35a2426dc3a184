// Arithmetic in f16, bf16 and pairs of them: computed without error, then rounded once.

#include "Decoder.h"
#include "Machine.h"
#include "Numbers.h"

namespace onnx_aot::ptx {
namespace {

struct Half {
  static double wide(uint16_t bits) { return halfToFloat(bits); }
  static uint16_t narrow(double value) { return toHalf(value); }
  static constexpr uint16_t kSmallestNormal = 0x0400, kNaN = 0x7fff;
};
struct Bfloat {
  static double wide(uint16_t bits) { return bfloatToFloat(bits); }
  static uint16_t narrow(double value) { return toBfloat(value); }
  static constexpr uint16_t kSmallestNormal = 0x0080, kNaN = 0x7fff;
};

enum Modes : uint32_t { kFlush = 1, kSaturate = 2, kRelu = 4, kPropagateNaN = 8 };

struct Add {
  static double of(double a, double b, double) { return addToOdd(a, b); }
};
struct Subtract {
  static double of(double a, double b, double) { return addToOdd(a, -b); }
};
struct Multiply {
  static double of(double a, double b, double) { return a * b; }
};
struct FusedMultiplyAdd {
  static double of(double a, double b, double c) { return addToOdd(a * b, c); }
};
struct Exp2 {
  static double of(double a, double, double) { return std::exp2(a); }
};
struct Tanh {
  static double of(double a, double, double) { return std::tanh(a); }
};

template <class F> uint16_t flush(uint16_t bits) { return (bits & 0x7fff) < F::kSmallestNormal ? bits & 0x8000 : bits; }

template <class F, class Operation> struct Rounded {
  static uint16_t of(uint16_t a, uint16_t b, uint16_t c, uint32_t mode) {
    if (mode & kFlush)
      a = flush<F>(a), b = flush<F>(b), c = flush<F>(c);
    uint16_t result = F::narrow(Operation::of(F::wide(a), F::wide(b), F::wide(c)));
    if (mode & kSaturate)
      result = F::wide(result) > 0 ? F::narrow(std::min(1.0, F::wide(result))) : 0;
    if (mode & kRelu && result & 0x8000)
      result = 0;
    return mode & kFlush ? flush<F>(result) : result;
  }
};

template <class F, bool isMax> struct Extreme {
  static uint16_t of(uint16_t a, uint16_t b, uint16_t, uint32_t mode) {
    if (mode & kFlush)
      a = flush<F>(a), b = flush<F>(b);
    double x = F::wide(a), y = F::wide(b);
    if (x != x || y != y)
      return mode & kPropagateNaN || (x != x && y != y) ? F::kNaN : x != x ? b : a;
    if (x == y)
      return bool(a & 0x8000) == isMax ? b : a;
    return (x < y) == isMax ? b : a;
  }
};

template <class F> struct Absolute {
  static uint16_t of(uint16_t a, uint16_t, uint16_t, uint32_t mode) {
    return (mode & kFlush ? flush<F>(a) : a) & 0x7fff;
  }
};
template <class F> struct Negate {
  static uint16_t of(uint16_t a, uint16_t, uint16_t, uint32_t mode) {
    return (mode & kFlush ? flush<F>(a) : a) ^ 0x8000;
  }
};

template <class Operation, bool isPair> const Instruction *operate(Thread &thread, const Instruction *at) {
  uint32_t a = get<uint32_t>(thread, at->a), b = get<uint32_t>(thread, at->b), c = get<uint32_t>(thread, at->c);
  uint32_t result = Operation::of(uint16_t(a), uint16_t(b), uint16_t(c), at->mode);
  if constexpr (isPair)
    result |= uint32_t(Operation::of(uint16_t(a >> 16), uint16_t(b >> 16), uint16_t(c >> 16), at->mode)) << 16;
  set(thread, at->d, result);
  return at + 1;
}

template <class Operation> Handler pairOrOne(bool isPair) {
  return isPair ? operate<Operation, true> : operate<Operation, false>;
}

template <class F> Handler named(std::string_view name, bool isPair) {
  if (name == "add")
    return pairOrOne<Rounded<F, Add>>(isPair);
  if (name == "sub")
    return pairOrOne<Rounded<F, Subtract>>(isPair);
  if (name == "mul")
    return pairOrOne<Rounded<F, Multiply>>(isPair);
  if (name == "fma")
    return pairOrOne<Rounded<F, FusedMultiplyAdd>>(isPair);
  if (name == "ex2")
    return pairOrOne<Rounded<F, Exp2>>(isPair);
  if (name == "tanh")
    return pairOrOne<Rounded<F, Tanh>>(isPair);
  if (name == "min")
    return pairOrOne<Extreme<F, false>>(isPair);
  if (name == "max")
    return pairOrOne<Extreme<F, true>>(isPair);
  if (name == "abs")
    return pairOrOne<Absolute<F>>(isPair);
  if (name == "neg")
    return pairOrOne<Negate<F>>(isPair);
  return nullptr;
}

} // namespace

bool decodeHalf(Decoder &decoder, Opcode &opcode) {
  Type type = opcode.type();
  bool isPair = type == Type::F16x2 || type == Type::BF16x2, isBfloat = type == Type::BF16 || type == Type::BF16x2;
  if (!isPair && !isBfloat && type != Type::F16)
    return false;
  Handler handler = isBfloat ? named<Bfloat>(opcode.name, isPair) : named<Half>(opcode.name, isPair);
  if (!handler)
    return false;
  opcode.takeLastType();
  opcode.take("rn"), opcode.take("approx");
  uint32_t mode = opcode.take("ftz") ? kFlush : 0;
  mode |= opcode.take("sat") ? kSaturate : 0;
  mode |= opcode.take("relu") ? kRelu : 0;
  mode |= opcode.take("NaN") ? kPropagateNaN : 0;
  static const std::set<std::string_view> unary = {"ex2", "tanh", "abs", "neg"};
  Instruction *one = unary.contains(opcode.name) ? decoder.emitSimple(handler, {type})
                     : opcode.name == "fma"      ? decoder.emitSimple(handler, {type, type, type})
                                                 : decoder.emitSimple(handler, {type, type});
  if (one)
    one->mode = mode;
  return true;
}

} // namespace onnx_aot::ptx
