//===- StatusNode.cpp - the node that a status names --------------------------------------------------------------===//
#include "dialects/aot/StatusNode.h"

using namespace mlir;

uint32_t onnx_aot::aot::statusNode(Location location) {
  constexpr unsigned kMost = (1u << 24) - 1; // what fits above a status's code
  unsigned number = 0;
  location->walk([&](Location inner) {
    auto name = dyn_cast<NameLoc>(inner);
    auto node = name && name.getName().strref().starts_with("\"") ? dyn_cast<FileLineColLoc>(name.getChildLoc())
                                                                  : FileLineColLoc();
    if (!node || node.getLine() == 0 || node.getLine() > kMost)
      return WalkResult::advance();
    number = node.getLine();
    return WalkResult::interrupt();
  });
  return number;
}
