// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @counts(%x: tensor<6xi64>) -> tensor<3xf32> {
  // expected-error @+1 {{ngram_counts does not divide the pool into n-grams}}
  %0 = "onnx.TfIdfVectorizer"(%x) {max_gram_length = 2 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF",
      ngram_counts = array<i64: 0, 2>, ngram_indexes = array<i64: 0, 1, 2>, pool_int64s = array<i64: 1, 2, 3>} : (tensor<6xi64>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @words(%x: tensor<6xi64>) -> tensor<1xf32> {
  // expected-error @+1 {{unsupported: a pool of strings; pool_int64s is supported}}
  %0 = "onnx.TfIdfVectorizer"(%x) {max_gram_length = 1 : i64, max_skip_count = 0 : i64, min_gram_length = 1 : i64, mode = "TF",
      ngram_counts = array<i64: 0>, ngram_indexes = array<i64: 0>, pool_strings = ["a"]} : (tensor<6xi64>) -> tensor<1xf32>
  return %0 : tensor<1xf32>
}
