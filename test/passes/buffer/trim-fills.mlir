// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-trim-fills))' | FileCheck %s
// What lies below an inserted tensor is not filled: two rows, and two columns of the rows between.

#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func.func @padding
// CHECK-SAME: %[[X:.*]]: tensor<4x5xf32>
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x8xf32>)
// CHECK: tensor.insert_slice %{{.*}}[0, 0] [1, 8]
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x8xf32>)
// CHECK: tensor.insert_slice %{{.*}}[5, 0] [2, 8]
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x2xf32>)
// CHECK: tensor.insert_slice %{{.*}}[1, 0] [4, 2]
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x1xf32>)
// CHECK: %[[T:.*]] = tensor.insert_slice %{{.*}}[1, 7] [4, 1]
// CHECK-NOT: linalg.generic
// CHECK: tensor.insert_slice %[[X]] into %[[T]][1, 2] [4, 5]
func.func @padding(%x: tensor<4x5xf32>) -> tensor<7x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<7x8xf32>
  %f = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<7x8xf32>) {
  ^bb0(%out: f32):
    linalg.yield %zero : f32
  } -> tensor<7x8xf32>
  %y = tensor.insert_slice %x into %f[1, 2] [4, 5] [1, 1] : tensor<4x5xf32> into tensor<7x8xf32>
  return %y : tensor<7x8xf32>
}

// Rows that lie apart leave something to be filled between them.
// CHECK-LABEL: func.func @spread
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<7x8xf32>)
func.func @spread(%x: tensor<3x8xf32>) -> tensor<7x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<7x8xf32>
  %f = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<7x8xf32>) {
  ^bb0(%out: f32):
    linalg.yield %zero : f32
  } -> tensor<7x8xf32>
  %y = tensor.insert_slice %x into %f[1, 0] [3, 8] [2, 1] : tensor<3x8xf32> into tensor<7x8xf32>
  return %y : tensor<7x8xf32>
}
