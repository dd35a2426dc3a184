// RUN: onnx-aot-opt %s --aot-verify-buffer-contract --split-input-file --verify-diagnostics
// After the buffer stage: no tensor, no allocation, and every buffer inside the arena or the weights.

func.func @main(%x: memref<4xf32>, %arena: memref<64xi8>) -> i32 {
  %ok = arith.constant 0 : i32
  // expected-error @+1 {{internal error: contract of the buffer stage: 'bufferization.to_tensor' makes a tensor}}
  %t = bufferization.to_tensor %x : memref<4xf32> to tensor<4xf32>
  return %ok : i32
}

// -----

func.func @main(%arena: memref<64xi8>) -> i32 {
  %ok = arith.constant 0 : i32
  // expected-error @+1 {{contract of the buffer stage: 'memref.alloc' in the entry}}
  %a = memref.alloc() : memref<4xf32>
  return %ok : i32
}

// -----

// expected-error @+1 {{contract of the buffer stage: the entry's last argument is not an arena}}
func.func @main(%x: memref<4xf32>) -> i32 {
  %ok = arith.constant 0 : i32
  return %ok : i32
}

// -----

func.func @main(%arena: memref<64xi8>) -> i32 {
  %ok = arith.constant 0 : i32
  %offset = arith.constant 52 : index
  // expected-error @+1 {{contract of the buffer stage: a view of the bytes from 52 to 68 of a buffer of 64}}
  %a = memref.view %arena[%offset][] : memref<64xi8> to memref<4xf32>
  return %ok : i32
}

// -----

func.func @main(%arena: memref<64xi8>, %offset: index, %last: memref<1xi8>) -> i32 {
  %ok = arith.constant 0 : i32
  // expected-error @+1 {{contract of the buffer stage: a view whose place is not known}}
  %a = memref.view %arena[%offset][] : memref<64xi8> to memref<4xf32>
  return %ok : i32
}

// -----

// expected-error @+1 {{contract of the buffer stage: the global @one is not part of @weights}}
memref.global "private" constant @one : memref<f32> = dense<1.0>

// -----

memref.global "private" @weights : memref<64xi8>
func.func @main(%arena: memref<64xi8>) -> i32 {
  %ok = arith.constant 0 : i32
  %offset = arith.constant 48 : index
  %a = memref.view %arena[%offset][] : memref<64xi8> to memref<4xf32>
  return %ok : i32
}
