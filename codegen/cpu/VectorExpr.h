//===- VectorExpr.h - Arithmetic on SSA values as C++ expressions ----------===//
//
// What it is for: numeric code emitted as operations of the arith and math dialects reads like the formula it computes.
// How it works: an Expr is a value with its builder; operators emit the operation that the element type asks for
// (floating point or signless integer), numbers become constants, splat over the operand's shape. Works for scalars and
// for fixed vectors of any rank; comparisons give i1 of the same shape and are ordered: false for NaN.
//
//   Expr y = select(x > 0.0, x, x * 0.1)
//   // %c0 = arith.constant dense<0.0> ; %p = arith.cmpf ogt, %x, %c0 ; %m = arith.mulf %x, %c01 ; arith.select ...
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_CODEGEN_CPU_VECTOREXPR_H
#define ONNX_AOT_CODEGEN_CPU_VECTOREXPR_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"

namespace onnx_aot {

/// `type` with its elements replaced, scalar or vector.
inline mlir::Type withElement(mlir::Type type, mlir::Type element) {
  if (auto shaped = llvm::dyn_cast<mlir::ShapedType>(type))
    return shaped.clone(element);
  return element;
}

class Expr {
public:
  Expr(mlir::ImplicitLocOpBuilder &builder, mlir::Value value) : builder(&builder), v(value) {}

  mlir::Value value() const { return v; }
  mlir::Type type() const { return v.getType(); }
  mlir::Type element() const { return mlir::getElementTypeOrSelf(v.getType()); }
  bool isFloat() const { return llvm::isa<mlir::FloatType>(element()); }
  mlir::ImplicitLocOpBuilder &getBuilder() const { return *builder; }

  /// A number in this value's type.
  Expr constant(double number) const {
    mlir::TypedAttr attribute;
    if (auto type = llvm::dyn_cast<mlir::FloatType>(element())) {
      llvm::APFloat exact(number);
      bool lost;
      exact.convert(type.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &lost);
      attribute = mlir::FloatAttr::get(type, exact);
    } else {
      attribute = mlir::IntegerAttr::get(element(), static_cast<int64_t>(number));
    }
    if (auto shaped = llvm::dyn_cast<mlir::ShapedType>(type()))
      attribute = mlir::DenseElementsAttr::get(shaped, llvm::cast<mlir::Attribute>(attribute));
    return Expr(*builder, mlir::arith::ConstantOp::create(*builder, attribute));
  }

  template <typename FloatOp, typename IntOp> Expr binary(Expr other) const {
    if (isFloat())
      return Expr(*builder, FloatOp::create(*builder, v, other.v));
    return Expr(*builder, IntOp::create(*builder, v, other.v));
  }

  Expr compare(mlir::arith::CmpFPredicate real, mlir::arith::CmpIPredicate integer, Expr other) const {
    if (isFloat())
      return Expr(*builder, mlir::arith::CmpFOp::create(*builder, real, v, other.v));
    return Expr(*builder, mlir::arith::CmpIOp::create(*builder, integer, v, other.v));
  }

  Expr bitcastTo(mlir::Type element) const {
    return Expr(*builder, mlir::arith::BitcastOp::create(*builder, withElement(type(), element), v));
  }
  /// The bits of a float as a signless integer, and back.
  Expr bits() const { return bitcastTo(builder->getIntegerType(element().getIntOrFloatBitWidth())); }

  Expr extendTo(mlir::FloatType element) const {
    return Expr(*builder, mlir::arith::ExtFOp::create(*builder, withElement(type(), element), v));
  }
  Expr truncateTo(mlir::FloatType element) const {
    return Expr(*builder, mlir::arith::TruncFOp::create(*builder, withElement(type(), element), v));
  }
  Expr truncateTo(mlir::IntegerType element) const {
    return Expr(*builder, mlir::arith::TruncIOp::create(*builder, withElement(type(), element), v));
  }
  Expr zeroExtendTo(mlir::IntegerType element) const {
    return Expr(*builder, mlir::arith::ExtUIOp::create(*builder, withElement(type(), element), v));
  }

private:
  mlir::ImplicitLocOpBuilder *builder;
  mlir::Value v;
};

inline Expr operator+(Expr a, Expr b) { return a.binary<mlir::arith::AddFOp, mlir::arith::AddIOp>(b); }
inline Expr operator-(Expr a, Expr b) { return a.binary<mlir::arith::SubFOp, mlir::arith::SubIOp>(b); }
inline Expr operator*(Expr a, Expr b) { return a.binary<mlir::arith::MulFOp, mlir::arith::MulIOp>(b); }
inline Expr operator/(Expr a, Expr b) { return a.binary<mlir::arith::DivFOp, mlir::arith::DivSIOp>(b); }
inline Expr operator+(Expr a, double b) { return a + a.constant(b); }
inline Expr operator-(Expr a, double b) { return a - a.constant(b); }
inline Expr operator*(Expr a, double b) { return a * a.constant(b); }
inline Expr operator/(Expr a, double b) { return a / a.constant(b); }
inline Expr operator+(double a, Expr b) { return b.constant(a) + b; }
inline Expr operator-(double a, Expr b) { return b.constant(a) - b; }
inline Expr operator*(double a, Expr b) { return b.constant(a) * b; }
inline Expr operator/(double a, Expr b) { return b.constant(a) / b; }
inline Expr operator-(Expr a) { return Expr(a.getBuilder(), mlir::arith::NegFOp::create(a.getBuilder(), a.value())); }

// Integers and i1 only.
inline Expr operator&(Expr a, Expr b) {
  return Expr(a.getBuilder(), mlir::arith::AndIOp::create(a.getBuilder(), a.value(), b.value()));
}
inline Expr operator|(Expr a, Expr b) {
  return Expr(a.getBuilder(), mlir::arith::OrIOp::create(a.getBuilder(), a.value(), b.value()));
}
inline Expr operator^(Expr a, Expr b) {
  return Expr(a.getBuilder(), mlir::arith::XOrIOp::create(a.getBuilder(), a.value(), b.value()));
}
inline Expr operator&(Expr a, int64_t b) { return a & a.constant(b); }
inline Expr operator|(Expr a, int64_t b) { return a | a.constant(b); }
inline Expr operator^(Expr a, int64_t b) { return a ^ a.constant(b); }
inline Expr operator<<(Expr a, int64_t b) {
  return Expr(a.getBuilder(), mlir::arith::ShLIOp::create(a.getBuilder(), a.value(), a.constant(b).value()));
}
/// Arithmetic shift.
inline Expr operator>>(Expr a, int64_t b) {
  return Expr(a.getBuilder(), mlir::arith::ShRSIOp::create(a.getBuilder(), a.value(), a.constant(b).value()));
}
inline Expr logicalShiftRight(Expr a, int64_t b) {
  return Expr(a.getBuilder(), mlir::arith::ShRUIOp::create(a.getBuilder(), a.value(), a.constant(b).value()));
}

inline Expr operator<(Expr a, Expr b) {
  return a.compare(mlir::arith::CmpFPredicate::OLT, mlir::arith::CmpIPredicate::slt, b);
}
inline Expr operator>(Expr a, Expr b) {
  return a.compare(mlir::arith::CmpFPredicate::OGT, mlir::arith::CmpIPredicate::sgt, b);
}
inline Expr operator>=(Expr a, Expr b) {
  return a.compare(mlir::arith::CmpFPredicate::OGE, mlir::arith::CmpIPredicate::sge, b);
}
inline Expr operator==(Expr a, Expr b) {
  return a.compare(mlir::arith::CmpFPredicate::OEQ, mlir::arith::CmpIPredicate::eq, b);
}
inline Expr operator<(Expr a, double b) { return a < a.constant(b); }
inline Expr operator>(Expr a, double b) { return a > a.constant(b); }
inline Expr operator>=(Expr a, double b) { return a >= a.constant(b); }
inline Expr operator==(Expr a, double b) { return a == a.constant(b); }
inline Expr isNan(Expr a) { return a.compare(mlir::arith::CmpFPredicate::UNO, mlir::arith::CmpIPredicate::ne, a); }

inline Expr select(Expr condition, Expr a, Expr b) {
  auto &builder = condition.getBuilder();
  return Expr(builder, mlir::arith::SelectOp::create(builder, condition.value(), a.value(), b.value()));
}

inline Expr absolute(Expr a) { return Expr(a.getBuilder(), mlir::math::AbsFOp::create(a.getBuilder(), a.value())); }
inline Expr copySign(Expr magnitude, Expr sign) {
  auto &builder = sign.getBuilder();
  return Expr(builder, mlir::math::CopySignOp::create(builder, magnitude.value(), sign.value()));
}

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_CPU_VECTOREXPR_H
