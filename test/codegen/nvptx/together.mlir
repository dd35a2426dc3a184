// RUN: onnx-aot-opt %s --aot-map-to-device | FileCheck %s
// Elementwise operations are one kernel, in which each has blocks of its own, where none touches what another one stores:
// buffers of other bytes, and boxes of one buffer that lie apart.

// CHECK-LABEL: func.func @main
// CHECK: %[[SECOND:.*]] = memref.subview %{{.*}}[1, 0] [1, 64]
// Both rows.
// CHECK: aot.launch %{{.*}}, @[[ROWS:.*]] blocks(%c2
// The second row again, and a column that has an element of it.
// CHECK: aot.launch %{{.*}}, @[[ROW:.*]] blocks(%c1{{[_ ,]}}
// CHECK: aot.launch %{{.*}}, @[[COLUMN:.*]] blocks(%c1{{[_ ,]}}
// What reads the column is another kernel; two results of it are one.
// CHECK: aot.launch %{{.*}}, @[[COPIES:.*]] blocks(%c2
// CHECK-NOT: aot.launch
// CHECK: module @device
#id = affine_map<(d0) -> (d0)>
#id2 = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%n: index {aot.dim}, %y: memref<64xf32> {onnx.name = "y", bufferize.result},
                %z: memref<64xf32> {onnx.name = "z", bufferize.result}, %arena: memref<8192xi8>) -> i32 {
  %c0 = arith.constant 0 : index
  %c4096 = arith.constant 4096 : index
  %zero = arith.constant 0 : i32
  %one = arith.constant 1.0 : f32
  %two = arith.constant 2.0 : f32
  %t = memref.view %arena[%c0][] : memref<8192xi8> to memref<4x64xf32>
  %first = memref.subview %t[0, 0] [1, 64] [1, 1] : memref<4x64xf32> to memref<1x64xf32, strided<[64, 1]>>
  %second = memref.subview %t[1, 0] [1, 64] [1, 1] : memref<4x64xf32> to memref<1x64xf32, strided<[64, 1], offset: 64>>
  linalg.generic {indexing_maps = [#id2], iterator_types = ["parallel", "parallel"]} outs(%first : memref<1x64xf32, strided<[64, 1]>>) {
  ^bb0(%out: f32):
    linalg.yield %one : f32
  }
  linalg.generic {indexing_maps = [#id2], iterator_types = ["parallel", "parallel"]} outs(%second : memref<1x64xf32, strided<[64, 1], offset: 64>>) {
  ^bb0(%out: f32):
    linalg.yield %two : f32
  }
  %ok = arith.cmpi ult, %n, %c4096 : index
  aot.require %ok, index_out_of_range
  linalg.generic {indexing_maps = [#id2], iterator_types = ["parallel", "parallel"]} outs(%second : memref<1x64xf32, strided<[64, 1], offset: 64>>) {
  ^bb0(%out: f32):
    linalg.yield %one : f32
  }
  %column = memref.subview %t[0, 3] [4, 1] [1, 1] : memref<4x64xf32> to memref<4x1xf32, strided<[64, 1], offset: 3>>
  linalg.generic {indexing_maps = [#id2], iterator_types = ["parallel", "parallel"]} outs(%column : memref<4x1xf32, strided<[64, 1], offset: 3>>) {
  ^bb0(%out: f32):
    linalg.yield %two : f32
  }
  %u = memref.subview %t[2, 0] [1, 64] [1, 1] : memref<4x64xf32> to memref<64xf32, strided<[1], offset: 128>>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%u : memref<64xf32, strided<[1], offset: 128>>) outs(%y : memref<64xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%u : memref<64xf32, strided<[1], offset: 128>>) outs(%z : memref<64xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  }
  return %zero : i32
}
