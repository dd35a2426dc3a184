// Reductions of rows and what reads them become one kernel for a device; what somebody else reads, too, stays apart.
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-use-row-kernels))' | FileCheck %s

#all = affine_map<(r, c) -> (r, c)>
#row = affine_map<(r, c) -> (r)>
#kept = affine_map<(r, c) -> (r, 0)>
#column = affine_map<(r, c) -> (c)>

// A statistic is found behind reshapes; the step of a reduction holds what depends on the accumulator.
// CHECK-LABEL: @centered
// CHECK-SAME: (%[[X:.*]]: tensor<8x64xf32>)
// CHECK: %[[Y:.*]] = aot.rows "rows" ins(%[[X]] : tensor<8x64xf32>) outs({{.*}}) maps {{.*}} reduced 1 {
// CHECK-NEXT: ^bb0(%[[E:.*]]: f32):
// CHECK-NEXT: %[[SQUARE:.*]] = arith.mulf %[[E]], %[[E]]
// CHECK-NEXT: %[[SUM:.*]] = aot.across identity 0.000000e+00 : f32 {
// CHECK-NEXT: ^bb0(%[[ACC:.*]]: f32):
// CHECK-NEXT: %[[NEXT:.*]] = arith.addf %[[ACC]], %[[SQUARE]]
// CHECK: %[[ROOT:.*]] = math.sqrt %[[SUM]]
// CHECK: %[[RESULT:.*]] = arith.divf %[[E]], %[[ROOT]]
// CHECK: return %[[Y]]
func.func @centered(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %f = tensor.empty() : tensor<8x64xf32>
  %s = aot.kernel "reduce" ins(%x : tensor<8x64xf32>) outs(%e : tensor<8xf32>) maps [#all, #row]
      iterators ["parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %acc: f32):
    %q = arith.mulf %a, %a : f32
    %n = arith.addf %acc, %q : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %acc: f32):
    %r = math.sqrt %acc : f32
    aot.yield %r : f32
  } -> tensor<8xf32>
  %k = tensor.expand_shape %s [[0, 1]] output_shape [8, 1] : tensor<8xf32> into tensor<8x1xf32>
  %y = linalg.generic {indexing_maps = [#all, #kept, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %k : tensor<8x64xf32>, tensor<8x1xf32>) outs(%f : tensor<8x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.divf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<8x64xf32>
  return %y : tensor<8x64xf32>
}

// The sum is a result, too: nothing is computed twice.
// CHECK-LABEL: @read_elsewhere
// CHECK-NOT: aot.rows
func.func @read_elsewhere(%x: tensor<8x64xf32>) -> (tensor<8x64xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %f = tensor.empty() : tensor<8x64xf32>
  %s = aot.kernel "reduce" ins(%x : tensor<8x64xf32>) outs(%e : tensor<8xf32>) maps [#all, #row]
      iterators ["parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %acc: f32):
    %n = arith.addf %acc, %a : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<8x64xf32>, tensor<8xf32>) outs(%f : tensor<8x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.divf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<8x64xf32>
  return %y, %s : tensor<8x64xf32>, tensor<8xf32>
}

// Reduced dims that are not the last ones of what reads the statistic are no row, even of the same extent.
// CHECK-LABEL: @along_columns
// CHECK-NOT: aot.rows
func.func @along_columns(%x: tensor<64x64xf32>) -> tensor<64x64xf32> {
  %e = tensor.empty() : tensor<64xf32>
  %f = tensor.empty() : tensor<64x64xf32>
  %s = aot.kernel "reduce" ins(%x : tensor<64x64xf32>) outs(%e : tensor<64xf32>) maps [affine_map<(c, r) -> (r, c)>, affine_map<(c, r) -> (c)>]
      iterators ["parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %acc: f32):
    %n = arith.addf %acc, %a : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<64xf32>
  %y = linalg.generic {indexing_maps = [#all, #column, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<64x64xf32>, tensor<64xf32>) outs(%f : tensor<64x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.divf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<64x64xf32>
  return %y : tensor<64x64xf32>
}

// A few long rows would leave most of a device without work.
// CHECK-LABEL: @long_rows
// CHECK-NOT: aot.rows
func.func @long_rows(%x: tensor<2x65536xf32>) -> tensor<2x65536xf32> {
  %e = tensor.empty() : tensor<2xf32>
  %f = tensor.empty() : tensor<2x65536xf32>
  %s = aot.kernel "reduce" ins(%x : tensor<2x65536xf32>) outs(%e : tensor<2xf32>) maps [#all, #row]
      iterators ["parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %acc: f32):
    %n = arith.addf %acc, %a : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<2xf32>
  %y = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<2x65536xf32>, tensor<2xf32>) outs(%f : tensor<2x65536xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.divf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<2x65536xf32>
  return %y : tensor<2x65536xf32>
}

// Of a row that is not kept in registers, an exponential is computed once, and stored; what follows the sum is fused.
// CHECK-LABEL: @costly
// CHECK: %[[P:.*]] = linalg.generic
// CHECK: math.exp
// CHECK: aot.rows "rows" ins(%[[P]] : tensor<?x?xf32>)
func.func @costly(%x: tensor<?x?xf32>, %m: index, %n: index) -> tensor<?x?xf32> {
  %e = tensor.empty(%m) : tensor<?xf32>
  %f = tensor.empty(%m, %n) : tensor<?x?xf32>
  %p = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x?xf32>) outs(%f : tensor<?x?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %d = math.exp %a : f32
    linalg.yield %d : f32
  } -> tensor<?x?xf32>
  %s = aot.kernel "reduce" ins(%p : tensor<?x?xf32>) outs(%e : tensor<?xf32>) maps [#all, #row]
      iterators ["parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %acc: f32):
    %next = arith.addf %acc, %a : f32
    aot.yield %next : f32
  } epilogue {
  ^bb0(%a: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel"]}
      ins(%p, %s : tensor<?x?xf32>, tensor<?xf32>) outs(%f : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.divf %a, %b : f32
    linalg.yield %d : f32
  } -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// An input that no body reads shows how long a window is.
// CHECK-LABEL: @windows
// CHECK-SAME: (%[[X:.*]]: tensor<8x66xf32>, %[[W:.*]]: tensor<3xi8>)
// CHECK: aot.rows "rows" ins(%[[X]], %[[W]] : tensor<8x66xf32>, tensor<3xi8>) {{.*}} reduced 1
#place = affine_map<(r, c, k) -> (r, c + k)>
#window = affine_map<(r, c, k) -> (k)>
#kept2 = affine_map<(r, c, k) -> (r, c)>
func.func @windows(%x: tensor<8x66xf32>, %w: tensor<3xi8>) -> tensor<8x64xf32> {
  %e = tensor.empty() : tensor<8x64xf32>
  %m = aot.kernel "reduce" ins(%x, %w : tensor<8x66xf32>, tensor<3xi8>) outs(%e : tensor<8x64xf32>) maps [#place, #window, #kept2]
      iterators ["parallel", "parallel", "reduction"] identity 0xFF800000 : f32 compute {
  ^bb0(%a: f32, %unread: i8, %acc: f32):
    %n = arith.maximumf %acc, %a : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %unread: i8, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<8x64xf32>
  %s = aot.kernel "reduce" ins(%x, %m, %w : tensor<8x66xf32>, tensor<8x64xf32>, tensor<3xi8>) outs(%e : tensor<8x64xf32>)
      maps [#place, #kept2, #window, #kept2] iterators ["parallel", "parallel", "reduction"] identity 0.0 : f32 compute {
  ^bb0(%a: f32, %b: f32, %unread: i8, %acc: f32):
    %d = arith.subf %a, %b : f32
    %n = arith.addf %acc, %d : f32
    aot.yield %n : f32
  } epilogue {
  ^bb0(%a: f32, %b: f32, %unread: i8, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<8x64xf32>
  return %s : tensor<8x64xf32>
}
