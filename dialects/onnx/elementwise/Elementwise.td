//===- Elementwise.td - operators on one element of each operand ----------===//
//
// Their scalar bodies are the table of ElementwiseBodies.cpp; an operator that
// broadcasts all its operands is one line here and one row there.
//
//===----------------------------------------------------------------------===//
include "dialects/onnx/OnnxBase.td"

def Onnx_NumberOrBoolTensor : TensorOf<[Onnx_Number, I1]>;
def Onnx_FloatOrFloat8Tensor : TensorOf<[Onnx_Float, F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ]>;
def Onnx_UnsignedTensor : TensorOf<[UI8, UI16, UI32, UI64]>;

// (C1) the inputs broadcast, (C2) their element types fit `rule`, an ElementRule of support/ShapeContext.h.
class Onnx_Elementwise<string name, int since, dag ins, dag attrs, dag outs, string rule, list<Trait> traits = []>
    : Onnx_Op<name, since, ins, attrs, outs, traits> {
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
  let extraClassDefinition = [{
    ::mlir::OpFoldResult foldByTable(::mlir::Operation *, ::llvm::ArrayRef<::mlir::Attribute>);
    ::std::optional<Shape> inferElementsByTable(::mlir::Operation *, ShapeContext &);

    ::std::optional<Shape> $cppClass::inferElements(ShapeContext &ctx, unsigned) {
      return inferElementsByTable(*this, ctx);
    }

    ::llvm::LogicalResult $cppClass::inferResults(ShapeContext &ctx, ::llvm::SmallVectorImpl<ResultShape> &results) {
      return inferElementwise(*this, ctx, results, ElementRule::}] # rule # [{);
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor adaptor) { return foldByTable(*this, adaptor.getOperands()); }
  }];
}

class Onnx_Unary<string name, int since, Type type, string x = "input", string y = "output",
                 dag attrs = (ins), Type to = type, string rule = "Same">
    : Onnx_Elementwise<name, since, !dag(ins, [type], [x]), attrs, !dag(outs, [to], [y]), rule> {
  let summary = name # " of each element";
}

class Onnx_Binary<string name, int since, Type type, string a = "A", string b = "B", string c = "C",
                  dag attrs = (ins), Type to = type, string rule = "Same">
    : Onnx_Elementwise<name, since, !dag(ins, [type, type], [a, b]), attrs, !dag(outs, [to], [c]), rule> {
  let summary = name # " of elements, with broadcasting";
}

class Onnx_Compare<string name, int since, Type type>
    : Onnx_Binary<name, since, type, "A", "B", "C", (ins), Onnx_BoolTensor, "Bool">;

class Onnx_Variadic<string name, int since, Type type, string y>
    : Onnx_Elementwise<name, since, !dag(ins, [Variadic<type>], ["data_0"]), (ins), !dag(outs, [type], [y]), "Same"> {
  let summary = name # " over any number of inputs, with broadcasting";
}

//===-- Arithmetic --------------------------------------------------------===//
def Onnx_AddOp : Onnx_Binary<"Add", 14, Onnx_NumberTensor>;
def Onnx_SubOp : Onnx_Binary<"Sub", 14, Onnx_NumberTensor>;
def Onnx_MulOp : Onnx_Binary<"Mul", 14, Onnx_NumberTensor>;
def Onnx_DivOp : Onnx_Binary<"Div", 14, Onnx_NumberTensor>; // integers: toward zero; x / 0 = 0
def Onnx_PowOp : Onnx_Binary<"Pow", 15, Onnx_NumberTensor, "X", "Y", "Z", (ins), Onnx_NumberTensor, "First">;
def Onnx_ModOp : Onnx_Binary<"Mod", 13, Onnx_NumberTensor, "A", "B", "C", (ins Onnx_IntDefault<0>:$fmod)> {
  let summary = "Remainder with the divisor's sign (fmod = 0) or the dividend's (fmod = 1); x mod 0 = 0 for integers";
  let hasVerifier = 1; // (C3) floats need fmod = 1
}
def Onnx_MaxOp : Onnx_Variadic<"Max", 13, Onnx_NumberTensor, "max">;
def Onnx_MinOp : Onnx_Variadic<"Min", 13, Onnx_NumberTensor, "min">;
def Onnx_SumOp : Onnx_Variadic<"Sum", 13, Onnx_NumberTensor, "sum">;
def Onnx_MeanOp : Onnx_Variadic<"Mean", 13, Onnx_NumberTensor, "mean">;
def Onnx_ClipOp : Onnx_Elementwise<"Clip", 13,
    (ins Onnx_NumberTensor:$input, Optional<Onnx_NumberTensor>:$min, Optional<Onnx_NumberTensor>:$max), // (C3) scalars
    (ins), (outs Onnx_NumberTensor:$output), "Same", [AttrSizedOperandSegments]> {
  let summary = "min(max(input, min), max); NaN stays";
}

//===-- Logic and bits ----------------------------------------------------===//
def Onnx_AndOp : Onnx_Binary<"And", 7, Onnx_BoolTensor>;
def Onnx_OrOp : Onnx_Binary<"Or", 7, Onnx_BoolTensor>;
def Onnx_XorOp : Onnx_Binary<"Xor", 7, Onnx_BoolTensor>;
def Onnx_NotOp : Onnx_Unary<"Not", 1, Onnx_BoolTensor, "X", "Y">;
def Onnx_BitwiseAndOp : Onnx_Binary<"BitwiseAnd", 18, Onnx_IntTensor>;
def Onnx_BitwiseOrOp : Onnx_Binary<"BitwiseOr", 18, Onnx_IntTensor>;
def Onnx_BitwiseXorOp : Onnx_Binary<"BitwiseXor", 18, Onnx_IntTensor>;
def Onnx_BitwiseNotOp : Onnx_Unary<"BitwiseNot", 18, Onnx_IntTensor, "X", "Y">;
def Onnx_BitShiftOp : Onnx_Binary<"BitShift", 11, Onnx_UnsignedTensor, "X", "Y", "Z", (ins Onnx_STRING:$direction)> {
  let summary = "Shift by Y bits; 0 where Y reaches the width";
  let hasVerifier = 1; // (C3) direction is LEFT or RIGHT
}

//===-- Comparison and selection ------------------------------------------===//
def Onnx_EqualOp : Onnx_Compare<"Equal", 19, Onnx_NumberOrBoolTensor>;
def Onnx_LessOp : Onnx_Compare<"Less", 13, Onnx_NumberTensor>;
def Onnx_LessOrEqualOp : Onnx_Compare<"LessOrEqual", 16, Onnx_NumberTensor>;
def Onnx_GreaterOp : Onnx_Compare<"Greater", 13, Onnx_NumberTensor>;
def Onnx_GreaterOrEqualOp : Onnx_Compare<"GreaterOrEqual", 16, Onnx_NumberTensor>;
def Onnx_IsNaNOp : Onnx_Unary<"IsNaN", 20, Onnx_FloatOrFloat8Tensor, "X", "Y", (ins), Onnx_BoolTensor, "Bool">;
def Onnx_IsInfOp : Onnx_Unary<"IsInf", 20, Onnx_FloatOrFloat8Tensor, "X", "Y",
    (ins Onnx_IntDefault<1>:$detect_negative, Onnx_IntDefault<1>:$detect_positive), Onnx_BoolTensor, "Bool">;
def Onnx_WhereOp : Onnx_Op<"Where", 16,
    (ins Onnx_BoolTensor:$condition, Onnx_Tensor:$X, Onnx_Tensor:$Y), // (C1) broadcast, (C2) X and Y of one type
    (ins), (outs Onnx_Tensor:$output)> {
  let summary = "X where condition holds, else Y";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

//===-- Functions ---------------------------------------------------------===//
def Onnx_AbsOp : Onnx_Unary<"Abs", 13, Onnx_NumberTensor, "X", "Y">;
def Onnx_NegOp : Onnx_Unary<"Neg", 13, Onnx_NumberTensor, "X", "Y">;
def Onnx_SignOp : Onnx_Unary<"Sign", 13, Onnx_NumberTensor>;
def Onnx_ReciprocalOp : Onnx_Unary<"Reciprocal", 13, Onnx_FloatTensor, "X", "Y">;
def Onnx_CeilOp : Onnx_Unary<"Ceil", 13, Onnx_FloatTensor, "X", "Y">;
def Onnx_FloorOp : Onnx_Unary<"Floor", 13, Onnx_FloatTensor, "X", "Y">;
def Onnx_RoundOp : Onnx_Unary<"Round", 22, Onnx_FloatTensor, "X", "Y">; // halves to even
def Onnx_SqrtOp : Onnx_Unary<"Sqrt", 13, Onnx_FloatTensor, "X", "Y">;
def Onnx_ExpOp : Onnx_Unary<"Exp", 13, Onnx_FloatTensor>;
def Onnx_LogOp : Onnx_Unary<"Log", 13, Onnx_FloatTensor>;
def Onnx_SinOp : Onnx_Unary<"Sin", 22, Onnx_FloatTensor>;
def Onnx_CosOp : Onnx_Unary<"Cos", 22, Onnx_FloatTensor>;
def Onnx_TanOp : Onnx_Unary<"Tan", 22, Onnx_FloatTensor>;
def Onnx_AsinOp : Onnx_Unary<"Asin", 22, Onnx_FloatTensor>;
def Onnx_AcosOp : Onnx_Unary<"Acos", 22, Onnx_FloatTensor>;
def Onnx_AtanOp : Onnx_Unary<"Atan", 22, Onnx_FloatTensor>;
def Onnx_SinhOp : Onnx_Unary<"Sinh", 22, Onnx_FloatTensor>;
def Onnx_CoshOp : Onnx_Unary<"Cosh", 22, Onnx_FloatTensor>;
def Onnx_TanhOp : Onnx_Unary<"Tanh", 13, Onnx_FloatTensor>;
def Onnx_AsinhOp : Onnx_Unary<"Asinh", 22, Onnx_FloatTensor>;
def Onnx_AcoshOp : Onnx_Unary<"Acosh", 22, Onnx_FloatTensor>;
def Onnx_AtanhOp : Onnx_Unary<"Atanh", 22, Onnx_FloatTensor>;
def Onnx_ErfOp : Onnx_Unary<"Erf", 13, Onnx_NumberTensor>;

//===-- Types -------------------------------------------------------------===//
def Onnx_IdentityOp : Onnx_Op<"Identity", 25, (ins AnyType:$input), (ins), (outs AnyType:$output)> {
  let summary = "The input";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}
def Onnx_CastOp : Onnx_Op<"Cast", 25, (ins Onnx_Tensor:$input),
    (ins Onnx_INT:$to, // (C1) a TensorProto.DataType that is a number or bool
         Onnx_IntDefault<1>:$saturate, Onnx_StringDefault<"up">:$round_mode), // (C2) for float8 only: up, down, nearest
    (outs Onnx_Tensor:$output)> {
  let summary = "The value in another element type";
  let description = [{
    Floats become integers toward zero. Outside of the integer type's range the value is the type's nearest bound for
    32 and 64 bits signed, and that value's low bits for the others; NaN becomes the lowest value.
  }];
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}
def Onnx_CastLikeOp : Onnx_Op<"CastLike", 25, (ins Onnx_Tensor:$input, Onnx_Tensor:$target_type),
    (ins Onnx_IntDefault<1>:$saturate, Onnx_StringDefault<"up">:$round_mode), (outs Onnx_Tensor:$output)> {
  let summary = "Cast to the element type of another tensor";
  let hasFolder = 1;
}
def Onnx_BitCastOp : Onnx_Op<"BitCast", 26, (ins Onnx_Tensor:$input),
    (ins Onnx_INT:$to), // (C1) a type of the same width
    (outs Onnx_Tensor:$output)> {
  let summary = "The same bits under another element type";
  let hasFolder = 1;
}
