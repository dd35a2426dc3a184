// RUN: onnx-aot-opt %s --aot-relax-floats | FileCheck %s
// RUN: onnx-aot-opt %s --aot-relax-floats --aot-lower-math | FileCheck %s --check-prefix=LOWERED
// Flags that leave NaNs and infinities alone, where nothing becomes an integer.

// CHECK-LABEL: func.func @relaxed(
// CHECK: arith.mulf %{{.*}} fastmath<nsz,arcp,contract,afn> : vector<8xf32>
// CHECK: math.fma %{{.*}} fastmath<nsz,arcp,contract,afn>
// CHECK: math.exp %{{.*}} fastmath<nsz,arcp,contract,afn>
// CHECK: arith.divf %{{.*}} fastmath<nsz,arcp,contract,afn>
// CHECK: arith.addi %{{[^ ]*}}, %{{[^ ]*}} : i32

// The code of the exponential relies on exact rounding.
// LOWERED-LABEL: func.func @relaxed(
// LOWERED: arith.mulf %{{.*}} fastmath
// LOWERED: math.fma %{{.*}} fastmath
// LOWERED-NOT: math.exp
// LOWERED: math.fma %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} : vector<8xf32>
// LOWERED: arith.divf %{{.*}} fastmath
func.func @relaxed(%x: vector<8xf32>, %y: vector<8xf32>, %i: i32) -> (vector<8xf32>, i32) {
  %0 = arith.mulf %x, %y : vector<8xf32>
  %1 = math.fma %0, %x, %y : vector<8xf32>
  %2 = math.exp %1 : vector<8xf32>
  %3 = arith.divf %2, %x : vector<8xf32>
  %4 = arith.addi %i, %i : i32
  return %3, %4 : vector<8xf32>, i32
}

// CHECK-LABEL: func.func @exact(
// CHECK: arith.divf %{{[^ ]*}}, %{{[^ ]*}} : vector<8xf32>
// CHECK: arith.mulf %{{[^ ]*}}, %{{[^ ]*}} : vector<8xf32>
// CHECK: math.floor %{{[^ ]*}} : vector<8xf32>
// CHECK: arith.addf %{{.*}} fastmath
// CHECK: arith.divf %{{[^ ]*}}, %{{[^ ]*}} : f64
// CHECK: arith.fptosi
func.func @exact(%x: vector<8xf32>, %y: vector<8xf32>, %s: f64) -> (vector<8xf32>, i64) {
  %0 = arith.divf %x, %y : vector<8xf32>
  %1 = arith.mulf %0, %0 : vector<8xf32>
  %2 = math.floor %1 : vector<8xf32>
  %3 = arith.addf %2, %x : vector<8xf32>
  %4 = arith.divf %s, %s : f64
  %5 = arith.fptosi %4 : f64 to i64
  return %3, %5 : vector<8xf32>, i64
}

// Quantized by the bits of a sum.
// CHECK-LABEL: @level_by_bits
// CHECK: arith.divf %{{[^ ]*}}, %{{[^ ]*}} : f32
// CHECK: arith.addf %{{[^ ]*}}, %{{[^ ]*}} : f32
// CHECK: arith.bitcast
func.func @level_by_bits(%x: f32, %scale: f32, %magic: f32) -> i32 {
  %0 = arith.divf %x, %scale : f32
  %1 = arith.addf %0, %magic : f32
  %2 = arith.bitcast %1 : f32 to i32
  return %2 : i32
}
