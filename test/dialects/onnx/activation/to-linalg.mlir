// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --split-input-file | FileCheck %s

// A comparison with NaN is false, so NaN stays.
// CHECK-LABEL: @relu
// CHECK: %[[C:.+]] = arith.cmpf olt, %[[X:.+]], %[[ZERO:.+]] : f32
// CHECK: arith.select %[[C]], %[[ZERO]], %[[X]]
func.func @relu(%x: tensor<3xf32>) -> tensor<3xf32> {
  %0 = "onnx.Relu"(%x) : (tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

// Two reductions along the axis, and two loops between them; f16 is widened.
// CHECK: #[[ACROSS:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: @softmax
// CHECK: %[[MAX:.+]] = aot.kernel "reduce" ins(%arg0 : {{.*}} iterators ["reduction", "parallel"]
// CHECK: arith.maxnumf
// CHECK: %[[E:.+]] = linalg.generic {{.*}} ins(%arg0, %[[MAX]]
// CHECK: math.exp %{{.*}} : f32
// CHECK: %[[SCALE:.+]] = aot.kernel "reduce" ins(%[[E]] : tensor<4x3xf32>)
// CHECK: arith.divf
// CHECK: linalg.generic {{.*}} ins(%[[E]], %[[SCALE]] : tensor<4x3xf32>, tensor<3xf32>) outs(%{{.*}} : tensor<4x3xf16>)
func.func @softmax(%x: tensor<4x3xf16>) -> tensor<4x3xf16> {
  %0 = "onnx.Softmax"(%x) {axis = 0 : i64} : (tensor<4x3xf16>) -> tensor<4x3xf16>
  return %0 : tensor<4x3xf16>
}

// -----

// CHECK-LABEL: @empty
// CHECK-NOT: aot.kernel
// CHECK: return
func.func @empty(%x: tensor<4x0xf32>) -> tensor<4x0xf32> {
  %0 = "onnx.Softmax"(%x) : (tensor<4x0xf32>) -> tensor<4x0xf32>
  return %0 : tensor<4x0xf32>
}
