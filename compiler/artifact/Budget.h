//===- Budget.h - Whether a model fits ------------------------------------===//
//
// What it is for: --max-ram and --max-flash, and the sums that --report shows. How it works: RAM is the arena, the
// stack and the object's variables, without inputs and outputs, which belong to the caller; flash is code, constants
// and the variables' first values. What does not fit is reported with the layers that need most.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_BUDGET_H
#define ONNX_AOT_COMPILER_ARTIFACT_BUDGET_H

#include <cstdint>
#include <optional>
#include <vector>

namespace onnx_aot {

struct ArtifactOptions;
struct CodeFacts;
class Diagnostics;
struct LayerFacts;
struct ModelFacts;
struct ModelInterface;

/// Nothing where only the run knows.
std::optional<uint64_t> ramBytes(const ModelInterface &interface, const CodeFacts &code);

/// Of all layers together; nothing where only the run knows that of one of them.
std::optional<int64_t> totalMultiplyAdds(const ModelFacts &facts);

/// Code of each layer, a function that several use divided among them. 0 for what stands in the entry itself.
std::vector<uint64_t> codeBytesOfLayers(const ModelFacts &facts, const CodeFacts &code);

/// False when the model does not fit, which was reported.
bool checkBudget(const ModelFacts &facts, const ModelInterface &interface, const CodeFacts &code,
                 const ArtifactOptions &options, Diagnostics &diagnostics);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_BUDGET_H
