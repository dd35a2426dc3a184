// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @inner(%a: tensor<2x3xui8>, %b: tensor<4x4xi8>) -> tensor<2x4xi32> {
  // expected-error @+1 {{inner dimensions differ: 3 in A, 4 in B}}
  %0 = "onnx.MatMulInteger"(%a, %b) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2x3xui8>, tensor<4x4xi8>) -> tensor<2x4xi32>
  return %0 : tensor<2x4xi32>
}

// -----

func.func @rows(%a: tensor<2x3xui8>, %b: tensor<3x4xi8>, %z: tensor<3xui8>) -> tensor<2x4xi32> {
  // expected-error @+1 {{a zero point or scale has neither one element nor one per row}}
  %0 = "onnx.MatMulInteger"(%a, %b, %z) {operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<2x3xui8>, tensor<3x4xi8>, tensor<3xui8>) -> tensor<2x4xi32>
  return %0 : tensor<2x4xi32>
}

// -----

func.func @terms(%a: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{the equation has 2 terms for 1 inputs}}
  %0 = "onnx.Einsum"(%a) {equation = "ij,jk"} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @rank(%a: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{the term "i" does not fit an input of rank 2}}
  %0 = "onnx.Einsum"(%a) {equation = "i->i"} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @unknown(%a: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{the equation's result has the label 'k', which no term has}}
  %0 = "onnx.Einsum"(%a) {equation = "ij->ik"} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @extents(%a: tensor<2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{a label has the extents 2 and 3}}
  %0 = "onnx.Einsum"(%a) {equation = "ii"} : (tensor<2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @square(%a: tensor<5x2x3xf32>) -> tensor<5xf32> {
  // expected-error @+1 {{the matrices are not square: 2 x 3}}
  %0 = "onnx.Det"(%a) : (tensor<5x2x3xf32>) -> tensor<5xf32>
  return %0 : tensor<5xf32>
}
