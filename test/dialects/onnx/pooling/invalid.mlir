// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @rank(%x: tensor<2x7xf32>) {
  // expected-error @+1 {{the data must have a rank of at least 3, not 2}}
  %y = "onnx.GlobalMaxPool"(%x) : (tensor<2x7xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @auto_pad(%x: tensor<1x2x7xf32>) {
  // expected-error @+1 {{auto_pad "SAME" is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID}}
  %y = "onnx.MaxPool"(%x) {auto_pad = "SAME", kernel_shape = array<i64: 2>} : (tensor<1x2x7xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @p(%x: tensor<1x2x7xf32>) {
  // expected-error @+1 {{p must be positive}}
  %y = "onnx.LpPool"(%x) {p = 0 : i64, kernel_shape = array<i64: 2>} : (tensor<1x2x7xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @unpool(%x: tensor<1x1x2xf32>, %i: tensor<1x1x3xi64>) {
  // expected-error @+1 {{data and indices have different shapes}}
  %y = "onnx.MaxUnpool"(%x, %i) {kernel_shape = array<i64: 2>} : (tensor<1x1x2xf32>, tensor<1x1x3xi64>) -> tensor<*xf32>
  return
}
