// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --split-input-file | FileCheck %s
// Attention over a batch and sequences that only the run knows.

// The heads are split without moving anything; the cache is joined at its run-time length.
// CHECK-LABEL: @cached
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}} : tensor<?x2x?x8xf32> into tensor<?x2x?x8xf32>
// CHECK: tensor.expand_shape {{.*}} into tensor<?x2x1x?x8xf32>
// CHECK: aot.kernel "matmul"
// CHECK-COUNT-2: aot.kernel "reduce"
// CHECK: aot.kernel "matmul"
func.func @cached(%q: tensor<?x2x?x8xf32> {onnx.dim_names = ["batch", "", "seq", ""]},
                  %p: tensor<?x2x?x8xf32> {onnx.dim_names = ["batch", "", "past", ""]}) -> tensor<?x2x?x8xf32> {
  %y:3 = "onnx.Attention"(%q, %q, %q, %p, %p) {is_causal = 1 : i64,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 1, 0>, resultSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>)
      -> (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>)
  return %y#0 : tensor<?x2x?x8xf32>
}

// -----

// A mask of unknown length is padded up to the keys where it is not one column.
// CHECK-LABEL: @mask
// CHECK: aot.require %{{.*}}, shape_mismatch
// CHECK: tensor.insert_slice %arg1
// CHECK: aot.broadcast
func.func @mask(%q: tensor<?x2x?x8xf32> {onnx.dim_names = ["batch", "", "seq", ""]},
                %m: tensor<?x?xf32> {onnx.dim_names = ["seq", "total"]}) -> tensor<?x2x?x8xf32> {
  %y = "onnx.Attention"(%q, %q, %q, %m)
      {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0>}
      : (tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x2x?x8xf32>, tensor<?x?xf32>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}

// -----

// Positions index the tables, which the run checks.
// CHECK-LABEL: @rotary
// CHECK: aot.require %{{.*}}, index_out_of_range
func.func @rotary(%x: tensor<?x2x?x8xf32> {onnx.dim_names = ["batch", "", "seq", ""]}, %c: tensor<64x4xf32>,
                  %ids: tensor<?x?xi64> {onnx.dim_names = ["batch", "seq"]}) -> tensor<?x2x?x8xf32> {
  %y = "onnx.RotaryEmbedding"(%x, %c, %c, %ids)
      : (tensor<?x2x?x8xf32>, tensor<64x4xf32>, tensor<64x4xf32>, tensor<?x?xi64>) -> tensor<?x2x?x8xf32>
  return %y : tensor<?x2x?x8xf32>
}
