// Handlers of control flow that the decoder itself emits.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_CONTROL_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_CONTROL_H

#include "Program.h"

namespace onnx_aot::ptx {

const Instruction *branchIf(Thread &, const Instruction *);
const Instruction *branchUnless(Thread &, const Instruction *);
const Instruction *negatePredicate(Thread &, const Instruction *);
const Instruction *returnFromFunction(Thread &, const Instruction *);

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_CONTROL_H
