// RUN: onnx-aot-opt %s --aot-map-to-device | FileCheck %s
// Structured operations become launches; equal ones of one kernel. What loads single elements runs on copies, checks of
// inputs on the inputs themselves. The context is an argument, and the arena holds the host's copies alone.

#id = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<1024xf32> {onnx.name = "x"}, %[[I:.*]]: memref<4xi32> {onnx.name = "i"}, %[[Y:.*]]: memref<1024xf32>
// CHECK-SAME: %[[ARENA:.*]]: memref<4096xi8>, %[[CTX:.*]]: !llvm.ptr {aot.context}) -> i32 attributes {aot.slots = 1
// CHECK: aot.transfer %[[CTX]], %[[I]] to device
// CHECK: aot.transfer %[[CTX]], %[[X]] to device %[[DX:.*]] :
// CHECK: %[[IN:.*]] = memref.load %[[I]]
// CHECK: aot.require
// CHECK: aot.launch %[[CTX]], @elementwise blocks(%{{.*}}, %{{.*}}, %{{.*}}) threads 256 shared 0(%[[DX]], %[[T:.*]] : memref
// CHECK: aot.launch %[[CTX]], @elementwise blocks({{.*}}) threads 256 shared 0(%[[T]], %[[U:.*]] : memref
// CHECK: %[[COPY:.*]] = memref.view %[[ARENA]]
// CHECK: aot.transfer %[[CTX]], %[[U]] to %[[COPY]]
// CHECK: %[[OK:.*]] = aot.wait %[[CTX]]
// CHECK: aot.require %[[OK]], device_error
// CHECK: %[[LOADED:.*]] = memref.load %[[COPY]]
// CHECK: memref.store %[[LOADED]], %[[COPY]]
// CHECK: aot.transfer %[[CTX]], %[[COPY]] to device %[[U]]
// CHECK: aot.launch %[[CTX]], @elementwise blocks({{.*}}) threads 256 shared 0(%[[U]], %[[DY:.*]] : memref
// CHECK: aot.transfer %[[CTX]], %[[DY]] to %[[Y]]

// CHECK: module @device
// CHECK: func.func @elementwise(%{{.*}}: memref<f32>, %{{.*}}: memref<f32>) attributes {aot.threads = 256
// CHECK: nvvm.read.ptx.sreg.tid.x
// CHECK: vector.load {{.*}} : memref<2147483647xf32>, vector<4xf32>
// CHECK: arith.addf {{.*}} : vector<4xf32>
// CHECK-NOT: func.func
func.func @main(%x: memref<1024xf32> {onnx.name = "x"}, %i: memref<4xi32> {onnx.name = "i"},
                %y: memref<1024xf32> {onnx.name = "y", bufferize.result}, %arena: memref<8192xi8>) -> i32 {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %c4096 = arith.constant 4096 : index
  %zero = arith.constant 0 : i32
  %bound = arith.constant 7 : i32
  %t = memref.view %arena[%c0][] : memref<8192xi8> to memref<1024xf32>
  %u = memref.view %arena[%c4096][] : memref<8192xi8> to memref<1024xf32>
  %index = memref.load %i[%c3] : memref<4xi32>
  %ok = arith.cmpi ult, %index, %bound : i32
  aot.require %ok, index_out_of_range
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : memref<1024xf32>) outs(%t : memref<1024xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%t : memref<1024xf32>) outs(%u : memref<1024xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  }
  %first = memref.load %u[%c0] : memref<1024xf32>
  memref.store %first, %u[%c3] : memref<1024xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%u : memref<1024xf32>) outs(%y : memref<1024xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  }
  return %zero : i32
}
