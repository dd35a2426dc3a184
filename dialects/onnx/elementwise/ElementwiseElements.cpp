//===- ElementwiseElements.cpp - shape arithmetic of elementwise operators ----------------------------------------===//
//
// One row per operator that exported models apply to extents. Comparisons are decided where the bounds of both sides
// allow: an extent is never -1.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/elementwise/Elementwise.h"
#include "llvm/ADT/StringMap.h"
#include <numeric>

using namespace mlir;
using namespace onnx_aot::onnx;

/// A truth value that is known, or not.
static Dim truth(bool isTrue, bool isFalse) { return isTrue ? Dim(1) : isFalse ? Dim(0) : Dim(); }

static Dim lessThan(Dim a, Dim b) { return truth((b - a).isAtLeast(1), (a - b).isAtLeast(0)); }
static Dim negation(Dim a) { return truth(a.is(0), a.is(1)); }
static Dim equal(Dim a, Dim b) { return truth(a.equals(b), (a - b).isAtLeast(1) || (b - a).isAtLeast(1)); }

/// Integer division is toward zero, which is down where neither side is negative.
static Dim divide(Dim a, Dim b) { return a.isAtLeast(0) && b.isAtLeast(1) ? a.floorDiv(b) : Dim(); }

using Rule = Dim (*)(ArrayRef<Dim>);

static const llvm::StringMap<Rule> &rules() {
  static const llvm::StringMap<Rule> table = {
      {"onnx.Add", [](ArrayRef<Dim> x) { return x[0] + x[1]; }},
      {"onnx.Sub", [](ArrayRef<Dim> x) { return x[0] - x[1]; }},
      {"onnx.Mul", [](ArrayRef<Dim> x) { return x[0] * x[1]; }},
      {"onnx.Div", [](ArrayRef<Dim> x) { return divide(x[0], x[1]); }},
      {"onnx.Mod", [](ArrayRef<Dim> x) { return x[0] - divide(x[0], x[1]) * x[1]; }},
      {"onnx.Neg", [](ArrayRef<Dim> x) { return x[0] * -1; }},
      {"onnx.Abs", [](ArrayRef<Dim> x) { return x[0].isAtLeast(0) ? x[0] : Dim(); }},
      {"onnx.Min", [](ArrayRef<Dim> x) { return std::accumulate(x.begin() + 1, x.end(), x[0], Dim::min); }},
      {"onnx.Max", [](ArrayRef<Dim> x) { return std::accumulate(x.begin() + 1, x.end(), x[0], Dim::max); }},
      {"onnx.Equal", [](ArrayRef<Dim> x) { return equal(x[0], x[1]); }},
      {"onnx.Less", [](ArrayRef<Dim> x) { return lessThan(x[0], x[1]); }},
      {"onnx.Greater", [](ArrayRef<Dim> x) { return lessThan(x[1], x[0]); }},
      {"onnx.LessOrEqual", [](ArrayRef<Dim> x) { return negation(lessThan(x[1], x[0])); }},
      {"onnx.GreaterOrEqual", [](ArrayRef<Dim> x) { return negation(lessThan(x[0], x[1])); }},
      {"onnx.Not", [](ArrayRef<Dim> x) { return negation(x[0]); }},
      {"onnx.And", [](ArrayRef<Dim> x) { return truth(x[0].is(1) && x[1].is(1), x[0].is(0) || x[1].is(0)); }},
      {"onnx.Or", [](ArrayRef<Dim> x) { return truth(x[0].is(1) || x[1].is(1), x[0].is(0) && x[1].is(0)); }},
      {"onnx.Where",
       [](ArrayRef<Dim> x) { return x[0].is(1) || x[1].equals(x[2]) ? x[1]
                                    : x[0].is(0)                    ? x[2]
                                                                    : Dim(); }},
  };
  return table;
}

namespace onnx_aot::onnx {
/// Named in the definitions that ODS makes of every elementwise operator.
std::optional<Shape> inferElementsByTable(Operation *op, ShapeContext &ctx) {
  auto rule = rules().find(op->getName().getStringRef());
  if (rule == rules().end())
    return std::nullopt;
  SmallVector<Shape> operands;
  size_t count = 1;
  for (Value operand : op->getOperands()) {
    std::optional<Shape> elements = ctx.dims(operand);
    if (!elements)
      return std::nullopt;
    count = elements->size() == 1 ? count : elements->size();
    operands.push_back(*elements);
  }
  Shape result;
  for (size_t i = 0; i < count; ++i) {
    SmallVector<Dim> x;
    for (const Shape &elements : operands)
      x.push_back(elements[elements.size() == 1 ? 0 : i]);
    result.push_back(rule->second(x));
  }
  return result;
}
} // namespace onnx_aot::onnx

std::optional<Shape> WhereOp::inferElements(ShapeContext &ctx, unsigned) { return inferElementsByTable(*this, ctx); }

std::optional<Shape> IdentityOp::inferElements(ShapeContext &ctx, unsigned) { return ctx.dims(getInput()); }

std::optional<Shape> CastOp::inferElements(ShapeContext &ctx, unsigned) {
  std::optional<Shape> elements = ctx.dims(getInput());
  Type to = getElementTypeOrSelf(getType());
  if (!elements || to.isInteger(64))
    return elements;
  // Dims fit 32 bits, other numbers need not.
  bool areDims = llvm::all_of(*elements, [](Dim dim) { return dim.isAtLeast(0); });
  if (to.getIntOrFloatBitWidth() == 32 && isa<IntegerType>(to) && areDims)
    return elements;
  return to.isInteger(1)
             ? std::optional(llvm::map_to_vector(*elements, [](Dim dim) { return negation(equal(dim, 0)); }))
             : std::nullopt;
}
