// Scopes, statements and branches of a function that is decoded. Operands are in Operands.cpp; what each instruction
// means is in the decodeX functions.

#include "Decoder.h"

#include "Control.h"

#include <algorithm>

namespace onnx_aot::ptx {

Opcode::Opcode(std::string_view text) {
  name = text.substr(0, text.find('.'));
  for (size_t at = name.size(); at < text.size();) {
    size_t end = std::min(text.find('.', at + 1), text.size());
    std::string_view part = text.substr(at + 1, end - at - 1);
    for (std::string_view qualified : {"shared", "param"})
      if (part.starts_with(qualified) && part.substr(qualified.size()).starts_with("::") && part != "shared::cluster")
        part = qualified;
    modifiers.push_back(part);
    at = end;
  }
}

bool Opcode::take(std::string_view modifier) {
  auto found = std::find(modifiers.begin(), modifiers.end(), modifier);
  if (found == modifiers.end())
    return false;
  modifiers.erase(found);
  return true;
}

std::string_view Opcode::takeOneOf(std::initializer_list<std::string_view> known) {
  for (std::string_view modifier : known)
    if (take(modifier))
      return modifier;
  return {};
}

Type Opcode::takeType() {
  for (size_t index = 0; index < modifiers.size(); ++index)
    if (Type type = typeNamed(modifiers[index]); type != Type::None) {
      modifiers.erase(modifiers.begin() + index);
      return type;
    }
  return Type::None;
}

Type Opcode::takeLastType() {
  for (size_t index = modifiers.size(); index-- > 0;)
    if (Type type = typeNamed(modifiers[index]); type != Type::None) {
      modifiers.erase(modifiers.begin() + index);
      return type;
    }
  return Type::None;
}

Type Opcode::type() const {
  for (size_t index = modifiers.size(); index-- > 0;)
    if (Type type = typeNamed(modifiers[index]); type != Type::None)
      return type;
  return Type::None;
}

bool Opcode::has(std::string_view modifier) const {
  return std::find(modifiers.begin(), modifiers.end(), modifier) != modifiers.end();
}

Variable placeVariable(const Declaration &declaration, uint32_t &bytes) {
  Variable variable;
  uint64_t element = std::max(1u, bitsOf(typeNamed(declaration.type)) / 8);
  variable.name = declaration.name;
  variable.alignment = declaration.alignment ? declaration.alignment : element;
  variable.bytes = element * declaration.count;
  variable.isExtern = declaration.isExtern;
  variable.address = (bytes + variable.alignment - 1) / variable.alignment * variable.alignment;
  bytes = variable.address + variable.bytes;
  return variable;
}

Decoder::Decoder(Program &program, Function &function, const FunctionSyntax &syntax,
                 const std::map<std::string, Function *, std::less<>> &functions)
    : function(function), program(program), syntax(syntax), functions(functions) {
  scopes.push_back({});
  newSlot(); // 0: written where a result is not wanted.
}

std::optional<Fault> Decoder::decode() {
  auto parameters = [&](const std::vector<Declaration> &declarations, std::vector<ParameterSlot> &into) {
    for (const Declaration &declaration : declarations) {
      Variable variable = placeVariable(declaration, function.paramBytes);
      into.push_back({uint32_t(variable.address), uint32_t(variable.bytes)});
      variable.space = Space::Param;
      variable.address += function.isEntry ? kKernelParameters : 0;
      scopes[0].variables[declaration.name] = variable;
    }
  };
  parameters(syntax.results, function.results);
  parameters(syntax.parameters, function.parameters);
  if (function.isEntry)
    function.paramBytes = 0; // They are the block's, not the frame's.

  std::vector<size_t> open;
  for (const BodyItem &item : syntax.body) {
    switch (item.kind) {
    case BodyItem::OpenScope:
      open.push_back(scope);
      scopes.push_back({scope, {}, {}, {}, {}, {}});
      scope = scopes.size() - 1;
      break;
    case BodyItem::CloseScope:
      scope = open.back();
      open.pop_back();
      break;
    case BodyItem::Label:
      scopes[scope].labels[item.label] = function.code.size();
      break;
    case BodyItem::BranchTargets:
      scopes[scope].tables[item.label] = &item.targets;
      break;
    case BodyItem::Declare:
      declare(item.declaration);
      break;
    case BodyItem::Instruction:
      decodeStatement(item.statement);
      break;
    }
    if (fault)
      return fault;
  }
  emit(returnFromFunction);
  resolveBranches();
  return fault;
}

void Decoder::declare(const Declaration &declaration) {
  if (declaration.space == "reg") {
    if (declaration.type == "b128")
      fail("registers of 128 bits are not supported");
    if (declaration.registers) {
      scopes[scope].registerRanges[declaration.name] = {declaration.name, declaration.registers};
    } else {
      scopes[scope].registers[declaration.name] = newSlot();
    }
    return;
  }
  if (declaration.space == "shared") {
    uint32_t unused = 0;
    Variable variable = placeVariable(declaration, unused);
    variable.space = Space::Shared;
    variable.index = program.shared.size();
    program.variables.push_back(variable);
    program.shared.push_back(&program.variables.back());
    function.sharedVariables.push_back(variable.index);
    scopes[scope].variables[declaration.name] = variable;
    return;
  }
  bool isLocal = declaration.space == "local";
  if (!isLocal && declaration.space != "param") {
    fail("a variable in ." + std::string(declaration.space) + " within a function is not supported");
    return;
  }
  Variable variable = placeVariable(declaration, isLocal ? function.localBytes : function.paramBytes);
  variable.space = isLocal ? Space::Local : Space::Param;
  scopes[scope].variables[declaration.name] = variable;
}

void Decoder::decodeStatement(const Statement &decoded) {
  statement = &decoded;
  Opcode opcode(decoded.opcode);
  size_t skip = ~size_t(0);
  bool isBranch = opcode.name == "bra";
  if (!decoded.predicate.empty() && !isBranch) {
    Operand predicate;
    predicate.name = decoded.predicate;
    uint32_t slot = source(predicate, Type::Pred);
    skip = function.code.size();
    emit(decoded.predicateNegated ? branchIf : branchUnless).a = slot;
  }
  bool known = false;
  for (auto decode :
       {decodeMemory, decodeInteger, decodeBits, decodeFloat, decodeHalf, decodeMove, decodeCompare, decodeConversion,
        decodeControl, decodeAtomic, decodeCollective, decodeMatrix, decodeMatrixMemory, decodeWmma, decodeAsync})
    if (!fault && !known)
      known = decode(*this, opcode);
  if (!fault && !known)
    fail("the instruction is not known");
  if (!fault && !opcode.modifiers.empty())
    fail("the modifier ." + std::string(opcode.modifiers.front()) + " is not known here");
  if (skip != ~size_t(0))
    function.code[skip].imm = function.code.size() - skip;
}

Instruction &Decoder::emit(Handler run) {
  Instruction &instruction = function.code.emplace_back();
  instruction.run = run;
  instruction.line = statement ? statement->line : syntax.line;
  return instruction;
}

Instruction *Decoder::emitSimple(Handler run, std::initializer_list<Type> types) {
  if (!wants(types.size() + 1))
    return nullptr;
  uint32_t slots[4] = {}, count = 0;
  for (Type type : types) {
    slots[count] = source(operand(count + 1), type);
    ++count;
  }
  uint32_t d = destination(operand(0));
  Instruction &instruction = emit(run);
  instruction.d = d;
  instruction.a = slots[0];
  instruction.b = slots[1];
  instruction.c = slots[2];
  instruction.e = slots[3];
  return failed() ? nullptr : &instruction;
}

bool Decoder::fail(std::string reason) {
  if (!fault) {
    unsigned line = statement ? statement->line : syntax.line;
    fault = Fault{"PTX line " + std::to_string(line) + ", function " + function.name + ": " + reason};
    if (line && line <= program.lines.size())
      fault->text += ": " + std::string(program.lines[line - 1]);
  }
  return true;
}

bool Decoder::wants(size_t least, size_t most) {
  size_t count = statement->operands.size();
  if (count >= least && count <= std::max(least, most))
    return true;
  fail(std::to_string(count) + " operands are too " + (count < least ? "few" : "many"));
  return false;
}

void Decoder::branchTo(std::string_view label) {
  pending.push_back({function.code.size() - 1, scope, label, statement->line, nullptr});
}

void Decoder::branchToOneOf(std::string_view label) {
  std::vector<int64_t> *table = &function.branchTables.emplace_back();
  function.code.back().imm = int64_t(function.branchTables.size()) - 1;
  pending.push_back({function.code.size() - 1, scope, label, statement->line, table});
}

const Function *Decoder::functionNamed(std::string_view name) const {
  auto found = functions.find(name);
  return found == functions.end() ? nullptr : found->second;
}

std::optional<ParameterSlot> Decoder::parameterNamed(std::string_view name) const {
  const Variable *variable = variableNamed(name);
  if (!variable || variable->space != Space::Param || variable->address >= kKernelParameters)
    return std::nullopt;
  return ParameterSlot{uint32_t(variable->address), uint32_t(variable->bytes)};
}

void Decoder::resolveBranches() {
  statement = nullptr;
  for (const PendingBranch &branch : pending) {
    auto distance = [&](std::string_view label) -> int64_t {
      if (const size_t *target = lookUp(label, &Scope::labels, branch.scope))
        return int64_t(*target) - int64_t(branch.instruction);
      fail("line " + std::to_string(branch.line) + ": the label '" + std::string(label) + "' is not known");
      return 0;
    };
    if (!branch.table) {
      function.code[branch.instruction].imm = distance(branch.label);
    } else if (auto targets = lookUp(branch.label, &Scope::tables, branch.scope)) {
      for (std::string_view label : **targets)
        branch.table->push_back(distance(label));
    } else {
      fail("line " + std::to_string(branch.line) + ": the targets '" + std::string(branch.label) + "' are not known");
    }
  }
}

} // namespace onnx_aot::ptx
