// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-use-dot-products{signs=any}))' | FileCheck --check-prefixes=CHECK,ANY %s
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-use-dot-products{signs=unsigned-by-signed}))' | FileCheck --check-prefixes=CHECK,VNNI %s
// The dim along which data are neighbours is split into words of four bytes; constant weights get them as their last dim.
// An instruction for unsigned data gets signed ones with inverted top bits, and -128 * (sum of the weights) at the end.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2 * 4 + d3)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d1, d3)>
// CHECK-DAG: #[[C:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1)>
// CHECK-LABEL: @product
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[\[}}1, 2, 3, 4], [10, 20, 30, 40]]]> : tensor<1x2x4xi8>
// ANY: aot.kernel "matmul" ins(%{{.*}}, %[[W]] : tensor<3x4xi8>, tensor<1x2x4xi8>) {{.*}} maps [#[[A]], #[[B]], #[[C]]] iterators ["parallel", "parallel", "reduction", "reduction"]
// ANY: aot.dot %{{.*}}, %{{.*}}, %{{.*}} : i32, i8
// VNNI-DAG: %[[OFF:.*]] = arith.constant dense<[-1280, -12800]> : tensor<2xi32>
// VNNI: aot.kernel "matmul" ins(%{{.*}}, %[[W]], %[[OFF]] :
// VNNI: aot.dot %{{.*}}, %{{.*}}, %{{.*}} {a_unsigned, flips_a} : i32, i8
// VNNI: epilogue {
// VNNI-NEXT: ^bb0(%{{.*}}: i8, %{{.*}}: i8, %[[O:.*]]: i32, %[[S:.*]]: i32):
// VNNI-NEXT: arith.addi %[[S]], %[[O]] : i32
func.func @product(%x: tensor<3x4xi8>) -> tensor<3x2xi32> {
  %w = arith.constant dense<[[1, 10], [2, 20], [3, 30], [4, 40]]> : tensor<4x2xi8>
  %init = tensor.empty() : tensor<3x2xi32>
  %y = aot.kernel "matmul" ins(%x, %w : tensor<3x4xi8>, tensor<4x2xi8>) outs(%init : tensor<3x2xi32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0 : i32 compute {
  ^bb0(%l: i8, %r: i8, %acc: i32):
    %0 = arith.extsi %l : i8 to i32
    %1 = arith.extsi %r : i8 to i32
    %2 = arith.muli %0, %1 : i32
    %3 = arith.addi %acc, %2 : i32
    aot.yield %3 : i32
  } epilogue {
  ^bb0(%l: i8, %r: i8, %acc: i32):
    aot.yield %acc : i32
  } -> tensor<3x2xi32>
  return %y : tensor<3x2xi32>
}

// Six points do not make whole words.
// CHECK-LABEL: @no_words
// CHECK-NOT: aot.dot
// CHECK: return
func.func @no_words(%x: tensor<3x6xi8>) -> tensor<3x2xi32> {
  %w = arith.constant dense<1> : tensor<6x2xi8>
  %init = tensor.empty() : tensor<3x2xi32>
  %y = aot.kernel "matmul" ins(%x, %w : tensor<3x6xi8>, tensor<6x2xi8>) outs(%init : tensor<3x2xi32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0 : i32 compute {
  ^bb0(%l: i8, %r: i8, %acc: i32):
    %0 = arith.extsi %l : i8 to i32
    %1 = arith.extsi %r : i8 to i32
    %2 = arith.muli %0, %1 : i32
    %3 = arith.addi %acc, %2 : i32
    aot.yield %3 : i32
  } epilogue {
  ^bb0(%l: i8, %r: i8, %acc: i32):
    aot.yield %acc : i32
  } -> tensor<3x2xi32>
  return %y : tensor<3x2xi32>
}
