//===- BufferPrinter.cpp - buffers as pointers with subscripts ----------------------------------------------------===//
//
// See FunctionPrinter.h. Views of other buffers are no code: their elements are found from the same pointer. A part of
// the arena or of a slot is a pointer of its own, of the type that it holds there.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/FunctionPrinter.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace onnx_aot::c {

//===-- Layouts ---------------------------------------------------------------------------------------------------===//

FunctionPrinter::Buffer FunctionPrinter::parameterBuffer(const std::string &name, MemRefType type, bool isRead) {
  Buffer buffer;
  buffer.base = name;
  buffer.element = type.getElementType();
  buffer.isRead = isRead;
  int64_t offset;
  SmallVector<int64_t> strides;
  (void)type.getStridesAndOffset(strides, offset);
  auto number = [](int64_t value) { return indexLiteral(ShapedType::isDynamic(value) ? 0 : value); };
  buffer.offset = number(offset);
  for (int64_t size : type.getShape())
    buffer.sizes.push_back(number(size));
  strides.resize(type.getRank(), 1); // there are none where the buffer is empty
  for (int64_t stride : strides)
    buffer.strides.push_back(number(stride));
  return buffer;
}

FunctionPrinter::Buffer FunctionPrinter::bufferOf(Value value) { return buffers.lookup(value); }

/// Variables for all that the type leaves open, set to what `initial` has.
FunctionPrinter::Buffer FunctionPrinter::declareBuffer(StringRef kind, MemRefType type, const Buffer *initial) {
  std::string name = fresh(kind), pointer = elementType(type.getElementType()) + " *";
  Buffer buffer = parameterBuffer(name, type, /*isRead=*/false);
  auto variable = [&](const std::string &cType, const std::string &variable, const std::string &value) {
    line() << cType << (cType.back() == '*' ? "" : " ") << variable;
    if (initial)
      os << " = " << value;
    // Of a layout, some numbers may never be looked at.
    os << ";\n";
    line() << "(void)" << variable << ";\n";
    return Expr(variable);
  };
  (void)variable(pointer, name,
                 initial && initial->isRead ? "(" + pointer + ")" + initial->base
                 : initial                  ? initial->base
                                            : "");
  int64_t offset;
  SmallVector<int64_t> strides;
  (void)type.getStridesAndOffset(strides, offset);
  if (ShapedType::isDynamic(offset))
    buffer.offset = variable("ptrdiff_t", name + "_offset", initial ? initial->offset.text : "");
  for (unsigned dim = 0; dim < type.getRank(); ++dim) {
    std::string number = std::to_string(dim);
    if (type.isDynamicDim(dim))
      buffer.sizes[dim] = variable("ptrdiff_t", name + "_n" + number, initial ? initial->sizes[dim].text : "");
    if (ShapedType::isDynamic(strides[dim]))
      buffer.strides[dim] = variable("ptrdiff_t", name + "_s" + number, initial ? initial->strides[dim].text : "");
  }
  return buffer;
}

void FunctionPrinter::castLayout(memref::ReinterpretCastOp op) {
  Buffer buffer = bufferOf(op.getSource());
  auto mixed = [&](OpFoldResult value) {
    if (auto number = getConstantIntValue(value))
      return indexLiteral(*number);
    return expression(cast<Value>(value));
  };
  buffer.offset = mixed(op.getMixedOffsets().front());
  buffer.sizes.clear();
  buffer.strides.clear();
  for (OpFoldResult size : op.getMixedSizes())
    buffer.sizes.push_back(mixed(size));
  for (OpFoldResult stride : op.getMixedStrides())
    buffer.strides.push_back(mixed(stride));
  buffers[op.getResult()] = buffer;
}

void FunctionPrinter::takeApart(memref::ExtractStridedMetadataOp op) {
  Buffer whole = bufferOf(op.getSource()), base = whole;
  base.offset = "0";
  base.sizes.clear();
  base.strides.clear();
  buffers[op.getBaseBuffer()] = base;
  values.insert({op.getOffset(), whole.offset});
  for (auto [result, size] : llvm::zip(op.getSizes(), whole.sizes))
    values.insert({result, size});
  for (auto [result, stride] : llvm::zip(op.getStrides(), whole.strides))
    values.insert({result, stride});
}

/// A dense buffer over bytes of another one.
LogicalResult FunctionPrinter::printView(memref::ViewOp view) {
  MemRefType type = view.getType();
  std::optional<int64_t> shift = getConstantIntValue(view.getByteShift());
  Buffer buffer = parameterBuffer("", type, /*isRead=*/false);
  auto size = view.getSizes().begin();
  for (auto [dim, extent] : llvm::enumerate(type.getShape()))
    if (ShapedType::isDynamic(extent))
      buffer.sizes[dim] = expression(*size++);
  Expr stride("1");
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    int64_t known;
    buffer.strides[dim] = stride;
    if (StringRef(buffer.sizes[dim].text).getAsInteger(10, known) || StringRef(stride.text).getAsInteger(10, known)) {
      if (dim == 0)
        break;
      std::string name = fresh("t");
      removable.insert(name);
      line() << "ptrdiff_t " << name << " = " << binary(stride, "*", buffer.sizes[dim], Multiplicative).text << ";\n";
      stride = Expr(name);
    } else {
      int64_t extent;
      (void)StringRef(buffer.sizes[dim].text).getAsInteger(10, extent);
      stride = indexLiteral(known * extent);
    }
  }
  if (view.getSource().getDefiningOp<memref::GetGlobalOp>()) {
    if (!shift || !type.hasStaticShape())
      return view.emitError("unsupported: C gets no weights at places or of sizes that only the run knows");
    buffer.base = file.tables.of(*shift, type, file.prefix).name;
    buffer.isRead = true;
    file.needs.bits128 |= type.getElementType().isInteger(128);
    buffers[view.getResult()] = buffer;
    return success();
  }
  Buffer bytes = bufferOf(view.getSource());
  buffer.base = fresh("b");
  removable.insert(buffer.base);
  buffer.isRead = bytes.isRead;
  std::string element = elementType(type.getElementType());
  std::string pointer = (bytes.isRead ? "const " : "") + element + " *";
  Expr place = bytes.base;
  if (shift != 0)
    place = binary(place, "+", expression(view.getByteShift()), Additive);
  if (bytes.offset.text != "0")
    place = binary(place, "+", bytes.offset, Additive);
  line() << pointer << buffer.base << " = ";
  if (type.getElementType().isInteger(8))
    os << place.text << ";\n";
  else
    os << "(" << pointer << ")(" << (bytes.isRead ? "const " : "") << "void *)" << place.at(Unary) << ";\n";
  file.needs.bits128 |= type.getElementType().isInteger(128);
  buffers[view.getResult()] = buffer;
  return success();
}

//===-- Elements --------------------------------------------------------------------------------------------------===//

Expr FunctionPrinter::linearIndex(const Buffer &buffer, ArrayRef<Expr> indices) {
  int64_t constant = 0;
  std::optional<Expr> sum;
  auto add = [&](const Expr &term) { sum = sum ? binary(*sum, "+", term, Additive) : term; };
  auto number = [](const Expr &expr, int64_t &value) { return !StringRef(expr.text).getAsInteger(10, value); };
  int64_t a, b;
  if (number(buffer.offset, a))
    constant = a;
  else
    add(buffer.offset);
  for (auto [index, stride] : llvm::zip(indices, buffer.strides)) {
    bool knowsIndex = number(index, a), knowsStride = number(stride, b);
    if (knowsIndex && knowsStride)
      constant += a * b;
    else if ((knowsIndex && a == 0) || (knowsStride && b == 0))
      continue;
    else if (stride.text == "1")
      add(index);
    else
      add(binary(index, "*", stride, Multiplicative));
  }
  if (!sum)
    return indexLiteral(constant);
  return constant > 0   ? binary(*sum, "+", indexLiteral(constant), Additive)
         : constant < 0 ? binary(*sum, "-", indexLiteral(-constant), Additive)
                        : *sum;
}

Expr FunctionPrinter::element(Value memref, ValueRange indices) {
  Buffer buffer = bufferOf(memref);
  SmallVector<Expr> subscripts;
  for (Value index : indices)
    subscripts.push_back(expression(index));
  return Expr(buffer.base + "[" + linearIndex(buffer, subscripts).text + "]");
}

/// What the caller, or a table of the weights, holds as another type.
bool FunctionPrinter::isPunned(Type element) const {
  return file.movesComplex && (element.isInteger(64) || element.isInteger(128));
}

static std::string bitsHelper(StringRef verb, Type element) {
  return (verb + "_bits" + std::to_string(element.getIntOrFloatBitWidth())).str();
}

Expr FunctionPrinter::load(memref::LoadOp op) {
  Expr place = element(op.getMemRef(), op.getIndices());
  Type type = op.getType();
  if (type.isInteger(1))
    return binary(place, "!=", Expr("0"), Equality);
  if (!isPunned(type))
    return place;
  std::string helper = bitsHelper("load", type);
  file.needs.helpers.insert(helper);
  file.needs.memoryFunctions = true;
  return Expr(helper + "(&" + place.text + ")");
}

void FunctionPrinter::printStore(memref::StoreOp op) {
  Expr place = element(op.getMemRef(), op.getIndices()), value = expression(op.getValue());
  Type type = op.getValue().getType();
  if (!isPunned(type)) {
    line() << place.text << " = " << value.text << ";\n";
    return;
  }
  std::string helper = bitsHelper("store", type);
  file.needs.helpers.insert(helper);
  file.needs.memoryFunctions = true;
  line() << helper << "(&" << place.text << ", " << value.text << ");\n";
}

//===-- Operations ------------------------------------------------------------------------------------------------===//

LogicalResult FunctionPrinter::printCopy(memref::CopyOp copy) {
  auto isDense = [](Value buffer) { return cast<MemRefType>(buffer.getType()).getLayout().isIdentity(); };
  Buffer from = bufferOf(copy.getSource()), to = bufferOf(copy.getTarget());
  auto isRowMajor = [](MemRefType type) { return memref::isStaticShapeAndContiguousRowMajor(type); };
  auto source = cast<MemRefType>(copy.getSource().getType()), target = cast<MemRefType>(copy.getTarget().getType());
  if ((!isDense(copy.getSource()) && !isRowMajor(source)) || (!isDense(copy.getTarget()) && !isRowMajor(target)))
    return copy.emitError("internal error: a copy between buffers of different layout is left");
  file.needs.memoryFunctions = true;
  auto place = [](const Buffer &buffer) {
    return buffer.offset.text == "0" ? buffer.base : binary(buffer.base, "+", buffer.offset, Additive).text;
  };
  // Slices of the arena may be the same; nothing is lost where they are not.
  std::string bytes = "sizeof(" + elementType(to.element) + ")";
  for (const Expr &size : to.sizes)
    bytes += " * (size_t)" + size.at(Unary);
  if (auto type = cast<MemRefType>(copy.getTarget().getType()); type.hasStaticShape())
    bytes = std::to_string(type.getNumElements()) + " * sizeof(" + elementType(to.element) + ")";
  line() << "memmove(" << place(to) << ", " << place(from) << ", " << bytes << ");\n";
  return success();
}

LogicalResult FunctionPrinter::printSlot(Operation *op) {
  auto slot = cast<aot::SlotOp>(op);
  Buffer buffer = parameterBuffer(fresh("b"), cast<MemRefType>(slot.getBuffer().getType()), /*isRead=*/false);
  auto asU64 = [&](Value value) { return castTo("uint64_t", expression(value)).text; };
  line() << "int8_t *" << buffer.base << " = onnx_aot_context_slot(" << expression(slot.getCtx()).text << ", "
         << asU64(slot.getSlot()) << ", " << asU64(slot.getBytes()) << ");\n";
  if (buffer.sizes.front().text == "0")
    buffer.sizes.front() = expression(slot.getBytes());
  buffers[slot.getBuffer()] = buffer;
  define(slot.getOk(), binary(buffer.base, "!=", Expr("NULL"), Equality));
  return success();
}

LogicalResult FunctionPrinter::printBufferOperation(Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case<memref::LoadOp>([&](memref::LoadOp load) {
        if (!load->use_empty())
          define(load.getResult(), this->load(load));
        return success();
      })
      .Case<memref::StoreOp>([&](memref::StoreOp store) {
        printStore(store);
        return success();
      })
      .Case<memref::CopyOp>([&](memref::CopyOp copy) { return printCopy(copy); })
      .Case<memref::ViewOp>([&](memref::ViewOp view) { return printView(view); })
      .Case<memref::ReinterpretCastOp>([&](memref::ReinterpretCastOp cast) {
        castLayout(cast);
        return success();
      })
      .Case<memref::CastOp>([&](memref::CastOp cast) {
        buffers[cast.getResult()] = bufferOf(cast.getSource());
        return success();
      })
      .Case<memref::ExtractStridedMetadataOp>([&](memref::ExtractStridedMetadataOp parts) {
        takeApart(parts);
        return success();
      })
      .Case<memref::DimOp>([&](memref::DimOp dim) -> LogicalResult {
        std::optional<int64_t> index = dim.getConstantIndex();
        if (!index)
          return dim.emitError("unsupported: C gets no extent of a dim that only the run knows");
        values.insert({dim.getResult(), bufferOf(dim.getSource()).sizes[*index]});
        return success();
      })
      .Case<memref::ExtractAlignedPointerAsIndexOp>([&](memref::ExtractAlignedPointerAsIndexOp address) {
        Expr number = castTo("uintptr_t", Expr(bufferOf(address.getSource()).base));
        define(address.getResult(), castTo("ptrdiff_t", number));
        return success();
      })
      .Case<memref::AllocaOp>([&](memref::AllocaOp array) -> LogicalResult {
        if (!array.getType().hasStaticShape())
          return array.emitError("unsupported: C gets no stack memory of a size that only the run knows");
        std::string name = fresh("local");
        line() << elementType(array.getType().getElementType()) << " " << name << "["
               << std::max<int64_t>(array.getType().getNumElements(), 1) << "];\n";
        buffers[array.getResult()] = parameterBuffer(name, array.getType(), /*isRead=*/false);
        return success();
      })
      .Case<memref::GetGlobalOp>([](auto) { return success(); }) // its views name tables
      .Case<arith::SelectOp>([&](arith::SelectOp select) {
        declare("b", Value(), {select.getResult()});
        line() << "if (" << expression(select.getCondition()).text << ") {\n";
        ++indent;
        assign(select.getResult(), select.getTrueValue());
        --indent;
        line() << "} else {\n";
        ++indent;
        assign(select.getResult(), select.getFalseValue());
        --indent;
        line() << "}\n";
        return success();
      })
      .Case<aot::SlotOp>([&](auto) { return printSlot(op); })
      .Default([](Operation *op) { return op->emitError("unsupported: C has no form for '") << op->getName() << "'"; });
}

} // namespace onnx_aot::c
