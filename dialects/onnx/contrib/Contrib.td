//===- Contrib.td - operators of ONNX Runtime (com.microsoft) -------------===//
//
// What optimised and quantized exports contain. All are graphs of ONNX's own
// operators (ContribFunctions.cpp, QuantizedFunctions.cpp,
// MultiHeadAttention.cpp), which also give their shapes.
//
//===----------------------------------------------------------------------===//
include "dialects/onnx/OnnxFunctions.td"

class Onnx_Ms<string name, dag ins, dag attrs, dag outs, list<Trait> traits = []>
    : Onnx_Function<"com_microsoft." # name, 1, ins, attrs, outs, traits>;

//===-- Activations -------------------------------------------------------===//
def Onnx_MsGeluOp : Onnx_Ms<"Gelu", (ins Onnx_FloatTensor:$X), (ins), (outs Onnx_FloatTensor:$Y)> {
  let summary = "Gelu";
}
def Onnx_MsBiasGeluOp : Onnx_Ms<"BiasGelu", (ins Onnx_FloatTensor:$A, Onnx_FloatTensor:$B), (ins),
    (outs Onnx_FloatTensor:$C)> {
  let summary = "Gelu(A + B)";
}
def Onnx_MsFastGeluOp : Onnx_Ms<"FastGelu", (ins Onnx_FloatTensor:$X, Optional<Onnx_FloatTensor>:$bias), (ins),
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "Gelu(X + bias), approximated by tanh";
}
def Onnx_MsQuickGeluOp : Onnx_Ms<"QuickGelu", (ins Onnx_FloatTensor:$X), (ins Onnx_FloatDefault<"1.702">:$alpha),
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "X * sigmoid(alpha * X)";
}
def Onnx_MsBiasSoftmaxOp : Onnx_Ms<"BiasSoftmax", (ins Onnx_FloatTensor:$data, Onnx_FloatTensor:$bias),
    (ins Onnx_IntDefault<1>:$axis, Onnx_INT:$is_inner_broadcast), (outs Onnx_FloatTensor:$output)> {
  let summary = "Softmax(data + bias) over the axes from `axis` on";
}
def Onnx_MsBiasDropoutOp : Onnx_Ms<"BiasDropout", (ins Onnx_FloatTensor:$data, Onnx_FloatTensor:$bias,
      Optional<Onnx_FloatTensor>:$residual, Optional<Onnx_FloatTensor>:$ratio, Optional<Onnx_BoolTensor>:$training_mode),
    (ins OptionalAttr<Onnx_INT>:$seed), (outs Onnx_FloatTensor:$output, Optional<Onnx_BoolTensor>:$mask),
    [AttrSizedOperandSegments]> {
  let summary = "Dropout(data + bias) + residual";
}

//===-- Products ----------------------------------------------------------===//
class Onnx_MsFusedProduct<string name> : Onnx_Ms<name, (ins Onnx_FloatTensor:$A, Onnx_FloatTensor:$B),
    (ins Onnx_FloatDefault<"1.0">:$alpha, Onnx_IntDefault<0>:$transA, Onnx_IntDefault<0>:$transB,
         Onnx_IntDefault<0>:$transBatchA, Onnx_IntDefault<0>:$transBatchB), (outs Onnx_FloatTensor:$Y)>;
def Onnx_MsFusedMatMulOp : Onnx_MsFusedProduct<"FusedMatMul"> {
  let summary = "alpha * A B, where the last two dims of A and B may be swapped, or the batch dims moved";
}
def Onnx_MsTransposeMatMulOp : Onnx_MsFusedProduct<"TransposeMatMul"> { let summary = "FusedMatMul by its old name"; }
def Onnx_MsFusedGemmOp : Onnx_Ms<"FusedGemm",
    (ins Onnx_FloatTensor:$A, Onnx_FloatTensor:$B, Optional<Onnx_FloatTensor>:$C),
    (ins Onnx_StringDefault<"">:$activation, Onnx_FloatDefault<"0.0">:$activation_alpha,
         Onnx_FloatDefault<"0.0">:$activation_beta, Onnx_FloatDefault<"0.0">:$activation_gamma,
         Onnx_FloatDefault<"1.0">:$alpha, Onnx_FloatDefault<"1.0">:$beta, Onnx_IntDefault<0>:$transA,
         Onnx_IntDefault<0>:$transB), (outs Onnx_FloatTensor:$Y)> {
  let summary = "Gemm and an activation";
}
def Onnx_MsFusedConvOp : Onnx_Ms<"FusedConv",
    (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$W, Optional<Onnx_FloatTensor>:$B, Optional<Onnx_FloatTensor>:$Z),
    (ins Onnx_StringDefault<"">:$activation, OptionalAttr<Onnx_FLOATS>:$activation_params,
         Onnx_StringDefault<"NOTSET">:$auto_pad, OptionalAttr<Onnx_INTS>:$dilations, Onnx_IntDefault<1>:$group,
         OptionalAttr<Onnx_INTS>:$kernel_shape, OptionalAttr<Onnx_INTS>:$pads, OptionalAttr<Onnx_INTS>:$strides),
    (outs Onnx_FloatTensor:$Y), [AttrSizedOperandSegments]> {
  let summary = "activation(Conv(X, W, B) + Z)";
}

//===-- Normalisations ----------------------------------------------------===//
def Onnx_MsSkipLayerNormalizationOp : Onnx_Ms<"SkipLayerNormalization",
    (ins Onnx_FloatTensor:$input, Onnx_FloatTensor:$skip, Onnx_FloatTensor:$gamma, Optional<Onnx_FloatTensor>:$beta,
         Optional<Onnx_FloatTensor>:$bias),
    (ins Onnx_FloatDefault<"1e-12">:$epsilon),
    (outs Onnx_FloatTensor:$output, Optional<Onnx_FloatTensor>:$mean, Optional<Onnx_FloatTensor>:$inv_std_var,
          Optional<Onnx_FloatTensor>:$input_skip_bias_sum), [AttrSizedOperandSegments, AttrSizedResultSegments]> {
  let summary = "LayerNormalization(input + skip + bias)";
}
def Onnx_MsSkipSimplifiedLayerNormalizationOp : Onnx_Ms<"SkipSimplifiedLayerNormalization",
    (ins Onnx_FloatTensor:$input, Onnx_FloatTensor:$skip, Onnx_FloatTensor:$gamma, Optional<Onnx_FloatTensor>:$bias),
    (ins Onnx_FloatDefault<"1e-12">:$epsilon),
    (outs Onnx_FloatTensor:$output, Optional<Onnx_FloatTensor>:$mean, Optional<Onnx_FloatTensor>:$inv_std_var,
          Optional<Onnx_FloatTensor>:$input_skip_bias_sum), [AttrSizedResultSegments]> {
  let summary = "RMSNormalization(input + skip + bias)";
}
// ONNX Runtime puts this one into ONNX's own domain.
def Onnx_SimplifiedLayerNormalizationOp : Onnx_Function<"SimplifiedLayerNormalization", 1,
    (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$scale),
    (ins Onnx_IntDefault<-1>:$axis, Onnx_FloatDefault<"1e-5">:$epsilon, Onnx_IntDefault<1>:$stash_type),
    (outs Onnx_FloatTensor:$Y, Optional<Onnx_FloatTensor>:$inv_std_var)> {
  let summary = "RMSNormalization";
}
def Onnx_MsEmbedLayerNormalizationOp : Onnx_Ms<"EmbedLayerNormalization",
    (ins Onnx_IntTensor:$input_ids, Optional<Onnx_IntTensor>:$segment_ids, Onnx_FloatTensor:$word_embedding,
         Onnx_FloatTensor:$position_embedding, Optional<Onnx_FloatTensor>:$segment_embedding, Onnx_FloatTensor:$gamma,
         Onnx_FloatTensor:$beta, Optional<Onnx_IntTensor>:$mask, Optional<Onnx_IntTensor>:$position_ids),
    (ins Onnx_FloatDefault<"1e-12">:$epsilon, Onnx_IntDefault<0>:$mask_index_type),
    (outs Onnx_FloatTensor:$output, Optional<Onnx_IntTensor>:$mask_index, Optional<Onnx_FloatTensor>:$embedding_sum),
    [AttrSizedOperandSegments, AttrSizedResultSegments]> {
  let summary = "LayerNormalization of the sum of word, position and segment embeddings";
}

//===-- Attention ---------------------------------------------------------===//
def Onnx_MsAttentionOp : Onnx_Ms<"Attention",
    (ins Onnx_FloatTensor:$input, Onnx_FloatTensor:$weights, Optional<Onnx_FloatTensor>:$bias,
         Optional<Onnx_IntTensor>:$mask_index, Optional<Onnx_FloatTensor>:$past,
         Optional<Onnx_FloatTensor>:$attention_bias, Optional<Onnx_IntTensor>:$past_sequence_length),
    (ins Onnx_IntDefault<0>:$do_rotary, OptionalAttr<Onnx_FLOAT>:$mask_filter_value, Onnx_INT:$num_heads,
         Onnx_IntDefault<0>:$past_present_share_buffer, OptionalAttr<Onnx_INTS>:$qkv_hidden_sizes,
         Onnx_IntDefault<0>:$rotary_embedding_dim, OptionalAttr<Onnx_FLOAT>:$scale, Onnx_IntDefault<0>:$unidirectional),
    (outs Onnx_FloatTensor:$output, Optional<Onnx_FloatTensor>:$present), [AttrSizedOperandSegments]> {
  let summary = "Self-attention of input * weights + bias, which hold queries, keys and values side by side";
}
def Onnx_MsMultiHeadAttentionOp : Onnx_Ms<"MultiHeadAttention",
    (ins Onnx_FloatTensor:$query, Optional<Onnx_FloatTensor>:$key, Optional<Onnx_FloatTensor>:$value,
         Optional<Onnx_FloatTensor>:$bias, Optional<Onnx_IntTensor>:$key_padding_mask,
         Optional<Onnx_FloatTensor>:$attention_bias, Optional<Onnx_FloatTensor>:$past_key,
         Optional<Onnx_FloatTensor>:$past_value),
    (ins OptionalAttr<Onnx_FLOAT>:$mask_filter_value, Onnx_INT:$num_heads, OptionalAttr<Onnx_FLOAT>:$scale,
         Onnx_IntDefault<0>:$unidirectional),
    (outs Onnx_FloatTensor:$output, Optional<Onnx_FloatTensor>:$present_key, Optional<Onnx_FloatTensor>:$present_value),
    [AttrSizedOperandSegments, AttrSizedResultSegments]> {
  let summary = "Attention of several heads, whose inputs have all heads side by side";
}

//===-- Quantized ---------------------------------------------------------===//
def Onnx_MsQuantizeLinearOp : Onnx_Ms<"QuantizeLinear",
    (ins Onnx_FloatTensor:$x, Onnx_FloatTensor:$y_scale, Optional<Onnx_Tensor>:$y_zero_point),
    (ins Onnx_IntDefault<1>:$axis), (outs Onnx_Tensor:$y)> {
  let summary = "QuantizeLinear";
}
def Onnx_MsDequantizeLinearOp : Onnx_Ms<"DequantizeLinear",
    (ins Onnx_Tensor:$x, Onnx_FloatTensor:$x_scale, Optional<Onnx_Tensor>:$x_zero_point),
    (ins Onnx_IntDefault<1>:$axis), (outs Onnx_FloatTensor:$y)> {
  let summary = "DequantizeLinear";
}

// Operators on integers that stand for (integer - zero point) * scale; one scale for the whole tensor.
defvar Ms_quantized_unary = (ins Onnx_IntTensor:$X, Onnx_FloatTensor:$x_scale, Optional<Onnx_IntTensor>:$x_zero_point,
                                 Onnx_FloatTensor:$y_scale, Optional<Onnx_IntTensor>:$y_zero_point);
class Onnx_MsQuantizedUnary<string name, dag attrs> : Onnx_Ms<name, Ms_quantized_unary, attrs,
    (outs Onnx_IntTensor:$Y), [AttrSizedOperandSegments]>;
def Onnx_MsQLinearSigmoidOp : Onnx_MsQuantizedUnary<"QLinearSigmoid", (ins)> { let summary = "Sigmoid, quantized"; }
def Onnx_MsQLinearLeakyReluOp : Onnx_MsQuantizedUnary<"QLinearLeakyRelu", (ins Onnx_FloatDefault<"0.01">:$alpha)> {
  let summary = "LeakyRelu, quantized";
}
def Onnx_MsQLinearSoftmaxOp : Onnx_MsQuantizedUnary<"QLinearSoftmax",
    (ins Onnx_IntDefault<-1>:$axis, Onnx_INT:$opset)> { // opset: of the Softmax that it stands for
  let summary = "Softmax, quantized";
}
def Onnx_MsQLinearAveragePoolOp : Onnx_MsQuantizedUnary<"QLinearAveragePool",
    (ins Onnx_StringDefault<"NOTSET">:$auto_pad, Onnx_IntDefault<0>:$ceil_mode, Onnx_IntDefault<0>:$channels_last,
         Onnx_IntDefault<0>:$count_include_pad, Onnx_INTS:$kernel_shape, OptionalAttr<Onnx_INTS>:$pads,
         OptionalAttr<Onnx_INTS>:$strides)> {
  let summary = "AveragePool, quantized";
}
def Onnx_MsQLinearGlobalAveragePoolOp : Onnx_MsQuantizedUnary<"QLinearGlobalAveragePool",
    (ins Onnx_IntDefault<0>:$channels_last)> {
  let summary = "GlobalAveragePool, quantized";
}
def Onnx_MsQLinearReduceMeanOp : Onnx_MsQuantizedUnary<"QLinearReduceMean",
    (ins OptionalAttr<Onnx_INTS>:$axes, Onnx_IntDefault<1>:$keepdims)> {
  let summary = "ReduceMean, quantized";
}
def Onnx_MsQLinearConcatOp : Onnx_Ms<"QLinearConcat",
    (ins Onnx_FloatTensor:$Y_scale, Onnx_IntTensor:$Y_zero_point,
         Variadic<Onnx_Tensor>:$inputs), // tensor, scale and zero point of each
    (ins Onnx_INT:$axis), (outs Onnx_IntTensor:$Y)> {
  let summary = "Concat, quantized";
}
def Onnx_MsQLinearWhereOp : Onnx_Ms<"QLinearWhere",
    (ins Onnx_BoolTensor:$condition, Onnx_IntTensor:$X, Onnx_FloatTensor:$x_scale, Onnx_IntTensor:$x_zero_point,
         Onnx_IntTensor:$Y, Onnx_FloatTensor:$y_scale, Onnx_IntTensor:$y_zero_point,
         Onnx_FloatTensor:$z_scale, Onnx_IntTensor:$z_zero_point),
    (ins), (outs Onnx_IntTensor:$Z)> {
  let summary = "Where, quantized";
}
def Onnx_MsQGemmOp : Onnx_Ms<"QGemm",
    (ins Onnx_IntTensor:$A, Onnx_FloatTensor:$a_scale, Onnx_IntTensor:$a_zero_point,
         Onnx_IntTensor:$B, Onnx_FloatTensor:$b_scale, Onnx_IntTensor:$b_zero_point, // one, or one per column
         Optional<Onnx_IntTensor>:$C, // int32, of scale a_scale * b_scale
         Optional<Onnx_FloatTensor>:$y_scale, Optional<Onnx_IntTensor>:$y_zero_point),
    (ins Onnx_FloatDefault<"1.0">:$alpha, Onnx_IntDefault<0>:$transA, Onnx_IntDefault<0>:$transB),
    (outs Onnx_NumberTensor:$Y), [AttrSizedOperandSegments]> {
  let summary = "Gemm of quantized tensors; a float where there is no y_scale";
}
def Onnx_MsMatMulIntegerToFloatOp : Onnx_Ms<"MatMulIntegerToFloat",
    (ins Onnx_IntTensor:$A, Onnx_IntTensor:$B, Onnx_FloatTensor:$a_scale, Onnx_FloatTensor:$b_scale,
         Optional<Onnx_IntTensor>:$a_zero_point, Optional<Onnx_IntTensor>:$b_zero_point, Optional<Onnx_FloatTensor>:$bias),
    (ins), (outs Onnx_FloatTensor:$Y), [AttrSizedOperandSegments]> {
  let summary = "MatMulInteger, scaled";
}
def Onnx_MsDynamicQuantizeMatMulOp : Onnx_Ms<"DynamicQuantizeMatMul",
    (ins Onnx_FloatTensor:$A, Onnx_IntTensor:$B, Onnx_FloatTensor:$b_scale, Optional<Onnx_IntTensor>:$b_zero_point,
         Optional<Onnx_FloatTensor>:$bias),
    (ins), (outs Onnx_FloatTensor:$Y), [AttrSizedOperandSegments]> {
  let summary = "MatMul of quantized weights with A, quantized by its range";
}
