#include "Async.h"
#include "Decoder.h"
namespace onnx_aot::ptx {
bool decodeBulkCopies(Decoder &d, Opcode &) { return d.fail("copies in bulk are not supported"); }
bool decodeWgmma(Decoder &d, Opcode &) { return d.fail("wgmma is not supported"); }
} // namespace onnx_aot::ptx
