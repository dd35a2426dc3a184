//===- Sequence.td - sequences and optionals ------------------------------===//
include "dialects/onnx/OnnxBase.td"

// None of these is lowered: the graph stage replaces them by operators on tensors, see passes/graph/ResolveSequences.cpp.

//===-- Making sequences --------------------------------------------------===//
def Onnx_SequenceConstructOp : Onnx_Op<"SequenceConstruct", 11,
    (ins Variadic<Onnx_Tensor>:$inputs), // (C1) at least one, of one element type
    (ins), (outs Onnx_Sequence:$output_sequence)> {
  let summary = "The sequence of the inputs";
}

def Onnx_SequenceEmptyOp : Onnx_Op<"SequenceEmpty", 11, (ins),
    (ins Onnx_IntDefault<1>:$dtype), // (C1) a TensorProto.DataType that is a number or bool
    (outs Onnx_Sequence:$output)> {
  let summary = "A sequence without elements";
}

def Onnx_SequenceInsertOp : Onnx_Op<"SequenceInsert", 11,
    (ins Onnx_Sequence:$input_sequence, Onnx_Tensor:$tensor, // (C1) of the sequence's element type
         Optional<Onnx_IntTensor>:$position),                // one element; absent: behind the last one
    (ins), (outs Onnx_Sequence:$output_sequence)> {
  let summary = "The sequence with one element more";
}

def Onnx_SequenceEraseOp : Onnx_Op<"SequenceErase", 11,
    (ins Onnx_Sequence:$input_sequence, Optional<Onnx_IntTensor>:$position), // absent: the last one
    (ins), (outs Onnx_Sequence:$output_sequence)> {
  let summary = "The sequence without one element";
}

def Onnx_SplitToSequenceOp : Onnx_Op<"SplitToSequence", 24,
    (ins Onnx_Tensor:$input,
         Optional<Onnx_IntTensor>:$split), // one number: the size of all parts but the last; a list: their sizes
    (ins Onnx_IntDefault<0>:$axis, Onnx_IntDefault<1>:$keepdims), // (C1) in range; keepdims counts without split only
    (outs Onnx_Sequence:$output_sequence)> {
  let summary = "The parts of a tensor along an axis";
}

//===-- Using sequences ---------------------------------------------------===//
def Onnx_SequenceAtOp : Onnx_Op<"SequenceAt", 11,
    (ins Onnx_Sequence:$input_sequence, Onnx_IntTensor:$position), (ins), (outs Onnx_Tensor:$tensor)> {
  let summary = "One element; negative positions count from the end";
}

def Onnx_SequenceLengthOp : Onnx_Op<"SequenceLength", 11,
    (ins Onnx_Sequence:$input_sequence), (ins), (outs Onnx_I64Tensor:$length)> {
  let summary = "The number of elements";
}

def Onnx_ConcatFromSequenceOp : Onnx_Op<"ConcatFromSequence", 11,
    (ins Onnx_Sequence:$input_sequence), (ins Onnx_INT:$axis, Onnx_IntDefault<0>:$new_axis),
    (outs Onnx_Tensor:$concat_result)> {
  let summary = "The elements joined along an axis, which is a new one with `new_axis`";
}

def Onnx_SequenceMapOp : Onnx_Op<"SequenceMap", 17,
    (ins Onnx_Sequence:$input_sequence,
         Variadic<Onnx_Value>:$additional_inputs), // sequences of the same length, or tensors that every call gets
    (ins), (outs Variadic<Onnx_Sequence>:$out_sequence),
    [], (region SizedRegion<1>:$body)> { // (C1) a tensor for each input -> a tensor for each output
  let summary = "A body applied to every element";
}

//===-- Optionals ---------------------------------------------------------===//
def Onnx_OptionalOp : Onnx_Op<"Optional", 15, (ins Optional<Onnx_Value>:$input),
    (ins OptionalAttr<TypeAttr>:$type), // (C1) there where the input is not
    (outs Onnx_Optional:$output)> {
  let summary = "The input as an optional, or an optional without a value";
}

def Onnx_OptionalGetElementOp : Onnx_Op<"OptionalGetElement", 18, (ins Onnx_Value:$input), (ins),
    (outs Onnx_Value:$output)> {
  let summary = "The value of an optional; a tensor or sequence is its own value";
}

def Onnx_OptionalHasElementOp : Onnx_Op<"OptionalHasElement", 18, (ins Optional<Onnx_Value>:$input), (ins),
    (outs Onnx_BoolTensor:$output)> {
  let summary = "Whether an optional has a value; a tensor or sequence has";
}
