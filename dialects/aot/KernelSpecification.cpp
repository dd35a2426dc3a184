//===- KernelSpecification.cpp - a loop nest as text for a provider -----------------------------------------------===//
//
// See KernelSpecification.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/KernelSpecification.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace onnx_aot::aot;

std::string onnx_aot::aot::floatWord(float value) {
  std::string digits = llvm::utohexstr(llvm::APFloat(value).bitcastToAPInt().getZExtValue(), /*LowerCase=*/true);
  return std::string(8 - digits.size(), '0') + digits;
}

namespace {
/// A body in postfix form.
class PostfixWriter {
public:
  PostfixWriter(Block &block, ArrayRef<int> numbers) : block(block), numbers(numbers) {}

  /// False, and the reason, where an operation has no word.
  bool write(std::string &text, std::string &reason) {
    llvm::raw_string_ostream os(text);
    if (write(cast<YieldOp>(block.getTerminator()).getValue(), os))
      return true;
    reason = unknown;
    return false;
  }

private:
  static StringRef wordOf(Operation *op) {
    return llvm::TypeSwitch<Operation *, StringRef>(op)
        .Case<arith::AddFOp>([](auto) { return "add"; })
        .Case<arith::SubFOp>([](auto) { return "sub"; })
        .Case<arith::MulFOp>([](auto) { return "mul"; })
        .Case<arith::DivFOp>([](auto) { return "div"; })
        .Case<arith::MaximumFOp>([](auto) { return "max"; })
        .Case<arith::MinimumFOp>([](auto) { return "min"; })
        .Case<arith::NegFOp>([](auto) { return "neg"; })
        .Case<math::AbsFOp>([](auto) { return "abs"; })
        .Case<math::SqrtOp>([](auto) { return "sqrt"; })
        .Default(StringRef());
  }

  bool writeCondition(Value condition, llvm::raw_ostream &os) {
    auto compare = condition.getDefiningOp<arith::CmpFOp>();
    StringRef word;
    if (compare)
      switch (compare.getPredicate()) {
      case arith::CmpFPredicate::OLT:
        word = "lt";
        break;
      case arith::CmpFPredicate::OLE:
        word = "le";
        break;
      case arith::CmpFPredicate::OGT:
        word = "gt";
        break;
      case arith::CmpFPredicate::OGE:
        word = "ge";
        break;
      default:
        break;
      }
    if (word.empty()) {
      unknown = "its body chooses by something else than an order";
      return false;
    }
    if (!write(compare.getLhs(), os) || !write(compare.getRhs(), os))
      return false;
    os << " " << word;
    return true;
  }

  bool write(Value value, llvm::raw_ostream &os) {
    constexpr int kMostWords = 256; // what is used several times is written several times
    if (++words > kMostWords) {
      unknown = "its body is long";
      return false;
    }
    if (!value.getType().isF32()) {
      unknown = "it computes on other types than f32";
      return false;
    }
    if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getOwner() == &block) {
      unsigned index = argument.getArgNumber();
      if (index + 1 == block.getNumArguments())
        os << " acc";
      else
        os << " x" << numbers[index];
      return true;
    }
    FloatAttr constant;
    if (matchPattern(value, m_Constant(&constant))) {
      os << " c" << floatWord(constant.getValue().convertToFloat());
      return true;
    }
    Operation *op = value.getDefiningOp();
    if (auto fma = dyn_cast_or_null<math::FmaOp>(op)) {
      if (!write(fma.getA(), os) || !write(fma.getB(), os))
        return false;
      os << " mul";
      if (!write(fma.getC(), os))
        return false;
      os << " add";
      return true;
    }
    if (auto select = dyn_cast_or_null<arith::SelectOp>(op))
      return writeCondition(select.getCondition(), os) && write(select.getTrueValue(), os) &&
             write(select.getFalseValue(), os) && (os << " select", true);
    StringRef word = op ? wordOf(op) : StringRef();
    if (word.empty()) {
      unknown =
          op ? ("its body computes " + op->getName().getStringRef()).str() : "its body reads a value from outside";
      return false;
    }
    for (Value operand : op->getOperands())
      if (!write(operand, os))
        return false;
    os << " " << word;
    return true;
  }

  Block &block;
  ArrayRef<int> numbers; // of the inputs that are passed
  std::string unknown;
  int words = 0;
};

bool writeAddress(const Access &access, llvm::raw_ostream &os, std::string &reason) {
  if (!access.elementType.isF32()) {
    reason = "an operand is not f32";
    return false;
  }
  os << " 0";
  for (const Amount &stride : access.strides) {
    if (!stride.isStatic()) {
      reason = "a stride is only known when the model runs";
      return false;
    }
    os << " " << stride.factor;
  }
  if (access.panelDim >= 0 && !access.panelStride.isStatic()) {
    reason = "a stride is only known when the model runs";
    return false;
  }
  if (access.panelDim >= 0)
    os << " panel " << access.panelDim << " " << access.panel << " " << access.panelStride.factor;
  os << "\n";
  return true;
}
} // namespace

std::optional<std::string> onnx_aot::aot::specifyWindow(const LoopNest &nest, StrategyAttr strategy,
                                                        std::string &reason) {
  std::string text = "family window\n";
  llvm::raw_string_ostream os(text);
  int innermost = -1;
  for (auto [index, dim] : llvm::enumerate(nest.dims)) {
    if (!dim.extent.isStatic() || dim.extent.factor < 1) {
      reason = "an extent is only known when the model runs";
      return std::nullopt;
    }
    os << "dim " << dim.extent.factor << (dim.reduction ? " r\n" : " p\n");
    innermost = dim.reduction ? innermost : int(index);
  }
  auto identity = dyn_cast_or_null<FloatAttr>(nest.identity);
  if (!nest.compute || !nest.epilogue || !identity || !identity.getType().isF32()) {
    reason = "it is no reduction of f32";
    return std::nullopt;
  }
  SmallVector<int> numbers;
  int passed = 0;
  for (const Access &input : nest.inputs) {
    numbers.push_back(isPassed(input) ? passed++ : -1);
    if (!isPassed(input))
      continue;
    os << "input";
    if (!writeAddress(input, os, reason))
      return std::nullopt;
  }
  os << "output";
  if (!writeAddress(nest.output, os, reason))
    return std::nullopt;
  os << "identity " << floatWord(identity.getValue().convertToFloat()) << "\n";
  for (auto [key, region] : {std::pair("compute", nest.compute), std::pair("epilogue", nest.epilogue)}) {
    std::string body;
    if (!PostfixWriter(region->front(), numbers).write(body, reason))
      return std::nullopt;
    os << key << body << "\n";
  }
  int vector = nest.dimOf(strategy.getVector());
  os << "tile " << (vector >= 0 ? vector : innermost) << " " << strategy.getVectors() << " "
     << nest.dimOf(strategy.getRow()) << " " << strategy.getRows() << "\n";
  return text;
}
