// Scopes, operands and branches of a function that is decoded; what each instruction means is in the decodeX functions.

#include "Decoder.h"

#include "Control.h"

#include <algorithm>
#include <charconv>

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

const uint32_t *Decoder::registerNamed(std::string_view name) {
  if (const uint32_t *slot = lookUp(name, &Scope::registers, scope))
    return slot;
  // %r12 of `.reg .b32 %r<20>`: a slot where it is used first.
  size_t digits = name.size();
  while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1])))
    --digits;
  uint64_t number = 0;
  if (std::from_chars(name.data() + digits, name.data() + name.size(), number).ec != std::errc())
    return nullptr;
  for (size_t at = scope;; at = scopes[at].parent) {
    auto range = scopes[at].registerRanges.find(name.substr(0, digits));
    if (range != scopes[at].registerRanges.end() && number < range->second.second)
      return &(scopes[at].registers[name] = newSlot());
    if (at == 0)
      return nullptr;
  }
}

const Variable *Decoder::variableNamed(std::string_view name) const {
  if (const Variable *variable = lookUp(name, &Scope::variables, scope))
    return variable;
  auto found = program.names.find(name);
  return found == program.names.end() ? nullptr : found->second;
}

uint32_t Decoder::constant(const Constant &wanted) {
  auto [entry, isNew] = constants.try_emplace(wanted.key(), 0);
  if (isNew) {
    entry->second = newSlot();
    function.constants.push_back({entry->second, wanted});
  }
  return entry->second;
}

std::optional<Constant> Decoder::variableAddress(std::string_view name, int64_t offset, Space &space) {
  const Variable *variable = variableNamed(name);
  if (!variable)
    return std::nullopt;
  space = variable->space;
  uint64_t address = variable->address + offset;
  switch (variable->space) {
  case Space::Shared:
    if (std::find(function.sharedVariables.begin(), function.sharedVariables.end(), variable->index) ==
        function.sharedVariables.end())
      function.sharedVariables.push_back(variable->index);
    return Constant{Constant::SharedAddress, uint64_t(offset), variable->index};
  case Space::Local:
    return Constant{Constant::LocalAddress, address, 0};
  case Space::Param:
    return Constant{variable->address >= kKernelParameters ? Constant::Value : Constant::ParamAddress, address, 0};
  default:
    return Constant{Constant::Value, address, 0};
  }
}

std::optional<uint32_t> Decoder::specialRegister(std::string_view name) {
  using S = SpecialRegister;
  static const std::map<std::string_view, S> registers = {{"%tid.x", S::TidX},
                                                          {"%tid.y", S::TidY},
                                                          {"%tid.z", S::TidZ},
                                                          {"%ctaid.x", S::CtaidX},
                                                          {"%ctaid.y", S::CtaidY},
                                                          {"%ctaid.z", S::CtaidZ},
                                                          {"%ntid.x", S::NtidX},
                                                          {"%ntid.y", S::NtidY},
                                                          {"%ntid.z", S::NtidZ},
                                                          {"%nctaid.x", S::NctaidX},
                                                          {"%nctaid.y", S::NctaidY},
                                                          {"%nctaid.z", S::NctaidZ},
                                                          {"%clusterid.x", S::CtaidX},
                                                          {"%clusterid.y", S::CtaidY},
                                                          {"%clusterid.z", S::CtaidZ},
                                                          {"%nclusterid.x", S::NctaidX},
                                                          {"%nclusterid.y", S::NctaidY},
                                                          {"%nclusterid.z", S::NctaidZ},
                                                          {"%cluster_ctaid.x", S::Zero},
                                                          {"%cluster_ctaid.y", S::Zero},
                                                          {"%cluster_ctaid.z", S::Zero},
                                                          {"%cluster_nctaid.x", S::One},
                                                          {"%cluster_nctaid.y", S::One},
                                                          {"%cluster_nctaid.z", S::One},
                                                          {"%cluster_ctarank", S::Zero},
                                                          {"%cluster_nctarank", S::One},
                                                          {"%laneid", S::LaneId},
                                                          {"%warpid", S::WarpId},
                                                          {"%nwarpid", S::WarpCount},
                                                          {"%smid", S::Zero},
                                                          {"%nsmid", S::One},
                                                          {"%gridid", S::Zero},
                                                          {"%lanemask_eq", S::LaneMaskEq},
                                                          {"%lanemask_lt", S::LaneMaskLt},
                                                          {"%lanemask_le", S::LaneMaskLe},
                                                          {"%lanemask_gt", S::LaneMaskGt},
                                                          {"%lanemask_ge", S::LaneMaskGe},
                                                          {"%dynamic_smem_size", S::DynamicSharedBytes},
                                                          {"%total_smem_size", S::TotalSharedBytes}};
  auto found = registers.find(name);
  if (found == registers.end())
    return std::nullopt;
  return special(found->second);
}

uint32_t Decoder::source(const Operand &operand, Type type) {
  switch (operand.kind) {
  case Operand::Name: {
    if (const uint32_t *slot = registerNamed(operand.name)) {
      if (!operand.negated)
        return *slot;
      uint32_t opposite = newSlot(), given = *slot;
      Instruction &instruction = emit(negatePredicate);
      instruction.d = opposite;
      instruction.a = given;
      return opposite;
    }
    if (auto slot = specialRegister(operand.name))
      return *slot;
    Space space;
    if (auto address = variableAddress(operand.name, operand.bits, space))
      return constant(*address);
    fail("'" + std::string(operand.name) + "' is not known");
    return 0;
  }
  case Operand::Integer: {
    unsigned bits = bitsOf(type);
    return value(bits >= 64 ? operand.bits : operand.bits & ((uint64_t(1) << bits) - 1));
  }
  case Operand::Float32:
    if (type == Type::F64)
      return value(std::bit_cast<uint64_t>(double(std::bit_cast<float>(uint32_t(operand.bits)))));
    return value(operand.bits & 0xffffffff);
  case Operand::Float64:
  case Operand::Decimal:
    if (type == Type::F32 || (operand.kind == Operand::Decimal && bitsOf(type) == 32))
      return value(std::bit_cast<uint32_t>(float(std::bit_cast<double>(operand.bits))));
    return value(operand.bits);
  default:
    fail("an operand of this form is not known here");
    return 0;
  }
}

uint32_t Decoder::destination(const Operand &operand) {
  if (operand.kind == Operand::Name && operand.name == "_")
    return 0;
  if (operand.kind == Operand::Name)
    if (const uint32_t *slot = registerNamed(operand.name))
      return *slot;
  fail("the destination is not a register");
  return 0;
}

uint32_t Decoder::secondDestination(const Operand &operand) {
  return operand.second.empty() ? 0 : destination(operand.second.front());
}

Decoder::Address Decoder::address(const Operand &operand) {
  Address result;
  if (operand.kind != Operand::Address) {
    fail("an address in brackets is wanted");
    return result;
  }
  if (operand.name.empty()) {
    result.base = value(operand.bits);
    return result;
  }
  if (const uint32_t *slot = registerNamed(operand.name)) {
    result.base = *slot;
    result.offset = operand.bits;
    return result;
  }
  if (auto address = variableAddress(operand.name, operand.bits, result.space))
    result.base = constant(*address);
  else
    fail("'" + std::string(operand.name) + "' is not known");
  return result;
}

std::vector<uint32_t> Decoder::sources(const Operand &operand, Type type) {
  std::vector<uint32_t> slots;
  if (operand.kind != Operand::Vector)
    return {source(operand, type)};
  for (const Operand &element : operand.elements)
    slots.push_back(source(element, type));
  return slots;
}

std::vector<uint32_t> Decoder::destinations(const Operand &operand) {
  std::vector<uint32_t> slots;
  if (operand.kind != Operand::Vector)
    return {destination(operand)};
  for (const Operand &element : operand.elements)
    slots.push_back(destination(element));
  return slots;
}

const uint32_t *Decoder::list(std::vector<uint32_t> slots) {
  return function.lists.emplace_back(std::move(slots)).data();
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
