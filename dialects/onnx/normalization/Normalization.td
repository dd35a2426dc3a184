//===- Normalization.td - normalisations and dropout ----------------------===//
include "dialects/onnx/OnnxBase.td"

def Onnx_BatchNormalizationOp : Onnx_Op<"BatchNormalization", 15,
    (ins Onnx_FloatTensor:$X,           // (C1) rank >= 1, channels in axis 1
         Onnx_FloatTensor:$scale, Onnx_FloatTensor:$B,               // (C2) one element per channel
         Onnx_FloatTensor:$input_mean, Onnx_FloatTensor:$input_var), // (C2)
    (ins Onnx_FloatDefault<"1e-5">:$epsilon, Onnx_FloatDefault<"0.9">:$momentum, Onnx_IntDefault<0>:$training_mode),
    (outs Onnx_FloatTensor:$Y, Optional<Onnx_FloatTensor>:$running_mean,
          Optional<Onnx_FloatTensor>:$running_var), // (C3) only in training mode
    [AttrSizedResultSegments]> {
  let summary = "(X - mean) / sqrt(var + epsilon) * scale + B, per channel";
}

def Onnx_InstanceNormalizationOp : Onnx_Op<"InstanceNormalization", 22,
    (ins Onnx_FloatTensor:$input, // (C1) rank >= 3
         Onnx_FloatTensor:$scale, Onnx_FloatTensor:$B), // (C2) one element per channel
    (ins Onnx_FloatDefault<"1e-5">:$epsilon), (outs Onnx_FloatTensor:$output)> {
  let summary = "Normalises each channel of each sample";
}

def Onnx_GroupNormalizationOp : Onnx_Op<"GroupNormalization", 21,
    (ins Onnx_FloatTensor:$X, // (C1) rank >= 3
         Onnx_FloatTensor:$scale, Onnx_FloatTensor:$bias), // (C2) one element per channel
    (ins Onnx_FloatDefault<"1e-5">:$epsilon,
         Onnx_INT:$num_groups, // (C3) divides the channels
         Onnx_IntDefault<1>:$stash_type),
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "Normalises each group of channels of each sample";
}

def Onnx_LayerNormalizationOp : Onnx_Op<"LayerNormalization", 17,
    (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$Scale, Optional<Onnx_FloatTensor>:$B), // (C1) broadcast to X
    (ins Onnx_IntDefault<-1>:$axis, // (C2) in range
         Onnx_FloatDefault<"1e-5">:$epsilon, Onnx_IntDefault<1>:$stash_type),
    (outs Onnx_FloatTensor:$Y, Optional<Onnx_FloatTensor>:$Mean, Optional<Onnx_FloatTensor>:$InvStdDev),
    [AttrSizedResultSegments]> {
  let summary = "Normalises over the axes from `axis` on";
}

def Onnx_RMSNormalizationOp : Onnx_Op<"RMSNormalization", 23,
    (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$scale), // (C1) broadcasts to X
    (ins Onnx_IntDefault<-1>:$axis, // (C2) in range
         Onnx_FloatDefault<"1e-5">:$epsilon, Onnx_IntDefault<1>:$stash_type),
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "Divides by the root mean square over the axes from `axis` on";
}

def Onnx_LRNOp : Onnx_Op<"LRN", 13,
    (ins Onnx_FloatTensor:$X), // (C1) rank >= 2
    (ins Onnx_FloatDefault<"1e-4">:$alpha, Onnx_FloatDefault<"0.75">:$beta, Onnx_FloatDefault<"1.0">:$bias,
         Onnx_INT:$size), // (C2) positive
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "Normalises over neighbouring channels";
}

def Onnx_LpNormalizationOp : Onnx_Op<"LpNormalization", 22,
    (ins Onnx_FloatTensor:$input),
    (ins Onnx_IntDefault<-1>:$axis, // (C1) in range
         Onnx_IntDefault<2>:$p),    // (C2) 1 or 2
    (outs Onnx_FloatTensor:$output)> {
  let summary = "Divides by the p-norm along an axis";
}

def Onnx_MeanVarianceNormalizationOp : Onnx_Op<"MeanVarianceNormalization", 13,
    (ins Onnx_FloatTensor:$X),
    (ins OptionalAttr<Onnx_INTS>:$axes), // (C1) in range; absent: 0, 2, 3
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "(X - mean) / standard deviation over `axes`";
}

def Onnx_AnyFloatTensor : TensorOf<[Onnx_Float, F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ]>;
def Onnx_DropoutOp : Onnx_Op<"Dropout", 22,
    (ins Onnx_AnyFloatTensor:$data, Optional<Onnx_AnyFloatTensor>:$ratio, Optional<Onnx_BoolTensor>:$training_mode),
    (ins OptionalAttr<Onnx_INT>:$seed),
    (outs Onnx_AnyFloatTensor:$output, Optional<Onnx_BoolTensor>:$mask), [AttrSizedOperandSegments]> {
  let summary = "Identity in inference";
  let hasFolder = 1;
}
