//===- Movement.td - operators that move elements -------------------------===//
include "dialects/onnx/OnnxBase.td"

//===-- Another shape, the same elements ----------------------------------===//
def Onnx_ReshapeOp : Onnx_Op<"Reshape", 25,
    (ins Onnx_Tensor:$data, Onnx_I64Tensor:$shape), // (C1) shape has rank 1
    (ins Onnx_IntDefault<0>:$allowzero), (outs Onnx_Tensor:$reshaped)> {
  let summary = "Another shape for the same elements";
  let description = [{
    At most one -1 takes what the others leave (C2); a 0 copies the input's dim (C3), or with `allowzero` stands for
    itself, in which case there may be no -1 beside it (C4). The numbers of elements agree (C5).
  }];
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

def Onnx_FlattenOp : Onnx_Op<"Flatten", 25, (ins Onnx_Tensor:$input),
    (ins Onnx_IntDefault<1>:$axis), // (C1) -rank <= axis <= rank
    (outs Onnx_Tensor:$output)> {
  let summary = "A matrix of the dims before and from `axis`";
  let hasFolder = 1;
}

def Onnx_SqueezeOp : Onnx_Op<"Squeeze", 25,
    (ins Onnx_Tensor:$data, Optional<Onnx_I64Tensor>:$axes), // (C1) axes are in range, (C2) their dims are 1
    (ins), (outs Onnx_Tensor:$squeezed)> {
  let summary = "Removes dims of extent 1: those of `axes`, or all";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

def Onnx_UnsqueezeOp : Onnx_Op<"Unsqueeze", 25,
    (ins Onnx_Tensor:$data, Onnx_I64Tensor:$axes), // (C1) axes are in range of the result, (C2) and differ
    (ins), (outs Onnx_Tensor:$expanded)> {
  let summary = "Inserts dims of extent 1 at `axes` of the result";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

//===-- Another order -----------------------------------------------------===//
def Onnx_TransposeOp : Onnx_Op<"Transpose", 25, (ins Onnx_Tensor:$data),
    (ins OptionalAttr<Onnx_INTS>:$perm), // (C1) a permutation of the input's dims
    (outs Onnx_Tensor:$transposed)> {
  let summary = "Permutes dims; reverses them without `perm`";
  let hasFolder = 1;
  let familyDeclaration = [{
    /// Result dim i is input dim perm[i].
    ::llvm::SmallVector<int64_t> getPermutation(int64_t rank);
  }];
}

def Onnx_DepthToSpaceOp : Onnx_Op<"DepthToSpace", 13,
    (ins Onnx_Tensor:$input), // (C1) rank 4, (C2) channels are a multiple of blocksize^2
    (ins Onnx_INT:$blocksize, Onnx_StringDefault<"DCR">:$mode), (outs Onnx_Tensor:$output)> {
  let summary = "Moves channels into blocks of the image";
}

def Onnx_SpaceToDepthOp : Onnx_Op<"SpaceToDepth", 13,
    (ins Onnx_Tensor:$input), // (C1) rank 4, (C2) height and width are multiples of blocksize
    (ins Onnx_INT:$blocksize), (outs Onnx_Tensor:$output)> {
  let summary = "Moves blocks of the image into channels";
}

def Onnx_ReverseSequenceOp : Onnx_Op<"ReverseSequence", 10,
    (ins Onnx_Tensor:$input,            // (C1) rank >= 2
         Onnx_I64Tensor:$sequence_lens), // (C2) one length per batch entry
    (ins Onnx_IntDefault<1>:$batch_axis, Onnx_IntDefault<0>:$time_axis), // (C3) one is 0 and the other 1
    (outs Onnx_Tensor:$Y)> {
  let summary = "Reverses the first sequence_lens[b] elements along the time axis";
}

//===-- Parts and joins ---------------------------------------------------===//
def Onnx_ConcatOp : Onnx_Op<"Concat", 13,
    (ins Variadic<Onnx_Tensor>:$inputs), // (C1) at least one, of one element type, (C2) dims but `axis` agree
    (ins Onnx_INT:$axis), (outs Onnx_Tensor:$concat_result)> {
  let summary = "Joins tensors along an axis";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

def Onnx_SliceOp : Onnx_Op<"Slice", 13,
    (ins Onnx_Tensor:$data, Onnx_IntTensor:$starts, Onnx_IntTensor:$ends, // (C1) as many starts as ends, axes and steps
         Optional<Onnx_IntTensor>:$axes, Optional<Onnx_IntTensor>:$steps), // (C2) axes differ, (C3) no step is 0
    (ins), (outs Onnx_Tensor:$output), [AttrSizedOperandSegments]> {
  let summary = "Takes every steps[i]-th element from starts[i] to ends[i] (not included) along axes[i]";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

def Onnx_SplitOp : Onnx_Op<"Split", 18,
    (ins Onnx_Tensor:$input, Optional<Onnx_I64Tensor>:$split), // (C1) sizes add up to the dim, one per output
    (ins Onnx_IntDefault<0>:$axis, OptionalAttr<Onnx_INT>:$num_outputs), // (C2) not both split and num_outputs
    (outs Variadic<Onnx_Tensor>:$outputs)> {
  let summary = "Cuts a tensor into parts along an axis";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

def Onnx_TriluOp : Onnx_Op<"Trilu", 14,
    (ins Onnx_Tensor:$input,           // (C1) rank >= 2
         Optional<Onnx_I64Tensor>:$k), // (C2) one element
    (ins Onnx_IntDefault<1>:$upper), (outs Onnx_Tensor:$output)> {
  let summary = "Keeps the upper or lower triangle of each matrix and zeroes the rest";
}

//===-- Repetition and borders --------------------------------------------===//
def Onnx_ExpandOp : Onnx_Op<"Expand", 13,
    (ins Onnx_Tensor:$input, Onnx_I64Tensor:$shape), // (C1) the input broadcasts with the shape
    (ins), (outs Onnx_Tensor:$output)> {
  let summary = "Broadcasts a tensor with a shape";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

def Onnx_TileOp : Onnx_Op<"Tile", 13,
    (ins Onnx_Tensor:$input, Onnx_I64Tensor:$repeats), // (C1) one repeat per dim
    (ins), (outs Onnx_Tensor:$output)> {
  let summary = "Repeats a tensor along each dim";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

def Onnx_PadOp : Onnx_Op<"Pad", 25,
    (ins Onnx_Tensor:$data, Onnx_I64Tensor:$pads, // (C1) two amounts per axis
         Optional<Onnx_Tensor>:$constant_value,   // (C2) one element of data's type
         Optional<Onnx_IntTensor>:$axes),         // (C3) axes differ
    (ins Onnx_StringDefault<"constant">:$mode), // (C4) constant, reflect, edge or wrap
    (outs Onnx_Tensor:$output), [AttrSizedOperandSegments]> {
  let summary = "Adds elements before and after dims; negative amounts remove them";
}

def Onnx_CenterCropPadOp : Onnx_Op<"CenterCropPad", 18,
    (ins Onnx_Tensor:$input_data, Onnx_IntTensor:$shape), // (C1) one extent per axis
    (ins OptionalAttr<Onnx_INTS>:$axes), (outs Onnx_Tensor:$output_data)> {
  let summary = "Crops or pads around the centre to a shape";
}

//===-- Shapes as data ----------------------------------------------------===//
def Onnx_ShapeOp : Onnx_Op<"Shape", 25, (ins Onnx_Tensor:$data),
    (ins OptionalAttr<Onnx_INT>:$end, Onnx_IntDefault<0>:$start), (outs Onnx_I64Tensor:$shape)> {
  let summary = "The dims from `start` to `end` (not included)";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements # [{
    /// `start` and `end` counted from the front and within 0..rank.
    std::pair<int64_t, int64_t> getRange(int64_t rank);
  }];
}

def Onnx_SizeOp : Onnx_Op<"Size", 25, (ins Onnx_Tensor:$data), (ins), (outs Onnx_I64Tensor:$size)> {
  let summary = "The number of elements";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}
