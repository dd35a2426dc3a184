// RUN: onnx-aot-opt %s --aot-lower-math --split-input-file --verify-diagnostics | FileCheck %s
// What a target with all instructions keeps, and what becomes vector code or a call.

// CHECK-LABEL: func.func @vector_code(
// CHECK-NOT: math.exp
// CHECK: math.fma
// CHECK-NOT: call
// CHECK: return
func.func @vector_code(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.exp %x : vector<8xf32>
  %z = math.tanh %y : vector<8xf32>
  %w = math.erf %z : vector<8xf32>
  return %w : vector<8xf32>
}

// A NaN passes the clamps, because the comparisons are ordered.
// CHECK-LABEL: func.func @keeps_nan(
// CHECK-SAME: %[[x:.*]]: f32
// CHECK: %[[big:.*]] = arith.cmpf ogt, %[[x]]
// CHECK: arith.select %[[big]], %{{.*}}, %[[x]]
func.func @keeps_nan(%x: f32) -> f32 {
  %y = math.exp %x : f32
  return %y : f32
}

// -----

// CHECK-LABEL: func.func @large_angles(
// CHECK-SAME: %[[x:.*]]: vector<2x2xf32>
// CHECK: %[[any:.*]] = vector.reduction <or>
// CHECK: %[[r:.*]] = scf.if %[[any]] -> (vector<2x2xf32>) {
// CHECK-COUNT-4: call @onnx_aot_math_sinf
// CHECK: } else {
// CHECK-NOT: call
// CHECK: return %[[r]]
// The runtime's function is declared once.
// CHECK: func.func private @onnx_aot_math_sinf(f32) -> f32
// CHECK-NOT: onnx_aot_math_sinf
func.func @large_angles(%x: vector<2x2xf32>) -> vector<2x2xf32> {
  %y = math.sin %x : vector<2x2xf32>
  return %y : vector<2x2xf32>
}

// -----

// CHECK-LABEL: func.func @calls(
// CHECK-COUNT-2: call @onnx_aot_math_exp(
// CHECK: call @onnx_aot_math_powf(
// CHECK: scf.for
// CHECK: call @onnx_aot_math_fmodf(
// CHECK: func.func private @onnx_aot_math_exp(f64) -> f64
// CHECK: func.func private @onnx_aot_math_powf(f32, f32) -> f32
// CHECK: func.func private @onnx_aot_math_fmodf(f32, f32) -> f32
func.func @calls(%d: vector<2xf64>, %x: f32, %y: f32, %v: vector<32xf32>) -> (vector<2xf64>, f32, vector<32xf32>) {
  %0 = math.exp %d : vector<2xf64>
  %1 = math.powf %x, %y : f32
  %2 = arith.remf %v, %v : vector<32xf32>
  return %0, %1, %2 : vector<2xf64>, f32, vector<32xf32>
}

// -----

// CHECK-LABEL: func.func @constant_powers(
// CHECK-SAME: %[[x:.*]]: vector<4xf32>
func.func @constant_powers(%x: vector<4xf32>) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>) {
  %c2 = arith.constant dense<2.0> : vector<4xf32>
  %half = arith.constant dense<0.5> : vector<4xf32>
  %minus1 = arith.constant dense<-1.0> : vector<4xf32>
  // CHECK: %[[square:.*]] = arith.mulf %[[x]], %[[x]]
  %0 = math.powf %x, %c2 : vector<4xf32>
  // CHECK: %[[root:.*]] = math.sqrt
  // CHECK: %[[half:.*]] = arith.select %{{.*}}, %{{.*}}, %[[root]]
  %1 = math.powf %x, %half : vector<4xf32>
  // CHECK: %[[inverse:.*]] = arith.divf %{{.*}}, %[[x]]
  %2 = math.powf %x, %minus1 : vector<4xf32>
  // CHECK: return %[[square]], %[[half]], %[[inverse]]
  return %0, %1, %2 : vector<4xf32>, vector<4xf32>, vector<4xf32>
}

// -----

// CHECK-LABEL: func.func @stays(
// CHECK: math.floor
// CHECK: math.roundeven
// CHECK: math.sqrt
// CHECK: vector.fma
// CHECK: arith.maximumf
// CHECK: arith.maxnumf
// CHECK: math.ctpop
func.func @stays(%x: vector<4xf32>, %i: i32) -> (vector<4xf32>, i32) {
  %0 = math.floor %x : vector<4xf32>
  %1 = math.roundeven %0 : vector<4xf32>
  %2 = math.sqrt %1 : vector<4xf32>
  %3 = vector.fma %2, %x, %0 : vector<4xf32>
  %4 = arith.maximumf %3, %x : vector<4xf32>
  %5 = arith.maxnumf %4, %x : vector<4xf32>
  %6 = math.ctpop %i : i32
  return %5, %6 : vector<4xf32>, i32
}

// -----

// bf16 is left with no arithmetic, f16 with what is exact in f32.
// CHECK-LABEL: func.func @narrow(
// CHECK: arith.addf %{{.*}} : vector<4xf32>
// CHECK-NOT: arith.{{extf|truncf}}
// CHECK: arith.addf %{{.*}} : vector<4xf16>
// CHECK: arith.extf %{{.*}} : vector<4xf16> to vector<4xf32>
// CHECK: math.fma %{{.*}} : vector<4xf32>
// CHECK: arith.truncf %{{.*}} : vector<4xf32> to vector<4xf16>
func.func @narrow(%b: vector<4xbf16>, %h: vector<4xf16>) -> (vector<4xbf16>, vector<4xf16>) {
  %0 = arith.addf %b, %b : vector<4xbf16>
  %1 = arith.addf %h, %h : vector<4xf16>
  %2 = math.exp2 %1 : vector<4xf16>
  return %0, %2 : vector<4xbf16>, vector<4xf16>
}

// -----

func.func @scalable(%x: vector<[4]xf32>) -> vector<[4]xf32> {
  // expected-error@+1 {{cannot be lowered: scalars and fixed-length vectors can}}
  %y = math.exp %x : vector<[4]xf32>
  return %y : vector<[4]xf32>
}

// -----

func.func @small_float(%x: f8E5M2) -> f8E5M2 {
  // expected-error@+1 {{is not supported: f16, bf16, f32 and f64 are}}
  %y = math.exp %x : f8E5M2
  return %y : f8E5M2
}
