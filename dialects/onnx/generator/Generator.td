//===- Generator.td - operators that make tensors -------------------------===//
include "dialects/onnx/OnnxFunctions.td"

def Onnx_ConstantOp : Onnx_Op<"Constant", 13, (ins), (ins Onnx_TENSOR:$value), (outs Onnx_Tensor:$output),
                              [ConstantLike]> {
  let summary = "A constant tensor";
  let description = [{
    The other forms of the ONNX operator (value_float, value_ints, sparse_value ...) become `value` at import.
    Tensors above 1 KB are resources, whose bytes stay outside of the IR.
  }];
  let hasFolder = 1;
  let assemblyFormat = "attr-dict `:` type($output)";
}

def Onnx_ConstantOfShapeOp : Onnx_Op<"ConstantOfShape", 25,
    (ins Onnx_I64Tensor:$input),         // (C1) a list of extents
    (ins OptionalAttr<Onnx_TENSOR>:$value), // (C2) one element; absent: 0.0 of float32
    (outs Onnx_Tensor:$output)> {
  let summary = "A tensor of a given shape, filled with one value";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements # [{
    /// The fill value as an attribute of the element type.
    ::mlir::Attribute getFill();
  }];
}

def Onnx_RangeOp : Onnx_Op<"Range", 27,
    (ins Onnx_NumberTensor:$start, Onnx_NumberTensor:$limit, Onnx_NumberTensor:$delta), // (C1) one element of one type
    (ins Onnx_IntDefault<1>:$stash_type), (outs Onnx_NumberTensor:$output)> {                                          // (C2) delta is not 0
  let summary = "start, start + delta, ... up to limit (not included)";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

def Onnx_EyeLikeOp : Onnx_Op<"EyeLike", 22,
    (ins Onnx_Tensor:$input), // (C1) rank 2
    (ins OptionalAttr<Onnx_INT>:$dtype, Onnx_IntDefault<0>:$k), (outs Onnx_Tensor:$output)> {
  let summary = "Ones on diagonal k of a matrix of the input's shape, zeros elsewhere";
}

//===-- Windows -----------------------------------------------------------===//
class Onnx_Window<string name> : Onnx_Op<name, 17,
    (ins Onnx_IntTensor:$size), // (C1) one element, not negative
    (ins Onnx_IntDefault<1>:$output_datatype, Onnx_IntDefault<1>:$periodic), (outs Onnx_NumberTensor:$output)> {
  let hasFolder = 1;
  let familyDeclaration = [{
    /// The window as a constant; null where it would be too long.
    ::mlir::ElementsAttr makeWindow(::mlir::RankedTensorType type);
    /// a0, a1 and a2 of a0 - a1 cos(x) + a2 cos(2 x), where x goes once around over the window.
    ::std::array<double, 3> getCoefficients();
  }];
}

def Onnx_HannWindowOp : Onnx_Window<"HannWindow"> { let summary = "0.5 - 0.5 cos(2 pi n / N)"; }
def Onnx_HammingWindowOp : Onnx_Window<"HammingWindow"> { let summary = "25/46 - 21/46 cos(2 pi n / N)"; }
def Onnx_BlackmanWindowOp : Onnx_Window<"BlackmanWindow"> {
  let summary = "0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N)";
}

//===-- Random numbers ----------------------------------------------------===//
// A result is a function of seed, name of the node and element: each run gives the same numbers. Not pure, so that two
// nodes that are alike but for their names are not merged.
class Onnx_Random<string name, dag inputs, dag attributes> : Onnx_Op<name, 22, inputs,
    !con(attributes, (ins OptionalAttr<Onnx_FLOAT>:$seed)), (outs Onnx_Tensor:$output), effects = []>;

def Onnx_RandomUniformOp : Onnx_Random<"RandomUniform", (ins),
    (ins Onnx_IntDefault<1>:$dtype, Onnx_FloatDefault<"1.0">:$high, Onnx_FloatDefault<"0.0">:$low, // (C1) a float type
         Onnx_INTS:$shape)> { // (C2) no negative extents
  let summary = "Random numbers in low .. high";
}
def Onnx_RandomNormalOp : Onnx_Random<"RandomNormal", (ins),
    (ins Onnx_IntDefault<1>:$dtype, Onnx_FloatDefault<"0.0">:$mean, Onnx_FloatDefault<"1.0">:$scale, Onnx_INTS:$shape)> {
  let summary = "Normally distributed random numbers"; // (C1), (C2)
}
def Onnx_RandomUniformLikeOp : Onnx_Random<"RandomUniformLike", (ins Onnx_Tensor:$input),
    (ins OptionalAttr<Onnx_INT>:$dtype, Onnx_FloatDefault<"1.0">:$high, Onnx_FloatDefault<"0.0">:$low)> { // (C1)
  let summary = "Random numbers in low .. high, of the input's shape";
}
def Onnx_RandomNormalLikeOp : Onnx_Random<"RandomNormalLike", (ins Onnx_Tensor:$input),
    (ins OptionalAttr<Onnx_INT>:$dtype, Onnx_FloatDefault<"0.0">:$mean, Onnx_FloatDefault<"1.0">:$scale)> { // (C1)
  let summary = "Normally distributed random numbers, of the input's shape";
}
def Onnx_BernoulliOp : Onnx_Random<"Bernoulli", (ins Onnx_FloatTensor:$input),
    (ins OptionalAttr<Onnx_INT>:$dtype)> { // (C3) a number's or bool's
  let summary = "1 with the probability that the input gives, otherwise 0";
}

def Onnx_MultinomialOp : Onnx_Function<"Multinomial", 22,
    (ins Onnx_FloatTensor:$input), // (C4) batch x classes: logarithms of probabilities, not normalised
    (ins Onnx_IntDefault<6>:$dtype, // (C5) int32's or int64's
         Onnx_IntDefault<1>:$sample_size, OptionalAttr<Onnx_FLOAT>:$seed),
    (outs TensorOf<[I32, I64]>:$output), [], (region), /*effects=*/[]> {
  let summary = "Random classes, sample_size for each entry of the batch";
}
