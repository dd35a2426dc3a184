//===- Indexing.td - operators whose indices are data ---------------------===//
include "dialects/onnx/OnnxBase.td"

// Negative indices count from the end. A constant index outside of its dim is an error. One that is data leads to the
// nearest element of the dim: the result is not defined by ONNX, but nothing outside of a tensor is ever touched.

//===-- Reading -----------------------------------------------------------===//
def Onnx_GatherOp : Onnx_Op<"Gather", 13,
    (ins Onnx_Tensor:$data, Onnx_IntTensor:$indices), // (C1) data has rank >= 1
    (ins Onnx_IntDefault<0>:$axis), // (C2) in range
    (outs Onnx_Tensor:$output)> {
  let summary = "Takes the slices along an axis that the indices name";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}

def Onnx_GatherElementsOp : Onnx_Op<"GatherElements", 13,
    (ins Onnx_Tensor:$data, Onnx_IntTensor:$indices), // (C1) of one rank >= 1, (C2) indices within data but for axis
    (ins Onnx_IntDefault<0>:$axis), (outs Onnx_Tensor:$output)> {
  let summary = "output[i, j, k] = data[indices[i, j, k], j, k] (axis 0)";
}

def Onnx_GatherNDOp : Onnx_Op<"GatherND", 13,
    (ins Onnx_Tensor:$data, Onnx_I64Tensor:$indices), // (C1) ranks >= 1, (C2) index tuples are no longer than data's rank
    (ins Onnx_IntDefault<0>:$batch_dims), // (C3) fewer than either rank, and of equal extents
    (outs Onnx_Tensor:$output)> {
  let summary = "Takes the slices that tuples of indices name";
}

//===-- Writing -----------------------------------------------------------===//
// reduction is none, add, mul, max or min (C4).
def Onnx_ScatterElementsOp : Onnx_Op<"ScatterElements", 18,
    (ins Onnx_Tensor:$data, Onnx_IntTensor:$indices, Onnx_Tensor:$updates), // (C1) one rank, (C2) indices and updates agree
    (ins Onnx_IntDefault<0>:$axis, Onnx_StringDefault<"none">:$reduction), (outs Onnx_Tensor:$output)> {
  let summary = "output[indices[i, j, k], j, k] = updates[i, j, k] (axis 0)";
}

def Onnx_ScatterNDOp : Onnx_Op<"ScatterND", 18,
    (ins Onnx_Tensor:$data, Onnx_I64Tensor:$indices, Onnx_Tensor:$updates), // (C1) ranks, (C2) shape of the updates
    (ins Onnx_StringDefault<"none">:$reduction), (outs Onnx_Tensor:$output)> {
  let summary = "Puts slices where tuples of indices say";
}

def Onnx_TensorScatterOp : Onnx_Op<"TensorScatter", 24,
    (ins Onnx_Tensor:$past_cache, Onnx_Tensor:$update,  // (C1) agree but for axis
         Optional<Onnx_I64Tensor>:$write_indices),      // (C2) one per batch entry
    (ins Onnx_IntDefault<-2>:$axis, Onnx_StringDefault<"linear">:$mode), // (C3) axis is not 0, (C4) linear or circular
    (outs Onnx_Tensor:$present_cache)> {
  let summary = "Writes an update into a cache from write_indices[batch] on";
}

//===-- Making ------------------------------------------------------------===//
def Onnx_OneHotOp : Onnx_Op<"OneHot", 11,
    (ins Onnx_NumberTensor:$indices, Onnx_NumberTensor:$depth, // (C1) depth is one element
         Onnx_Tensor:$values),                                // (C2) (off, on)
    (ins Onnx_IntDefault<-1>:$axis), (outs Onnx_Tensor:$output)> {
  let summary = "values[1] where the index along the new axis is the given one, values[0] elsewhere";
}

//===-- Choosing: extents that only the elements tell ----------------------===//
def Onnx_NonZeroOp : Onnx_Op<"NonZero", 13, (ins Onnx_Tensor:$X), (ins), (outs Onnx_I64Tensor:$Y)> {
  let summary = "The indices of the elements that are not 0, one column for each";
  let hasFolder = 1;
}

def Onnx_CompressOp : Onnx_Op<"Compress", 11,
    (ins Onnx_Tensor:$input, Onnx_BoolTensor:$condition), // (C1) condition has rank 1
    (ins OptionalAttr<Onnx_INT>:$axis), // (C2) in range; absent: of all elements in their order
    (outs Onnx_Tensor:$output)> {
  let summary = "The slices along an axis where a condition holds";
}

def Onnx_UniqueOp : Onnx_Op<"Unique", 11,
    (ins Onnx_Tensor:$X),
    (ins OptionalAttr<Onnx_INT>:$axis, Onnx_IntDefault<1>:$sorted), // (C1) axis in range; absent: of all elements
    (outs Onnx_Tensor:$Y, Optional<Onnx_I64Tensor>:$indices, Optional<Onnx_I64Tensor>:$inverse_indices,
          Optional<Onnx_I64Tensor>:$counts), [AttrSizedResultSegments]> {
  let summary = "The different slices along an axis, where they come first, and how often";
}

def Onnx_NonMaxSuppressionOp : Onnx_Op<"NonMaxSuppression", 11,
    (ins Onnx_FloatTensor:$boxes,  // (C1) batch x boxes x 4
         Onnx_FloatTensor:$scores, // (C2) batch x classes x boxes
         Optional<Onnx_I64Tensor>:$max_output_boxes_per_class, Optional<Onnx_FloatTensor>:$iou_threshold, // (C3) one
         Optional<Onnx_FloatTensor>:$score_threshold),                                                    // element
    (ins Onnx_IntDefault<0>:$center_point_box), // (C4) 0: two corners, 1: center and size
    (outs Onnx_I64Tensor:$selected_indices), [AttrSizedOperandSegments]> {
  let summary = "The boxes of each class that do not overlap one with a higher score";
}
