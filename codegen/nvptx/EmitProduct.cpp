#include "codegen/nvptx/DeviceNest.h"
using namespace mlir;
using namespace onnx_aot;
LogicalResult onnx_aot::emitProduct(const DeviceContext &, Operation *, const aot::LoopNest &) { return failure(); }
