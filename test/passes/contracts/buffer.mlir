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

// -----

// An arena whose size is computed, and a slot of the context.
func.func @main(%n: index {aot.dim = "n"}, %p: memref<i8> {aot.arena}, %ctx: !llvm.ptr {aot.context}) -> i32 attributes {aot.arena_function = @arena_bytes, aot.slots = 1 : i64} {
  %ok = arith.constant 0 : i32
  %zero = arith.constant 0 : index
  %arena = memref.reinterpret_cast %p to offset: [0], sizes: [%n], strides: [1] : memref<i8> to memref<?xi8>
  %a = memref.view %arena[%n][%n] : memref<?xi8> to memref<?xf32>
  %slot, %there = aot.slot %ctx[%zero], %n : !llvm.ptr -> memref<?xi8>
  aot.require %there, out_of_memory
  %b = memref.view %slot[%zero][%n] : memref<?xi8> to memref<?xf32>
  return %ok : i32
}

// -----

// expected-error @+1 {{contract of the buffer stage: the entry has a context or slots, but not both}}
func.func @main(%arena: memref<64xi8>, %ctx: !llvm.ptr {aot.context}) -> i32 {
  %ok = arith.constant 0 : i32
  return %ok : i32
}
