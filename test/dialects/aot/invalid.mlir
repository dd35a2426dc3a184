// RUN: onnx-aot-opt %s --split-input-file --verify-diagnostics
// What the verifiers of kernels say.

#m = affine_map<(m, k) -> (m, k)>
#y = affine_map<(m, k) -> (m)>
func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{'aot.kernel' op needs one indexing map per operand}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [#m] iterators ["parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

#m = affine_map<(m, k) -> (m, k)>
#y = affine_map<(m, k) -> (m)>
func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{'aot.kernel' op indexing map 1 is not over the 2 iteration dims}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [#m, affine_map<(m) -> (m)>] iterators ["parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

#m = affine_map<(m, k) -> (m, k)>
#y = affine_map<(m, k) -> (m)>
func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{'aot.kernel' op indexing map 0 does not give the rank of its operand}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [#y, #y] iterators ["parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

#m = affine_map<(m, k) -> (m, k)>
#y = affine_map<(m, k) -> (m)>
func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{'aot.kernel' op an iterator is 'parallel' or 'reduction'}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [#m, #y] iterators ["parallel", "window"] identity 0.000000e+00 : f32 compute {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

#m = affine_map<(m, k) -> (m, k)>
#y = affine_map<(m, k) -> (m)>
func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{'aot.kernel' op a block takes the elements of all inputs and the accumulator}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [#m, #y] iterators ["parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%acc: f32):
    aot.yield %acc : f32
  } epilogue {
  ^bb0(%acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

#m = affine_map<(m, k) -> (m, k)>
#y = affine_map<(m, k) -> (m)>
func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{'aot.kernel' op a block argument does not have its input's element type}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [#m, #y] iterators ["parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%in: f64, %acc: f32):
    aot.yield %acc : f32
  } epilogue {
  ^bb0(%in: f64, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

#m = affine_map<(m, k) -> (m, k)>
#y = affine_map<(m, k) -> (m)>
func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{'aot.kernel' op a block's last argument does not have the identity's type}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [#m, #y] iterators ["parallel", "reduction"] identity 0.000000e+00 : f64 compute {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

#m = affine_map<(m, k) -> (m, k)>
#y = affine_map<(m, k) -> (m)>
func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  %one = arith.constant 1.0 : f64
  // expected-error @+1 {{'aot.kernel' op a block does not yield 'f32'}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [#m, #y] iterators ["parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %one : f64
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

func.func @cannot_repeat(%x: tensor<3xf32>) -> tensor<4xf32> {
  // expected-error @below {{cannot repeat dim 0 of 3 to 4}}
  %y = aot.broadcast %x : tensor<3xf32> to tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @size_missing(%x: tensor<1xf32>, %n: index) -> tensor<?x?xf32> {
  // expected-error @below {{needs one size per dynamic dim of its result}}
  %y = aot.broadcast %x sizes(%n) : tensor<1xf32> to tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// -----

func.func @loses_dims(%x: tensor<1x1xf32>) -> tensor<1xf32> {
  // expected-error @below {{loses dims of its source}}
  %y = aot.broadcast %x : tensor<1x1xf32> to tensor<1xf32>
  return %y : tensor<1xf32>
}

// -----

func.func @main(%x: memref<4x8xf32>, %y: memref<8x8xf32>) {
  // expected-error @+1 {{needs 2 tables}}
  aot.resample %x : memref<4x8xf32> outs(%y : memref<8x8xf32>) [#aot.sampling<axis = 0, taps = 1, window = 1>] maps []
  return
}

// -----

func.func @main(%x: memref<4x8x8xf32>, %y: memref<8x16x8xf32>) {
  // expected-error @+1 {{resizes some axis and the last one}}
  aot.resample %x : memref<4x8x8xf32> outs(%y : memref<8x16x8xf32>)
      [#aot.sampling<axis = 0, taps = 1, window = 1, scale = 2, offsets = [0, 0]>,
       #aot.sampling<axis = 1, taps = 1, window = 1, scale = 2, offsets = [0, 0]>] moves maps []
  return
}

// -----

func.func @main(%x: memref<8xf32>, %y: memref<16xf32>) {
  // expected-error @+1 {{has a sampling whose offsets and weights are not those of its phases}}
  aot.resample %x : memref<8xf32> outs(%y : memref<16xf32>) [#aot.sampling<axis = 0, taps = 1, window = 1, scale = 2, offsets = [0]>] moves maps []
  return
}

// -----

func.func @main(%x: memref<4x8xf32>, %z: memref<8x8xf32>, %y: memref<4x16xf32>) {
  // expected-error @+1 {{reads an input otherwise than along rows of the result}}
  aot.resample %x : memref<4x8xf32> ins(%z : memref<8x8xf32>) outs(%y : memref<4x16xf32>)
      [#aot.sampling<axis = 1, taps = 1, window = 1, scale = 2, offsets = [0, 0]>] moves maps [affine_map<(r, c) -> (c, r)>] epilogue {
  ^bb0(%in: f32, %sum: f32):
    aot.yield %in : f32
  }
  return
}

// -----

func.func @main(%x: memref<4x8xf32>, %y: memref<4x16xi8>) {
  // expected-error @+1 {{stores elements of type 'i8' instead of 'f32'}}
  aot.resample %x : memref<4x8xf32> outs(%y : memref<4x16xi8>)
      [#aot.sampling<axis = 1, taps = 1, window = 1, scale = 2, offsets = [0, 0]>] moves maps []
  return
}
