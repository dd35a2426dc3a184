// Rounding moves before reshapes and transpositions, beside what makes the elements.
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-narrow-early))' | FileCheck %s

#id = affine_map<(a, b) -> (a, b)>
#heads = affine_map<(h, s, d) -> (h, s, d)>
#moved = affine_map<(h, s, d) -> (s, h, d)>

// CHECK-LABEL: @heads
// CHECK: %[[X:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<16x128xf32>)
// CHECK: %[[N:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<16x128xf32>) outs(%{{.*}} : tensor<16x128xf16>)
// CHECK: arith.truncf
// CHECK: %[[H:.*]] = tensor.expand_shape %[[N]] {{\[\[}}0], [1, 2]] output_shape [16, 2, 64]
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[H]] : tensor<16x2x64xf16>)
// CHECK-NOT: arith.truncf
// CHECK: return %[[Y]]
func.func @heads(%a: tensor<16x128xf32>) -> tensor<2x16x64xf16> {
  %e = tensor.empty() : tensor<16x128xf32>
  %f = tensor.empty() : tensor<2x16x64xf16>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<16x128xf32>) outs(%e : tensor<16x128xf32>) {
  ^bb0(%in: f32, %out: f32):
    %n = arith.negf %in : f32
    linalg.yield %n : f32
  } -> tensor<16x128xf32>
  %h = tensor.expand_shape %x [[0], [1, 2]] output_shape [16, 2, 64] : tensor<16x128xf32> into tensor<16x2x64xf32>
  %y = linalg.generic {indexing_maps = [#moved, #heads], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%h : tensor<16x2x64xf32>) outs(%f : tensor<2x16x64xf16>) {
  ^bb0(%in: f32, %out: f16):
    %n = arith.truncf %in : f32 to f16
    linalg.yield %n : f16
  } -> tensor<2x16x64xf16>
  return %y : tensor<2x16x64xf16>
}

// What is read in its full width, too, is not.
// CHECK-LABEL: @read_elsewhere
// CHECK: tensor.expand_shape {{.*}} tensor<16x128xf32> into tensor<16x2x64xf32>
// CHECK: arith.truncf
func.func @read_elsewhere(%a: tensor<16x128xf32>) -> (tensor<2x16x64xf16>, tensor<16x128xf32>) {
  %e = tensor.empty() : tensor<16x128xf32>
  %f = tensor.empty() : tensor<2x16x64xf16>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<16x128xf32>) outs(%e : tensor<16x128xf32>) {
  ^bb0(%in: f32, %out: f32):
    %n = arith.negf %in : f32
    linalg.yield %n : f32
  } -> tensor<16x128xf32>
  %h = tensor.expand_shape %x [[0], [1, 2]] output_shape [16, 2, 64] : tensor<16x128xf32> into tensor<16x2x64xf32>
  %y = linalg.generic {indexing_maps = [#moved, #heads], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%h : tensor<16x2x64xf32>) outs(%f : tensor<2x16x64xf16>) {
  ^bb0(%in: f32, %out: f16):
    %n = arith.truncf %in : f32 to f16
    linalg.yield %n : f16
  } -> tensor<2x16x64xf16>
  return %y, %x : tensor<2x16x64xf16>, tensor<16x128xf32>
}
