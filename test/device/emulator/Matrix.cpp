#include "Decoder.h"
namespace onnx_aot::ptx {
bool decodeMatrix(Decoder &, Opcode &) { return false; }
bool decodeMatrixMemory(Decoder &, Opcode &) { return false; }
bool decodeAsync(Decoder &, Opcode &) { return false; }
} // namespace onnx_aot::ptx
