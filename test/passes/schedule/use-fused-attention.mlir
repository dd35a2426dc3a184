// Two products and the softmax between them become one kernel for a device, where all of it is certain.
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-use-fused-attention))' | FileCheck %s

#frame = affine_map<(b, i, j) -> (b, i, j)>
#q = affine_map<(b, i, j, d) -> (b, i, d)>
#k = affine_map<(b, i, j, d) -> (b, j, d)>
#s = affine_map<(b, i, j, d) -> (b, i, j)>
#p = affine_map<(b, i, e, j) -> (b, i, j)>
#v = affine_map<(b, i, e, j) -> (b, j, e)>
#y = affine_map<(b, i, e, j) -> (b, i, e)>

// Scores are what the first epilogue makes of the sums; weights are no tensor.
// CHECK-LABEL: @plain
// CHECK-SAME: (%[[Q:.*]]: tensor<2x32x64xf32>, %[[K:.*]]: tensor<2x48x64xf32>, %[[V:.*]]: tensor<2x48x64xf32>)
// CHECK-NOT: aot.kernel
// CHECK: %[[Y:.*]] = aot.attention ins(%[[Q]], %[[K]], %[[V]] : {{.*}}) outs({{.*}}) maps {{.*}} scores {
// CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32, %{{.*}}: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[SUM:.*]]: f32):
// CHECK-NEXT: %[[SCORE:.*]] = arith.mulf %[[SUM]], %{{.*}} : f32
// CHECK-NEXT: aot.yield %[[SCORE]]
// CHECK-NEXT: } finish {
// CHECK: return %[[Y]]
func.func @plain(%q: tensor<2x32x64xf32>, %k: tensor<2x48x64xf32>, %v: tensor<2x48x64xf32>) -> (tensor<2x32x64xf32>) {
  %scale = arith.constant 0.125 : f32
  %one = arith.constant 1.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x32x48xf32>
  %f = tensor.empty() : tensor<2x32x64xf32>
  %s = aot.kernel "matmul" ins(%q, %k : tensor<2x32x64xf32>, tensor<2x48x64xf32>) outs(%e : tensor<2x32x48xf32>)
      maps [#q, #k, #s] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = arith.mulf %acc, %scale : f32
    aot.yield %n : f32
  } -> tensor<2x32x48xf32>
  %w = aot.rows "rows" ins(%s : tensor<2x32x48xf32>) outs(%e : tensor<2x32x48xf32>) maps [#frame, #frame] reduced 1 {
  ^bb0(%z: f32):
    %m = aot.across identity 0xFF800000 : f32 {
    ^bb0(%acc: f32):
      %n = arith.maxnumf %acc, %z : f32
      aot.yield %n : f32
    } : f32
    %d = arith.subf %z, %m : f32
    %x = math.exp %d : f32
    %t = aot.across identity 0.0 : f32 {
    ^bb0(%acc: f32):
      %n = arith.addf %acc, %x : f32
      aot.yield %n : f32
    } : f32
    %r = arith.divf %one, %t : f32
    %o = arith.mulf %x, %r : f32
    aot.yield %o : f32
  } -> tensor<2x32x48xf32>
  %o = aot.kernel "matmul" ins(%w, %v : tensor<2x32x48xf32>, tensor<2x48x64xf32>) outs(%f : tensor<2x32x64xf32>)
      maps [#p, #v, #y] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<2x32x64xf32>
  return %o : tensor<2x32x64xf32>
}

// Positions of a mask are those of the query and the key.
// CHECK-LABEL: @causal
// CHECK: aot.attention
// CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32, %{{.*}}: f32, %{{.*}}: index, %[[I:.*]]: index, %[[J:.*]]: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: f32):
// CHECK: %[[LATER:.*]] = arith.cmpi ugt, %[[J]], %[[I]]
// CHECK-NEXT: arith.select %[[LATER]]
func.func @causal(%q: tensor<2x32x64xf32>, %k: tensor<2x48x64xf32>, %v: tensor<2x48x64xf32>) -> (tensor<2x32x64xf32>) {
  %scale = arith.constant 0.125 : f32
  %one = arith.constant 1.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x32x48xf32>
  %f = tensor.empty() : tensor<2x32x64xf32>
  %s = aot.kernel "matmul" ins(%q, %k : tensor<2x32x64xf32>, tensor<2x48x64xf32>) outs(%e : tensor<2x32x48xf32>)
      maps [#q, #k, #s] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = arith.mulf %acc, %scale : f32
    aot.yield %n : f32
  } -> tensor<2x32x48xf32>
  %c = linalg.generic {indexing_maps = [#frame, #frame], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<2x32x48xf32>) outs(%e : tensor<2x32x48xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %later = arith.cmpi ugt, %j, %i : index
    %n = arith.select %later, %lowest, %a : f32
    linalg.yield %n : f32
  } -> tensor<2x32x48xf32>
  %w = aot.rows "rows" ins(%c : tensor<2x32x48xf32>) outs(%e : tensor<2x32x48xf32>) maps [#frame, #frame] reduced 1 {
  ^bb0(%z: f32):
    %m = aot.across identity 0xFF800000 : f32 {
    ^bb0(%acc: f32):
      %n = arith.maxnumf %acc, %z : f32
      aot.yield %n : f32
    } : f32
    %d = arith.subf %z, %m : f32
    %x = math.exp %d : f32
    %t = aot.across identity 0.0 : f32 {
    ^bb0(%acc: f32):
      %n = arith.addf %acc, %x : f32
      aot.yield %n : f32
    } : f32
    %r = arith.divf %one, %t : f32
    %o = arith.mulf %x, %r : f32
    aot.yield %o : f32
  } -> tensor<2x32x48xf32>
  %o = aot.kernel "matmul" ins(%w, %v : tensor<2x32x48xf32>, tensor<2x48x64xf32>) outs(%f : tensor<2x32x64xf32>)
      maps [#p, #v, #y] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<2x32x64xf32>
  return %o : tensor<2x32x64xf32>
}

// Rows in which nothing counts may be 0.
// CHECK-LABEL: @zero_rows
// CHECK: aot.attention {{.*}} zero_rows scores
func.func @zero_rows(%q: tensor<2x32x64xf32>, %k: tensor<2x48x64xf32>, %v: tensor<2x48x64xf32>) -> (tensor<2x32x64xf32>) {
  %scale = arith.constant 0.125 : f32
  %one = arith.constant 1.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x32x48xf32>
  %f = tensor.empty() : tensor<2x32x64xf32>
  %s = aot.kernel "matmul" ins(%q, %k : tensor<2x32x64xf32>, tensor<2x48x64xf32>) outs(%e : tensor<2x32x48xf32>)
      maps [#q, #k, #s] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = arith.mulf %acc, %scale : f32
    aot.yield %n : f32
  } -> tensor<2x32x48xf32>
  %w = aot.rows "rows" ins(%s : tensor<2x32x48xf32>) outs(%e : tensor<2x32x48xf32>) maps [#frame, #frame] reduced 1 {
  ^bb0(%z: f32):
    %m = aot.across identity 0xFF800000 : f32 {
    ^bb0(%acc: f32):
      %n = arith.maxnumf %acc, %z : f32
      aot.yield %n : f32
    } : f32
    %d = arith.subf %z, %m : f32
    %x = math.exp %d : f32
    %t = aot.across identity 0.0 : f32 {
    ^bb0(%acc: f32):
      %n = arith.addf %acc, %x : f32
      aot.yield %n : f32
    } : f32
    %none = arith.constant 0.0 : f32
    %empty = arith.cmpf oeq, %t, %none : f32
    %quotient = arith.divf %x, %t : f32
    %o = arith.select %empty, %none, %quotient : f32
    aot.yield %o : f32
  } -> tensor<2x32x48xf32>
  %o = aot.kernel "matmul" ins(%w, %v : tensor<2x32x48xf32>, tensor<2x48x64xf32>) outs(%f : tensor<2x32x64xf32>)
      maps [#p, #v, #y] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<2x32x64xf32>
  return %o : tensor<2x32x64xf32>
}

// Scores that are a result are a tensor.
// CHECK-LABEL: @read_elsewhere
// CHECK-NOT: aot.attention
func.func @read_elsewhere(%q: tensor<2x32x64xf32>, %k: tensor<2x48x64xf32>, %v: tensor<2x48x64xf32>) -> (tensor<2x32x64xf32>, tensor<2x32x48xf32>) {
  %scale = arith.constant 0.125 : f32
  %one = arith.constant 1.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x32x48xf32>
  %f = tensor.empty() : tensor<2x32x64xf32>
  %s = aot.kernel "matmul" ins(%q, %k : tensor<2x32x64xf32>, tensor<2x48x64xf32>) outs(%e : tensor<2x32x48xf32>)
      maps [#q, #k, #s] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = arith.mulf %acc, %scale : f32
    aot.yield %n : f32
  } -> tensor<2x32x48xf32>
  %w = aot.rows "rows" ins(%s : tensor<2x32x48xf32>) outs(%e : tensor<2x32x48xf32>) maps [#frame, #frame] reduced 1 {
  ^bb0(%z: f32):
    %m = aot.across identity 0xFF800000 : f32 {
    ^bb0(%acc: f32):
      %n = arith.maxnumf %acc, %z : f32
      aot.yield %n : f32
    } : f32
    %d = arith.subf %z, %m : f32
    %x = math.exp %d : f32
    %t = aot.across identity 0.0 : f32 {
    ^bb0(%acc: f32):
      %n = arith.addf %acc, %x : f32
      aot.yield %n : f32
    } : f32
    %r = arith.divf %one, %t : f32
    %o = arith.mulf %x, %r : f32
    aot.yield %o : f32
  } -> tensor<2x32x48xf32>
  %o = aot.kernel "matmul" ins(%w, %v : tensor<2x32x48xf32>, tensor<2x48x64xf32>) outs(%f : tensor<2x32x64xf32>)
      maps [#p, #v, #y] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<2x32x64xf32>
  return %o, %s : tensor<2x32x64xf32>, tensor<2x32x48xf32>
}

// Weights that are not divided by their own sum are no softmax.
// CHECK-LABEL: @another_sum
// CHECK-NOT: aot.attention
func.func @another_sum(%q: tensor<2x32x64xf32>, %k: tensor<2x48x64xf32>, %v: tensor<2x48x64xf32>) -> (tensor<2x32x64xf32>) {
  %scale = arith.constant 0.125 : f32
  %one = arith.constant 1.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x32x48xf32>
  %f = tensor.empty() : tensor<2x32x64xf32>
  %s = aot.kernel "matmul" ins(%q, %k : tensor<2x32x64xf32>, tensor<2x48x64xf32>) outs(%e : tensor<2x32x48xf32>)
      maps [#q, #k, #s] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = arith.mulf %acc, %scale : f32
    aot.yield %n : f32
  } -> tensor<2x32x48xf32>
  %w = aot.rows "rows" ins(%s : tensor<2x32x48xf32>) outs(%e : tensor<2x32x48xf32>) maps [#frame, #frame] reduced 1 {
  ^bb0(%z: f32):
    %m = aot.across identity 0xFF800000 : f32 {
    ^bb0(%acc: f32):
      %n = arith.maxnumf %acc, %z : f32
      aot.yield %n : f32
    } : f32
    %d = arith.subf %z, %m : f32
    %x = math.exp %d : f32
    %t = aot.across identity 0.0 : f32 {
    ^bb0(%acc: f32):
      %n = arith.addf %acc, %x : f32
      aot.yield %n : f32
    } : f32
    %r = arith.divf %one, %m : f32
    %o = arith.mulf %x, %r : f32
    aot.yield %o : f32
  } -> tensor<2x32x48xf32>
  %o = aot.kernel "matmul" ins(%w, %v : tensor<2x32x48xf32>, tensor<2x48x64xf32>) outs(%f : tensor<2x32x64xf32>)
      maps [#p, #v, #y] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<2x32x64xf32>
  return %o : tensor<2x32x64xf32>
}

// A head beyond what a block holds stays apart.
// CHECK-LABEL: @large_head
// CHECK-NOT: aot.attention
func.func @large_head(%q: tensor<2x32x256xf32>, %k: tensor<2x48x256xf32>, %v: tensor<2x48x256xf32>) -> (tensor<2x32x256xf32>) {
  %scale = arith.constant 0.125 : f32
  %one = arith.constant 1.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x32x48xf32>
  %f = tensor.empty() : tensor<2x32x256xf32>
  %s = aot.kernel "matmul" ins(%q, %k : tensor<2x32x256xf32>, tensor<2x48x256xf32>) outs(%e : tensor<2x32x48xf32>)
      maps [#q, #k, #s] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = arith.mulf %acc, %scale : f32
    aot.yield %n : f32
  } -> tensor<2x32x48xf32>
  %w = aot.rows "rows" ins(%s : tensor<2x32x48xf32>) outs(%e : tensor<2x32x48xf32>) maps [#frame, #frame] reduced 1 {
  ^bb0(%z: f32):
    %m = aot.across identity 0xFF800000 : f32 {
    ^bb0(%acc: f32):
      %n = arith.maxnumf %acc, %z : f32
      aot.yield %n : f32
    } : f32
    %d = arith.subf %z, %m : f32
    %x = math.exp %d : f32
    %t = aot.across identity 0.0 : f32 {
    ^bb0(%acc: f32):
      %n = arith.addf %acc, %x : f32
      aot.yield %n : f32
    } : f32
    %r = arith.divf %one, %t : f32
    %o = arith.mulf %x, %r : f32
    aot.yield %o : f32
  } -> tensor<2x32x48xf32>
  %o = aot.kernel "matmul" ins(%w, %v : tensor<2x32x48xf32>, tensor<2x48x256xf32>) outs(%f : tensor<2x32x256xf32>)
      maps [#p, #v, #y] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<2x32x256xf32>
  return %o : tensor<2x32x256xf32>
}

// So does a query alone, for which a tile is a waste.
// CHECK-LABEL: @one_query
// CHECK-NOT: aot.attention
func.func @one_query(%q: tensor<2x1x64xf32>, %k: tensor<2x48x64xf32>, %v: tensor<2x48x64xf32>) -> (tensor<2x1x64xf32>) {
  %scale = arith.constant 0.125 : f32
  %one = arith.constant 1.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<2x1x48xf32>
  %f = tensor.empty() : tensor<2x1x64xf32>
  %s = aot.kernel "matmul" ins(%q, %k : tensor<2x1x64xf32>, tensor<2x48x64xf32>) outs(%e : tensor<2x1x48xf32>)
      maps [#q, #k, #s] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = arith.mulf %acc, %scale : f32
    aot.yield %n : f32
  } -> tensor<2x1x48xf32>
  %w = aot.rows "rows" ins(%s : tensor<2x1x48xf32>) outs(%e : tensor<2x1x48xf32>) maps [#frame, #frame] reduced 1 {
  ^bb0(%z: f32):
    %m = aot.across identity 0xFF800000 : f32 {
    ^bb0(%acc: f32):
      %n = arith.maxnumf %acc, %z : f32
      aot.yield %n : f32
    } : f32
    %d = arith.subf %z, %m : f32
    %x = math.exp %d : f32
    %t = aot.across identity 0.0 : f32 {
    ^bb0(%acc: f32):
      %n = arith.addf %acc, %x : f32
      aot.yield %n : f32
    } : f32
    %r = arith.divf %one, %t : f32
    %o = arith.mulf %x, %r : f32
    aot.yield %o : f32
  } -> tensor<2x1x48xf32>
  %o = aot.kernel "matmul" ins(%w, %v : tensor<2x1x48xf32>, tensor<2x48x64xf32>) outs(%f : tensor<2x1x64xf32>)
      maps [#p, #v, #y] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %n = math.fma %a, %b, %acc : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<2x1x64xf32>
  return %o : tensor<2x1x64xf32>
}
