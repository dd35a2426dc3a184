// Operands of instructions as slots of the frame: registers by their scopes, constants, special registers, addresses.

#include "Control.h"
#include "Decoder.h"

#include <algorithm>
#include <charconv>

namespace onnx_aot::ptx {

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

} // namespace onnx_aot::ptx
