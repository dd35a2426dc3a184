// Translates the statements of one function. Each group of instructions has a file with its handlers and a function
// `decodeX` that recognises them; these take the modifiers that they know, and what is left over is a fault.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_DECODER_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_DECODER_H

#include "Program.h"
#include "Syntax.h"
#include "Types.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <initializer_list>
#include <map>
#include <set>

namespace onnx_aot::ptx {

/// `add.rn.ftz.f32`: the name and modifiers, which are taken one by one.
class Opcode {
public:
  explicit Opcode(std::string_view text);
  std::string_view name;
  std::vector<std::string_view> modifiers; ///< Those not yet taken. `shared::cta` is `shared`, ...

  bool take(std::string_view modifier);
  /// The first of `known` that is there, taken; or empty.
  std::string_view takeOneOf(std::initializer_list<std::string_view> known);
  /// The first (last) modifier that names a type, taken.
  Type takeType();
  Type takeLastType();
  /// The last modifier that names a type.
  Type type() const;
  bool has(std::string_view modifier) const;
};

class Decoder {
public:
  Decoder(Program &program, Function &function, const FunctionSyntax &syntax,
          const std::map<std::string, Function *, std::less<>> &functions);
  /// What is wrong, if anything.
  std::optional<Fault> decode();

  Function &function;
  const Statement *statement = nullptr; ///< Being decoded.

  Instruction &emit(Handler run);
  /// `op d, a, b, c, e`: a destination, then one source for each of `types`; null after a fault.
  Instruction *emitSimple(Handler run, std::initializer_list<Type> types);
  /// Always true, so that a decodeX function can return it: the instruction is one of its own.
  bool fail(std::string reason);
  bool failed() const { return fault.has_value(); }
  /// Whether the statement has so many operands; else a fault.
  bool wants(size_t least, size_t most = 0);
  const Operand &operand(size_t index) const { return statement->operands[index]; }

  uint32_t source(const Operand &operand, Type type);
  uint32_t source(size_t index, Type type) { return source(operand(index), type); }
  uint32_t destination(const Operand &operand);
  uint32_t destination(size_t index) { return destination(operand(index)); }
  /// The slot of `p` in `%r|%p`, or one that nobody reads.
  uint32_t secondDestination(const Operand &operand);
  uint32_t value(uint64_t bits) { return constant({Constant::Value, bits, 0}); }
  uint32_t special(SpecialRegister which) { return constant({Constant::Special, 0, uint32_t(which)}); }
  uint32_t constant(const Constant &constant);
  uint32_t newSlot() { return function.slots++; }

  /// Slot of the base, offset, and the space of a variable that the base is.
  struct Address {
    uint32_t base = 0;
    int64_t offset = 0;
    Space space = Space::Generic;
  };
  Address address(const Operand &operand);
  /// Slots of the elements of a vector, or of the one operand.
  std::vector<uint32_t> sources(const Operand &operand, Type type);
  std::vector<uint32_t> destinations(const Operand &operand);
  const uint32_t *list(std::vector<uint32_t> slots);

  /// A branch to `label` from the instruction that was emitted last.
  void branchTo(std::string_view label);
  /// brx.idx: to the targets that `label` lists.
  void branchToOneOf(std::string_view label);
  const Function *functionNamed(std::string_view name) const;
  /// The place of a param variable in the frame.
  std::optional<ParameterSlot> parameterNamed(std::string_view name) const;
  bool isRegister(std::string_view name) { return registerNamed(name) != nullptr; }

private:
  struct Scope {
    size_t parent;
    std::map<std::string_view, uint32_t> registers;
    std::map<std::string_view, std::pair<std::string_view, uint64_t>> registerRanges;
    std::map<std::string_view, Variable> variables;
    std::map<std::string_view, size_t> labels;
    std::map<std::string_view, const std::vector<std::string_view> *> tables;
  };
  struct PendingBranch {
    size_t instruction, scope;
    std::string_view label;
    unsigned line;
    std::vector<int64_t> *table; ///< Of brx.idx: `label` names its targets.
  };

  Program &program;
  const FunctionSyntax &syntax;
  const std::map<std::string, Function *, std::less<>> &functions;
  std::deque<Scope> scopes;
  size_t scope = 0;
  std::map<std::tuple<Constant::Kind, uint64_t, uint32_t>, uint32_t> constants;
  std::vector<PendingBranch> pending;
  std::optional<Fault> fault;
  template <class T>
  const T *lookUp(std::string_view name, std::map<std::string_view, T> Scope::*kind, size_t from) const {
    for (size_t at = from;; at = scopes[at].parent) {
      auto found = (scopes[at].*kind).find(name);
      if (found != (scopes[at].*kind).end())
        return &found->second;
      if (at == 0)
        return nullptr;
    }
  }
  const uint32_t *registerNamed(std::string_view name);
  const Variable *variableNamed(std::string_view name) const;
  void declare(const Declaration &declaration);
  void decodeStatement(const Statement &statement);
  void resolveBranches();
  std::optional<uint32_t> specialRegister(std::string_view name);
  std::optional<Constant> variableAddress(std::string_view name, int64_t offset, Space &space);
};

/// Places a variable of the declaration's size at the end of `bytes`.
Variable placeVariable(const Declaration &declaration, uint32_t &bytes);

// Each returns whether the opcode is one of its own; faults are recorded in the decoder.
bool decodeMove(Decoder &, Opcode &);
bool decodeInteger(Decoder &, Opcode &);
bool decodeBits(Decoder &, Opcode &);
bool decodeFloat(Decoder &, Opcode &);
bool decodeHalf(Decoder &, Opcode &);
bool decodeCompare(Decoder &, Opcode &);
bool decodeConversion(Decoder &, Opcode &);
bool decodeMemory(Decoder &, Opcode &);
bool decodeAtomic(Decoder &, Opcode &);
bool decodeControl(Decoder &, Opcode &);
bool decodeCollective(Decoder &, Opcode &);
bool decodeMatrix(Decoder &, Opcode &);
bool decodeMatrixMemory(Decoder &, Opcode &);
bool decodeWmma(Decoder &, Opcode &);
bool decodeAsync(Decoder &, Opcode &);

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_DECODER_H
