// Arithmetic in f32 and f64.

#include "Decoder.h"
#include "Machine.h"
#include "Numbers.h"

#include <cfenv>
#include <limits>

namespace onnx_aot::ptx {
namespace {

template <class T, bool ftz> T flushed(T value) {
  if (ftz && std::abs(value) < std::numeric_limits<T>::min())
    return std::copysign(T(0), value);
  return value;
}

template <class T, bool ftz> T input(const Thread &thread, uint32_t slot) {
  return flushed<T, ftz>(get<T>(thread, slot));
}

template <class T, bool ftz> void output(Thread &thread, uint32_t slot, T value) {
  if constexpr (std::is_same_v<T, float>)
    if (value != value)
      return set<uint32_t>(thread, slot, 0x7fffffff);
  set<T>(thread, slot, flushed<T, ftz>(value));
}

struct Add {
  template <class T> static T of(T a, T b, T) { return a + b; }
};
struct Subtract {
  template <class T> static T of(T a, T b, T) { return a - b; }
};
struct Multiply {
  template <class T> static T of(T a, T b, T) { return a * b; }
};
struct Divide {
  template <class T> static T of(T a, T b, T) { return a / b; }
};
struct FusedMultiplyAdd {
  template <class T> static T of(T a, T b, T c) { return std::fma(a, b, c); }
};
struct Reciprocal {
  template <class T> static T of(T a, T, T) { return 1 / a; }
};
struct SquareRoot {
  template <class T> static T of(T a, T, T) { return std::sqrt(a); }
};

/// Rounded to the nearest.
template <class T, class Operation, bool ftz> const Instruction *operate(Thread &thread, const Instruction *at) {
  output<T, ftz>(
      thread, at->d,
      Operation::of(input<T, ftz>(thread, at->a), input<T, ftz>(thread, at->b), input<T, ftz>(thread, at->c)));
  return at + 1;
}

/// Rounded as `mode` says (a rounding of <cfenv>), and clamped to [0, 1] where `imm` is set.
template <class T, class Operation, bool ftz>
const Instruction *operateDirected(Thread &thread, const Instruction *at) {
  volatile T a = input<T, ftz>(thread, at->a), b = input<T, ftz>(thread, at->b), c = input<T, ftz>(thread, at->c);
  int before = std::fegetround();
  std::fesetround(int(at->mode));
  volatile T result = Operation::of(T(a), T(b), T(c));
  std::fesetround(before);
  T value = result;
  if (at->imm)
    value = value > 0 ? std::min(value, T(1)) : T(0); // NaN becomes 0.
  output<T, ftz>(thread, at->d, value);
  return at + 1;
}

struct Choice {
  Handler plain[2], directed[2]; ///< By ftz.
};
template <class T, class Operation> Choice choiceFor() {
  return {{operate<T, Operation, false>, operate<T, Operation, true>},
          {operateDirected<T, Operation, false>, operateDirected<T, Operation, true>}};
}

template <class T> std::optional<Choice> arithmeticNamed(std::string_view name) {
  if (name == "add")
    return choiceFor<T, Add>();
  if (name == "sub")
    return choiceFor<T, Subtract>();
  if (name == "mul")
    return choiceFor<T, Multiply>();
  if (name == "div")
    return choiceFor<T, Divide>();
  if (name == "fma" || name == "mad")
    return choiceFor<T, FusedMultiplyAdd>();
  if (name == "rcp")
    return choiceFor<T, Reciprocal>();
  if (name == "sqrt")
    return choiceFor<T, SquareRoot>();
  return std::nullopt;
}

/// div.approx: divisors above 2^126 give zero.
template <bool ftz> const Instruction *divideApproximately(Thread &thread, const Instruction *at) {
  float a = input<float, ftz>(thread, at->a), b = input<float, ftz>(thread, at->b);
  bool huge = std::abs(b) > 0x1p126f && std::isfinite(b);
  output<float, ftz>(thread, at->d, huge ? a * std::copysign(0.0f, b) : a / b);
  return at + 1;
}

/// A function of one f32, rounded.
template <double (*function)(double), bool ftz> const Instruction *approximate(Thread &thread, const Instruction *at) {
  output<float, ftz>(thread, at->d, float(function(input<float, ftz>(thread, at->a))));
  return at + 1;
}

double reciprocalRoot(double a) { return 1 / std::sqrt(a); }

template <bool root> const Instruction *reciprocal64(Thread &thread, const Instruction *at) {
  double a = get<double>(thread, at->a);
  set<double>(thread, at->d, root ? reciprocalRoot(a) : 1 / a);
  return at + 1;
}

/// min, max: a number wins over a NaN, unless .NaN; -0 lies below +0.
template <class T, bool isMax, bool ftz> const Instruction *extreme(Thread &thread, const Instruction *at) {
  T a = input<T, ftz>(thread, at->a), b = input<T, ftz>(thread, at->b);
  bool negative = std::signbit(a) != std::signbit(b);
  if (at->mode & 2)
    a = std::abs(a), b = std::abs(b);
  T result = (a < b) == isMax ? b : a;
  if (a == b)
    result = std::signbit(a) == isMax ? b : a;
  if (a != a || b != b)
    result = at->mode & 1 || (a != a && b != b) ? std::numeric_limits<T>::quiet_NaN() : a != a ? b : a;
  if (at->mode & 2)
    result = std::copysign(result, negative ? T(-1) : T(1));
  output<T, ftz>(thread, at->d, result);
  return at + 1;
}

template <class T, bool ftz> const Instruction *absolute(Thread &thread, const Instruction *at) {
  set<T>(thread, at->d, std::abs(input<T, ftz>(thread, at->a)));
  return at + 1;
}
template <class T, bool ftz> const Instruction *negate(Thread &thread, const Instruction *at) {
  set<T>(thread, at->d, -input<T, ftz>(thread, at->a));
  return at + 1;
}

/// The sign of a, the rest of b.
template <class T> const Instruction *copySign(Thread &thread, const Instruction *at) {
  set<T>(thread, at->d, std::copysign(get<T>(thread, at->b), get<T>(thread, at->a)));
  return at + 1;
}

enum class Property : uint32_t { Finite, Infinite, Number, NotANumber, Normal, Subnormal };
template <class T> const Instruction *test(Thread &thread, const Instruction *at) {
  T a = get<T>(thread, at->a);
  bool result = false;
  switch (Property(at->mode)) {
  case Property::Finite:
    result = std::isfinite(a);
    break;
  case Property::Infinite:
    result = std::isinf(a);
    break;
  case Property::Number:
    result = a == a;
    break;
  case Property::NotANumber:
    result = a != a;
    break;
  case Property::Normal:
    result = std::isnormal(a);
    break;
  case Property::Subnormal:
    result = std::fpclassify(a) == FP_SUBNORMAL;
    break;
  }
  set<uint8_t>(thread, at->d, result);
  return at + 1;
}

bool decodeArithmetic(Decoder &decoder, Opcode &opcode, bool isDouble, bool ftz) {
  Type type = isDouble ? Type::F64 : Type::F32;
  bool approximates = opcode.take("approx");
  opcode.take("full");
  std::string_view rounding = opcode.takeOneOf({"rn", "rz", "rm", "rp"});
  bool saturates = opcode.take("sat");
  auto choice = isDouble ? arithmeticNamed<double>(opcode.name) : arithmeticNamed<float>(opcode.name);
  bool plain = (rounding.empty() || rounding == "rn") && !saturates;
  Handler handler = (plain ? choice->plain : choice->directed)[ftz];
  if (approximates && opcode.name == "div")
    handler = ftz ? divideApproximately<true> : divideApproximately<false>;
  bool isUnary = opcode.name == "rcp" || opcode.name == "sqrt",
       isTernary = opcode.name == "fma" || opcode.name == "mad";
  Instruction *one = isUnary     ? decoder.emitSimple(handler, {type})
                     : isTernary ? decoder.emitSimple(handler, {type, type, type})
                                 : decoder.emitSimple(handler, {type, type});
  if (one) {
    one->mode = rounding == "rz"   ? FE_TOWARDZERO
                : rounding == "rm" ? FE_DOWNWARD
                : rounding == "rp" ? FE_UPWARD
                                   : FE_TONEAREST;
    one->imm = saturates;
  }
  return true;
}

template <double (*function)(double)> Handler approximation(bool ftz) {
  return ftz ? approximate<function, true> : approximate<function, false>;
}

Handler functionNamed(std::string_view name, bool ftz) {
  if (name == "ex2")
    return approximation<std::exp2>(ftz);
  if (name == "lg2")
    return approximation<std::log2>(ftz);
  if (name == "sin")
    return approximation<std::sin>(ftz);
  if (name == "cos")
    return approximation<std::cos>(ftz);
  if (name == "tanh")
    return approximation<std::tanh>(ftz);
  if (name == "rsqrt")
    return approximation<reciprocalRoot>(ftz);
  return nullptr;
}

Handler extremeFor(bool isMax, bool isDouble, bool ftz) {
  if (isDouble)
    return isMax ? extreme<double, true, false> : extreme<double, false, false>;
  if (ftz)
    return isMax ? extreme<float, true, true> : extreme<float, false, true>;
  return isMax ? extreme<float, true, false> : extreme<float, false, false>;
}

bool decodeTest(Decoder &decoder, Opcode &opcode, Type type) {
  static constexpr std::string_view kNames[] = {"finite", "infinite", "number", "notanumber", "normal", "subnormal"};
  for (uint32_t index = 0; index < 6; ++index)
    if (opcode.take(kNames[index])) {
      if (Instruction *one = decoder.emitSimple(type == Type::F64 ? test<double> : test<float>, {type}))
        one->mode = index;
      return true;
    }
  return decoder.fail("the property is not known");
}

} // namespace

bool decodeFloat(Decoder &decoder, Opcode &opcode) {
  Type type = opcode.type();
  std::string_view name = opcode.name;
  bool isDouble = type == Type::F64;
  if (type != Type::F32 && !isDouble)
    return false;
  bool isArithmetic = arithmeticNamed<float>(name).has_value();
  static const std::set<std::string_view> others = {"min", "max", "abs", "neg", "copysign", "testp"};
  if (!isArithmetic && !functionNamed(name, false) && !others.contains(name))
    return false;
  opcode.takeLastType();
  bool ftz = opcode.take("ftz");
  if (name == "rcp" && isDouble && opcode.take("approx")) {
    decoder.emitSimple(reciprocal64<false>, {type});
  } else if (isArithmetic) {
    return decodeArithmetic(decoder, opcode, isDouble, ftz);
  } else if (name == "rsqrt" && isDouble) {
    opcode.take("approx");
    decoder.emitSimple(reciprocal64<true>, {type});
  } else if (Handler handler = functionNamed(name, ftz)) {
    opcode.take("approx");
    decoder.emitSimple(handler, {type});
  } else if (name == "min" || name == "max") {
    bool propagates = opcode.take("NaN"), xorSign = opcode.take("xorsign");
    if (xorSign)
      opcode.take("abs");
    if (Instruction *one = decoder.emitSimple(extremeFor(name == "max", isDouble, ftz), {type, type}))
      one->mode = propagates + 2 * xorSign;
  } else if (name == "abs") {
    decoder.emitSimple(isDouble ? absolute<double, false>
                       : ftz    ? absolute<float, true>
                                : absolute<float, false>,
                       {type});
  } else if (name == "neg") {
    decoder.emitSimple(isDouble ? negate<double, false> : ftz ? negate<float, true> : negate<float, false>, {type});
  } else if (name == "copysign") {
    decoder.emitSimple(isDouble ? copySign<double> : copySign<float>, {type, type});
  } else {
    return decodeTest(decoder, opcode, type);
  }
  return true;
}

} // namespace onnx_aot::ptx
