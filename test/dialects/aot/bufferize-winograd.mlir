// RUN: onnx-aot-opt %s --one-shot-bufferize=allow-unknown-ops | FileCheck %s
// Code is made for channels one by one and for known strides: other buffers are copied.

// CHECK-LABEL: func.func @open_strides
// CHECK: %[[COPY:.*]] = memref.alloc() : memref<1x4x4x8xf32>
// CHECK: memref.copy %{{.*}}, %[[COPY]]
// CHECK: aot.winograd tile 2 pads [1, 1] block 2 group 1 ins(%[[COPY]], %{{.*}}) outs(%[[Y:.*]] : memref<1x4x4x8xf32>)
// CHECK-NOT: memref.copy
func.func @open_strides(%m: memref<1x4x4x8xf32, strided<[?, ?, ?, 1], offset: ?>>, %w: memref<1x16x1x8x8xf32>)
    -> tensor<1x4x4x8xf32> {
  %x = bufferization.to_tensor %m restrict : memref<1x4x4x8xf32, strided<[?, ?, ?, 1], offset: ?>> to tensor<1x4x4x8xf32>
  %u = bufferization.to_tensor %w restrict : memref<1x16x1x8x8xf32> to tensor<1x16x1x8x8xf32>
  %e = bufferization.alloc_tensor() : tensor<1x4x4x8xf32>
  %y = aot.winograd tile 2 pads [1, 1] block 2 group 1 ins(%x, %u : tensor<1x4x4x8xf32>, tensor<1x16x1x8x8xf32>)
      outs(%e : tensor<1x4x4x8xf32>) maps []
      strategy <provider = "winograd", vector = 3, width = 4, vectors = 2, row = -1, rows = 4> epilogue {
  ^bb0(%acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x4x4x8xf32>
  return %y : tensor<1x4x4x8xf32>
}

// Every second channel.
// CHECK-LABEL: func.func @channels_apart
// CHECK: %[[COPY:.*]] = memref.alloc() : memref<1x4x4x8xf32>
// CHECK: memref.copy %{{.*}}, %[[COPY]]
// CHECK: aot.winograd {{.*}} ins(%[[COPY]],
func.func @channels_apart(%m: memref<1x4x4x8xf32, strided<[256, 64, 16, 2]>>, %w: memref<1x16x1x8x8xf32>)
    -> tensor<1x4x4x8xf32> {
  %x = bufferization.to_tensor %m restrict : memref<1x4x4x8xf32, strided<[256, 64, 16, 2]>> to tensor<1x4x4x8xf32>
  %u = bufferization.to_tensor %w restrict : memref<1x16x1x8x8xf32> to tensor<1x16x1x8x8xf32>
  %e = bufferization.alloc_tensor() : tensor<1x4x4x8xf32>
  %y = aot.winograd tile 2 pads [1, 1] block 2 group 1 ins(%x, %u : tensor<1x4x4x8xf32>, tensor<1x16x1x8x8xf32>)
      outs(%e : tensor<1x4x4x8xf32>) maps []
      strategy <provider = "winograd", vector = 3, width = 4, vectors = 2, row = -1, rows = 4> epilogue {
  ^bb0(%acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x4x4x8xf32>
  return %y : tensor<1x4x4x8xf32>
}
