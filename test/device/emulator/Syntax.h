// What a PTX text says, before it is decoded: declarations, functions, statements with their operands.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_SYNTAX_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_SYNTAX_H

#include "Ptx.h"

namespace onnx_aot::ptx {

/// `%r1`, `12`, `0f3F800000`, `[%rd1+4]`, `{%r1, %r2}`, `(param0)`, `!%p1`, `%r1|%p1`.
struct Operand {
  enum Kind { Name, Integer, Float32, Float64, Decimal, Address, Vector, List } kind = Name;
  std::string_view name;         ///< Of a Name, or of the base of an Address.
  uint64_t bits = 0;             ///< Of a constant (a Decimal as double), or the offset of an Address.
  bool negated = false;          ///< `!%p`
  bool generic = false;          ///< `generic(variable)` in an initialiser.
  std::vector<Operand> elements; ///< Of a Vector or List; coordinates of an Address.
  std::vector<Operand> second;   ///< What follows `|`: none or one.
};

/// `@%p1 ld.global.v2.f32 {%f1, %f2}, [%rd1+8];`
struct Statement {
  unsigned line = 0;
  std::string_view predicate; ///< Empty: always.
  bool predicateNegated = false;
  std::string_view opcode; ///< With its modifiers.
  std::vector<Operand> operands;
};

/// `.shared .align 16 .b8 tile[1024];` or `.reg .b32 %r<5>;`
struct Declaration {
  unsigned line = 0;
  std::string_view space, type, name; ///< Without the dots.
  uint64_t alignment = 0;             ///< 0: that of the type.
  uint64_t count = 1;                 ///< Elements of an array.
  bool isArray = false, isExtern = false;
  uint64_t registers = 0; ///< `%r<5>`: 5. 0: the one of that name.
  std::vector<Operand> initialiser;
};

/// One line of a function's body.
struct BodyItem {
  enum Kind { Instruction, Label, Declare, BranchTargets, OpenScope, CloseScope } kind = Instruction;
  Statement statement;
  Declaration declaration;
  std::string_view label;                ///< Of a Label or BranchTargets.
  std::vector<std::string_view> targets; ///< Of BranchTargets.
};

struct FunctionSyntax {
  std::string_view name;
  unsigned line = 0;
  bool isEntry = false, hasBody = false;
  std::vector<Declaration> parameters, results;
  uint32_t maxThreads = 1024;
  std::vector<BodyItem> body;
};

struct ModuleSyntax {
  std::pair<unsigned, unsigned> version;
  std::string_view target;
  std::vector<Declaration> variables;
  std::vector<FunctionSyntax> functions;
};

/// All names refer to `text`.
std::variant<ModuleSyntax, Fault> parseSyntax(std::string_view text);

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_SYNTAX_H
