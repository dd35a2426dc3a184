// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @shapes(%x: tensor<2x3xf32>, %y: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{shapes do not broadcast: 3 against 2 in axis 1}}
  %0 = "onnx.Add"(%x, %y) : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @types(%x: tensor<2xf32>, %y: tensor<2xi32>) -> tensor<2xf32> {
  // expected-error @+1 {{inputs have different element types: 'f32' and 'i32'}}
  %0 = "onnx.Mul"(%x, %y) : (tensor<2xf32>, tensor<2xi32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @mod(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @+1 {{floating-point inputs need fmod = 1}}
  %0 = "onnx.Mod"(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// -----

func.func @direction(%x: tensor<2xui8>) -> tensor<2xui8> {
  // expected-error @+1 {{direction must be LEFT or RIGHT, not 'UP'}}
  %0 = "onnx.BitShift"(%x, %x) {direction = "UP"} : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  return %0 : tensor<2xui8>
}

// -----

func.func @string(%x: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{unsupported: casts to the data type 8; supported are numbers and bool}}
  %0 = "onnx.Cast"(%x) {to = 8 : i64} : (tensor<2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @round_mode(%x: tensor<2xf32>) -> tensor<*xf8E8M0FNU> {
  // expected-error @+1 {{round_mode must be up, down or nearest, not 'even'}}
  %0 = "onnx.Cast"(%x) {to = 24 : i64, round_mode = "even"} : (tensor<2xf32>) -> tensor<*xf8E8M0FNU>
  return %0 : tensor<*xf8E8M0FNU>
}

// -----

func.func @width(%x: tensor<2xf32>) -> tensor<*xi64> {
  // expected-error @+1 {{element types differ in width: 'f32' and 'i64'}}
  %0 = "onnx.BitCast"(%x) {to = 7 : i64} : (tensor<2xf32>) -> tensor<*xi64>
  return %0 : tensor<*xi64>
}
