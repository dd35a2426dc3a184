//===- Specification.h - what a kernel computes, as text ----------------------------------------------------------===//
//
// One fact a line, words separated by blanks; weights and other floats are the hexadecimal bits of a float.
//
//   target x86-64-linux-avx2-fma     Halide's name of the machine
//   lanes 8                          floats of a vector that it computes on
//   family window | resize
//
// A window is a loop nest over `dim`s (p: parallel, outermost first; r: reduction). Operands are addressed linearly:
//
//   dim 112 p
//   dim 3 r
//   input 0 1 2                      offset, then one stride per dim, in elements
//   input 0 1 0 panel 0 8 72         the same in panels: 8 points of dim 0 lie so, the next 8 points 72 elements on
//   input 0 1 2 bytes                of bytes instead of floats
//   output 0 1 0
//   identity ff800000                the accumulator's first value
//   compute x0 acc max               postfix: the next accumulator, of elements x0, x1 ... and of acc
//   epilogue acc c40800000 div       what is stored
//   tile 0 2 1 4                     vector dim, its vectors; row dim (or -1), its rows: what one tile of results spans
//
// A resize is one `axis` line per dim of the data, outermost first:
//
//   axis 240 720 phases 3 1          extents of data and result; results o and o + 3 read alike, 1 element apart
//   phase -1 3eaaaaab 0 3f2aaaab     of o = 0, 3, 6 ...: (position, weight) of what is read, clamped to the data
//   phase ...
//   axis 320 500 table 2             reads its next two inputs: positions [2][500] and weights [2][500]
//   axis 64 64 same
//   moves                            elements are moved: there is one position each, and no weights
//   data bytes                       the data has bytes, not floats
//   input 0 0 1 0                    further operands: offset, then one stride per axis, in elements
//   prologue acc u2f x0 sub          what is resized, of an element of the data (acc) and of elements there
//   epilogue acc x1 mul              what is stored, of a result (acc) and of elements there
//   result bytes
//
// The words of bodies, in postfix form:
//
//   acc x0 x1 ...                    the accumulator, elements of operands
//   c3f800000 n42                    constants: a float's bits, an integer of 32 bits
//   add sub mul max min              of two floats or integers; of floats also: div neg abs sqrt
//   lt le gt ge select               a condition; condition, value where it holds, value where not
//   u2i s2i i2byte                   bytes to integers, as unsigned or signed ones, and an integer's low byte
//   u2f s2f i2f f2i                  bytes and integers to floats, a float to an integer (towards 0)
//   bits                             a float's bits as an integer
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_HALIDE_PLUGIN_SPECIFICATION_H
#define ONNX_AOT_CODEGEN_HALIDE_PLUGIN_SPECIFICATION_H

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace onnx_aot::halide {

/// Why there is no kernel for a specification.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Dim {
  int extent = 0;
  bool isReduction = false;
};

/// offset + sum of strides * iteration dims, in elements; with panels, instead of d along `panelDim`,
/// d / panel * panelStride + d % panel * stride.
struct Address {
  int offset = 0;
  std::vector<int> strides;
  int panelDim = -1, panel = 1, panelStride = 0;
  bool isBytes = false; // else floats
};

struct Tile {
  int vector = -1, vectors = 1, row = -1, rows = 1;
};

struct Axis {
  enum Kind { Same, Phases, Table } kind = Same;
  int in = 0, out = 0;
  int period = 1, step = 1, taps = 0;
  std::vector<std::vector<std::pair<int, float>>> phases;
};

struct Specification {
  std::string target, family;
  int lanes = 1;
  // window
  std::vector<Dim> dims;
  std::vector<Address> inputs;
  Address output;
  float identity = 0;
  std::vector<std::string> compute, epilogue;
  Tile tile;
  // resize; it has inputs and an epilogue too
  std::vector<Axis> axes;
  bool moves = false, hasBytes = false, makesBytes = false;
  std::vector<std::string> prologue;
};

/// Reads a specification; throws Refusal where it is none.
Specification parseSpecification(const std::string &text);

/// The float whose bits the hexadecimal digits of `word` are.
float parseFloat(const std::string &word);

} // namespace onnx_aot::halide

#endif
