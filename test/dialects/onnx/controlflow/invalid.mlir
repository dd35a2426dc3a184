// RUN: onnx-aot-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(aot-infer-shapes),aot-onnx-to-linalg)'

func.func @condition(%c: tensor<2xi1>, %x: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{the condition must have one element}}
  %y = "onnx.If"(%c) ({
    "onnx.Yield"(%x) : (tensor<2xf32>) -> ()
  }, {
    "onnx.Yield"(%x) : (tensor<2xf32>) -> ()
  }) : (tensor<2xi1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @types(%c: tensor<i1>, %x: tensor<2xf32>, %z: tensor<2xi64>) -> tensor<*xf32> {
  // expected-error @+1 {{output 0 is of type 'f32' in one branch, of 'i64' in the other}}
  %y = "onnx.If"(%c) ({
    "onnx.Yield"(%x) : (tensor<2xf32>) -> ()
  }, {
    "onnx.Yield"(%z) : (tensor<2xi64>) -> ()
  }) : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @counts(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{the branches have 1 and 2 outputs for 1 of the operator}}
  %y = "onnx.If"(%c) ({
    "onnx.Yield"(%x) : (tensor<2xf32>) -> ()
  }, {
    "onnx.Yield"(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> ()
  }) : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @endless(%x: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @below {{unsupported: a loop without an end}}
  %y = "onnx.Loop"(%x) <{operandSegmentSizes = array<i32: 0, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<2xf32>):
    "onnx.Yield"(%c, %v) : (tensor<i1>, tensor<2xf32>) -> ()
  }) : (tensor<2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @body(%m: tensor<i64>, %x: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @below {{the body has 2 inputs and 2 outputs for 1 carried values and 1 outputs}}
  %y = "onnx.Loop"(%m, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>):
    "onnx.Yield"(%c, %x) : (tensor<i1>, tensor<2xf32>) -> ()
  }) : (tensor<i64>, tensor<2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @slices(%x: tensor<3xf32>, %z: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{scan inputs have 3 and 4 slices}}
  %y = "onnx.Scan"(%x, %z) ({
  ^bb0(%v: tensor<f32>, %w: tensor<f32>):
    "onnx.Yield"(%v) : (tensor<f32>) -> ()
  }) {num_scan_inputs = 2 : i64} : (tensor<3xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
