// Reads PTX text into ModuleSyntax: statements end with `;`, braces open scopes in a body and vectors in an operand.
// Debugging directives (.loc, .file, .section) and performance directives are passed over.

#include "Lexer.h"
#include "Syntax.h"

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace onnx_aot::ptx {
namespace {

class Parser {
public:
  explicit Parser(std::string_view text) : tokens(tokenize(text)) {}

  std::variant<ModuleSyntax, Fault> parse() {
    while (!failed && peek().kind != Token::End)
      parseTopLevel();
    if (failed)
      return Fault{reason};
    return std::move(module);
  }

private:
  std::vector<Token> tokens;
  size_t at = 0;
  ModuleSyntax module;
  bool failed = false;
  std::string reason;

  const Token &peek(size_t ahead = 0) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  Token next() {
    Token token = peek();
    if (at + 1 < tokens.size())
      ++at;
    return token;
  }
  bool take(std::string_view text) {
    if (!(peek() == text))
      return false;
    next();
    return true;
  }
  void fail(std::string_view expected) {
    if (!failed)
      reason = "PTX line " + std::to_string(peek().line) + ": expected " + std::string(expected) + ", found '" +
               std::string(peek().text) + "'";
    failed = true;
  }
  void expect(std::string_view text) {
    if (!take(text))
      fail("'" + std::string(text) + "'");
  }
  void skipLine() {
    for (unsigned line = peek().line; peek().kind != Token::End && peek().line == line;)
      next();
  }
  void skipBraces() {
    while (peek().kind != Token::End && !(peek() == "{"))
      next();
    int depth = 0;
    do {
      depth += peek() == "{";
      depth -= peek() == "}";
    } while (next().kind != Token::End && depth > 0);
  }

  /// A whole number without sign.
  uint64_t number() {
    Operand operand = constant();
    return operand.bits;
  }

  Operand constant() {
    Operand operand;
    operand.kind = Operand::Integer;
    Token token = next();
    std::string text(token.text);
    if (token.kind != Token::Number) {
      if (token.text == "WARP_SZ") {
        operand.bits = 32;
        return operand;
      }
      --at;
      fail("a number");
      return operand;
    }
    char form = text.size() > 1 && text[0] == '0' ? text[1] : '\0';
    if (form == 'f' || form == 'F') {
      operand.kind = Operand::Float32;
      operand.bits = std::strtoull(text.c_str() + 2, nullptr, 16);
    } else if (form == 'd' || form == 'D') {
      operand.kind = Operand::Float64;
      operand.bits = std::strtoull(text.c_str() + 2, nullptr, 16);
    } else if (form == 'b' || form == 'B') {
      operand.bits = std::strtoull(text.c_str() + 2, nullptr, 2);
    } else if (form != 'x' && form != 'X' && text.find_first_of(".eE") != std::string::npos) {
      operand.kind = Operand::Decimal;
      double value = std::strtod(text.c_str(), nullptr);
      std::memcpy(&operand.bits, &value, sizeof value);
    } else {
      operand.bits = std::strtoull(text.c_str(), nullptr, 0);
    }
    return operand;
  }

  static void negate(Operand &operand) {
    switch (operand.kind) {
    case Operand::Float32:
      operand.bits ^= uint64_t(1) << 31;
      break;
    case Operand::Float64:
    case Operand::Decimal:
      operand.bits ^= uint64_t(1) << 63;
      break;
    default:
      operand.bits = -operand.bits;
    }
  }

  std::vector<Operand> operandsUntil(std::string_view close) {
    std::vector<Operand> operands;
    while (!failed && !take(close)) {
      operands.push_back(operand());
      if (!take(",") && !(peek() == close))
        fail("',' or '" + std::string(close) + "'");
    }
    return operands;
  }

  Operand operand() {
    Operand result;
    if (take("[")) {
      result.kind = Operand::Address;
      if (peek().kind == Token::Word)
        result.name = next().text;
      else
        result.bits = number();
      while (peek() == "+" || peek() == "-") {
        bool minus = next() == "-";
        minus ^= take("-");
        uint64_t offset = number();
        result.bits += minus ? -offset : offset;
      }
      while (take(","))
        result.elements.push_back(operand());
      expect("]");
    } else if (take("{")) {
      result.kind = Operand::Vector;
      result.elements = operandsUntil("}");
    } else if (take("(")) {
      result.kind = Operand::List;
      result.elements = operandsUntil(")");
    } else if (take("!")) {
      result = operand();
      result.negated = true;
      return result;
    } else if (take("-")) {
      result = constant();
      negate(result);
    } else if (peek().kind == Token::Word && !(peek() == "WARP_SZ")) {
      result.name = next().text;
      if (result.name == "generic" && take("(")) {
        result.name = next().text;
        result.generic = true;
        expect(")");
      }
      if (take("+"))
        result.bits = number();
    } else {
      result = constant();
    }
    if (take("|"))
      result.second.push_back(operand());
    return result;
  }

  /// After its space: `.align 4 .b8 name[16] = {...}`; several may follow, separated by commas.
  void declarations(std::string_view space, bool isExtern, std::vector<Declaration> &into, bool inParentheses = false) {
    Declaration shared;
    shared.line = peek().line;
    shared.space = space;
    shared.isExtern = isExtern;
    bool isPointer = false; // After .ptr: the space and alignment of what it points to.
    while (peek().kind == Token::Word && peek().text[0] == '.') {
      Token word = next();
      if (word == ".align") {
        uint64_t alignment = number();
        if (!isPointer)
          shared.alignment = alignment;
      } else if (word == ".ptr") {
        isPointer = true;
      } else if (word == ".attribute") {
        operand();
      } else if (!isPointer) {
        shared.type = word.text.substr(1);
      }
    }
    do {
      Declaration one = shared;
      if (peek().kind != Token::Word)
        return fail("a name");
      one.name = next().text;
      if (take("<")) {
        one.registers = number();
        expect(">");
      }
      while (take("[")) {
        one.isArray = true;
        uint64_t count = peek() == "]" ? 0 : number();
        one.count *= count;
        expect("]");
      }
      if (take("=")) {
        Operand value = operand();
        one.initialiser = value.kind == Operand::Vector ? value.elements : std::vector<Operand>{value};
        if (one.isArray && one.count == 0)
          one.count = one.initialiser.size();
      }
      into.push_back(std::move(one));
    } while (!inParentheses && take(","));
  }

  void parameters(std::vector<Declaration> &into) {
    while (!failed && !take(")")) {
      Token space = next();
      if (!(space == ".param") && !(space == ".reg"))
        return fail("'.param'");
      declarations(space.text.substr(1), false, into, true);
      if (!take(",") && !(peek() == ")"))
        fail("',' or ')'");
    }
  }

  void parseTopLevel() {
    bool isExtern = false;
    while (peek() == ".visible" || peek() == ".extern" || peek() == ".weak" || peek() == ".common")
      isExtern |= next() == ".extern";
    Token word = next();
    if (word == ".version") {
      std::string text(next().text);
      module.version = {std::strtoul(text.c_str(), nullptr, 10),
                        std::strtoul(text.substr(text.find('.') + 1).c_str(), nullptr, 10)};
    } else if (word == ".target") {
      module.target = next().text;
      while (take(","))
        next();
    } else if (word == ".address_size") {
      if (number() != 64)
        fail("64-bit addresses");
    } else if (word == ".global" || word == ".const" || word == ".shared") {
      declarations(word.text.substr(1), isExtern, module.variables);
      expect(";");
    } else if (word == ".entry" || word == ".func") {
      parseFunction(word == ".entry");
    } else if (word == ".file" || word == ".loc") {
      skipLine();
    } else if (word == ".section") {
      skipBraces();
    } else if (word == ".pragma") {
      next();
      expect(";");
    } else {
      --at;
      fail("a directive");
    }
  }

  void parseFunction(bool isEntry) {
    FunctionSyntax function;
    function.isEntry = isEntry;
    function.line = peek().line;
    while (peek() == ".attribute" || peek() == ".noreturn")
      if (next() == ".attribute")
        operand();
    if (!isEntry && take("("))
      parameters(function.results);
    function.name = next().text;
    if (take("("))
      parameters(function.parameters);
    while (!failed && !(peek() == "{") && !(peek() == ";")) {
      Token word = next();
      if (word == ".maxntid" || word == ".reqntid") {
        function.maxThreads = number();
        while (take(","))
          function.maxThreads *= number();
      } else if (word.kind == Token::End) {
        fail("a body");
      }
    }
    if (!take(";")) {
      function.hasBody = true;
      parseBody(function);
    }
    module.functions.push_back(std::move(function));
  }

  void parseBody(FunctionSyntax &function) {
    expect("{");
    for (int depth = 1; !failed && depth > 0;) {
      BodyItem item;
      item.statement.line = peek().line;
      if (peek().kind == Token::End)
        return fail("'}'");
      if (take("{")) {
        ++depth;
        item.kind = BodyItem::OpenScope;
      } else if (take("}")) {
        if (--depth == 0)
          return;
        item.kind = BodyItem::CloseScope;
      } else if (take(";")) {
        continue;
      } else if (peek().text[0] == '.' && peek().kind == Token::Word) {
        parseBodyDirective(function);
        continue;
      } else if (peek().kind == Token::Word && peek(1) == ":") {
        item.kind = BodyItem::Label;
        item.label = next().text;
        next();
        if (take(".branchtargets")) {
          item.kind = BodyItem::BranchTargets;
          do
            item.targets.push_back(next().text);
          while (take(","));
          expect(";");
        } else if (peek() == ".callprototype") {
          while (!(peek() == ";") && peek().kind != Token::End)
            next();
          expect(";");
        }
      } else {
        parseStatement(item.statement);
      }
      function.body.push_back(std::move(item));
    }
  }

  void parseBodyDirective(FunctionSyntax &function) {
    if (peek() == ".loc" || peek() == ".file")
      return skipLine();
    bool isExtern = take(".extern");
    Token word = next();
    if (word == ".pragma" || word == ".noreturn") {
      while (peek().kind == Token::String || peek() == ",")
        next();
      return expect(";");
    }
    if (!(word == ".reg") && !(word == ".param") && !(word == ".shared") && !(word == ".local") &&
        !(word == ".global") && !(word == ".const")) {
      --at;
      return fail("a declaration");
    }
    std::vector<Declaration> declared;
    declarations(word.text.substr(1), isExtern, declared);
    expect(";");
    for (Declaration &one : declared) {
      BodyItem item;
      item.kind = BodyItem::Declare;
      item.statement.line = word.line;
      item.declaration = std::move(one);
      function.body.push_back(std::move(item));
    }
  }

  void parseStatement(Statement &statement) {
    if (take("@")) {
      statement.predicateNegated = take("!");
      statement.predicate = next().text;
    }
    if (peek().kind != Token::Word)
      return fail("an instruction");
    statement.opcode = next().text;
    statement.operands = operandsUntil(";");
  }
};

} // namespace

std::variant<ModuleSyntax, Fault> parseSyntax(std::string_view text) { return Parser(text).parse(); }

} // namespace onnx_aot::ptx
