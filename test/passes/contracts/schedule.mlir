// RUN: onnx-aot-opt %s --aot-verify-schedule-contract --split-input-file --verify-diagnostics
// After the schedule stage: each kernel has a strategy that makes sense for its dims.

func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{internal error: contract of the schedule stage: a kernel has no strategy}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>] iterators ["parallel", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%in: f32, %acc: f32):
    %0 = arith.addf %acc, %in : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{contract of the schedule stage: the strategy names dim 2 of a kernel with 2}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>] iterators ["parallel", "reduction"]
      identity 0.000000e+00 : f32
      strategy <provider = "loops", vector = 2, width = 4, vectors = 1, row = -1, rows = 1> compute {
  ^bb0(%in: f32, %acc: f32):
    %0 = arith.addf %acc, %in : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{contract of the schedule stage: the strategy uses dim 0 twice}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>] iterators ["parallel", "reduction"]
      identity 0.000000e+00 : f32
      strategy <provider = "loops", vector = 0, width = 4, vectors = 1, row = 0, rows = 2> compute {
  ^bb0(%in: f32, %acc: f32):
    %0 = arith.addf %acc, %in : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{contract of the schedule stage: the strategy has an empty tile}}
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>] iterators ["parallel", "reduction"]
      identity 0.000000e+00 : f32
      strategy <provider = "loops", vector = 1, width = 0, vectors = 1, row = 0, rows = 2> compute {
  ^bb0(%in: f32, %acc: f32):
    %0 = arith.addf %acc, %in : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// -----

func.func @main(%x: memref<4x8xf32>, %y: memref<4xf32>) {
  aot.kernel "sum" ins(%x : memref<4x8xf32>) outs(%y : memref<4xf32>)
      maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>] iterators ["parallel", "reduction"]
      identity 0.000000e+00 : f32
      strategy <provider = "loops", vector = 1, width = 8, vectors = 1, row = 0, rows = 4> compute {
  ^bb0(%in: f32, %acc: f32):
    %0 = arith.addf %acc, %in : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}
