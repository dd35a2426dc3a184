// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-choose-strategy,aot-pack-operands))' | FileCheck %s
// What only a run knows is laid out in panels right before a kernel whose rows read it often.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#t = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#turned = affine_map<(d0, d1) -> (d1, d0)>

// CHECK-DAG: #[[ALONG:.*]] = affine_map<(d0, d1, d2) -> (d1, d0 * 16 + d2)>
// CHECK-DAG: #[[ACROSS:.*]] = affine_map<(d0, d1, d2) -> (d0 * 16 + d2, d1)>
// CHECK-DAG: #[[PANELS:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 16, d2, d1 mod 16)>
// CHECK-DAG: #[[IN_PLACE:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>

// CHECK-LABEL: func.func @product
// CHECK-SAME: %[[B:[^:]*]]: tensor<480x480xf32>) ->
// CHECK: %[[P:.*]] = linalg.generic {indexing_maps = [#[[ALONG]], {{.*}} ins(%[[B]] : {{.*}}) outs({{.*}} : tensor<30x480x16xf32>)
// CHECK: aot.kernel "matmul" ins(%{{.*}}, %[[P]] : {{.*}} maps [#{{.*}}, #[[PANELS]], #{{.*}}] {{.*}} width = 8, vectors = 2
func.func @product(%a: tensor<480x480xf32>, %b: tensor<480x480xf32>) -> tensor<480x480xf32> {
  %init = tensor.empty() : tensor<480x480xf32>
  %c = aot.kernel "matmul" ins(%a, %b : tensor<480x480xf32>, tensor<480x480xf32>) outs(%init : tensor<480x480xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<480x480xf32>
  return %c : tensor<480x480xf32>
}

// A transposition is looked through; 75 columns are 4 panels, 11 columns of another one and zeros.
// CHECK-LABEL: func.func @transposed
// CHECK-SAME: %[[B:[^:]*]]: tensor<75x160xf32>) ->
// CHECK-NOT: outs({{.*}} : tensor<160x75xf32>)
// CHECK: %[[PANELS4:.*]] = linalg.generic {indexing_maps = [#[[ACROSS]], {{.*}} ins(%[[B]] : {{.*}}) outs({{.*}} : tensor<4x160x16xf32>)
// CHECK: %[[P4:.*]] = tensor.insert_slice %[[PANELS4]] into {{.*}}[0, 0, 0] [4, 160, 16] [1, 1, 1] : tensor<4x160x16xf32> into tensor<5x160x16xf32>
// CHECK: %[[ZEROS:.*]] = linalg.fill
// CHECK: %[[P5:.*]] = tensor.insert_slice %[[ZEROS]] into %[[P4]][4, 0, 0] [1, 160, 16]
// CHECK: %[[LEFT:.*]] = tensor.extract_slice %[[B]][64, 0] [11, 160]
// CHECK: %[[REST:.*]] = linalg.generic {indexing_maps = [#[[ACROSS]], {{.*}} ins(%[[LEFT]] : {{.*}}) outs({{.*}} : tensor<1x160x11xf32>)
// CHECK: %[[ALL:.*]] = tensor.insert_slice %[[REST]] into %[[P5]][4, 0, 0] [1, 160, 11]
// CHECK: aot.kernel "matmul" ins(%{{.*}}, %[[ALL]] : {{.*}} maps [#{{.*}}, #[[PANELS]], #{{.*}}]
func.func @transposed(%a: tensor<100x160xf32>, %b: tensor<75x160xf32>) -> tensor<100x75xf32> {
  %empty = tensor.empty() : tensor<160x75xf32>
  %bt = linalg.generic {indexing_maps = [#turned, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b : tensor<75x160xf32>) outs(%empty : tensor<160x75xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<160x75xf32>
  %init = tensor.empty() : tensor<100x75xf32>
  %c = aot.kernel "matmul" ins(%a, %bt : tensor<100x160xf32>, tensor<160x75xf32>) outs(%init : tensor<100x75xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<100x75xf32>
  return %c : tensor<100x75xf32>
}

// Few rows are not worth a copy.
// CHECK-LABEL: func.func @few_rows
// CHECK-NOT: linalg.generic
// CHECK: aot.kernel
func.func @few_rows(%a: tensor<8x480xf32>, %b: tensor<480x480xf32>) -> tensor<8x480xf32> {
  %init = tensor.empty() : tensor<8x480xf32>
  %c = aot.kernel "matmul" ins(%a, %b : tensor<8x480xf32>, tensor<480x480xf32>) outs(%init : tensor<8x480xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<8x480xf32>
  return %c : tensor<8x480xf32>
}

// What the first-level cache holds is read where it lies.
// CHECK-LABEL: func.func @near
// CHECK-NOT: linalg.generic
// CHECK: aot.kernel
func.func @near(%a: tensor<480x32xf32>, %b: tensor<32x32xf32>) -> tensor<480x32xf32> {
  %init = tensor.empty() : tensor<480x32xf32>
  %c = aot.kernel "matmul" ins(%a, %b : tensor<480x32xf32>, tensor<32x32xf32>) outs(%init : tensor<480x32xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<480x32xf32>
  return %c : tensor<480x32xf32>
}

// One row: not even the transposition is needed, lanes run along the sum.
// CHECK-LABEL: func.func @row
// CHECK-SAME: %[[B:[^:]*]]: tensor<128x64xf32>) ->
// CHECK-NOT: linalg.generic
// CHECK: aot.kernel "matmul" ins(%{{.*}}, %[[B]] : {{.*}} maps [#{{.*}}, #[[IN_PLACE]], #{{.*}}] {{.*}} vector = 2
func.func @row(%a: tensor<1x64xf32>, %b: tensor<128x64xf32>) -> tensor<1x128xf32> {
  %empty = tensor.empty() : tensor<64x128xf32>
  %bt = linalg.generic {indexing_maps = [#turned, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b : tensor<128x64xf32>) outs(%empty : tensor<64x128xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<64x128xf32>
  %init = tensor.empty() : tensor<1x128xf32>
  %c = aot.kernel "matmul" ins(%a, %bt : tensor<1x64xf32>, tensor<64x128xf32>) outs(%init : tensor<1x128xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x128xf32>
  return %c : tensor<1x128xf32>
}

// The two operands of a product of columns: the one whose lanes the strategy runs along.
// CHECK-LABEL: func.func @rows_of_both
// CHECK: linalg.generic {indexing_maps = [#[[ACROSS]],
// CHECK: aot.kernel {{.*}} maps [#{{.*}}, #[[PANELS]], #{{.*}}] {{.*}} vector = 1
func.func @rows_of_both(%a: tensor<96x96xf32>, %b: tensor<96x96xf32>) -> tensor<96x96xf32> {
  %init = tensor.empty() : tensor<96x96xf32>
  %c = aot.kernel "matmul" ins(%a, %b : tensor<96x96xf32>, tensor<96x96xf32>) outs(%init : tensor<96x96xf32>)
      maps [#a, #t, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<96x96xf32>
  return %c : tensor<96x96xf32>
}

// Of columns that only the run knows there are as many whole panels as it says, and a last one.
// CHECK-LABEL: func.func @open
// CHECK-SAME: %[[B:[^:]*]]: tensor<?x?xf32>, %[[M:[^:]*]]: index,
// CHECK: %[[WHOLE:.*]] = arith.divui %{{.*}}, %c16
// CHECK: %[[COUNT:.*]] = arith.addi %[[WHOLE]], %c1
// CHECK: %[[ALL:.*]] = tensor.empty(%[[COUNT]], %{{.*}}) : tensor<?x?x16xf32>
// CHECK: linalg.generic {indexing_maps = [#[[ACROSS]], {{.*}} ins(%[[B]] : {{.*}} : tensor<?x?x16xf32>)
// CHECK: linalg.fill
// CHECK: linalg.generic {indexing_maps = [#[[ACROSS]], {{.*}} : tensor<1x?x?xf32>)
// CHECK: aot.kernel "matmul" ins(%{{.*}} : tensor<?x?xf32>, tensor<?x?x16xf32>) {{.*}} maps [#{{.*}}, #[[PANELS]], #{{.*}}] {{.*}} vectors = 2, row = 0, rows = 6, block = 48>
func.func @open(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %m: index, %n: index, %k: index) -> tensor<?x?xf32> {
  %empty = tensor.empty(%k, %n) : tensor<?x?xf32>
  %bt = linalg.generic {indexing_maps = [#turned, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b : tensor<?x?xf32>) outs(%empty : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<?x?xf32>
  %init = tensor.empty(%m, %n) : tensor<?x?xf32>
  %c = aot.kernel "matmul" ins(%a, %bt : tensor<?x?xf32>, tensor<?x?xf32>) outs(%init : tensor<?x?xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<?x?xf32>
  return %c : tensor<?x?xf32>
}

// Where nothing is saved, extents that might be small ones are read where they lie.
// CHECK-LABEL: func.func @open_in_place
// CHECK-NOT: linalg.generic
// CHECK: aot.kernel
func.func @open_in_place(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>, %m: index, %n: index) -> tensor<?x?xf32> {
  %init = tensor.empty(%m, %n) : tensor<?x?xf32>
  %c = aot.kernel "matmul" ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%init : tensor<?x?xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<?x?xf32>
  return %c : tensor<?x?xf32>
}
