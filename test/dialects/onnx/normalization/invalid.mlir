// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @channels(%x: tensor<2x3x4xf32>, %p: tensor<2xf32>) {
  // expected-error @+1 {{a parameter does not have one element per channel}}
  %y = "onnx.InstanceNormalization"(%x, %p, %p) : (tensor<2x3x4xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @groups(%x: tensor<2x3x4xf32>, %p: tensor<3xf32>) {
  // expected-error @+1 {{num_groups 2 does not divide the channels}}
  %y = "onnx.GroupNormalization"(%x, %p, %p) {num_groups = 2 : i64}
      : (tensor<2x3x4xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @axis(%x: tensor<2x3x4xf32>, %p: tensor<4xf32>) {
  // expected-error @+1 {{axis -4 is outside a tensor of rank 3}}
  %y = "onnx.RMSNormalization"(%x, %p) {axis = -4 : i64} : (tensor<2x3x4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @scale(%x: tensor<2x3x1xf32>, %p: tensor<4xf32>) {
  // expected-error @+1 {{a parameter does not broadcast to the shape of the data}}
  %y = "onnx.LayerNormalization"(%x, %p) {resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<2x3x1xf32>, tensor<4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @running(%x: tensor<2x3xf32>, %p: tensor<3xf32>) {
  // expected-error @+1 {{running_mean and running_var are results of training mode only}}
  %y:2 = "onnx.BatchNormalization"(%x, %p, %p, %p, %p) {resultSegmentSizes = array<i32: 1, 1, 0>}
      : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return
}

// -----

func.func @p(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{p must be 1 or 2, not 3}}
  %y = "onnx.LpNormalization"(%x) {p = 3 : i64} : (tensor<2x3xf32>) -> tensor<*xf32>
  return
}
