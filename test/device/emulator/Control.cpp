// Branches, calls, returns.

#include "Control.h"

#include "Decoder.h"
#include "Machine.h"

namespace onnx_aot::ptx {
namespace {

/// After so many branches backwards a thread is interrupted, so that others that it may wait for go on.
constexpr uint32_t kBranchesAtOnce = 1 << 20;

const Instruction *jump(Thread &thread, const Instruction *at, int64_t distance) {
  const Instruction *target = at + distance;
  if (distance <= 0 && ++thread.branches == kBranchesAtOnce) {
    thread.branches = 0;
    thread.at = target;
    return nullptr;
  }
  return target;
}

const Instruction *branch(Thread &thread, const Instruction *at) { return jump(thread, at, at->imm); }

const Instruction *branchIndexed(Thread &thread, const Instruction *at) {
  const std::vector<int64_t> &table = thread.frame().function->branchTables[at->imm];
  uint32_t index = get<uint32_t>(thread, at->a);
  if (index >= table.size())
    return thread.fault(at, "the index " + std::to_string(index) + " is beyond the targets");
  return jump(thread, at, table[index]);
}

const Instruction *exitThread(Thread &thread, const Instruction *) {
  thread.state = Thread::Ended;
  return nullptr;
}

const Instruction *trap(Thread &thread, const Instruction *at) { return thread.fault(at, "trap"); }

const Instruction *nothing(Thread &, const Instruction *at) { return at + 1; }

const Instruction *call(Thread &thread, const Instruction *at) {
  const CallSite &site = thread.frame().function->calls[at->imm];
  if (!site.callee)
    return thread.fault(at, "the function " + site.name + " has no body");
  uint64_t callerBase = thread.frame().paramBase;
  enterFunction(thread, *site.callee, &site, at + 1);
  uint64_t base = thread.frame().paramBase;
  for (size_t index = 0; index < site.arguments.size(); ++index)
    std::memcpy(&thread.local[base + site.callee->parameters[index].offset],
                &thread.local[callerBase + site.arguments[index].offset], site.arguments[index].size);
  return site.callee->code.data();
}

} // namespace

const Instruction *branchIf(Thread &thread, const Instruction *at) {
  return thread.slots[at->a] & 1 ? jump(thread, at, at->imm) : at + 1;
}
const Instruction *branchUnless(Thread &thread, const Instruction *at) {
  return thread.slots[at->a] & 1 ? at + 1 : jump(thread, at, at->imm);
}
const Instruction *negatePredicate(Thread &thread, const Instruction *at) {
  thread.slots[at->d] = ~thread.slots[at->a] & 1;
  return at + 1;
}

const Instruction *returnFromFunction(Thread &thread, const Instruction *at) {
  if (thread.depth == 1)
    return exitThread(thread, at);
  Frame &callee = thread.frame();
  Frame &caller = thread.frames[thread.depth - 2];
  const CallSite &site = *callee.call;
  for (size_t index = 0; index < site.results.size(); ++index)
    std::memcpy(&thread.local[caller.paramBase + site.results[index].offset],
                &thread.local[callee.paramBase + callee.function->results[index].offset], site.results[index].size);
  thread.local.resize(callee.localBase);
  --thread.depth;
  thread.slots = caller.slots.data();
  return callee.returnTo;
}

static bool decodeCall(Decoder &decoder) {
  const std::vector<Operand> &operands = decoder.statement->operands;
  CallSite site;
  size_t at = 0;
  auto parameters = [&](const Operand &list, std::vector<ParameterSlot> &into) {
    for (const Operand &operand : list.elements) {
      auto slot = decoder.parameterNamed(operand.name);
      if (!slot)
        return decoder.fail("arguments and results of a call must be .param variables");
      into.push_back(*slot);
    }
    return true;
  };
  if (at < operands.size() && operands[at].kind == Operand::List)
    parameters(operands[at++], site.results);
  if (at == operands.size() || operands[at].kind != Operand::Name)
    return decoder.fail("the name of a function is wanted");
  site.name = operands[at].name;
  if (decoder.isRegister(operands[at++].name))
    return decoder.fail("calls through a register are not supported");
  if (at < operands.size() && operands[at].kind == Operand::List)
    parameters(operands[at], site.arguments);
  site.callee = decoder.functionNamed(site.name);
  decoder.emit(call).imm = decoder.function.calls.size();
  decoder.function.calls.push_back(std::move(site));
  return true;
}

bool decodeControl(Decoder &decoder, Opcode &opcode) {
  std::string_view name = opcode.name;
  const Statement &statement = *decoder.statement;
  if (name == "bra") {
    opcode.take("uni");
    if (!decoder.wants(1))
      return true;
    uint32_t predicate = 0;
    if (!statement.predicate.empty()) {
      Operand operand;
      operand.name = statement.predicate;
      predicate = decoder.source(operand, Type::Pred);
    }
    decoder.emit(statement.predicate.empty()  ? branch
                 : statement.predicateNegated ? branchUnless
                                              : branchIf)
        .a = predicate;
    decoder.branchTo(decoder.operand(0).name);
    return true;
  }
  if (name == "brx") {
    opcode.take("idx");
    opcode.take("uni");
    if (!decoder.wants(2))
      return true;
    uint32_t index = decoder.source(0, Type::U32);
    decoder.emit(branchIndexed).a = index;
    decoder.branchToOneOf(decoder.operand(1).name);
    return true;
  }
  if (name == "call") {
    opcode.take("uni");
    return decodeCall(decoder);
  }
  if (name == "ret" || name == "exit") {
    opcode.take("uni");
    decoder.emit(name == "ret" ? returnFromFunction : exitThread);
    return true;
  }
  if (name == "trap" || name == "brkpt") {
    decoder.emit(trap);
    return true;
  }
  // What orders memory or advises the machine: the order of execution is that of the program already.
  static const std::set<std::string_view> idle = {"membar",    "fence",        "prefetch", "prefetchu",
                                                  "nanosleep", "setmaxnreg",   "pmevent",  "griddepcontrol",
                                                  "discard",   "applypriority"};
  if (idle.contains(name)) {
    opcode.modifiers.clear();
    decoder.emit(nothing);
    return true;
  }
  return false;
}

} // namespace onnx_aot::ptx
