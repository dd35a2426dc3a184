//===- FunctionPrinter.cpp - one function of the IR as a function in C --------------------------------------------===//
//
// See FunctionPrinter.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/FunctionPrinter.h"
#include "codegen/c/Inlining.h"
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/StatusNode.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace onnx_aot::c {

//===-- Names -----------------------------------------------------------------------------------------------------===//

std::string nodeText(Location location) {
  std::string text;
  location->walk([&](Location inner) {
    auto name = dyn_cast<NameLoc>(inner);
    if (!name || !name.getName().strref().starts_with("\""))
      return WalkResult::advance();
    text = name.getName().str();
    return WalkResult::interrupt();
  });
  for (char &c : text)
    if (!llvm::isPrint(c) || c == '*' || c == '\\' || c == '?')
      c = '_';
  return text;
}

raw_ostream &FunctionPrinter::line() { return os.indent(2 * indent); }

std::string FunctionPrinter::fresh(StringRef kind) { return (kind + Twine(counters[kind]++)).str(); }

Expr FunctionPrinter::expression(Value value) {
  auto known = values.find(value);
  if (known != values.end())
    return known->second;
  Operation *op = value.getDefiningOp();
  if (auto constant = dyn_cast_or_null<arith::ConstantOp>(op))
    return expressions.constant(constant.getValue());
  if (auto load = dyn_cast_or_null<memref::LoadOp>(op))
    return this->load(load);
  if (op && inlined.contains(op))
    if (std::optional<Expr> expr = expressions.print(op, [&](Value operand) { return expression(operand); }))
      return *expr;
  // printOperation has reported what defines it.
  return Expr("0");
}

void FunctionPrinter::define(Value value, const Expr &expr) {
  file.needs.bits128 |= value.getType().isInteger(128);
  std::string name = fresh("t");
  line() << valueType(value.getType()) << " " << name << " = " << expr.text << ";\n";
  values.insert({value, Expr(name)});
  if (!value.getDefiningOp<func::CallOp>() || Expressions::isExpression(value.getDefiningOp()))
    removable.insert(name);
}

//===-- Functions -------------------------------------------------------------------------------------------------===//

static bool isPrintableValue(Type type) {
  if (auto buffer = dyn_cast<MemRefType>(type))
    return isPrintable(buffer.getElementType());
  return isPrintable(type) || isa<LLVM::LLVMPointerType>(type);
}

/// What says sizes before a run must not have the name of the function around it.
std::string FunctionPrinter::nameOf(func::FuncOp function) const {
  bool isModelOrKernel = function.getName() == "main" || function.getNumResults() == 0;
  return (file.prefix + "_" + function.getName() + (isModelOrKernel ? "" : "_of_dims")).str();
}

void FunctionPrinter::printParameters(func::FuncOp function) {
  SmallVector<std::string> parameters;
  for (BlockArgument argument : function.getArguments()) {
    std::string number = std::to_string(argument.getArgNumber());
    auto type = dyn_cast<MemRefType>(argument.getType());
    if (type) {
      bool isRead = !file.roots->isWritten(argument);
      std::string name = (isRead ? "in" : "out") + number;
      std::string restricted = file.roots->isRestrict(argument) ? "restrict " : "";
      parameters.push_back((isRead ? "const " : "") + elementType(type.getElementType()) + " *" + restricted + name);
      buffers.insert({argument, parameterBuffer(name, type, isRead)});
    } else if (isa<LLVM::LLVMPointerType>(argument.getType())) {
      parameters.push_back("onnx_aot_context *ctx");
      values.insert({argument, Expr("ctx")});
    } else {
      parameters.push_back(valueType(argument.getType()) + " n" + number);
      values.insert({argument, Expr("n" + number)});
    }
  }
  if (parameters.empty())
    parameters.push_back("void");
  std::string joined = llvm::join(parameters, ", ");
  bool isLong = joined.size() > 80;
  os << "(" << (isLong ? "\n    " + llvm::join(parameters, ",\n    ") : joined) << ") {\n";
}

/// A subscript may turn out not to need the value that was computed for it: along a dim of one element, say.
std::string FunctionPrinter::withoutUnused(StringRef body) const {
  SmallVector<StringRef> lines;
  body.split(lines, '\n');
  llvm::StringMap<unsigned> uses;
  for (StringRef line : lines)
    forEachWord(line, [&](StringRef word) { ++uses[word]; });
  // What only an unused variable reads is unused too, and stands before it.
  for (StringRef &line : llvm::reverse(lines)) {
    auto [declared, value] = line.split(" = ");
    StringRef name = declared.rsplit(' ').second.ltrim('*');
    if (value.empty() || !removable.contains(name) || uses[name] != 1)
      continue;
    forEachWord(line, [&](StringRef word) { --uses[word]; });
    line = StringRef();
  }
  std::string kept;
  for (auto [index, line] : llvm::enumerate(lines))
    if (line.data() && index + 1 < lines.size())
      kept += (line + "\n").str();
  return kept;
}

FailureOr<std::string> FunctionPrinter::print(func::FuncOp function) {
  WalkResult types = function.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (!isPrintableValue(type)) {
        op->emitError("unsupported: C has no type for ") << type;
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  if (types.wasInterrupted() || !llvm::all_of(function.getArgumentTypes(), isPrintableValue))
    return failure();
  FunctionType type = function.getFunctionType();
  std::string node = nodeText(function.getLoc());
  os << "\n";
  if (!node.empty())
    os << "/* " << node << " */\n";
  os << "static " << (type.getNumResults() == 0 ? "void" : valueType(type.getResult(0))) << " " << nameOf(function);
  printParameters(function);
  indent = 1;
  std::string head = std::exchange(text, "");
  if (failed(printBlock(function.getBody().front())))
    return failure();
  std::string body = withoutUnused(text), unused;
  llvm::StringSet<> words;
  forEachWord(body, [&](StringRef word) { words.insert(word); });
  for (BlockArgument argument : function.getArguments()) {
    bool isBuffer = isa<MemRefType>(argument.getType());
    std::string name = isBuffer ? bufferOf(argument).base : expression(argument).text;
    if (!words.contains(name))
      unused += "  (void)" + name + ";\n";
  }
  return head + unused + body + "}\n";
}

LogicalResult FunctionPrinter::printBlock(Block &block) {
  DenseSet<Operation *> here = findInlined(block);
  inlined.insert(here.begin(), here.end());
  for (Operation &op : block)
    if (!inlined.contains(&op) && failed(printOperation(&op)))
      return failure();
  return success();
}

//===-- Operations ------------------------------------------------------------------------------------------------===//

/// Says in the entry which node the code below comes from.
void FunctionPrinter::printNode(Operation *op) {
  if (indent != 1 || !isa<func::CallOp, scf::ForOp, scf::WhileOp, scf::IfOp, memref::CopyOp, memref::StoreOp>(op))
    return;
  std::string node = nodeText(op->getLoc());
  if (node.empty() || node == currentNode || nodeText(op->getParentOfType<func::FuncOp>().getLoc()) == node)
    return;
  currentNode = node;
  os << "\n";
  line() << "/* " << node << " */\n";
}

void FunctionPrinter::printRequire(Operation *op) {
  auto check = cast<aot::RequireOp>(op);
  uint32_t status = static_cast<uint32_t>(check.getCode()) | aot::statusNode(op->getLoc()) << 8;
  Expr condition = expression(check.getCondition());
  line() << "if (!" << condition.at(Unary) << ")\n";
  os.indent(2 * indent + 2) << "return " << status << "; /* " << aot::stringifyCode(check.getCode()).str();
  if (std::string node = nodeText(op->getLoc()); !node.empty())
    os << ", " << node;
  os << " */\n";
}

LogicalResult FunctionPrinter::printExtendedArithmetic(Operation *op) {
  Type type = op->getResult(0).getType();
  auto operand = [&](Value value) { return expression(value); };
  if (op->getNumOperands() != 2 || op->getNumResults() != 2 || !type.isInteger(64))
    return op->emitError("unsupported: C has no form for '") << op->getName() << "' on " << type;
  Expr a = expressions.asUnsigned(op->getOperand(0), operand), b = expressions.asUnsigned(op->getOperand(1), operand);
  if (isa<arith::AddUIExtendedOp>(op)) {
    define(op->getResult(0), castTo("int64_t", binary(a, "+", b, Additive)));
    define(op->getResult(1), binary(expressions.asUnsigned(op->getResult(0), operand), "<", a, Relational));
    return success();
  }
  if (!isa<arith::MulUIExtendedOp>(op))
    return op->emitError("unsupported: C has no form for '") << op->getName() << "'";
  file.needs.helpers.insert("high_of_product");
  define(op->getResult(0), castTo("int64_t", binary(a, "*", b, Multiplicative)));
  define(op->getResult(1), castTo("int64_t", Expr("high_of_product(" + a.text + ", " + b.text + ")")));
  return success();
}

LogicalResult FunctionPrinter::printCall(func::CallOp call) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
  if (!callee || callee.isDeclaration() || call.getNumResults() > 1)
    return call.emitError("internal error: @") << call.getCallee() << " is not a function that C can call";
  SmallVector<std::string> arguments;
  for (auto [operand, parameter] : llvm::zip(call.getOperands(), callee.getArguments())) {
    if (!isa<MemRefType>(operand.getType())) {
      arguments.push_back(expression(operand).text);
      continue;
    }
    Buffer buffer = bufferOf(operand);
    bool dropsConst = buffer.isRead && file.roots->isWritten(parameter);
    std::string pointer = elementType(buffer.element) + " *";
    arguments.push_back(dropsConst ? "(" + pointer + ")" + buffer.base : buffer.base);
  }
  Expr text(nameOf(callee) + "(" + llvm::join(arguments, ", ") + ")");
  if (call.getNumResults() == 1)
    define(call.getResult(0), text);
  else
    line() << text.text << ";\n";
  return success();
}

LogicalResult FunctionPrinter::printOperation(Operation *op) {
  printNode(op);
  auto operand = [&](Value value) { return expression(value); };
  if (Expressions::isExpression(op) && !isa<MemRefType>(op->getResult(0).getType())) {
    if (op->use_empty())
      return success();
    std::optional<Expr> expr = expressions.print(op, operand);
    if (!expr)
      return op->emitError("unsupported: C has no form for '") << op->getName() << "'";
    define(op->getResult(0), *expr);
    return success();
  }
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<arith::ConstantOp, memref::PrefetchOp>([](auto) { return success(); })
      .Case<ub::PoisonOp>([&](auto) {
        values.insert({op->getResult(0),
                       op->getResult(0).getType().isInteger(128) ? Expr("(onnx_aot_bits128){0, 0}") : Expr("0")});
        return success();
      })
      .Case<func::ReturnOp>([&](func::ReturnOp end) {
        if (end.getNumOperands() == 1)
          line() << "return " << expression(end.getOperand(0)).text << ";\n";
        return success();
      })
      .Case<func::CallOp>([&](func::CallOp call) { return printCall(call); })
      .Case<aot::RequireOp>([&](auto) {
        printRequire(op);
        return success();
      })
      .Case<scf::ForOp>([&](scf::ForOp loop) { return printFor(loop); })
      .Case<scf::WhileOp>([&](scf::WhileOp loop) { return printWhile(loop); })
      .Case<scf::IfOp>([&](scf::IfOp branch) { return printIf(branch); })
      .Case<scf::IndexSwitchOp>([&](scf::IndexSwitchOp branch) { return printSwitch(branch); })
      .Case<scf::ExecuteRegionOp>([&](scf::ExecuteRegionOp region) { return printExecute(region); })
      .Case<scf::YieldOp, scf::ConditionOp>([](auto) { return success(); }) // their parents print them
      .Case<arith::AddUIExtendedOp, arith::MulUIExtendedOp, arith::MulSIExtendedOp>(
          [&](auto) { return printExtendedArithmetic(op); })
      .Default([&](Operation *) { return printBufferOperation(op); });
}

} // namespace onnx_aot::c
