//===- OpsetUpgrade.h - drives the upgrade tables of the operator families ----------------------------------------===//
//
// What it is for: brings a node from the opset of its model to the newest one, and knows which operators ONNX has at
// all. How it works: the rows of all families (dialects/onnx/<family>/<Family>Upgrades.cpp, collected at build time)
// are sorted by operator and version once; a node takes the rows above its opset one version after the other.
//
// Holds after `upgradeToNewest`: the node has the newest form, whatever name that has.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_IMPORT_OPSETUPGRADE_H
#define ONNX_AOT_COMPILER_IMPORT_OPSETUPGRADE_H

#include "dialects/onnx/support/OpsetUpgrade.h"
#include <optional>

namespace onnx_aot {

/// The newest opset of ai.onnx whose operators this compiler knows.
inline constexpr int64_t newestOpset = 28;

/// Applies the rows for `node` with a version above `opset`, in ascending order, following renames.
llvm::LogicalResult upgradeToNewest(onnx::NodeForm &node, int64_t opset);

/// Whether any row reads operators of this name: such a name is known even where no operation is called so.
bool hasUpgrade(llvm::StringRef op);

/// The opset of ai.onnx that introduced an operator; nothing where ONNX has no operator of this name.
std::optional<int64_t> introducedIn(llvm::StringRef op);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_IMPORT_OPSETUPGRADE_H
