//===- Options.h - One struct per stage, and the command lines ------------===//
//
// What it is for: everything that a user can choose, as plain structs that travel by reference; there are no global
// option variables. How it works: `parseCompileCommand` and `parseRunCommand` fill the structs from argv; the
// flags are declared in Options.td. A program that embeds the compiler fills them by hand and calls `completeOptions`.
//
// Holds after parsing (or completing): the output kind, the C prefix, the target triple and the CPU are final and known
// to LLVM; a flag whose capability is not there yet has been refused.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_OPTIONS_H
#define ONNX_AOT_COMPILER_OPTIONS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace onnx_aot {

class Diagnostics;

/// The stages that end in IR; --stop-after takes their names in lower case.
enum class Stage { Import, Graph, Tensor, Schedule, Buffer, Codegen };

llvm::StringRef stageName(Stage stage);

/// What a symbolic dimension may be at run time, both ends included.
struct DimBounds {
  static constexpr int64_t unbounded = INT64_MAX;
  int64_t low = 0, high = unbounded;
};

struct ImportOptions {
  std::map<std::string, int64_t> dims;                // --dim NAME=N
  std::map<std::string, DimBounds> bounds;            // --dim NAME=LO..HI; no name is in both
  std::map<std::string, std::vector<int64_t>> shapes; // --shape INPUT=AxBxC; an empty shape is a scalar
  // --shape INPUT=AxB,CxD: of a sequence's elements; an empty list: a sequence without elements, an optional without
  // value
  std::map<std::string, std::vector<std::vector<int64_t>>> sequences;
  std::map<std::string, std::vector<int64_t>> values; // --value INPUT=A,B: of an input of integers or bools
  std::string name;                                   // of the module: the C prefix
};

/// --precision: the floats that products take. Their sums, and everything else, have 32 bits. TensorFloat (tf32) is
/// what matrix units make of 32-bit floats: 8 bits of exponent, 10 of mantissa.
enum class Precision { Single, TensorFloat, Half, Brain };

struct GraphOptions {
  Precision precision = Precision::Single;
};

/// Neither has the tensor stage: strategies are chosen when everything is linalg.
struct TensorOptions {};

/// --kernels: who makes the heavy kernels.
enum class KernelChoice {
  Auto,     // whoever is expected to make the fastest
  Mlir,     // the compiler itself
  Halide,   // Halide, wherever it can
  Reference // nobody: plain loops, as operators are lowered
};

struct ScheduleOptions {
  int64_t threads = 1;
  std::optional<int64_t> arenaBytes; // to be met where it can be, at the cost of speed
};

/// --device: where the graph runs.
struct DeviceOptions {
  bool isUsed = false;                    // --device=cuda
  bool hasFallback = false;               // --device=cuda,cpu: the CPU does it where there is no such device
  std::vector<std::string> architectures; // --gpu-arch; codegen/nvptx knows them all
  bool hasMachineCode = false;            // --cubin: beside the PTX
  std::string ptxas;                      // the path of the assembler that makes it
  bool hasBuffers = false;                // --io=device: inputs and outputs lie there
};

struct BufferOptions {
  int64_t arenaAlign = 64; // bytes; a power of two
  // --allocator: whether runs may take memory from a context; not given: wherever there is an operating system
  std::optional<bool> allocates;
  bool hasAllocator = true;
};

struct CodegenOptions {
  enum class Sanitize { None, Address, Thread };

  std::string triple;   // normalised
  std::string cpu;      // an LLVM CPU name of that target; "native" has been resolved
  std::string features; // "+F,-F"
  std::string floatAbi; // "", "soft" or "hard"
  int optLevel = 3;
  bool forSize = false; // small code rather than fast code
  bool fastMath = false;
  Sanitize sanitize = Sanitize::None;
};

enum class OutputKind { Object, StaticLibrary, SharedLibrary, Assembly, LLVMIR, PTX, C, MLIR };

struct ArtifactOptions {
  std::string prefix; // of every C symbol: a C identifier
  std::string output; // path; "-" is stdout, for text kinds only
  OutputKind kind = OutputKind::Object;
  bool header = true;                       // the .h beside the output, for the kinds that have one
  std::optional<uint64_t> maxRam, maxFlash; // bytes that the model may take, for the kinds that hold an object
};

struct CompilerOptions {
  ImportOptions import;
  GraphOptions graph;
  TensorOptions tensor;
  ScheduleOptions schedule;
  BufferOptions buffer;
  CodegenOptions codegen;
  ArtifactOptions artifact;
  DeviceOptions device;
  KernelChoice kernels = KernelChoice::Auto;

  std::optional<Stage> stopAfter; // only with OutputKind::MLIR
#ifdef ONNX_AOT_VERIFY_CONTRACTS  // the CMake option of that name
  bool verifyContracts = true;
#else
  bool verifyContracts = false;
#endif
  bool quiet = false;
  std::string depfile;              // path; empty: none
  std::vector<std::string> reports; // paths of .html and .json files

  /// Whether anything asks what the layers take.
  bool isMeasured() const { return !reports.empty() || artifact.maxRam || artifact.maxFlash; }
};

/// What the command line of onnx-aot asks for.
struct CompileCommand {
  enum class Action { Compile, Check, ListOps };

  Action action = Action::Compile;
  std::string model; // path
  bool json = false; // with ListOps
  CompilerOptions options;
};

/// What the command line of onnx-aot-run asks for.
struct RunCommand {
  std::string model;                                       // path of an .onnx or an .so
  std::vector<std::pair<std::string, std::string>> inputs; // --input NAME=FILE
  std::vector<std::string> inputsDirs, expectDirs;         // one per data set
  std::string outDir;                                      // empty: not given
  std::optional<double> rtol, atol;                        // either one replaces the default tolerance
  uint64_t seed = 1;                                       // of the inputs that are drawn
  bool bench = false;
  int64_t runs = 100;
  bool json = false;
  std::string emitC; // path of a .c file: the model that would be run goes there, and nothing runs
  CompilerOptions options;
};

/// How a command line ended: go on, nothing left to do (--help, --version), or errors are in the Diagnostics.
enum class ParseResult { Proceed, Done, Failed };

ParseResult parseCompileCommand(llvm::ArrayRef<const char *> argv, CompileCommand &command, Diagnostics &diagnostics);
ParseResult parseRunCommand(llvm::ArrayRef<const char *> argv, RunCommand &command, Diagnostics &diagnostics);

/// Fills what was left empty (prefix from `modelPath`, triple, CPU) and checks what was given. False when an error was
/// reported.
bool completeOptions(CompilerOptions &options, llvm::StringRef modelPath, Diagnostics &diagnostics);

/// `text` made a C identifier: other characters become '_', and a leading digit or a C keyword gets one in front.
std::string toCIdentifier(llvm::StringRef text);

/// Whether `text` can be the prefix of C symbols as it is: an identifier that C does not reserve.
bool isCIdentifier(llvm::StringRef text);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_OPTIONS_H
