//===- LowerRequire.cpp - checks become early returns -------------------------------------------------------------===//
//
// A check splits its block: where its condition does not hold, control goes to the one block of the function that
// returns a status, a code in the low 8 bits and the node's number above them.
//
//     aot.require %ok, index_out_of_range loc("g1" (Gather))
//   becomes
//     cf.cond_br %ok weights([...]), ^next, ^fail(%status : i32)      // %status = 17 | 3 << 8
//   ^next:
//     ...
//   ^fail(%s: i32):
//     return %s : i32
//
// Before: scf is lowered, so every check is in a block of its function.  After: no aot.require is left.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/Passes.h"
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/StatusNode.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "onnx_aot/runtime.h"

namespace onnx_aot {
#define GEN_PASS_DEF_LOWERREQUIRE
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;

static_assert(uint32_t(aot::Code::dim_out_of_bounds) == ONNX_AOT_DIM_OUT_OF_BOUNDS &&
              uint32_t(aot::Code::index_out_of_range) == ONNX_AOT_INDEX_OUT_OF_RANGE &&
              uint32_t(aot::Code::empty_reduction) == ONNX_AOT_EMPTY_REDUCTION &&
              uint32_t(aot::Code::k_out_of_range) == ONNX_AOT_K_OUT_OF_RANGE &&
              uint32_t(aot::Code::division_by_zero) == ONNX_AOT_DIVISION_BY_ZERO &&
              uint32_t(aot::Code::loop_bound) == ONNX_AOT_LOOP_BOUND &&
              uint32_t(aot::Code::shape_mismatch) == ONNX_AOT_SHAPE_MISMATCH &&
              uint32_t(aot::Code::invalid_value) == ONNX_AOT_INVALID_VALUE &&
              uint32_t(aot::Code::out_of_memory) == ONNX_AOT_OUT_OF_MEMORY &&
              uint32_t(aot::Code::device_error) == ONNX_AOT_DEVICE_ERROR);

namespace {
struct LowerRequire : impl::LowerRequireBase<LowerRequire> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    SmallVector<aot::RequireOp> checks;
    function.walk([&](aot::RequireOp check) { checks.push_back(check); });
    if (checks.empty())
      return;
    FunctionType type = function.getFunctionType();
    if (type.getNumResults() != 1 || !type.getResult(0).isInteger(32)) {
      checks.front().emitError("internal error: a check stands in a function that returns no status");
      return signalPassFailure();
    }
    Block *fail = makeExit(function);
    for (aot::RequireOp check : checks) {
      if (check->getParentRegion() != &function.getBody()) {
        check.emitError("internal error: a check stands in '") << check->getParentOp()->getName() << "'";
        return signalPassFailure();
      }
      lower(check, fail);
    }
  }

  static Block *makeExit(func::FuncOp function) {
    auto *fail = new Block();
    function.getBody().push_back(fail);
    OpBuilder builder = OpBuilder::atBlockEnd(fail);
    Value status = fail->addArgument(builder.getI32Type(), function.getLoc());
    func::ReturnOp::create(builder, function.getLoc(), status);
    return fail;
  }

  static void lower(aot::RequireOp check, Block *fail) {
    Location loc = check.getLoc();
    OpBuilder builder(check);
    uint32_t code = static_cast<uint32_t>(check.getCode()) | aot::statusNode(loc) << 8;
    Value status = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(static_cast<int32_t>(code)));
    Block *before = check->getBlock(), *next = before->splitBlock(check);
    builder.setInsertionPointToEnd(before);
    auto branch = cf::CondBranchOp::create(builder, loc, check.getCondition(), next, ValueRange(), fail, status);
    // Failing is rare: the code behind the check stays in line.
    branch.setBranchWeightsAttr(builder.getDenseI32ArrayAttr({2000, 1}));
    check.erase();
  }
};
} // namespace
} // namespace onnx_aot
