// Reshapes are views, parts are slices, the rest reads its input through a map.
// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize | FileCheck %s

// CHECK-DAG: #[[SWAP:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK-DAG: #[[BACK:.*]] = affine_map<(d0) -> (-d0 + 2)>
// CHECK-DAG: #[[BACK2:.*]] = affine_map<(d0, d1) -> (d0, -d1 + 3)>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0, d1) -> (d1)>

// CHECK-LABEL: @reshape
func.func @reshape(%x: tensor<2x3x4xf32>, %s: tensor<2xi64>) -> tensor<6x4xf32> {
  // CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]]
  %y = "onnx.Reshape"(%x, %s) : (tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<6x4xf32>
  return %y : tensor<6x4xf32>
}

// CHECK-LABEL: @transpose
func.func @transpose(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[SWAP]], #
  %y = "onnx.Transpose"(%x) : (tensor<2x3xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// Moving a dim of extent 1 moves nothing.
// CHECK-LABEL: @transpose_unit
func.func @transpose_unit(%x: tensor<2x1x3xf32>) -> tensor<1x2x3xf32> {
  // CHECK-NOT: linalg
  %y = "onnx.Transpose"(%x) {perm = array<i64: 1, 0, 2>} : (tensor<2x1x3xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}

// CHECK-LABEL: @slice_backwards
func.func @slice_backwards(%x: tensor<7xf32>) -> tensor<3xf32> {
  %start = onnx.Constant {value = dense<6> : tensor<1xi64>} : tensor<1xi64>
  %end = onnx.Constant {value = dense<0> : tensor<1xi64>} : tensor<1xi64>
  %axes = onnx.Constant {value = dense<0> : tensor<1xi64>} : tensor<1xi64>
  %step = onnx.Constant {value = dense<-2> : tensor<1xi64>} : tensor<1xi64>
  // CHECK: %[[TAKEN:.*]] = tensor.extract_slice %{{.*}}[2] [3] [2]
  // CHECK: linalg.generic {indexing_maps = [#[[BACK]], #{{.*}} ins(%[[TAKEN]]
  %y = "onnx.Slice"(%x, %start, %end, %axes, %step) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>} : (tensor<7xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// One axis backwards, and another one cut short.
// CHECK-LABEL: @slice_both_ways
func.func @slice_both_ways(%x: tensor<2x4xf32>) -> tensor<1x4xf32> {
  %start = onnx.Constant {value = dense<[0, 3]> : tensor<2xi64>} : tensor<2xi64>
  %end = onnx.Constant {value = dense<[1, -5]> : tensor<2xi64>} : tensor<2xi64>
  %axes = onnx.Constant {value = dense<[0, 1]> : tensor<2xi64>} : tensor<2xi64>
  %step = onnx.Constant {value = dense<[1, -1]> : tensor<2xi64>} : tensor<2xi64>
  // CHECK: %[[TAKEN:.*]] = tensor.extract_slice %{{.*}}[0, 0] [1, 4] [1, 1]
  // CHECK: linalg.generic {indexing_maps = [#[[BACK2]], #{{.*}} ins(%[[TAKEN]]
  %y = "onnx.Slice"(%x, %start, %end, %axes, %step) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>} : (tensor<2x4xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// CHECK-LABEL: @concat
func.func @concat(%a: tensor<2x3xf32>, %b: tensor<2x5xf32>) -> tensor<2x8xf32> {
  // CHECK: tensor.insert_slice %{{.*}}[0, 0] [2, 3] [1, 1]
  // CHECK: tensor.insert_slice %{{.*}}[0, 3] [2, 5] [1, 1]
  %y = "onnx.Concat"(%a, %b) {axis = 1 : i64} : (tensor<2x3xf32>, tensor<2x5xf32>) -> tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// CHECK-LABEL: @expand
func.func @expand(%x: tensor<3xf32>, %s: tensor<2xi64>) -> tensor<2x3xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[COLUMN]], #
  %y = "onnx.Expand"(%x, %s) : (tensor<3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// CHECK-LABEL: @pad_reflect
func.func @pad_reflect(%x: tensor<4xf32>) -> tensor<7xf32> {
  %p = onnx.Constant {value = dense<[2, 1]> : tensor<2xi64>} : tensor<2xi64>
  // CHECK: arith.remsi
  // CHECK: tensor.extract
  %y = "onnx.Pad"(%x, %p) {mode = "reflect", operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<4xf32>, tensor<2xi64>) -> tensor<7xf32>
  return %y : tensor<7xf32>
}

// Around nothing there is nothing but the padding.
// CHECK-LABEL: @pad_nothing
func.func @pad_nothing(%x: tensor<0xf32>) -> tensor<1xf32> {
  %p = onnx.Constant {value = dense<[1, 0]> : tensor<2xi64>} : tensor<2xi64>
  // CHECK: linalg.fill
  // CHECK-NOT: tensor.insert_slice
  // CHECK: return
  %y = "onnx.Pad"(%x, %p) {mode = "constant", operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<0xf32>, tensor<2xi64>) -> tensor<1xf32>
  return %y : tensor<1xf32>
}

// A part that data names lies within the input, and has the declared length, which is checked.
// CHECK-LABEL: @slice_by_data
func.func @slice_by_data(%x: tensor<7xf32>, %start: tensor<1xi64>, %end: tensor<1xi64>) -> tensor<3xf32> {
  // CHECK: tensor.extract %{{.*}} : tensor<1xi64>
  // CHECK: arith.maxsi
  // CHECK: arith.minsi
  // CHECK: %[[FITS:.+]] = arith.cmpi eq, %{{.*}}, %c3
  // CHECK: aot.require %[[FITS]], shape_mismatch
  // CHECK: tensor.extract_slice %{{.*}} [3] [1] : tensor<7xf32> to tensor<3xf32>
  %y = "onnx.Slice"(%x, %start, %end) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<7xf32>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}
