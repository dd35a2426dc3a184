//===- LowerMath.cpp - Math operations for a given target -------------------===//
//
// See LowerMath.h. The operations are collected first and then replaced one by one: what the replacements are made of
// is final, so nothing is visited twice.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/LowerMath.h"

#include "codegen/cpu/FloatExpansion.h"
#include "codegen/cpu/VectorMath.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"
#include <optional>

using namespace mlir;

namespace onnx_aot {
#define GEN_PASS_DEF_LOWERMATH
#include "codegen/cpu/Passes.h.inc"

namespace {

class MathLowering {
public:
  MathLowering(ModuleOp module, const LowerMathOptions &options) : symbols(module), options(options) {
    vectorMath.fusedMultiplyAdd = options.hardwareFma;
    vectorMath.sqrt = [this](Expr x) { return sqrt(x); };
    vectorMath.large = [this](StringRef function, Expr x) { return callRuntime(function, {x}); };
  }

  /// Replaces the operation if the target needs it; fails, with a diagnostic, when it has no lowering.
  LogicalResult lower(Operation *op);

private:
  std::optional<Expr> lowerFloat(Operation *op, ArrayRef<Expr> operands, bool isWidened);
  std::optional<Expr> lowerF32(Operation *op, Expr x);
  std::optional<Expr> lowerPower(Expr base, Value exponent);
  std::optional<Expr> lowerConversion(Operation *op, Expr x);
  Expr convert(Expr x, Type element);
  std::optional<Expr> lowerWidened(Operation *op, ImplicitLocOpBuilder &builder);
  Expr lowerIntegerPower(math::IPowIOp op, Expr base, Expr exponent);
  void lowerReduction(vector::ReductionOp op);

  Expr sqrt(Expr x);
  Expr trunc(Expr x);
  Expr integerPower(Expr base, int64_t exponent);
  Expr callRuntime(StringRef function, ArrayRef<Expr> operands);
  Value callLane(ImplicitLocOpBuilder &builder, StringRef function, ValueRange operands);

  bool has(bool feature, Expr x) const { return feature && (x.element().isF32() || options.hardwareF64); }

  SymbolTable symbols;
  LowerMathOptions options;
  VectorMath vectorMath;
};

} // namespace

//===----------------------------------------------------------------------===//
// Calls of the runtime
//===----------------------------------------------------------------------===//

Value MathLowering::callLane(ImplicitLocOpBuilder &builder, StringRef function, ValueRange operands) {
  Type type = operands.front().getType();
  std::string name = ("onnx_aot_math_" + function + (type.isF32() ? "f" : "")).str();
  auto callee = symbols.lookup<func::FuncOp>(name);
  if (!callee) {
    OpBuilder module(symbols.getOp()->getContext());
    callee = func::FuncOp::create(builder.getLoc(), name, module.getFunctionType(operands.getTypes(), {type}));
    callee.setPrivate();
    symbols.insert(callee);
  }
  return func::CallOp::create(builder, callee, operands).getResult(0);
}

/// A runtime function applied to scalars, or lane by lane to vectors.
Expr MathLowering::callRuntime(StringRef function, ArrayRef<Expr> operands) {
  ImplicitLocOpBuilder &builder = operands.front().getBuilder();
  SmallVector<Value> values;
  for (Expr operand : operands)
    values.push_back(operand.value());
  auto vector = dyn_cast<VectorType>(values.front().getType());
  if (!vector)
    return Expr(builder, callLane(builder, function, values));

  auto flat = VectorType::get({vector.getNumElements()}, vector.getElementType());
  if (flat != vector)
    for (Value &value : values)
      value = vector::ShapeCastOp::create(builder, flat, value);
  auto lane = [&](ImplicitLocOpBuilder &builder, OpFoldResult index, Value result) -> Value {
    SmallVector<Value> scalars;
    for (Value value : values)
      scalars.push_back(vector::ExtractOp::create(builder, value, index));
    return vector::InsertOp::create(builder, callLane(builder, function, scalars), result, index);
  };

  Value result = values.front();
  int64_t lanes = flat.getNumElements();
  if (lanes <= 16) {
    for (int64_t i = 0; i < lanes; ++i)
      result = lane(builder, builder.getIndexAttr(i), result);
  } else {
    Value zero = arith::ConstantIndexOp::create(builder, 0), one = arith::ConstantIndexOp::create(builder, 1);
    Value end = arith::ConstantIndexOp::create(builder, lanes);
    auto loop = scf::ForOp::create(builder, zero, end, one, ValueRange{result},
                                   [&](OpBuilder &body, Location loc, Value index, ValueRange carried) {
                                     ImplicitLocOpBuilder inner(loc, body);
                                     Value next = lane(inner, index, carried.front());
                                     scf::YieldOp::create(inner, next);
                                   });
    result = loop.getResult(0);
  }
  if (flat != vector)
    result = vector::ShapeCastOp::create(builder, vector, result);
  return Expr(builder, result);
}

//===----------------------------------------------------------------------===//
// Float operations
//===----------------------------------------------------------------------===//

Expr MathLowering::sqrt(Expr x) {
  if (has(options.hardwareSqrt, x))
    return Expr(x.getBuilder(), math::SqrtOp::create(x.getBuilder(), x.value()));
  return callRuntime("sqrt", {x});
}

Expr MathLowering::trunc(Expr x) {
  if (has(options.hardwareRounding, x))
    return Expr(x.getBuilder(), math::TruncOp::create(x.getBuilder(), x.value()));
  return expandTrunc(x);
}

/// base^exponent by repeated squaring, |exponent| small.
Expr MathLowering::integerPower(Expr base, int64_t exponent) {
  if (exponent == 0)
    return base.constant(1);
  // The reciprocal first: a power that overflows may have a reciprocal that does not vanish.
  Expr square = exponent < 0 ? 1.0 / base : base;
  std::optional<Expr> result;
  for (uint64_t rest = exponent < 0 ? -exponent : exponent; rest != 0; rest >>= 1) {
    if (rest & 1)
      result = result ? *result * square : square;
    if (rest > 1)
      square = square * square;
  }
  return *result;
}

static std::optional<double> constantOf(Value value) {
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  if (auto splat = dyn_cast<SplatElementsAttr>(attribute))
    attribute = splat.getSplatValue<Attribute>();
  if (auto real = dyn_cast<FloatAttr>(attribute))
    return real.getValueAsDouble();
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return static_cast<double>(integer.getValue().getSExtValue());
  return std::nullopt;
}

/// Powers by a constant that are a few multiplications or a root; each has the special cases of pow.
std::optional<Expr> MathLowering::lowerPower(Expr base, Value exponent) {
  std::optional<double> y = constantOf(exponent);
  if (!y)
    return std::nullopt;
  // Up to the fourth power the product's error stays below 2 ulp.
  if (*y == static_cast<int>(*y) && *y >= -2 && *y <= 4)
    return integerPower(base, static_cast<int64_t>(*y));
  if (*y == 0.5 || *y == -0.5) {
    // pow(-0, 0.5) is +0 and pow(-inf, 0.5) is +inf, unlike sqrt.
    Expr root = sqrt(base + 0);
    if (*y < 0)
      root = 1.0 / root;
    double infinity = std::numeric_limits<double>::infinity();
    return select(base == -infinity, base.constant(*y > 0 ? infinity : 0.0), root);
  }
  return std::nullopt;
}

/// The functions of one f32 argument that are vector code.
std::optional<Expr> MathLowering::lowerF32(Operation *op, Expr x) {
  using Function = Expr (VectorMath::*)(Expr) const;
  static const llvm::StringMap<Function> functions = {
      {"math.exp", &VectorMath::exp},     {"math.exp2", &VectorMath::exp2}, {"math.expm1", &VectorMath::expm1},
      {"math.log", &VectorMath::log},     {"math.log2", &VectorMath::log2}, {"math.log10", &VectorMath::log10},
      {"math.log1p", &VectorMath::log1p}, {"math.sin", &VectorMath::sin},   {"math.cos", &VectorMath::cos},
      {"math.tan", &VectorMath::tan},     {"math.asin", &VectorMath::asin}, {"math.acos", &VectorMath::acos},
      {"math.atan", &VectorMath::atan},   {"math.sinh", &VectorMath::sinh}, {"math.cosh", &VectorMath::cosh},
      {"math.tanh", &VectorMath::tanh},   {"math.erf", &VectorMath::erf},
  };
  auto found = functions.find(op->getName().getStringRef());
  if (found == functions.end())
    return std::nullopt;
  return (vectorMath.*found->second)(x);
}

/// The runtime function of an operation, empty where there is none.
static StringRef runtimeFunction(Operation *op) {
  return TypeSwitch<Operation *, StringRef>(op)
      .Case<math::ExpOp, math::Exp2Op, math::ExpM1Op, math::LogOp, math::Log2Op, math::Log10Op, math::Log1pOp,
            math::SinOp, math::CosOp, math::TanOp, math::AsinOp, math::AcosOp, math::AtanOp, math::SinhOp, math::CoshOp,
            math::TanhOp, math::AsinhOp, math::AcoshOp, math::AtanhOp, math::ErfOp, math::ErfcOp, math::CbrtOp,
            math::Atan2Op>([](Operation *op) { return op->getName().stripDialect(); })
      .Case<math::PowFOp>([](Operation *) { return "pow"; })
      .Case<arith::RemFOp>([](Operation *) { return "fmod"; })
      .Default([](Operation *) { return ""; });
}

/// f32 and f64. Nothing: the operation may stay.
std::optional<Expr> MathLowering::lowerFloat(Operation *op, ArrayRef<Expr> operands, bool isWidened) {
  Expr x = operands.front();
  auto expandUnless = [&](bool hardware, auto &&expand) -> std::optional<Expr> {
    if (has(hardware, x))
      return std::nullopt;
    return expand();
  };
  bool rounds = options.hardwareRounding;
  // LLVM narrows a widened minimum back to f16, where it calls fminf for want of an instruction.
  bool takesMinima = options.hardwareMinMax && !isWidened;
  std::optional<Expr> none;
  return TypeSwitch<Operation *, std::optional<Expr>>(op)
      .Case<math::RoundEvenOp>([&](auto) { return expandUnless(rounds, [&] { return expandRoundEven(x); }); })
      .Case<math::FloorOp>([&](auto) { return expandUnless(rounds, [&] { return expandFloor(x); }); })
      .Case<math::CeilOp>([&](auto) { return expandUnless(rounds, [&] { return expandCeil(x); }); })
      .Case<math::TruncOp>([&](auto) { return expandUnless(rounds, [&] { return expandTrunc(x); }); })
      // Few targets round ties away from zero in one instruction, and LLVM may call libm on the others.
      .Case<math::RoundOp>([&](auto) { return expandRound(x, trunc(absolute(x))); })
      .Case<math::SqrtOp>([&](auto) { return expandUnless(options.hardwareSqrt, [&] { return sqrt(x); }); })
      .Case<math::RsqrtOp>([&](auto) { return 1.0 / sqrt(x); })
      .Case<math::FmaOp, vector::FMAOp>(
          [&](auto) { return expandUnless(options.hardwareFma, [&] { return x * operands[1] + operands[2]; }); })
      .Case<math::ClampFOp>([&](auto) {
        Expr raised = select(x < operands[1], operands[1], x);
        return select(raised > operands[2], operands[2], raised);
      })
      .Case<arith::MaximumFOp>(
          [&](auto) { return expandUnless(takesMinima, [&] { return expandMaximum(x, operands[1]); }); })
      .Case<arith::MinimumFOp>(
          [&](auto) { return expandUnless(takesMinima, [&] { return expandMinimum(x, operands[1]); }); })
      .Case<arith::MaxNumFOp>(
          [&](auto) { return expandUnless(takesMinima, [&] { return expandMaxNum(x, operands[1]); }); })
      .Case<arith::MinNumFOp>(
          [&](auto) { return expandUnless(takesMinima, [&] { return expandMinNum(x, operands[1]); }); })
      .Case<math::FPowIOp>([&](math::FPowIOp power) -> std::optional<Expr> {
        // As a double any i32 exponent is exact, which it would not be as a float.
        if (std::optional<Expr> simple = lowerPower(x, power.getRhs()))
          return simple;
        ImplicitLocOpBuilder &builder = x.getBuilder();
        Type wide = withElement(x.type(), builder.getF64Type());
        Expr exponent(builder, arith::SIToFPOp::create(builder, wide, power.getRhs()));
        if (!x.element().isF32())
          return callRuntime("pow", {x, exponent});
        return callRuntime("pow", {x.extendTo(builder.getF64Type()), exponent}).truncateTo(builder.getF32Type());
      })
      .Default([&](Operation *) -> std::optional<Expr> {
        if (isa<math::PowFOp>(op))
          if (std::optional<Expr> simple = lowerPower(x, operands[1].value()))
            return simple;
        if (x.element().isF32())
          if (std::optional<Expr> result = lowerF32(op, x))
            return result;
        StringRef function = runtimeFunction(op);
        if (function.empty())
          return none;
        return callRuntime(function, operands);
      });
}

//===----------------------------------------------------------------------===//
// 16-bit floats and integers
//===----------------------------------------------------------------------===//

/// extf and truncf from or to a 16-bit format that the target does not convert itself.
std::optional<Expr> MathLowering::lowerConversion(Operation *op, Expr x) {
  Type from = x.element(), to = getElementTypeOrSelf(op->getResult(0).getType());
  ImplicitLocOpBuilder &builder = x.getBuilder();
  FloatType f32 = builder.getF32Type(), f64 = builder.getF64Type();
  auto expand = [&](Type type) { return type.isBF16() || (type.isF16() && !options.hardwareF16); };
  if (isa<arith::ExtFOp>(op)) {
    // f16 to f64 has a conversion of its own on few targets; by way of f32 it is exact.
    if (!expand(from) && !(from.isF16() && to.isF64()))
      return std::nullopt;
    Expr wide = from.isBF16() ? expandBF16ToF32(x) : expand(from) ? expandF16ToF32(x) : x.extendTo(f32);
    return to.isF64() ? wide.extendTo(f64) : wide;
  }
  if (!expand(to) && !(to.isF16() && from.isF64()))
    return std::nullopt;
  if (!from.isF32() && !from.isF64())
    return std::nullopt;
  Expr single = from.isF64() ? truncateToOddF32(x) : x;
  return to.isBF16()  ? expandF32ToBF16(single)
         : expand(to) ? expandF32ToF16(single)
                      : single.truncateTo(cast<FloatType>(to));
}

/// Between f32 and a 16-bit format, by instruction or inline.
Expr MathLowering::convert(Expr x, Type element) {
  ImplicitLocOpBuilder &builder = x.getBuilder();
  Type type = withElement(x.type(), element);
  Operation *conversion = element.isF32() ? arith::ExtFOp::create(builder, type, x.value()).getOperation()
                                          : arith::TruncFOp::create(builder, type, x.value()).getOperation();
  std::optional<Expr> lowered = lowerConversion(conversion, x);
  if (!lowered)
    return Expr(builder, conversion->getResult(0));
  conversion->erase();
  return *lowered;
}

/// An operation on a 16-bit format: widened, computed in f32, rounded.
std::optional<Expr> MathLowering::lowerWidened(Operation *op, ImplicitLocOpBuilder &builder) {
  auto isNarrow = [](Type type) {
    Type element = getElementTypeOrSelf(type);
    return element.isF16() || element.isBF16();
  };

  IRMapping mapping;
  SmallVector<Expr> operands;
  for (Value operand : op->getOperands()) {
    Expr wide(builder, operand);
    if (isNarrow(operand.getType())) {
      // A constant stays one, so that constant exponents are recognised.
      std::optional<double> number = constantOf(operand);
      if (number) {
        Type type = withElement(operand.getType(), builder.getF32Type());
        auto value = FloatAttr::get(builder.getF32Type(), *number);
        TypedAttr attribute = value;
        if (auto shaped = dyn_cast<ShapedType>(type))
          attribute = DenseElementsAttr::get(shaped, cast<Attribute>(value));
        wide = Expr(builder, arith::ConstantOp::create(builder, attribute));
      } else {
        wide = convert(wide, builder.getF32Type());
      }
    }
    mapping.map(operand, wide.value());
    operands.push_back(wide);
  }
  Type type = op->getResult(0).getType();
  bool roundsResult = isNarrow(type);
  Operation *clone = builder.clone(*op, mapping);
  if (roundsResult)
    clone->getResult(0).setType(withElement(type, builder.getF32Type()));
  Expr result(builder, clone->getResult(0));
  if (operands.front().isFloat())
    if (std::optional<Expr> lowered = lowerFloat(clone, operands, /*isWidened=*/true)) {
      result = *lowered;
      clone->erase();
    }
  return roundsResult ? convert(result, getElementTypeOrSelf(type)) : result;
}

Expr MathLowering::lowerIntegerPower(math::IPowIOp op, Expr base, Expr exponent) {
  std::optional<double> y = constantOf(exponent.value());
  if (y && *y >= 0 && *y <= 64)
    return integerPower(base, static_cast<int64_t>(*y));
  ImplicitLocOpBuilder &builder = base.getBuilder();
  Type narrow = op.getType(), wide = withElement(narrow, builder.getI64Type());
  if (narrow == wide)
    return callRuntime("ipow", {base, exponent});
  auto extend = [&](Expr x) { return Expr(builder, arith::ExtSIOp::create(builder, wide, x.value())); };
  return callRuntime("ipow", {extend(base), extend(exponent)}).truncateTo(cast<IntegerType>(base.element()));
}

/// Reductions of f32 and f64 stay, except minima that the target lacks: LLVM would combine the lanes through fminf.
/// Those of 16-bit formats accumulate in f32.
void MathLowering::lowerReduction(vector::ReductionOp op) {
  using Combine = Expr (*)(Expr, Expr);
  VectorType type = op.getSourceVectorType();
  Type element = type.getElementType();
  bool isNarrow = element.isF16() || element.isBF16();
  if (!isNarrow && !element.isF32() && !element.isF64())
    return;
  Combine combine = nullptr;
  if (!options.hardwareMinMax || (element.isF64() && !options.hardwareF64) || isNarrow)
    switch (op.getKind()) {
    case vector::CombiningKind::MAXIMUMF:
      combine = expandMaximum;
      break;
    case vector::CombiningKind::MINIMUMF:
      combine = expandMinimum;
      break;
    case vector::CombiningKind::MAXNUMF:
      combine = expandMaxNum;
      break;
    case vector::CombiningKind::MINNUMF:
      combine = expandMinNum;
      break;
    default:
      break;
    }
  if (!isNarrow && !combine)
    return;

  ImplicitLocOpBuilder builder(op.getLoc(), op);
  auto wide = [&](Value value) {
    Expr x(builder, value);
    return isNarrow ? convert(x, builder.getF32Type()) : x;
  };
  Expr source = wide(op.getVector());
  std::optional<Expr> result;
  if (op.getAcc())
    result = wide(op.getAcc());
  if (combine) {
    for (int64_t i = 0; i < type.getNumElements(); ++i) {
      OpFoldResult index = builder.getIndexAttr(i);
      Expr lane(builder, vector::ExtractOp::create(builder, source.value(), index));
      result = result ? combine(*result, lane) : lane;
    }
  } else if (result) {
    result = Expr(builder, vector::ReductionOp::create(builder, op.getKind(), source.value(), result->value()));
  } else {
    result = Expr(builder, vector::ReductionOp::create(builder, op.getKind(), source.value()));
  }
  if (isNarrow)
    result = convert(*result, element);
  op.getResult().replaceAllUsesWith(result->value());
  op.erase();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// What LLVM translates to instructions (or a few of them) on every target.
static bool isAlwaysInstructions(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::CopySignOp, math::CountLeadingZerosOp, math::CountTrailingZerosOp,
             math::CtPopOp, math::IsFiniteOp, math::IsInfOp, math::IsNaNOp, math::IsNormalOp>(op);
}

LogicalResult MathLowering::lower(Operation *op) {
  auto isExpanded = [&](Type type) {
    Type element = getElementTypeOrSelf(type);
    return element.isBF16() || (element.isF16() && !options.hardwareF16);
  };
  if (op->getNumOperands() == 0 || (isAlwaysInstructions(op) && llvm::none_of(op->getOperandTypes(), isExpanded)))
    return success();
  bool isMath = isa<math::MathDialect>(op->getDialect());
  if (auto shaped = dyn_cast<ShapedType>(op->getOperand(0).getType())) {
    auto vector = dyn_cast<VectorType>(shaped);
    if (!vector || vector.isScalable()) {
      if (!isMath)
        return success();
      return op->emitOpError("on ") << shaped << " cannot be lowered: scalars and fixed-length vectors can";
    }
  }

  if (auto reduction = dyn_cast<vector::ReductionOp>(op)) {
    lowerReduction(reduction);
    return success();
  }

  ImplicitLocOpBuilder builder(op->getLoc(), op);
  auto elementIs = [](TypeRange types, auto &&predicate) {
    return llvm::any_of(types, [&](Type type) { return predicate(getElementTypeOrSelf(type)); });
  };
  auto isNarrow = [&](Type type) { return type.isBF16() || (type.isF16() && !options.hardwareF16); };
  bool isNarrowFloat = elementIs(op->getOperandTypes(), isNarrow) || elementIs(op->getResultTypes(), isNarrow);
  // Targets that convert f16 in hardware calculate in f32, except that LLVM calls functions for some operations.
  bool isHalfCall =
      elementIs(op->getOperandTypes(), [](Type type) { return type.isF16(); }) &&
      (isMath ||
       isa<vector::FMAOp, arith::RemFOp, arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp>(op));

  std::optional<Expr> result;
  if (auto sincos = dyn_cast<math::SincosOp>(op)) {
    auto sine = math::SinOp::create(builder, sincos.getOperand());
    auto cosine = math::CosOp::create(builder, sincos.getOperand());
    op->replaceAllUsesWith(ValueRange{sine, cosine});
    op->erase();
    return success(succeeded(lower(sine)) && succeeded(lower(cosine)));
  }
  SmallVector<Expr> operands;
  for (Value operand : op->getOperands())
    operands.emplace_back(builder, operand);
  Type element = operands.front().element();

  if (isa<arith::SelectOp, arith::BitcastOp>(op))
    return success();
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    result = lowerConversion(op, operands.front());
  else if (auto power = dyn_cast<math::IPowIOp>(op))
    result = lowerIntegerPower(power, operands[0], operands[1]);
  else if (isNarrowFloat || isHalfCall)
    result = lowerWidened(op, builder);
  else if (element.isF32() || element.isF64())
    result = lowerFloat(op, operands, /*isWidened=*/false);
  else if (isMath)
    return op->emitOpError("on ") << op->getOperand(0).getType() << " is not supported: f16, bf16, f32 and f64 are";

  if (!result)
    return success();
  op->getResult(0).replaceAllUsesWith(result->value());
  op->erase();
  return success();
}

namespace {

struct LowerMath : impl::LowerMathBase<LowerMath> {
  using LowerMathBase::LowerMathBase;

  void runOnOperation() override {
    SmallVector<Operation *> operations;
    getOperation()->walk([&](Operation *op) {
      if (isa_and_nonnull<math::MathDialect, arith::ArithDialect>(op->getDialect()) ||
          isa<vector::FMAOp, vector::ReductionOp>(op))
        operations.push_back(op);
    });
    LowerMathOptions options{hardwareRounding, hardwareFma, hardwareSqrt, hardwareMinMax, hardwareF64, hardwareF16};
    MathLowering lowering(getOperation(), options);
    bool failed = false;
    for (Operation *op : operations)
      failed |= lowering.lower(op).failed();
    if (failed)
      signalPassFailure();
  }
};

} // namespace

LowerMathOptions lowerMathOptionsFor(const llvm::TargetMachine &machine) {
  const llvm::MCSubtargetInfo *subtarget = machine.getMCSubtargetInfo();
  const llvm::Triple &triple = machine.getTargetTriple();
  auto has = [&](StringRef features) { return subtarget->checkFeatures(features); };
  LowerMathOptions options;
  options.hardwareRounding = options.hardwareFma = options.hardwareSqrt = false;
  options.hardwareMinMax = options.hardwareF64 = options.hardwareF16 = false;
  if (triple.isX86()) {
    options.hardwareRounding = has("+sse4.1");
    options.hardwareFma = has("+fma");
    options.hardwareSqrt = options.hardwareMinMax = options.hardwareF64 = has("+sse2");
    options.hardwareF16 = has("+f16c");
  } else if (triple.isAArch64()) {
    options.hardwareRounding = options.hardwareFma = options.hardwareSqrt = has("+fp-armv8");
    options.hardwareMinMax = options.hardwareF64 = options.hardwareF16 = has("+fp-armv8");
  } else if ((triple.isARM() || triple.isThumb()) && !has("+soft-float")) {
    // No minima: LLVM 22 fails to select maximum and minimum of f64.
    options.hardwareRounding = has("+fp-armv8d16sp");
    options.hardwareFma = has("+vfp4d16sp");
    options.hardwareSqrt = has("+vfp2sp");
    options.hardwareF64 = has("+fp64");
    options.hardwareF16 = has("+fp16");
  } else if (triple.isRISCV()) {
    options.hardwareRounding = options.hardwareMinMax = has("+zfa");
    options.hardwareFma = options.hardwareSqrt = has("+f");
    options.hardwareF64 = has("+d");
    options.hardwareF16 = has("+zfhmin");
  } else if (triple.isWasm()) {
    options.hardwareRounding = options.hardwareSqrt = options.hardwareF64 = true;
  }
  return options;
}

} // namespace onnx_aot
