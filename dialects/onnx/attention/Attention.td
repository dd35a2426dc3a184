//===- Attention.td - attention and rotary embedding ----------------------===//
include "dialects/onnx/OnnxFunctions.td"

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

def Onnx_LinearAttentionOp : Onnx_Function<"LinearAttention", 27,
    (ins Onnx_FloatTensor:$query, Onnx_FloatTensor:$key, Onnx_FloatTensor:$value, // (C1) rank 3, heads side by side
         Optional<Onnx_FloatTensor>:$past_state,  // (C2) batch x heads x key size x value size; absent: zeros
         Optional<Onnx_FloatTensor>:$decay,       // (C3) one per head, or per head and key element; for gated rules
         Optional<Onnx_FloatTensor>:$beta),       // (C4) one per head, or one; for delta rules
    (ins Onnx_IntDefault<64>:$chunk_size, // a hint
         Onnx_INT:$kv_num_heads, Onnx_INT:$q_num_heads, // (C5) divides q_num_heads
         Onnx_FloatDefault<"0.0">:$scale,               // 0: 1 / sqrt(key size)
         Onnx_StringDefault<"gated_delta">:$update_rule), // (C6) linear, gated, delta, gated_delta
    (outs Onnx_FloatTensor:$output, Optional<Onnx_FloatTensor>:$present_state), [AttrSizedOperandSegments]> {
  let summary = "Attention whose state is a matrix per head, updated from position to position";
}

// The bodies map a tensor of scores (of probabilities) to another one.
def Onnx_FlexAttentionOp : Onnx_Function<"ai_onnx_preview.FlexAttention", 1,
    (ins Onnx_FloatTensor:$Q, Onnx_FloatTensor:$K, Onnx_FloatTensor:$V), // (C1) rank 4
    (ins OptionalAttr<Onnx_FLOAT>:$scale, OptionalAttr<Onnx_INT>:$softmax_precision),
    (outs Onnx_FloatTensor:$Y), [], (region AnyRegion:$score_mod, AnyRegion:$prob_mod)> {
  let summary = "prob_mod(softmax(score_mod(Q K' * scale))) V, with grouped heads";
  let attributeText = "scale:::mlir::FloatAttr:o softmax_precision:::mlir::IntegerAttr:o "
      # "score_mod:::mlir::Region:o prob_mod:::mlir::Region:o ";
}
