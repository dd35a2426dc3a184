//===- ReportWriter.h - What was built, as JSON and as a page -------------===//
//
// What it is for: `--report=FILE.json`, for programs, and `--report=FILE.html`, for people that ask which layer costs
// what. The same model, flags and version give the same bytes. Keys of the JSON are always there and in this order;
// null stands for what only the run knows, and for what does not exist.
//
// clang-format off
//   {
//     "version": "0.1.0", "model": "mnist.onnx", "name": "mnist",
//     "target": {"triple": "x86_64-...", "cpu": "x86-64-v3"}, "multiply_adds": 1199882,
//     "layers": [
//       {"node": "conv1", "op": "Conv", "kernel": "conv", "provider": "loops",
//        "strategy": {"vector": 1, "width": 8, "vectors": 1, "row": 3, "rows": 7, "block": 0}, "halide_refused": null,
//        "multiply_adds": 156800, "weight_bytes": 832, "read_bytes": 4928, "written_bytes": 25088,
//        "winograd_error": null, "runs_on": "cpu", "launches": null, ...}, ...
//     ],
//     "device": null, "fallback": null,
//     "memory": {"arena_bytes": 12544, "context_slots": 0, "weights_bytes": 23968,
//                "buffers": [{"offset": 0, "bytes": 4096, "first": 0, "last": 1}, ...]}
//   }
// clang-format on
//
// docs/report.md says what each of them means, and what the page shows.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_REPORTWRITER_H
#define ONNX_AOT_COMPILER_ARTIFACT_REPORTWRITER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace onnx_aot {

struct CodeFacts;
struct CompilerOptions;
struct KernelRefusal;
struct ModelFacts;
struct ModelInterface;

/// What both forms tell.
struct BuiltModel {
  const ModelFacts &facts;
  const ModelInterface &interface;
  const CodeFacts *code;                  // null where no object was written
  llvm::ArrayRef<KernelRefusal> refusals; // of the provider of generated kernels
  const CompilerOptions &options;
  llvm::StringRef modelPath;  // the file that was compiled; a report has its name without the folder
  const ModelFacts *fallback; // of the version for the CPU beside that for a device; null: there is none
};

/// In the form that the suffix of `path` says.
void writeReport(const BuiltModel &built, llvm::StringRef path, llvm::raw_ostream &os);

void writeJSONReport(const BuiltModel &built, llvm::raw_ostream &os);
void writeHTMLReport(const BuiltModel &built, llvm::raw_ostream &os);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_REPORTWRITER_H
