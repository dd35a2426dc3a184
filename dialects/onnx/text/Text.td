//===- Text.td - operators on words ---------------------------------------===//
include "dialects/onnx/OnnxFunctions.td"

def Onnx_TfIdfVectorizerOp : Onnx_Function<"TfIdfVectorizer", 9,
    (ins TensorOf<[I32, I64]>:$X), // (C1) rank 1 or 2
    (ins Onnx_INT:$max_gram_length, Onnx_INT:$max_skip_count, Onnx_INT:$min_gram_length, // (C2)
         Onnx_STRING:$mode,          // (C3) TF, IDF or TFIDF
         Onnx_INTS:$ngram_counts,    // (C4) where the n-grams of each length start in the pool
         Onnx_INTS:$ngram_indexes,   // (C5) the place of each n-gram in the output
         OptionalAttr<Onnx_INTS>:$pool_int64s, OptionalAttr<Onnx_STRINGS>:$pool_strings,
         OptionalAttr<Onnx_FLOATS>:$weights), // (C6) one for each n-gram
    (outs TensorOf<[F32]>:$Y)> {
  let summary = "How often each n-gram of a pool occurs in a sequence";
}
