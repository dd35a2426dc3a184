//===- Activation.td - activation functions -------------------------------===//
//
// The scalar bodies of those that look at one element only are the table of
// ActivationToLinalg.cpp.
//
//===----------------------------------------------------------------------===//
include "dialects/onnx/OnnxBase.td"

// (C1) the inputs broadcast, (C2) they have one element type.
class Onnx_Activation<string name, int since, dag attrs = (ins), string x = "X", string y = "Y",
                      Type type = Onnx_FloatTensor>
    : Onnx_Op<name, since, !dag(ins, [type], [x]), attrs, !dag(outs, [type], [y])> {
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferResults(ShapeContext &ctx, ::llvm::SmallVectorImpl<ResultShape> &results) {
      return inferElementwise(*this, ctx, results, ElementRule::Same);
    }
  }];
}

def Onnx_ReluOp : Onnx_Activation<"Relu", 14, (ins), "X", "Y", Onnx_NumberTensor> {
  let summary = "max(X, 0); NaN stays";
}
def Onnx_LeakyReluOp : Onnx_Activation<"LeakyRelu", 16, (ins Onnx_FloatDefault<"0.01">:$alpha)> {
  let summary = "X >= 0 ? X : alpha * X";
}
def Onnx_PReluOp : Onnx_Op<"PRelu", 16, (ins Onnx_NumberTensor:$X,
      Onnx_NumberTensor:$slope), // (C1) broadcasts to X's shape, (C2) X's element type
    (ins), (outs Onnx_NumberTensor:$Y)> {
  let summary = "X >= 0 ? X : slope * X";
}
def Onnx_EluOp : Onnx_Activation<"Elu", 22, (ins Onnx_FloatDefault<"1.0">:$alpha)> {
  let summary = "X >= 0 ? X : alpha * (exp(X) - 1)";
}
def Onnx_SeluOp : Onnx_Activation<"Selu", 22, (ins Onnx_FloatDefault<"1.67326319217681884765625">:$alpha,
                                               Onnx_FloatDefault<"1.05070102214813232421875">:$gamma)> {
  let summary = "gamma * (X > 0 ? X : alpha * (exp(X) - 1))";
}
def Onnx_CeluOp : Onnx_Activation<"Celu", 12, (ins Onnx_FloatDefault<"1.0">:$alpha)> {
  let summary = "max(X, 0) + min(alpha * (exp(X / alpha) - 1), 0)";
}
def Onnx_SigmoidOp : Onnx_Activation<"Sigmoid", 13> {
  let summary = "1 / (1 + exp(-X))";
}
def Onnx_HardSigmoidOp : Onnx_Activation<"HardSigmoid", 22, (ins Onnx_FloatDefault<"0.2">:$alpha,
                                                             Onnx_FloatDefault<"0.5">:$beta)> {
  let summary = "max(0, min(1, alpha * X + beta))";
}
def Onnx_HardSwishOp : Onnx_Activation<"HardSwish", 22> {
  let summary = "X * max(0, min(1, X / 6 + 1/2))";
}
def Onnx_SoftplusOp : Onnx_Activation<"Softplus", 22> {
  let summary = "log(exp(X) + 1)";
}
def Onnx_SoftsignOp : Onnx_Activation<"Softsign", 22, (ins), "input", "output"> {
  let summary = "input / (1 + |input|)";
}
def Onnx_ThresholdedReluOp : Onnx_Activation<"ThresholdedRelu", 22, (ins Onnx_FloatDefault<"1.0">:$alpha)> {
  let summary = "X > alpha ? X : 0";
}
def Onnx_GeluOp : Onnx_Activation<"Gelu", 20, (ins Onnx_StringDefault<"none">:$approximate)> {
  let summary = "X * P(x <= X) of the normal distribution, or its approximation by tanh";
  let hasVerifier = 1; // (C3) approximate is none or tanh
}
def Onnx_MishOp : Onnx_Activation<"Mish", 22> {
  let summary = "X * tanh(log(exp(X) + 1))";
}
def Onnx_SwishOp : Onnx_Activation<"Swish", 24, (ins Onnx_FloatDefault<"1.0">:$alpha)> {
  let summary = "X * sigmoid(alpha * X)";
}
def Onnx_ShrinkOp : Onnx_Activation<"Shrink", 9, (ins Onnx_FloatDefault<"0.0">:$bias, Onnx_FloatDefault<"0.5">:$lambd),
                                    "input", "output", Onnx_NumberTensor> {
  let summary = "input + bias below -lambd, input - bias above lambd, 0 between";
}
def Onnx_SwiGLUOp : Onnx_Op<"SwiGLU", 28, (ins Onnx_FloatTensor:$A, Onnx_FloatTensor:$B), // (C1), (C2)
    (ins Onnx_FloatDefault<"1.0">:$alpha), (outs Onnx_FloatTensor:$Y)> {
  let summary = "Swish(A) * B";
}

//===-- Along an axis -----------------------------------------------------===//
class Onnx_AxisActivation<string name, Type type> : Onnx_Op<name, 13, (ins type:$input),
    (ins Onnx_IntDefault<-1>:$axis), // (C1) in range
    (outs type:$output)>;

def Onnx_SoftmaxOp : Onnx_AxisActivation<"Softmax", Onnx_FloatTensor> {
  let summary = "exp(input) over its sum along the axis";
}
def Onnx_LogSoftmaxOp : Onnx_AxisActivation<"LogSoftmax", Onnx_FloatTensor> {
  let summary = "The logarithm of Softmax";
}
def Onnx_HardmaxOp : Onnx_AxisActivation<"Hardmax", Onnx_FloatTensor> {
  let summary = "1 at the first maximum along the axis, 0 elsewhere";
}
