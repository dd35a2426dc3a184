//===- BindDims.cpp - one argument for each named dimension -------------------------------------------------------===//
//
// The dims of the inputs that are not known before run time become arguments of their own: one per name, in the order
// in which the names first appear, behind the inputs. Dims of one name are equal. What the caller passes is checked
// first: the bounds that the user gave, and that no dim is negative or too large for any tensor.
//
//   func.func @main(%x: tensor<?x3xf32> {onnx.dim_names = ["batch", ""]})
//       attributes {onnx.dim_bounds = {batch = array<i64: 1, 8>}}
// becomes
//   func.func @main(%x: tensor<?x3xf32> {...}, %batch: index {aot.dim = "batch", aot.bounds = array<i64: 1, 8>}) {
//     %ok = ... 1 <= %batch <= 8
//     aot.require %ok, dim_out_of_bounds
//
// Before: every dynamic dim of an input has a name.  After: for each there is an argument with its name as `aot.dim`,
// and behind the checks its value lies in `aot.bounds` (0 or more where there are none).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/onnx/support/ShapeAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/tensor/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_BINDDIMS
#include "passes/tensor/Passes.h.inc"

using namespace mlir;

namespace {
struct BindDims : impl::BindDimsBase<BindDims> {
  void runOnOperation() override {
    auto function = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!function)
      return;
    auto bounds = function->getAttrOfType<DictionaryAttr>("onnx.dim_bounds");
    unsigned inputs = function.getNumArguments();
    llvm::SmallSetVector<StringAttr, 4> names;
    for (unsigned i = 0; i < inputs; ++i)
      if (failed(collectNames(function, i, names)))
        return signalPassFailure();

    OpBuilder builder = OpBuilder::atBlockBegin(&function.getBody().front());
    for (StringAttr name : names) {
      auto range = bounds ? bounds.getAs<DenseI64ArrayAttr>(name.getValue()) : DenseI64ArrayAttr();
      NamedAttrList attributes;
      attributes.set("aot.dim", name);
      if (range)
        attributes.set("aot.bounds", range);
      unsigned position = function.getNumArguments();
      if (failed(function.insertArgument(position, builder.getIndexType(), attributes.getDictionary(&getContext()),
                                         function.getLoc())))
        return signalPassFailure();
      requireBounds(builder, function.getArgument(position), range);
    }
    function->removeAttr("onnx.dim_bounds");
  }

  static void requireBounds(OpBuilder &builder, BlockArgument dim, DenseI64ArrayAttr range) {
    int64_t low = range ? std::max<int64_t>(range[0], 0) : 0;
    requireOrder(builder, dim, arith::CmpIPredicate::sge, low);
    // The analysis of shapes relies on the upper bound that every dim has (see ShapeAnalysis::addArguments).
    requireOrder(builder, dim, arith::CmpIPredicate::sle,
                 std::min<int64_t>(range ? range[1] : INT64_MAX, onnx::kLargestNamedDim));
  }

  static void requireOrder(OpBuilder &builder, BlockArgument dim, arith::CmpIPredicate order, int64_t limit) {
    Value bound = arith::ConstantIndexOp::create(builder, dim.getLoc(), limit);
    Value holds = arith::CmpIOp::create(builder, dim.getLoc(), order, dim, bound);
    aot::RequireOp::create(builder, dim.getLoc(), holds, aot::Code::dim_out_of_bounds);
  }

  static LogicalResult collectNames(func::FuncOp function, unsigned input, llvm::SmallSetVector<StringAttr, 4> &names) {
    auto type = dyn_cast<RankedTensorType>(function.getArgument(input).getType());
    auto dimNames = function.getArgAttrOfType<ArrayAttr>(input, "onnx.dim_names");
    for (int64_t axis = 0; type && axis < type.getRank(); ++axis) {
      if (!type.isDynamicDim(axis))
        continue;
      auto name = dimNames && axis < int64_t(dimNames.size()) ? dyn_cast<StringAttr>(dimNames[axis]) : StringAttr();
      if (!name || name.empty())
        return function.emitError() << "dimension " << axis << " of argument " << input << " has no name";
      names.insert(name);
    }
    return success();
  }
};
} // namespace
} // namespace onnx_aot
