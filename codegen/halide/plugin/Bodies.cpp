//===- Bodies.cpp - what kernels compute of single elements -------------------------------------------------------===//
//
// Bodies in postfix form (Specification.h) as Halide's expressions.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/plugin/Families.h"
#include <functional>
#include <map>

using namespace Halide;
using namespace onnx_aot::halide;

/// yes where `condition` holds. Which of two values is the larger one is what "max" asks, with another answer for a NaN
/// on the left (see the importer), so that the two must not look alike.
static Expr choose(const Expr &condition, const Expr &yes, const Expr &no) {
  auto compares = [&](const auto *comparison) {
    return comparison && comparison->a.type().is_float() && !Internal::is_const(comparison->a) &&
           Internal::equal(comparison->a, yes) && Internal::equal(comparison->b, no);
  };
  bool isLarger = compares(condition.as<Internal::GT>());
  if (!isLarger && !compares(condition.as<Internal::LT>()))
    return select(condition, yes, no);
  // Where only zeros could be equal and differ, the comparison may as well let equal ones pass.
  const auto *bound = no.as<Internal::FloatImm>();
  if (!bound || bound->value == 0)
    throw Refusal("a body chooses the larger of two values without regard to NaN");
  return select(isLarger ? yes >= no : yes <= no, yes, no);
}

static int parseNumber(const std::string &digits) {
  size_t used = 0;
  int value = 0;
  try {
    value = std::stoi(digits, &used);
  } catch (const std::exception &) {
    used = 0;
  }
  if (used == 0 || used != digits.size())
    throw Refusal("'" + digits + "' is no number of 32 bits");
  return value;
}

/// Halide takes it that signed integers do not overflow; here they wrap around.
static Expr wrap(const Expr &left, const Expr &right, Expr (*compute)(Expr, Expr)) {
  if (left.type().is_float())
    return compute(left, right);
  return cast<int32_t>(compute(cast<uint32_t>(left), cast<uint32_t>(right)));
}

using Unary = std::function<Expr(const Expr &)>;
using Binary = std::function<Expr(const Expr &, const Expr &)>;

static const std::map<std::string, Unary> &unaryWords() {
  static const std::map<std::string, Unary> words = {
      {"neg", [](const Expr &x) { return -x; }},
      {"abs", [](const Expr &x) { return abs(x); }},
      {"sqrt", [](const Expr &x) { return sqrt(x); }},
      {"u2i", [](const Expr &x) { return cast<int32_t>(x); }},
      {"s2i", [](const Expr &x) { return cast<int32_t>(reinterpret<int8_t>(x)); }},
      {"u2f", [](const Expr &x) { return cast<float>(x); }},
      {"s2f", [](const Expr &x) { return cast<float>(reinterpret<int8_t>(x)); }},
      {"i2f", [](const Expr &x) { return cast<float>(x); }},
      {"f2i", [](const Expr &x) { return cast<int32_t>(x); }},
      {"i2byte", [](const Expr &x) { return cast<uint8_t>(x); }},
      {"bits", [](const Expr &x) { return reinterpret<int32_t>(x); }},
  };
  return words;
}

static const std::map<std::string, Binary> &binaryWords() {
  static const std::map<std::string, Binary> words = {
      {"lt", [](const Expr &a, const Expr &b) { return a < b; }},
      {"le", [](const Expr &a, const Expr &b) { return a <= b; }},
      {"gt", [](const Expr &a, const Expr &b) { return a > b; }},
      {"ge", [](const Expr &a, const Expr &b) { return a >= b; }},
      {"add", [](const Expr &a, const Expr &b) { return wrap(a, b, [](Expr x, Expr y) { return x + y; }); }},
      {"sub", [](const Expr &a, const Expr &b) { return wrap(a, b, [](Expr x, Expr y) { return x - y; }); }},
      {"mul", [](const Expr &a, const Expr &b) { return wrap(a, b, [](Expr x, Expr y) { return x * y; }); }},
      {"div", [](const Expr &a, const Expr &b) { return a / b; }},
      {"max", [](const Expr &a, const Expr &b) { return max(a, b); }},
      {"min", [](const Expr &a, const Expr &b) { return min(a, b); }},
  };
  return words;
}

/// What a word takes: bytes (u2f, s2i ...), integers (i2f ...), floats (f2i, bits).
static bool fits(const std::string &word, Type type) {
  if (word == "u2i" || word == "s2i" || word == "u2f" || word == "s2f")
    return type == UInt(8);
  if (word == "i2f" || word == "i2byte")
    return type == Int(32);
  return type == Float(32);
}

namespace {
class Stack {
public:
  Expr pop() {
    if (values.empty())
      throw Refusal("a body takes more values than it has");
    Expr value = values.back();
    values.pop_back();
    return value;
  }
  void push(Expr value) { values.push_back(std::move(value)); }
  bool isEmpty() const { return values.empty(); }

private:
  std::vector<Expr> values;
};
} // namespace

/// Applies an operation to the values on top of the stack.
static void apply(const std::string &word, Stack &stack) {
  auto unary = unaryWords().find(word);
  if (unary != unaryWords().end()) {
    Expr value = stack.pop();
    if (!fits(word, value.type()))
      throw Refusal("a body computes " + word + " of another type");
    return stack.push(unary->second(value));
  }
  auto binary = binaryWords().find(word);
  if (binary == binaryWords().end() && word != "select")
    throw Refusal("a body computes " + word);
  Expr right = stack.pop(), left = stack.pop();
  bool isNumber = left.type() == Float(32) || (left.type() == Int(32) && word != "div");
  if (left.type() != right.type() || (binary != binaryWords().end() && !isNumber))
    throw Refusal("a body computes " + word + " of another type");
  if (binary != binaryWords().end())
    return stack.push(binary->second(left, right));
  Expr condition = stack.pop();
  if (!condition.type().is_bool())
    throw Refusal("a body chooses by something else than a condition");
  stack.push(choose(condition, left, right));
}

Expr onnx_aot::halide::evaluate(const std::vector<std::string> &words, const std::vector<Expr> &elements,
                                Expr accumulator) {
  Stack stack;
  for (const std::string &word : words) {
    if (word == "acc") {
      stack.push(accumulator);
    } else if (word[0] == 'x') {
      size_t index = size_t(parseNumber(word.substr(1)));
      if (index >= elements.size())
        throw Refusal("a body reads an operand that is not there");
      stack.push(elements[index]);
    } else if (word[0] == 'c') {
      stack.push(parseFloat(word.substr(1)));
    } else if (word[0] == 'n' && word != "neg") {
      stack.push(parseNumber(word.substr(1)));
    } else {
      apply(word, stack);
    }
  }
  Expr result = stack.pop();
  if (!stack.isEmpty())
    throw Refusal("a body leaves values behind");
  return result;
}
