//===- Training.td - the operators of ai.onnx.preview.training ------------===//
//
// The optimisers take R (learning rate), T (number of updates so far) and then,
// for n tensors to optimise, n of each kind: X (the tensors), G (gradients) and
// the states. They return n of each but the gradients, updated.
//
//===----------------------------------------------------------------------===//
include "dialects/onnx/OnnxFunctions.td"

class Onnx_Optimizer<string name, dag attributes> : Onnx_Function<"ai_onnx_preview_training." # name, 1,
    (ins TensorOf<[F32, F64]>:$R, Onnx_I64Tensor:$T,
         Variadic<TensorOf<[F32, F64]>>:$inputs), // (C1) as many of each kind
    attributes, (outs Variadic<TensorOf<[F32, F64]>>:$outputs)>;

def Onnx_AdagradOp : Onnx_Optimizer<"Adagrad", // X G H -> X H
    (ins Onnx_FloatDefault<"0.0">:$decay_factor, Onnx_FloatDefault<"0.0">:$epsilon,
         Onnx_FloatDefault<"0.0">:$norm_coefficient)> {
  let summary = "X - R / (1 + T * decay_factor) * G / (sqrt(H) + epsilon), with H the sum of squared gradients";
}

def Onnx_AdamOp : Onnx_Optimizer<"Adam", // X G V H -> X V H
    (ins Onnx_FloatDefault<"0.9">:$alpha, Onnx_FloatDefault<"0.999">:$beta, Onnx_FloatDefault<"0.0">:$epsilon,
         Onnx_FloatDefault<"0.0">:$norm_coefficient, Onnx_FloatDefault<"0.0">:$norm_coefficient_post)> {
  let summary = "X - R * V / (sqrt(H) + epsilon), with V and H the averages of gradients and their squares";
}

def Onnx_MomentumOp : Onnx_Optimizer<"Momentum", // X G V -> X V
    (ins Onnx_FLOAT:$alpha, Onnx_FLOAT:$beta, Onnx_STRING:$mode, // (C2) standard or nesterov
         Onnx_FLOAT:$norm_coefficient)> {
  let summary = "X - R * V, with V = alpha * V + beta * G";
}

// At import the values that xs, zs and y name follow the inputs: (inputs..., xs..., zs..., y).
def Onnx_GradientOp : Onnx_Function<"ai_onnx_preview_training.Gradient", 1,
    (ins Variadic<Onnx_Tensor>:$Inputs), // (C3) one for each of xs and zs
    (ins Onnx_STRINGS:$xs, Onnx_STRING:$y, OptionalAttr<Onnx_STRINGS>:$zs),
    (outs Variadic<Onnx_Tensor>:$Outputs)> { // (C4) one for each of xs
  let summary = "The derivatives of y by each of xs, where Inputs are the values of xs and zs";
}
