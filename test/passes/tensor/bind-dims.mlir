// RUN: onnx-aot-opt %s --aot-bind-dims --split-input-file --verify-diagnostics | FileCheck %s
// One index argument per name, in order of first appearance, with the bounds that flags gave.

// CHECK: func.func @main(%{{[^:]*}}: tensor<?x3x?xf32> {{{[^}]*}}}, %{{[^:]*}}: tensor<2xf32>, %{{[^:]*}}: tensor<?x?xi64> {{{[^}]*}}},
// CHECK-SAME: %[[BATCH:[^:]*]]: index {aot.bounds = array<i64: 1, 8>, aot.dim = "batch"}, %{{[^:]*}}: index {aot.dim = "seq"}, %{{[^:]*}}: index {aot.bounds = array<i64: 2, 9223372036854775807>, aot.dim = "ids_dim1"})
// CHECK-NOT: onnx.dim_bounds
// CHECK: %[[LOW:.*]] = arith.constant 1 : index
// CHECK: %[[ENOUGH:.*]] = arith.cmpi sge, %[[BATCH]], %[[LOW]]
// CHECK: aot.require %[[ENOUGH]], dim_out_of_bounds
// CHECK: arith.cmpi sle, %[[BATCH]]
func.func @main(%x: tensor<?x3x?xf32> {onnx.dim_names = ["batch", "", "seq"]}, %w: tensor<2xf32>,
                %ids: tensor<?x?xi64> {onnx.dim_names = ["seq", "ids_dim1"]}) -> tensor<?x3x?xf32>
    attributes {onnx.dim_bounds = {batch = array<i64: 1, 8>, ids_dim1 = array<i64: 2, 9223372036854775807>}} {
  return %x : tensor<?x3x?xf32>
}

// -----

// expected-error @+1 {{dimension 1 of argument 0 has no name}}
func.func @main(%x: tensor<?x?xf32> {onnx.dim_names = ["batch", ""]}) -> tensor<?x?xf32> {
  return %x : tensor<?x?xf32>
}
