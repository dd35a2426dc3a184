//===- Attention.td - attention and rotary embedding ----------------------===//
include "dialects/onnx/OnnxBase.td"

def Onnx_AttentionOp : Onnx_Op<"Attention", 24,
    (ins Onnx_FloatTensor:$Q, Onnx_FloatTensor:$K, Onnx_FloatTensor:$V, // (C1) all of rank 3 or all of rank 4
         Optional<Onnx_Tensor>:$attn_mask,          // (C2) bools or of Q's type, rank 2..4, broadcasts to the scores
         Optional<Onnx_FloatTensor>:$past_key, Optional<Onnx_FloatTensor>:$past_value, // (C3) both or none, rank 4
         Optional<Onnx_I64Tensor>:$nonpad_kv_seqlen), // (C4) one element per batch
    (ins Onnx_IntDefault<0>:$is_causal,
         OptionalAttr<Onnx_INT>:$kv_num_heads, OptionalAttr<Onnx_INT>:$q_num_heads, // (C5) needed for rank 3
         Onnx_IntDefault<0>:$qk_matmul_output_mode, // (C6) 0..3
         OptionalAttr<Onnx_FLOAT>:$scale, Onnx_FloatDefault<"0.0">:$softcap, OptionalAttr<Onnx_INT>:$softmax_precision),
    (outs Onnx_FloatTensor:$Y, Optional<Onnx_FloatTensor>:$present_key, Optional<Onnx_FloatTensor>:$present_value,
          Optional<Onnx_FloatTensor>:$qk_matmul_output),
    [AttrSizedOperandSegments, AttrSizedResultSegments]> {
  let summary = "softmax(Q K' * scale + mask) V, with grouped heads and a cache of keys and values";
}

def Onnx_RotaryEmbeddingOp : Onnx_Op<"RotaryEmbedding", 23,
    (ins Onnx_FloatTensor:$X, // (C1) rank 3 with num_heads, or rank 4
         Onnx_FloatTensor:$cos_cache, Onnx_FloatTensor:$sin_cache, // (C2) half of the rotated extent
         Optional<Onnx_I64Tensor>:$position_ids),
    (ins Onnx_IntDefault<0>:$interleaved, Onnx_IntDefault<0>:$num_heads, Onnx_IntDefault<0>:$rotary_embedding_dim),
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "Rotates pairs of elements by angles that depend on the position";
}
