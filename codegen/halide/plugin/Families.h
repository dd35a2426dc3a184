//===- Families.h - the kernels that Halide makes -----------------------------------------------------------------===//
//
// A family is an algorithm and its schedule. Each builder returns the output and its parameters in the order in which
// the kernel takes them; the output is the last one that the kernel takes.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_HALIDE_PLUGIN_FAMILIES_H
#define ONNX_AOT_CODEGEN_HALIDE_PLUGIN_FAMILIES_H

#include "codegen/halide/plugin/Specification.h"
#include <Halide.h>

namespace onnx_aot::halide {

struct Kernel {
  Halide::Func output;
  std::vector<Halide::Argument> arguments;
};

Kernel buildResize(const Specification &spec);
Kernel buildWindow(const Specification &spec);

/// A parameter of `extent` floats or positions that lie one by one.
Halide::ImageParam flatParameter(Halide::Type type, int extent, const std::string &name);

/// Bytes are unsigned where they are not computed with (Bodies.cpp).
inline Halide::Type elementType(bool isBytes) { return isBytes ? Halide::UInt(8) : Halide::Float(32); }

/// The value of a body in postfix form, of the elements x0, x1 ... and of the accumulator.
Halide::Expr evaluate(const std::vector<std::string> &words, const std::vector<Halide::Expr> &elements,
                      Halide::Expr accumulator);

/// The largest power of two that is at most `lanes` and at most `extent`.
inline int lanesFor(int lanes, int extent) {
  while (lanes > 1 && lanes > extent)
    lanes /= 2;
  return lanes;
}

} // namespace onnx_aot::halide

#endif
