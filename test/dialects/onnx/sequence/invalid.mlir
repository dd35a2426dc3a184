// RUN: onnx-aot-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(aot-infer-shapes))'

func.func @outside(%x: tensor<2xf32>) -> tensor<*xf32> {
  %two = onnx.Constant {value = dense<2> : tensor<i64>} : tensor<i64>
  %s = "onnx.SequenceConstruct"(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> !onnx.seq<f32>
  // expected-error @+1 {{position 2 is outside of a sequence of 2 elements}}
  %a = "onnx.SequenceAt"(%s, %two) : (!onnx.seq<f32>, tensor<i64>) -> tensor<*xf32>
  return %a : tensor<*xf32>
}

// -----

func.func @shapes(%x: tensor<2xf32>, %y: tensor<3xf32>, %i: tensor<i64>) -> tensor<*xf32> {
  %s = "onnx.SequenceConstruct"(%x, %y) : (tensor<2xf32>, tensor<3xf32>) -> !onnx.seq<f32>
  // expected-error @+1 {{unsupported: a position that is known at run time only, in a sequence of different shapes}}
  %a = "onnx.SequenceAt"(%s, %i) : (!onnx.seq<f32>, tensor<i64>) -> tensor<*xf32>
  return %a : tensor<*xf32>
}

// -----

func.func @lengths(%c: tensor<i1>, %x: tensor<2xf32>) -> tensor<i64> {
  // expected-error @+1 {{unsupported: output 0 is a sequence of 1 elements in one branch and a sequence of 2 elements in the other}}
  %s = "onnx.If"(%c) ({
    %a = "onnx.SequenceConstruct"(%x) : (tensor<2xf32>) -> !onnx.seq<f32>
    "onnx.Yield"(%a) : (!onnx.seq<f32>) -> ()
  }, {
    %a = "onnx.SequenceConstruct"(%x, %x) : (tensor<2xf32>, tensor<2xf32>) -> !onnx.seq<f32>
    "onnx.Yield"(%a) : (!onnx.seq<f32>) -> ()
  }) : (tensor<i1>) -> !onnx.seq<f32>
  // What depends on it is not reported again.
  %n = "onnx.SequenceLength"(%s) : (!onnx.seq<f32>) -> tensor<i64>
  return %n : tensor<i64>
}

// -----

func.func @parts(%x: tensor<?x2xf32>) -> tensor<i64> {
  // expected-error @+1 {{unsupported: a number of parts that is known at run time only}}
  %s = "onnx.SplitToSequence"(%x) {axis = 0 : i64} : (tensor<?x2xf32>) -> !onnx.seq<f32>
  %n = "onnx.SequenceLength"(%s) : (!onnx.seq<f32>) -> tensor<i64>
  return %n : tensor<i64>
}

// -----

func.func @absent() -> tensor<*xf32> {
  %o = "onnx.Optional"() {type = tensor<2xf32>} : () -> !onnx.opt<f32>
  // expected-error @+1 {{the optional has no value}}
  %v = "onnx.OptionalGetElement"(%o) : (!onnx.opt<f32>) -> tensor<*xf32>
  return %v : tensor<*xf32>
}
