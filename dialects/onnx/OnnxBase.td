//===- OnnxBase.td - the onnx dialect and the base class of its ops -------===//
//
// The dialect holds the newest form of every operator only: older opsets are
// rewritten at import (dialects/onnx/<family>/<Family>Upgrades.cpp). Operators
// live in one folder per family.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_ONNX_BASE
#define ONNX_AOT_ONNX_BASE

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/onnx/OnnxInterfaces.td"

def Onnx_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::onnx_aot::onnx";
  let summary = "ONNX operators in their newest form";
  let hasConstantMaterializer = 1;
  // Scalar bodies are emitted to fold constants.
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
  let extraClassDeclaration = [{
    /// Registers the operations of one family; defined in its generated <Family>.cpp.
    #define ONNX_FAMILY(Name) void add##Name##Ops();
    #include "dialects/onnx/Families.inc"
    #undef ONNX_FAMILY
    ::mlir::Type parseType(::mlir::DialectAsmParser &parser) const override;
    void printType(::mlir::Type type, ::mlir::DialectAsmPrinter &printer) const override;
  }];
}

//===-- Types and attributes ----------------------------------------------===//
def Onnx_Float : AnyTypeOf<[F16, BF16, F32, F64], "floating-point">;
def Onnx_Int : AnyTypeOf<[I8, I16, I32, I64, UI8, UI16, UI32, UI64], "integer">;
def Onnx_Number : AnyTypeOf<[Onnx_Float, Onnx_Int], "number">;
def Onnx_Tensor : TensorOf<[AnyType]>;
def Onnx_FloatTensor : TensorOf<[Onnx_Float]>;
def Onnx_IntTensor : TensorOf<[Onnx_Int]>;
def Onnx_NumberTensor : TensorOf<[Onnx_Number]>;
def Onnx_BoolTensor : TensorOf<[I1]>;
def Onnx_I64Tensor : TensorOf<[I64]>;
def Onnx_Sequence : Type<CPred<"::llvm::isa<::onnx_aot::onnx::SequenceType>($_self)">, "sequence of tensors">;
def Onnx_Optional : Type<CPred<"::llvm::isa<::onnx_aot::onnx::OptionalType>($_self)">, "optional">;
// What passes through bodies: a tensor, a sequence or an optional.
def Onnx_Value : AnyTypeOf<[Onnx_Tensor, Onnx_Sequence, Onnx_Optional]>;

// ONNX attribute kinds: INT, FLOAT, STRING, INTS, FLOATS, STRINGS, TENSOR.
// I64Attr's accessor is unsigned; axes and pads are not.
def Onnx_I64Attr : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit integer attribute">;
defvar Onnx_INT = Onnx_I64Attr;
defvar Onnx_FLOAT = F32Attr;
defvar Onnx_STRING = StrAttr;
defvar Onnx_INTS = DenseI64ArrayAttr;
defvar Onnx_FLOATS = DenseF32ArrayAttr;
defvar Onnx_STRINGS = StrArrayAttr;
defvar Onnx_TENSOR = ElementsAttr;

class Onnx_IntDefault<int value> : DefaultValuedAttr<Onnx_I64Attr, !cast<string>(value)>;
class Onnx_FloatDefault<string value> : DefaultValuedAttr<F32Attr, value>;
class Onnx_StringDefault<string value> : DefaultValuedStrAttr<StrAttr, value>;

// Declared (familyDeclaration) by operators that take part in shape arithmetic: see OnnxOpInterface.
defvar Onnx_InferElements = [{
    ::std::optional<::onnx_aot::onnx::Shape> inferElements(::onnx_aot::onnx::ShapeContext &ctx, unsigned result);
}];

//===-- The base class of operators ---------------------------------------===//
// `ins` and `outs` are the ONNX inputs and outputs in their order: plain, Optional<> or (last) Variadic<>; `attrs` the
// ONNX attributes. An operator with two or more Optional inputs (outputs) needs AttrSizedOperandSegments
// (AttrSizedResultSegments). `bodies` are the attributes that are graphs: they become regions. `effects` says that an
// operator is a function of its operands and attributes, which all but the random ones are.
class Onnx_Op<string opName, int since, dag ins, dag attrs, dag outs, list<Trait> traits = [], dag bodies = (region),
              list<Trait> effects = [Pure]>
    : Op<Onnx_Dialect, opName, !listconcat(traits, effects, [OnnxOpInterface])> {
  int sinceVersion = since;
  let arguments = !con(ins, attrs);
  let results = outs;
  let regions = bodies;

  // The signature as text, "X:s W:s B:o" (s single, o optional, v variadic), from which getSignature() is made.
  string inputText = !foldl("", !range(!size(ins)), text, i, text # !getdagname(ins, i) # ":"
      # !if(!isa<Optional>(!getdagarg<TypeConstraint>(ins, i)), "o",
        !if(!isa<Variadic>(!getdagarg<TypeConstraint>(ins, i)), "v", "s")) # " ");
  string outputText = !foldl("", !range(!size(outs)), text, i, text # !getdagname(outs, i) # ":"
      # !if(!isa<Optional>(!getdagarg<TypeConstraint>(outs, i)), "o",
        !if(!isa<Variadic>(!getdagarg<TypeConstraint>(outs, i)), "v", "s")) # " ");
  string attributeText = !foldl("", !range(!size(attrs)), text, i, text # !getdagname(attrs, i) # ":"
      # !subst(" ", "", !getdagarg<Attr>(attrs, i).storageType)
      # !if(!getdagarg<Attr>(attrs, i).isOptional, ":o",
        !if(!initialized(!getdagarg<Attr>(attrs, i).defaultValue), ":o", ":r")) # " ")
      # !foldl("", !range(!size(bodies)), text, i, text # !getdagname(bodies, i) # ":::mlir::Region:r ");

  code signatureMethod = [{
    static const ::onnx_aot::onnx::OpSignature &getSignature() {
      static const ::onnx_aot::onnx::OpSignature signature(getOperationName(), }] # since # [{,
          "}] # inputText # [{", "}] # outputText # [{", "}] # attributeText # [{");
      return signature;
    }
    ::llvm::LogicalResult inferResults(::onnx_aot::onnx::ShapeContext &ctx,
                                       ::llvm::SmallVectorImpl<::onnx_aot::onnx::ResultShape> &results);
  }];
  // Declarations of the family's own, beside the signature.
  code familyDeclaration = "";
  let extraClassDeclaration = signatureMethod # familyDeclaration;
}

#endif // ONNX_AOT_ONNX_BASE
