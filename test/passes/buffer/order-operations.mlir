// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-order-operations))' --split-input-file | FileCheck %s
// Of two branches that are independent, one is finished before the other begins, where that lowers the peak of memory. What
// reads and writes one buffer stays in its order, and nothing crosses a check.

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// CHECK-LABEL: func.func @branches
// CHECK: linalg.exp ins({{.*}}) outs(%[[A:[a-z0-9_]+]] : memref<4x64xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[A]] : memref<4x64xf32>)
// CHECK: linalg.log ins({{.*}}) outs(%[[B:[a-z0-9_]+]] : memref<4x64xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[B]] : memref<4x64xf32>)
// CHECK: linalg.add
func.func @branches(%x: memref<4x64xf32>, %y: memref<4xf32>) {
  %a = memref.alloc() : memref<4x64xf32>
  linalg.exp ins(%x : memref<4x64xf32>) outs(%a : memref<4x64xf32>)
  %b = memref.alloc() : memref<4x64xf32>
  linalg.log ins(%x : memref<4x64xf32>) outs(%b : memref<4x64xf32>)
  %c = memref.alloc() : memref<4xf32>
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%a : memref<4x64xf32>) outs(%c : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  %d = memref.alloc() : memref<4xf32>
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%b : memref<4x64xf32>) outs(%d : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  linalg.add ins(%c, %d : memref<4xf32>, memref<4xf32>) outs(%y : memref<4xf32>)
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// What the first reduction reads is overwritten before the second: there is but one order.
// CHECK-LABEL: func.func @overwritten
// CHECK: linalg.exp ins(%{{.*}}) outs(%[[A:[a-z0-9_]+]] : memref<4x64xf32>)
// CHECK: linalg.log ins(%[[A]] : memref<4x64xf32>) outs(%[[B:[a-z0-9_]+]] : memref<4x64xf32>)
// CHECK: linalg.abs ins(%{{.*}}) outs(%[[A]] : memref<4x64xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[A]] : memref<4x64xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[B]] : memref<4x64xf32>)
func.func @overwritten(%x: memref<4x64xf32>, %y: memref<4xf32>, %z: memref<4xf32>) {
  %a = memref.alloc() : memref<4x64xf32>
  linalg.exp ins(%x : memref<4x64xf32>) outs(%a : memref<4x64xf32>)
  %b = memref.alloc() : memref<4x64xf32>
  linalg.log ins(%a : memref<4x64xf32>) outs(%b : memref<4x64xf32>)
  linalg.abs ins(%x : memref<4x64xf32>) outs(%a : memref<4x64xf32>)
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%a : memref<4x64xf32>) outs(%y : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%b : memref<4x64xf32>) outs(%z : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// As @branches, but the second branch is only for data that a check lets pass.
// CHECK-LABEL: func.func @checked
// CHECK: linalg.exp
// CHECK: linalg.log
// CHECK: aot.require
// CHECK: linalg.generic
// CHECK: linalg.generic
func.func @checked(%x: memref<4x64xf32>, %ok: i1, %y: memref<4xf32>, %z: memref<4xf32>) {
  %a = memref.alloc() : memref<4x64xf32>
  linalg.exp ins(%x : memref<4x64xf32>) outs(%a : memref<4x64xf32>)
  %b = memref.alloc() : memref<4x64xf32>
  linalg.log ins(%x : memref<4x64xf32>) outs(%b : memref<4x64xf32>)
  aot.require %ok, index_out_of_range
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%a : memref<4x64xf32>) outs(%y : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%b : memref<4x64xf32>) outs(%z : memref<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  return
}
