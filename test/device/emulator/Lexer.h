// Tokens of a PTX text. A word keeps its dots (`ld.global.L1::no_allocate.v4.f32`, `.reg`, `%tid.x`).
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_LEXER_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_LEXER_H

#include <cctype>
#include <string_view>
#include <vector>

namespace onnx_aot::ptx {

struct Token {
  enum Kind { Word, Number, String, Punctuation, End } kind = End;
  std::string_view text;
  unsigned line = 0;
  bool operator==(std::string_view other) const { return text == other && kind != String; }
};

inline std::vector<Token> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  unsigned line = 1;
  size_t at = 0;
  auto peek = [&](size_t ahead) { return at + ahead < text.size() ? text[at + ahead] : '\0'; };
  auto isWord = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' || c == '.';
  };
  while (at < text.size()) {
    char c = text[at];
    if (c == '\n')
      ++line;
    if (std::isspace(static_cast<unsigned char>(c)) || c == '\0') {
      ++at;
      continue;
    }
    if (c == '/' && peek(1) == '/') {
      while (at < text.size() && text[at] != '\n')
        ++at;
      continue;
    }
    if (c == '/' && peek(1) == '*') {
      for (at += 2; at < text.size() && !(text[at] == '*' && peek(1) == '/'); ++at)
        line += text[at] == '\n';
      at += 2;
      continue;
    }
    size_t begin = at;
    Token::Kind kind = Token::Punctuation;
    if (c == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at)
        line += text[at] == '\n';
      kind = Token::String;
      ++at;
    } else if (std::isdigit(static_cast<unsigned char>(c))) {
      kind = Token::Number;
      bool isHex = c == '0' && (peek(1) == 'x' || peek(1) == 'X' || peek(1) == 'f' || peek(1) == 'F' ||
                                peek(1) == 'd' || peek(1) == 'D');
      while (at < text.size() &&
             (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '.' ||
              (!isHex && (text[at] == '-' || text[at] == '+') && (text[at - 1] == 'e' || text[at - 1] == 'E'))))
        ++at;
    } else if (isWord(c)) {
      kind = Token::Word;
      // A directive ends where the next begins: `.reg.b32`.
      bool isDirective = c == '.';
      do
        at += text[at] == ':' ? 2 : 1;
      while (at < text.size() &&
             ((isWord(text[at]) && !(isDirective && text[at] == '.')) || (text[at] == ':' && peek(1) == ':')));
    } else {
      ++at;
    }
    tokens.push_back({kind, text.substr(begin, std::min(at, text.size()) - begin), line});
  }
  tokens.push_back({Token::End, {}, line});
  return tokens;
}

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_LEXER_H
