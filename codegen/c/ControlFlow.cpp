//===- ControlFlow.cpp - loops and branches in C ------------------------------------------------------------------===//
//
// See FunctionPrinter.h. What a region yields are assignments that happen at once: they are put into an order in which
// none overwrites what a later one reads, or go through further variables where there is no such order.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/FunctionPrinter.h"

using namespace mlir;

namespace onnx_aot::c {

//===-- Variables -------------------------------------------------------------------------------------------------===//

void FunctionPrinter::declare(StringRef kind, Value initial, ArrayRef<Value> stands) {
  bool isUnused = llvm::all_of(stands, [](Value value) { return value.use_empty(); });
  Type type = stands.front().getType();
  if (auto memref = dyn_cast<MemRefType>(type)) {
    Buffer source;
    if (initial)
      source = bufferOf(initial);
    Buffer buffer = declareBuffer(kind, memref, initial ? &source : nullptr);
    for (Value value : stands)
      buffers[value] = buffer;
    return;
  }
  file.needs.bits128 |= type.isInteger(128);
  std::string name = fresh(kind);
  line() << valueType(type) << " " << name;
  if (initial)
    os << " = " << expression(initial).text;
  os << ";\n";
  if (isUnused)
    line() << "(void)" << name << ";\n";
  for (Value value : stands)
    values.insert({value, Expr(name)});
}

void FunctionPrinter::collectAssignments(Value target, Value source, SmallVectorImpl<Assignment> &out) {
  auto type = dyn_cast<MemRefType>(target.getType());
  if (!type) {
    out.push_back({expression(target).text, expression(source).text, valueType(target.getType())});
    return;
  }
  Buffer to = bufferOf(target), from = bufferOf(source);
  std::string pointer = elementType(to.element) + " *";
  out.push_back({to.base, from.isRead ? "(" + pointer + ")" + from.base : from.base, pointer});
  int64_t offset;
  SmallVector<int64_t> strides;
  (void)type.getStridesAndOffset(strides, offset);
  if (ShapedType::isDynamic(offset))
    out.push_back({to.offset.text, from.offset.text, "ptrdiff_t"});
  for (auto [dim, size] : llvm::enumerate(type.getShape())) {
    if (ShapedType::isDynamic(size))
      out.push_back({to.sizes[dim].text, from.sizes[dim].text, "ptrdiff_t"});
    if (ShapedType::isDynamic(strides[dim]))
      out.push_back({to.strides[dim].text, from.strides[dim].text, "ptrdiff_t"});
  }
}

void FunctionPrinter::assign(ValueRange targets, ValueRange sources) {
  SmallVector<Assignment> pending;
  for (auto [target, source] : llvm::zip(targets, sources))
    collectAssignments(target, source, pending);
  llvm::erase_if(pending, [](const Assignment &assignment) { return assignment.target == assignment.value; });
  while (!pending.empty()) {
    auto isReadLater = [&](const Assignment &assignment) {
      return llvm::any_of(pending, [&](const Assignment &other) {
        return &other != &assignment && mentions(other.value, assignment.target);
      });
    };
    auto next = llvm::find_if_not(pending, isReadLater);
    if (next == pending.end()) {
      for (Assignment &assignment : pending) {
        std::string name = fresh("next");
        line() << assignment.type << (assignment.type.back() == '*' ? "" : " ") << name << " = " << assignment.value
               << ";\n";
        assignment.value = name;
      }
      continue;
    }
    // What ends with the target's own value and has no operator that binds weaker adds to it.
    StringRef value = next->value;
    bool isSum = value.ends_with(" + " + next->target) && value.find_first_of("?<>=!|&^") == StringRef::npos;
    if (isSum)
      value = value.drop_back(next->target.size() + 3);
    line() << next->target << (isSum ? " += " : " = ") << value << ";\n";
    pending.erase(next);
  }
}

/// Whether a loop carries on what the loop around it carries: the value goes in here and nowhere else, and what comes
/// out is yielded in its place. The same variable then serves both.
static bool isCarriedOn(Value initial, Value result) {
  auto outer = dyn_cast<BlockArgument>(initial);
  auto loop = outer ? dyn_cast<scf::ForOp>(outer.getOwner()->getParentOp()) : scf::ForOp();
  if (!loop || !outer.hasOneUse() || !result.hasOneUse() || outer.getArgNumber() == 0)
    return false;
  OpOperand &use = *result.use_begin();
  return use.getOwner() == loop.getBody()->getTerminator() && use.getOperandNumber() + 1 == outer.getArgNumber();
}

//===-- Loops -----------------------------------------------------------------------------------------------------===//

LogicalResult FunctionPrinter::printFor(scf::ForOp loop) {
  for (auto [initial, argument, result] : llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(), loop.getResults())) {
    if (!isCarriedOn(initial, result)) {
      declare("acc", initial, {argument, result});
    } else if (isa<MemRefType>(initial.getType())) {
      buffers[argument] = buffers[result] = bufferOf(initial);
    } else {
      Expr variable = expression(initial);
      values.insert({argument, variable});
      values.insert({result, variable});
    }
  }

  constexpr llvm::StringLiteral letters = "ijklmn";
  std::string name = loopDepth < letters.size() ? std::string(1, letters[loopDepth]) : "i" + std::to_string(loopDepth);
  Value variable = loop.getInductionVar();
  values.insert({variable, Expr(name)});
  Expr step = expression(loop.getStep()), low = expression(loop.getLowerBound()),
       high = expression(loop.getUpperBound());
  Expr left(name);
  if (loop.getUnsignedCmp()) {
    left = castTo(unsignedType(variable.getType()), left);
    high = castTo(unsignedType(variable.getType()), high);
  }
  line() << "for (" << valueType(variable.getType()) << " " << name << " = " << low.text << "; "
         << binary(left, "<", high, Relational).text << "; "
         << (step.text == "1" ? "++" + name : name + " += " + step.text) << ") {\n";
  ++indent, ++loopDepth;
  if (failed(printBlock(*loop.getBody())))
    return failure();
  assign(loop.getRegionIterArgs(), loop.getBody()->getTerminator()->getOperands());
  --indent, --loopDepth;
  line() << "}\n";
  return success();
}

LogicalResult FunctionPrinter::printWhile(scf::WhileOp loop) {
  Block &before = *loop.getBeforeBody(), &after = *loop.getAfterBody();
  for (auto [initial, argument] : llvm::zip(loop.getInits(), before.getArguments()))
    declare("acc", initial, {argument});
  for (auto [argument, result] : llvm::zip(after.getArguments(), loop.getResults()))
    declare("r", Value(), {argument, result});
  line() << "for (;;) {\n";
  ++indent;
  if (failed(printBlock(before)))
    return failure();
  scf::ConditionOp end = loop.getConditionOp();
  // The condition reads what the loop carries, which is not assigned here.
  Expr condition = expression(end.getCondition());
  assign(after.getArguments(), end.getArgs());
  line() << "if (!" << condition.at(Unary) << ")\n";
  os.indent(2 * indent + 2) << "break;\n";
  if (failed(printBlock(after)))
    return failure();
  assign(before.getArguments(), after.getTerminator()->getOperands());
  --indent;
  line() << "}\n";
  return success();
}

//===-- Branches --------------------------------------------------------------------------------------------------===//

LogicalResult FunctionPrinter::printBranch(Region &region, ValueRange results) {
  ++indent;
  if (failed(printBlock(region.front())))
    return failure();
  assign(results, region.front().getTerminator()->getOperands());
  --indent;
  return success();
}

LogicalResult FunctionPrinter::printIf(scf::IfOp branch) {
  Expr condition = expression(branch.getCondition());
  for (Value result : branch.getResults())
    declare("r", Value(), {result});
  line() << "if (" << condition.text << ") {\n";
  if (failed(printBranch(branch.getThenRegion(), branch.getResults())))
    return failure();
  if (!branch.getElseRegion().empty()) {
    line() << "} else {\n";
    if (failed(printBranch(branch.getElseRegion(), branch.getResults())))
      return failure();
  }
  line() << "}\n";
  return success();
}

LogicalResult FunctionPrinter::printSwitch(scf::IndexSwitchOp branch) {
  for (Value result : branch.getResults())
    declare("r", Value(), {result});
  Expr selector = expression(branch.getArg());
  for (auto [index, value] : llvm::enumerate(branch.getCases())) {
    line() << (index ? "} else if (" : "if (") << selector.text << " == " << indexLiteral(value).text << ") {\n";
    if (failed(printBranch(branch.getCaseRegions()[index], branch.getResults())))
      return failure();
  }
  line() << (branch.getCases().empty() ? "{\n" : "} else {\n");
  if (failed(printBranch(branch.getDefaultRegion(), branch.getResults())))
    return failure();
  line() << "}\n";
  return success();
}

LogicalResult FunctionPrinter::printExecute(scf::ExecuteRegionOp region) {
  if (!region.getRegion().hasOneBlock())
    return region.emitError("unsupported: C gets no branches but those of structured control flow");
  for (Value result : region.getResults())
    declare("r", Value(), {result});
  line() << "{\n";
  if (failed(printBranch(region.getRegion(), region.getResults())))
    return failure();
  line() << "}\n";
  return success();
}

} // namespace onnx_aot::c
