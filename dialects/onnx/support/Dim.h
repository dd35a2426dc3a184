//===- Dim.h - extents, known or symbolic -------------------------------------------------------------------------===//
//
// A Dim is a constant, a symbolic expression or unknown. Expressions are polynomials with integer coefficients over
// symbols, in one canonical form and unique within their table, so that two Dims which are the same polynomial compare
// equal: batch * 2 + batch is 3 * batch. What a polynomial cannot say (a division that leaves a rest, a minimum, a
// broadcast) is a symbol of its own, defined by its operands and again unique.
//
//   Dim half = (batch * 4 + 6).floorDiv(2);   // 2 * batch + 3
//   Dim most = Dim::min(batch, 8);            // a symbol: min(batch, 8)
//
// Symbols of values: a named dim of the model (its inputs share it), dim i of a value whose extent nothing else tells,
// element i of an integer tensor.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_DIM_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_DIM_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include <deque>
#include <map>
#include <optional>

namespace onnx_aot::onnx {

class DimSymbols;
struct DimExpr;

/// An extent, or another integer that takes part in shape arithmetic: a constant, an expression, or not known.
class Dim {
public:
  Dim() = default;
  Dim(int64_t value) : value(value) {}
  static Dim fromExpr(const DimExpr *expr) {
    Dim dim;
    dim.expr = expr;
    return dim;
  }
  static Dim fromType(int64_t dim) { return mlir::ShapedType::isDynamic(dim) ? Dim() : Dim(dim); }

  /// A constant.
  bool isKnown() const { return value.has_value(); }
  /// Only where isKnown().
  int64_t get() const { return *value; }
  bool is(int64_t constant) const { return value && *value == constant; }
  int64_t toType() const { return value.value_or(mlir::ShapedType::kDynamic); }

  /// An expression over symbols.
  bool isSymbolic() const { return expr != nullptr; }
  const DimExpr *getExpr() const { return expr; }
  /// Neither a constant nor an expression.
  bool isUnknown() const { return !value && !expr; }
  /// Whether both are the same number whatever the symbols are. Unknown dims equal nothing.
  bool equals(Dim other) const { return value ? value == other.value : expr && expr == other.expr; }

  /// Bounds that hold for all values of the symbols.
  std::optional<int64_t> lowerBound() const;
  std::optional<int64_t> upperBound() const;
  bool isAtLeast(int64_t bound) const;

  /// Unknown when an operand is, or where a coefficient overflows 64 bits.
  Dim operator+(Dim other) const;
  Dim operator-(Dim other) const;
  Dim operator*(Dim other) const;
  /// Rounded down, up; the divisor must be positive.
  Dim floorDiv(Dim divisor) const;
  Dim ceilDiv(Dim divisor) const;
  static Dim min(Dim a, Dim b);
  static Dim max(Dim a, Dim b);
  /// The extent that `a` and `b` broadcast to: the one that is not 1.
  static Dim broadcast(Dim a, Dim b);
  /// `index`, counted from the end of `extent` where it is negative.
  static Dim wrap(Dim index, Dim extent);

private:
  std::optional<int64_t> value;
  const DimExpr *expr = nullptr;
};

using Shape = llvm::SmallVector<Dim>;

/// The product of `dims`; 1 for none, 0 when one of them is 0 even where others are unknown.
Dim product(llvm::ArrayRef<Dim> dims);

/// A sum of terms; sorted, without zero coefficients. An expression that is a constant is never made: it is a known
/// Dim.
struct DimExpr {
  struct Term {
    llvm::SmallVector<unsigned, 2> symbols; // sorted; none for the constant term
    int64_t coefficient;
    bool operator<(const Term &other) const;
  };
  DimSymbols *table;
  llvm::SmallVector<Term> terms;
  unsigned number; // in the order of making
};

/// What one symbol stands for.
struct DimSymbol {
  enum class Kind { Named, Extent, Element, FloorDiv, Min, Max, Broadcast, Wrap };
  Kind kind;
  std::string name;  // Named
  mlir::Value value; // Extent, Element
  int64_t index = 0; // Extent: the dim; Element: the position
  Dim lhs, rhs;      // the others
  /// Bounds of the value.
  std::optional<int64_t> low, high;
};

/// The symbols and expressions of one function.
class DimSymbols {
public:
  DimSymbols() = default;
  DimSymbols(const DimSymbols &) = delete;

  Dim named(llvm::StringRef name, std::optional<int64_t> low = 0, std::optional<int64_t> high = std::nullopt);
  Dim extent(mlir::Value value, int64_t dim);
  Dim element(mlir::Value value, int64_t position);
  /// A symbol defined by two operands; at least one of them is symbolic.
  Dim combined(DimSymbol::Kind kind, Dim lhs, Dim rhs, std::optional<int64_t> low, std::optional<int64_t> high);
  /// The Dim of a sum in canonical order.
  Dim sum(llvm::SmallVector<DimExpr::Term> terms);

  const DimSymbol &operator[](unsigned symbol) const { return symbols[symbol]; }

private:
  using Key = std::tuple<int, std::string, const void *, int64_t, const void *, int64_t, const void *, int64_t>;
  Dim intern(Key key, DimSymbol symbol);

  std::deque<DimSymbol> symbols;
  std::map<Key, unsigned> numbers;
  std::map<std::vector<std::pair<std::vector<unsigned>, int64_t>>, std::unique_ptr<DimExpr>> expressions;
};

} // namespace onnx_aot::onnx

#endif
