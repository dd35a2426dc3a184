//===- Loss.td - loss functions -------------------------------------------===//
include "dialects/onnx/OnnxBase.td"

// (C1) input (N, C, d...), target (N, d...), weight (C); (C2) reduction is none, sum or mean.
def Onnx_NegativeLogLikelihoodLossOp : Onnx_Op<"NegativeLogLikelihoodLoss", 22,
    (ins Onnx_FloatTensor:$input, TensorOf<[I32, I64]>:$target, Optional<Onnx_FloatTensor>:$weight),
    (ins OptionalAttr<Onnx_INT>:$ignore_index, Onnx_StringDefault<"mean">:$reduction),
    (outs Onnx_FloatTensor:$loss)> {
  let summary = "-weight[target] * input[target] for each sample, their sum or weighted mean";
  let description = [{
    Samples whose target is ignore_index or lies outside of 0..C-1 have the loss and the weight 0.
  }];
}

def Onnx_SoftmaxCrossEntropyLossOp : Onnx_Op<"SoftmaxCrossEntropyLoss", 13,
    (ins Onnx_FloatTensor:$scores, TensorOf<[I32, I64]>:$labels, Optional<Onnx_FloatTensor>:$weights),
    (ins OptionalAttr<Onnx_INT>:$ignore_index, Onnx_StringDefault<"mean">:$reduction),
    (outs Onnx_FloatTensor:$output, Optional<Onnx_FloatTensor>:$log_prob)> {
  let summary = "NegativeLogLikelihoodLoss of LogSoftmax(scores) along axis 1";
}
