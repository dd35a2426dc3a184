//===- Dim.cpp - arithmetic of symbolic extents -------------------------------------------------------------------===//
#include "dialects/onnx/support/Dim.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace onnx_aot::onnx;

using Term = DimExpr::Term;
using Kind = DimSymbol::Kind;
using Bound = std::optional<int64_t>;

bool Term::operator<(const Term &other) const {
  return std::lexicographical_compare(symbols.begin(), symbols.end(), other.symbols.begin(), other.symbols.end());
}

//===-- Checked numbers -------------------------------------------------------------------------------------------===//

static Bound add(Bound a, Bound b) {
  int64_t result;
  return a && b && !llvm::AddOverflow(*a, *b, result) ? Bound(result) : std::nullopt;
}

static Bound multiply(Bound a, Bound b) {
  int64_t result;
  return a && b && !llvm::MulOverflow(*a, *b, result) ? Bound(result) : std::nullopt;
}

//===-- The table -------------------------------------------------------------------------------------------------===//

Dim DimSymbols::sum(SmallVector<Term> terms) {
  std::vector<std::pair<std::vector<unsigned>, int64_t>> key;
  for (const Term &term : terms)
    key.emplace_back(std::vector<unsigned>(term.symbols.begin(), term.symbols.end()), term.coefficient);
  std::unique_ptr<DimExpr> &expr = expressions[key];
  if (!expr)
    expr = std::make_unique<DimExpr>(DimExpr{this, std::move(terms), unsigned(expressions.size())});
  return Dim::fromExpr(expr.get());
}

Dim DimSymbols::intern(Key key, DimSymbol symbol) {
  auto [it, isNew] = numbers.try_emplace(std::move(key), symbols.size());
  if (isNew)
    symbols.push_back(std::move(symbol));
  return sum({Term{{it->second}, 1}});
}

Dim DimSymbols::named(StringRef name, Bound low, Bound high) {
  if (low && high && *low == *high)
    return *low;
  DimSymbol symbol{Kind::Named, name.str(), Value(), 0, Dim(), Dim(), low, high};
  return intern(Key(int(Kind::Named), name.str(), nullptr, 0, nullptr, 0, nullptr, 0), std::move(symbol));
}

Dim DimSymbols::extent(Value value, int64_t dim) {
  DimSymbol symbol{Kind::Extent, "", value, dim, Dim(), Dim(), 0, std::nullopt};
  return intern(Key(int(Kind::Extent), "", value.getAsOpaquePointer(), dim, nullptr, 0, nullptr, 0), std::move(symbol));
}

Dim DimSymbols::element(Value value, int64_t position) {
  DimSymbol symbol{Kind::Element, "", value, position, Dim(), Dim(), std::nullopt, std::nullopt};
  return intern(Key(int(Kind::Element), "", value.getAsOpaquePointer(), position, nullptr, 0, nullptr, 0),
                std::move(symbol));
}

Dim DimSymbols::combined(Kind kind, Dim lhs, Dim rhs, Bound low, Bound high) {
  if (low && high && *low == *high)
    return *low;
  DimSymbol symbol{kind, "", Value(), 0, lhs, rhs, low, high};
  auto number = [](Dim dim) { return dim.isKnown() ? dim.get() : 0; };
  return intern(Key(int(kind), "", nullptr, 0, lhs.getExpr(), number(lhs), rhs.getExpr(), number(rhs)),
                std::move(symbol));
}

static DimSymbols *tableOf(Dim a, Dim b) {
  return a.isSymbolic() ? a.getExpr()->table : b.isSymbolic() ? b.getExpr()->table : nullptr;
}

//===-- Sums and products -----------------------------------------------------------------------------------------===//

static SmallVector<Term> termsOf(Dim dim) {
  if (dim.isSymbolic())
    return dim.getExpr()->terms;
  if (dim.is(0))
    return {};
  return {Term{{}, dim.get()}};
}

/// The Dim of terms in any order; unknown where a coefficient overflows.
static Dim fromTerms(DimSymbols *table, SmallVector<Term> terms) {
  llvm::sort(terms);
  SmallVector<Term> merged;
  for (Term &term : terms) {
    if (merged.empty() || merged.back().symbols != term.symbols) {
      merged.push_back(std::move(term));
      continue;
    }
    Bound coefficient = add(merged.back().coefficient, term.coefficient);
    if (!coefficient)
      return Dim();
    merged.back().coefficient = *coefficient;
  }
  llvm::erase_if(merged, [](const Term &term) { return term.coefficient == 0; });
  if (merged.empty())
    return 0;
  if (merged.size() == 1 && merged.front().symbols.empty())
    return merged.front().coefficient;
  return table->sum(std::move(merged));
}

Dim Dim::operator+(Dim other) const {
  if (isUnknown() || other.isUnknown())
    return Dim();
  if (value && other.value) {
    Bound result = add(value, other.value);
    return result ? Dim(*result) : Dim();
  }
  SmallVector<Term> terms = termsOf(*this);
  llvm::append_range(terms, termsOf(other));
  return fromTerms(tableOf(*this, other), std::move(terms));
}

Dim Dim::operator-(Dim other) const { return *this + other * -1; }

Dim Dim::operator*(Dim other) const {
  if (is(0) || other.is(0))
    return 0;
  if (isUnknown() || other.isUnknown())
    return Dim();
  if (value && other.value) {
    Bound result = multiply(value, other.value);
    return result ? Dim(*result) : Dim();
  }
  SmallVector<Term> terms;
  for (const Term &a : termsOf(*this))
    for (const Term &b : termsOf(other)) {
      Bound coefficient = multiply(a.coefficient, b.coefficient);
      if (!coefficient)
        return Dim();
      Term term{a.symbols, *coefficient};
      llvm::append_range(term.symbols, b.symbols);
      llvm::sort(term.symbols);
      terms.push_back(std::move(term));
    }
  return fromTerms(tableOf(*this, other), std::move(terms));
}

Dim onnx_aot::onnx::product(ArrayRef<Dim> dims) {
  Dim result = 1;
  for (Dim dim : dims)
    result = result * dim;
  for (Dim dim : dims)
    if (dim.is(0))
      return 0;
  return result;
}

//===-- Bounds ----------------------------------------------------------------------------------------------------===//

/// The least (isLower) or greatest value of one term; its symbols' bounds are used where none can be negative.
static Bound boundOf(const DimSymbols &table, const Term &term, bool isLower) {
  Bound low = 1, high = 1;
  for (unsigned symbol : term.symbols) {
    if (term.symbols.size() > 1 && (!table[symbol].low || *table[symbol].low < 0))
      return std::nullopt;
    low = multiply(low, table[symbol].low);
    high = multiply(high, table[symbol].high);
  }
  return multiply((term.coefficient > 0) == isLower ? low : high, term.coefficient);
}

static Bound boundOf(const DimExpr &expr, bool isLower) {
  Bound total = 0;
  for (const Term &term : expr.terms)
    total = add(total, boundOf(*expr.table, term, isLower));
  return total;
}

Bound Dim::lowerBound() const { return expr ? boundOf(*expr, true) : value; }
Bound Dim::upperBound() const { return expr ? boundOf(*expr, false) : value; }
bool Dim::isAtLeast(int64_t bound) const {
  Bound low = lowerBound();
  return low && *low >= bound;
}

//===-- Divisions -------------------------------------------------------------------------------------------------===//

/// `term` divided by `divisor` where that leaves no rest.
static std::optional<Term> divideExactly(const Term &term, const Term &divisor) {
  if (term.coefficient % divisor.coefficient != 0)
    return std::nullopt;
  Term quotient{{}, term.coefficient / divisor.coefficient};
  SmallVector<unsigned, 2> rest(divisor.symbols);
  for (unsigned symbol : term.symbols)
    if (auto *it = llvm::find(rest, symbol); it != rest.end())
      rest.erase(it);
    else
      quotient.symbols.push_back(symbol);
  return rest.empty() ? std::optional(quotient) : std::nullopt;
}

Dim Dim::floorDiv(Dim divisor) const {
  if (isUnknown() || divisor.isUnknown() || divisor.is(0))
    return Dim();
  if (value && divisor.value)
    return Dim(llvm::divideFloorSigned(*value, *divisor.value));
  if (divisor.is(1))
    return *this;
  DimSymbols *table = tableOf(*this, divisor);
  SmallVector<Term> divisors = termsOf(divisor), whole, rest;
  // What divides leaves the division: floor((a * d + r) / d) = a + floor(r / d).
  for (const Term &term : termsOf(*this)) {
    std::optional<Term> quotient = divisors.size() == 1 ? divideExactly(term, divisors.front()) : std::nullopt;
    quotient ? whole.push_back(*quotient) : rest.push_back(term);
  }
  Dim outside = fromTerms(table, whole), inside = fromTerms(table, rest);
  if (equals(divisor))
    return 1;
  if (inside.is(0))
    return outside;
  if (inside.isKnown() && divisor.isKnown())
    return outside + inside.floorDiv(divisor);
  Bound low, high;
  if (divisor.isAtLeast(1) && inside.isAtLeast(0)) {
    Bound least = inside.lowerBound(), most = inside.upperBound(), largest = divisor.upperBound();
    low = largest ? *least / *largest : 0;
    high = most ? Bound(*most / *divisor.lowerBound()) : std::nullopt;
  } else if (divisor.isKnown() && divisor.get() > 0) {
    if (Bound least = inside.lowerBound())
      low = llvm::divideFloorSigned(*least, divisor.get());
    if (Bound most = inside.upperBound())
      high = llvm::divideFloorSigned(*most, divisor.get());
  }
  return outside + table->combined(Kind::FloorDiv, inside, divisor, low, high);
}

Dim Dim::ceilDiv(Dim divisor) const {
  if (value && divisor.value && *divisor.value != 0)
    return Dim(llvm::divideCeilSigned(*value, *divisor.value));
  return (*this + divisor - 1).floorDiv(divisor);
}

//===-- Choices ---------------------------------------------------------------------------------------------------===//

Dim Dim::min(Dim a, Dim b) {
  if (a.isUnknown() || b.isUnknown())
    return Dim();
  // One is never larger than the other.
  if ((b - a).isAtLeast(0))
    return a;
  if ((a - b).isAtLeast(0))
    return b;
  if (b.isKnown() || (a.isSymbolic() && b.isSymbolic() && a.expr->number > b.expr->number))
    std::swap(a, b);
  Bound low = a.lowerBound() && b.lowerBound() ? Bound(std::min(*a.lowerBound(), *b.lowerBound())) : std::nullopt;
  Bound high = a.upperBound();
  if (Bound other = b.upperBound())
    high = high ? std::min(*high, *other) : *other;
  return tableOf(a, b)->combined(Kind::Min, a, b, low, high);
}

Dim Dim::max(Dim a, Dim b) {
  if (a.isUnknown() || b.isUnknown())
    return Dim();
  if ((b - a).isAtLeast(0))
    return b;
  if ((a - b).isAtLeast(0))
    return a;
  if (b.isKnown() || (a.isSymbolic() && b.isSymbolic() && a.expr->number > b.expr->number))
    std::swap(a, b);
  Bound low = a.lowerBound();
  if (Bound other = b.lowerBound())
    low = low ? std::max(*low, *other) : *other;
  Bound high = a.upperBound() && b.upperBound() ? Bound(std::max(*a.upperBound(), *b.upperBound())) : std::nullopt;
  return tableOf(a, b)->combined(Kind::Max, a, b, low, high);
}

Dim Dim::broadcast(Dim a, Dim b) {
  if (a.is(1) || a.equals(b))
    return b;
  if (b.is(1))
    return a;
  // An extent other than 1 is the result's.
  if (a.isKnown() || a.isAtLeast(2))
    return a;
  if (b.isKnown() || b.isAtLeast(2))
    return b;
  if (a.isUnknown() || b.isUnknown())
    return Dim();
  if (a.expr->number > b.expr->number)
    std::swap(a, b);
  Bound high = a.upperBound() && b.upperBound() ? Bound(std::max(*a.upperBound(), *b.upperBound())) : std::nullopt;
  return tableOf(a, b)->combined(Kind::Broadcast, a, b, 0, high);
}

Dim Dim::wrap(Dim index, Dim extent) {
  if (index.isAtLeast(0))
    return index;
  if (Bound high = index.upperBound(); high && *high < 0)
    return index + extent;
  if (index.isUnknown() || extent.isUnknown())
    return Dim();
  return tableOf(index, extent)->combined(Kind::Wrap, index, extent, std::nullopt, std::nullopt);
}
