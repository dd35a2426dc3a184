// The asynchronous instructions by their names.

#include "Async.h"

#include "Decoder.h"

namespace onnx_aot::ptx {

bool decodeAsync(Decoder &decoder, Opcode &opcode) {
  if (opcode.name == "cp") {
    if (!opcode.take("async"))
      return decoder.fail("this copy is not supported");
    return opcode.take("bulk") ? decodeBulkCopies(decoder, opcode) : decodeCopies(decoder, opcode);
  }
  if (opcode.name == "mbarrier")
    return decodeMbarrier(decoder, opcode);
  if (opcode.name == "wgmma")
    return decodeWgmma(decoder, opcode);
  return false;
}

} // namespace onnx_aot::ptx
