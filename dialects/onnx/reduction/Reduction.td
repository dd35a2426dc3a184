//===- Reduction.td - operators that combine elements along axes ----------===//
include "dialects/onnx/OnnxBase.td"

//===-- Reductions over several axes --------------------------------------===//
// (C1) the axes are in range and differ. Without axes all dims are reduced, or with noop_with_empty_axes none: then
// what is done to each element (squares, logarithms ...) still is.
class Onnx_Reduce<string name, int since> : Onnx_Op<name, since,
    (ins Onnx_Tensor:$data, Optional<Onnx_I64Tensor>:$axes),
    (ins Onnx_IntDefault<1>:$keepdims, Onnx_IntDefault<0>:$noop_with_empty_axes),
    (outs Onnx_Tensor:$reduced)>;

def Onnx_ReduceSumOp : Onnx_Reduce<"ReduceSum", 13> {
  let summary = "Sum; 0 of an empty set";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}
def Onnx_ReduceMeanOp : Onnx_Reduce<"ReduceMean", 18> { let summary = "Mean; not defined of an empty set"; }
def Onnx_ReduceProdOp : Onnx_Reduce<"ReduceProd", 18> {
  let summary = "Product; 1 of an empty set";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}
def Onnx_ReduceMaxOp : Onnx_Reduce<"ReduceMax", 20> {
  let summary = "Maximum (or); the smallest value of an empty set";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}
def Onnx_ReduceMinOp : Onnx_Reduce<"ReduceMin", 20> {
  let summary = "Minimum (and); the largest value of an empty set";
  let hasFolder = 1;
  let familyDeclaration = Onnx_InferElements;
}
def Onnx_ReduceL1Op : Onnx_Reduce<"ReduceL1", 18> { let summary = "Sum of absolute values"; }
def Onnx_ReduceL2Op : Onnx_Reduce<"ReduceL2", 18> { let summary = "Square root of the sum of squares"; }
def Onnx_ReduceLogSumOp : Onnx_Reduce<"ReduceLogSum", 18> { let summary = "Logarithm of the sum"; }
def Onnx_ReduceLogSumExpOp : Onnx_Reduce<"ReduceLogSumExp", 18> {
  let summary = "Logarithm of the sum of exponentials";
}
def Onnx_ReduceSumSquareOp : Onnx_Reduce<"ReduceSumSquare", 18> { let summary = "Sum of squares"; }

//===-- Along one axis ----------------------------------------------------===//
class Onnx_ArgReduce<string name> : Onnx_Op<name, 13,
    (ins Onnx_NumberTensor:$data),
    (ins Onnx_IntDefault<0>:$axis, // (C1) in range
         Onnx_IntDefault<1>:$keepdims, Onnx_IntDefault<0>:$select_last_index),
    (outs Onnx_I64Tensor:$reduced)>;

def Onnx_ArgMaxOp : Onnx_ArgReduce<"ArgMax"> { let summary = "Index of the maximum; a NaN counts as one"; }
def Onnx_ArgMinOp : Onnx_ArgReduce<"ArgMin"> { let summary = "Index of the minimum; a NaN counts as one"; }

class Onnx_Cumulative<string name, int since> : Onnx_Op<name, since,
    (ins Onnx_NumberTensor:$x, Onnx_IntTensor:$axis), // (C1) axis is one element, (C2) in range
    (ins Onnx_IntDefault<0>:$exclusive, Onnx_IntDefault<0>:$reverse), (outs Onnx_NumberTensor:$y)>;

def Onnx_CumSumOp : Onnx_Cumulative<"CumSum", 14> { let summary = "Sums of the elements up to each"; }
def Onnx_CumProdOp : Onnx_Cumulative<"CumProd", 26> { let summary = "Products of the elements up to each"; }

def Onnx_TopKOp : Onnx_Op<"TopK", 24,
    (ins Onnx_NumberTensor:$X, Onnx_I64Tensor:$K), // (C1) K is one element, within the axis
    (ins Onnx_IntDefault<-1>:$axis, Onnx_IntDefault<1>:$largest, Onnx_IntDefault<1>:$sorted),
    (outs Onnx_NumberTensor:$Values, Optional<Onnx_I64Tensor>:$Indices)> {
  let summary = "The K largest (smallest) elements along an axis and their indices; equal ones in their order";
}
