//===- ShapeAnalysis.cpp - symbolic shapes of a function's values -------------------------------------------------===//
#include "dialects/onnx/support/ShapeAnalysis.h"
#include "dialects/onnx/OnnxInterfaces.h"
#include "dialects/onnx/controlflow/Controlflow.h"
#include "dialects/onnx/support/Constants.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// Shape arithmetic works on lists as long as a rank; longer ones are data.
static constexpr int64_t kMostElements = 64;

void ShapeAnalysis::addArguments(FunctionOpInterface function) {
  auto bounds = function->getAttrOfType<DictionaryAttr>("onnx.dim_bounds");
  for (BlockArgument argument : function.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "onnx.dim_names");
    if (!type || !names || int64_t(names.size()) != type.getRank())
      continue;
    Shape shape;
    for (auto [dim, extent] : llvm::enumerate(type.getShape())) {
      StringRef name = cast<StringAttr>(names[dim]).getValue();
      if (!ShapedType::isDynamic(extent) || name.empty()) {
        shape.push_back(Dim::fromType(extent));
        continue;
      }
      auto range = bounds ? bounds.getAs<DenseI64ArrayAttr>(name) : nullptr;
      std::optional<int64_t> low = range ? range[0] : 0;
      int64_t high = std::min(range ? range[1] : kLargestNamedDim, kLargestNamedDim);
      shape.push_back(symbols.named(name, low, high));
    }
    shapes[argument] = shape;
  }
}

//===-- Asking ----------------------------------------------------------------------------------------------------===//

Shape ShapeAnalysis::shapeOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  auto it = shapes.find(value);
  Shape shape;
  for (auto [index, extent] : llvm::enumerate(type.getShape())) {
    Dim dim = Dim::fromType(extent);
    if (!dim.isKnown() && it != shapes.end() && index < it->second.size())
      dim = it->second[index];
    shape.push_back(dim.isUnknown() ? symbols.extent(value, index) : dim);
  }
  return shape;
}

Shape ShapeAnalysis::elementsOf(Value value) {
  if (auto constant = getConstantIntegers(value))
    return Shape(constant->begin(), constant->end());
  Shape result(cast<RankedTensorType>(value.getType()).getNumElements());
  const Shape *recorded = recordedElements(value);
  for (auto [index, element] : llvm::enumerate(result)) {
    if (recorded)
      element = (*recorded)[index];
    if (element.isUnknown())
      element = symbols.element(value, index);
  }
  return result;
}

Shape ShapeAnalysis::elementsOf(Value value, int64_t count) {
  Shape result;
  for (int64_t position = 0; position < count; ++position)
    result.push_back(symbols.element(value, position));
  return result;
}

const Shape *ShapeAnalysis::recordedElements(Value value) const {
  auto it = elements.find(value);
  return it == elements.end() ? nullptr : &it->second;
}

const Shape *ShapeAnalysis::recordedShape(Value value) const {
  auto it = shapes.find(value);
  return it == shapes.end() ? nullptr : &it->second;
}

//===-- Recording -------------------------------------------------------------------------------------------------===//

/// The shapes that the inputs of a body have in every iteration: carried values keep the extents of the initial ones,
/// slices have those of the whole input but one. `carried` is the number of the former, `first` the place of the first
/// one among the body's inputs.
static SmallVector<Shape> iterationShapes(ShapeAnalysis &shapes, Operation *op, unsigned carried, unsigned first) {
  SmallVector<Shape> result;
  Block &body = op->getRegion(0).front();
  for (auto [index, argument] : llvm::enumerate(body.getArguments().drop_front(first))) {
    Value whole = op->getOperand(index + op->getNumOperands() - (body.getNumArguments() - first));
    Shape &shape = result.emplace_back();
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || !isa<RankedTensorType>(whole.getType()))
      continue;
    shape = shapes.shapeOf(whole);
    if (index >= carried) {
      FailureOr<int64_t> axis = cast<ScanOp>(op).getInputAxis(index - carried, shape.size());
      shape.erase(shape.begin() + *axis);
    }
    // An extent that the graph stage has seen to change is open in the body only.
    auto initial = cast<RankedTensorType>(whole.getType());
    for (auto [dim, extent] : llvm::enumerate(type.getShape()))
      if (index < carried && ShapedType::isDynamic(extent) && !initial.isDynamicDim(dim))
        shape[dim] = Dim();
  }
  return result;
}

/// Records the body of a Loop or Scan in `analysis`; `shapes` is what it knows.
static LogicalResult recordBody(ShapeAnalysis &analysis, DenseMap<Value, Shape> &shapes, Operation *op) {
  auto scan = dyn_cast<ScanOp>(op);
  unsigned carried = scan ? scan.getNumStates() : cast<LoopOp>(op).getVInitial().size(), first = scan ? 0 : 2;
  Block &body = op->getRegion(0).front();
  for (auto [index, shape] : llvm::enumerate(iterationShapes(analysis, op, carried, first)))
    if (!shape.empty())
      shapes[body.getArgument(index + first)] = shape;
  // What an iteration of a Loop changes is not that of the initial value. The states of a Scan keep their shapes, which
  // its lowering checks.
  ValueRange next = ValueRange(body.getTerminator()->getOperands()).drop_front(scan ? 0 : 1);
  for (bool isStable = false; !isStable;) {
    if (failed(analysis.recordAll(op->getRegion(0))))
      return failure();
    isStable = true;
    for (unsigned index = 0; !scan && index < carried; ++index) {
      auto known = shapes.find(body.getArgument(index + first));
      if (known == shapes.end() || !isa<RankedTensorType>(next[index].getType()))
        continue;
      Shape after = analysis.shapeOf(next[index]);
      for (auto [position, dim] : llvm::enumerate(known->second))
        if (!dim.isUnknown() && (position >= after.size() || !after[position].equals(dim))) {
          dim = Dim();
          isStable = false;
        }
    }
    if (!isStable)
      for (Operation &inner : body)
        analysis.forget(&inner);
  }
  return success();
}

LogicalResult ShapeAnalysis::recordAll(Region &region) {
  for (Operation &op : region.front()) {
    if (isa<ScanOp, LoopOp>(op)) {
      if (failed(recordBody(*this, shapes, &op)) || failed(record(&op)))
        return failure();
      continue;
    }
    for (Region &body : op.getRegions())
      if (failed(recordAll(body)))
        return failure();
    if (isa<OnnxOpInterface>(op) && failed(record(&op)))
      return failure();
  }
  return success();
}

static bool isMadeOutside(Operation *op, Value value) {
  // A body that has been lowered is no operation's any more; then it is around `op`.
  Operation *parent = value.getParentBlock()->getParentOp();
  return value.getDefiningOp() != op && !(parent && op->isAncestor(parent));
}

bool ShapeAnalysis::isKnownBefore(Operation *op, Dim dim) const {
  if (!dim.isSymbolic())
    return dim.isKnown();
  // Symbols share their operands: each is looked at once.
  llvm::SmallDenseSet<const DimExpr *> seen = {dim.getExpr()};
  SmallVector<const DimExpr *> open = {dim.getExpr()};
  while (!open.empty()) {
    for (const DimExpr::Term &term : open.pop_back_val()->terms)
      for (unsigned number : term.symbols) {
        const DimSymbol &symbol = symbols[number];
        if (symbol.value && !isMadeOutside(op, symbol.value))
          return false;
        for (Dim operand : {symbol.lhs, symbol.rhs})
          if (operand.isSymbolic() && seen.insert(operand.getExpr()).second)
            open.push_back(operand.getExpr());
      }
  }
  return true;
}

FailureOr<SmallVector<Type>> ShapeAnalysis::record(Operation *op) {
  FailureOr<SmallVector<ResultShape>> results = inferResultShapes(op, ShapeContext(*this));
  if (failed(results))
    return failure();
  for (auto [result, shape] : llvm::zip(op->getResults(), *results))
    recordShape(op, result, shape);
  SmallVector<Type> types(llvm::map_range(*results, typeOf));
  recordElements(op, types);
  return types;
}

void ShapeAnalysis::recordShape(Operation *op, Value result, const ResultShape &shape) {
  if (!shape.dims)
    return;
  Shape dims = *shape.dims;
  for (Dim &dim : dims)
    if (!isKnownBefore(op, dim))
      dim = Dim();
  shapes[result] = dims;
}

/// Whether extents are computed in this type. Arithmetic of narrow and of unsigned integers wraps around, which
/// expressions do not.
static bool isShapeType(Type type) {
  return type.isInteger(1) || type.isSignlessInteger(32) || type.isSignlessInteger(64);
}

void ShapeAnalysis::recordElements(Operation *op, ArrayRef<Type> types) {
  auto onnxOp = cast<OnnxOpInterface>(op);
  ShapeContext context(*this);
  for (auto [result, inferred] : llvm::zip(op->getResults(), types)) {
    auto type = dyn_cast<RankedTensorType>(inferred);
    if (!type || !isShapeType(type.getElementType()) || type.getRank() > 1 || !type.hasStaticShape() ||
        type.getNumElements() > kMostElements || getConstant(result))
      continue;
    std::optional<Shape> values = onnxOp.inferElements(context, cast<OpResult>(result).getResultNumber());
    if (values && int64_t(values->size()) == type.getNumElements())
      elements[result] = *values;
  }
}

void ShapeAnalysis::forget(Operation *op) {
  op->walk([&](Operation *inner) {
    for (Value result : inner->getResults()) {
      shapes.erase(result);
      elements.erase(result);
    }
  });
}

void ShapeAnalysis::replace(Value value, Value replacement) {
  for (auto *map : {&shapes, &elements})
    if (auto it = map->find(value); it != map->end()) {
      Shape known = it->second;
      map->erase(it);
      map->try_emplace(replacement, known);
    }
}
