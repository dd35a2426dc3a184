//===- CWriter.cpp - A model as one file of C99 ---------------------------===//
//
// See CWriter.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/CWriter.h"

#include "codegen/c/CText.h"
#include "codegen/c/Program.h"
#include "codegen/c/RuntimeSource.h"
#include "compiler/artifact/CEntryPoints.h"
#include "compiler/artifact/HeaderWriter.h"
#include "compiler/artifact/ModelInterface.h"
#include "compiler/artifact/WeightsWriter.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace onnx_aot {

static const char opening[] = R"(/*
 * A compiled model as C99, for any compiler. Floats are IEEE 754; where the compiler is free to fuse a product with a
 * sum or to keep more digits (gcc without -std=c99 or -ffp-contract=off, x87), results may differ in the last place.
 * Do not compile with -ffast-math: NaN and infinities have a meaning here.
 */
)";

static const char weakMacro[] = R"(
/* What several models of a program define alike. Where the compiler has no weak functions, define
   ONNX_AOT_SHARED_ELSEWHERE for all models but one. */
#ifndef ONNX_AOT_WEAK
#if defined(__GNUC__) || defined(__clang__) || defined(__CC_ARM)
#define ONNX_AOT_WEAK __attribute__((weak))
#elif defined(__ICCARM__) || defined(__ICCRX__)
#define ONNX_AOT_WEAK __weak
#else
#define ONNX_AOT_WEAK
#endif
#endif
)";

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

/// The text of the element at `bytes`, which are in little-endian order.
static std::string elementText(mlir::Type type, const char *bytes, bool &usesMathMacros) {
  unsigned bits = type.getIntOrFloatBitWidth();
  if (type.isInteger(128)) {
    auto half = [&](int at) { return std::to_string(support::endian::read64le(bytes + at)); };
    return "{UINT64_C(" + half(0) + "), UINT64_C(" + half(8) + ")}";
  }
  uint64_t raw = 0;
  for (unsigned i = 0; i < std::max(1u, bits / 8); ++i)
    raw |= uint64_t(static_cast<unsigned char>(bytes[i])) << (8 * i);
  if (type.isInteger(1))
    return raw ? "1" : "0";
  if (auto real = dyn_cast<mlir::FloatType>(type))
    return c::floatLiteral(APFloat(real.getFloatSemantics(), APInt(bits, raw)), usesMathMacros).text;
  return c::integerLiteral(APInt(bits, raw), type).text;
}

static std::string weightTables(const ModelInterface &model, const c::Program &program, bool &usesMathMacros) {
  std::vector<char> image(model.weightBytes);
  writeWeights(model, image, /*bigEndian=*/false);
  std::string text;
  raw_string_ostream os(text);
  for (const c::WeightTable &table : program.tables) {
    unsigned bytes = std::max(8u, table.element.getIntOrFloatBitWidth()) / 8;
    os << "\nstatic const " << c::elementType(table.element) << " " << table.name << "["
       << std::max<uint64_t>(table.count, 1) << "] = {";
    size_t column = 120;
    for (uint64_t i = 0; i < table.count; ++i) {
      std::string element = elementText(table.element, image.data() + table.offset + i * bytes, usesMathMacros) + ",";
      bool breaks = column + element.size() + 1 > 118;
      os << (breaks ? "\n  " : " ") << element;
      column = (breaks ? 2 : column + 1) + element.size();
    }
    os << (table.count == 0 ? "0" : "\n") << "};\n";
  }
  return text;
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

static void writeIncludes(const c::Needs &needs, bool usesMathMacros, raw_ostream &os) {
  os << "\n#include <stdbool.h>\n";
  if (needs.memoryFunctions)
    os << "#include <string.h>\n";
  if (usesMathMacros)
    os << "#include <math.h> /* INFINITY and NAN; none of its functions is called */\n";
  // Compilers other than gcc, which warns of it, know the pragma.
  os << "\n#if defined(__clang__) || !defined(__GNUC__)\n#pragma STDC FP_CONTRACT OFF\n#endif\n";
  constexpr int64_t kAlwaysThere = 32767;
  if (needs.largestIndex > kAlwaysThere)
    os << "\n#if PTRDIFF_MAX < " << needs.largestIndex
       << "\n#error \"this model's buffers are larger than what ptrdiff_t counts on this target\"\n#endif\n";
}

static void writeShared(const ModelInterface &model, raw_ostream &os) {
  std::set<std::string> names = {"onnx_aot_status_text"};
  if (model.slots != 0)
    names.insert({"onnx_aot_context_init", "onnx_aot_context_destroy", "onnx_aot_context_slot",
                  "onnx_aot_context_error", "onnx_aot_context_on_device", "onnx_aot_context_set_stream"});
  os << weakMacro << "\n#ifndef ONNX_AOT_SHARED_ELSEWHERE\n" << c::runtimeSource(names) << "\n#endif\n";
}

void writeC(ModelInterface &model, const c::Program &program, StringRef prefix, raw_ostream &os) {
  if (program.tables.empty())
    model.weightBytes = 0;
  bool usesMathMacros = program.needs.mathMacros;
  std::string tables = weightTables(model, program, usesMathMacros);

  os << opening;
  writeHeader(model, prefix, os);
  writeIncludes(program.needs, usesMathMacros, os);
  os << c::preludeText(program.needs) << c::runtimeSource(program.needs.runtime) << tables << program.functions;
  writeCEntryPoints(model, program, prefix, os);
  writeShared(model, os);
}

} // namespace onnx_aot
