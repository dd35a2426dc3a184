// RUN: onnx-aot-opt %s --aot-lower-math="hardware-rounding=0 hardware-fma=0 hardware-sqrt=0 hardware-minmax=0 hardware-f64=0 hardware-f16=0" \
// RUN:   | FileCheck %s --implicit-check-not=math.fma --implicit-check-not=math.sqrt --implicit-check-not=math.floor
// Nothing that LLVM would turn into a call of libm is left for a target that lacks the instruction.

// CHECK-LABEL: func.func @exp(
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @exp(%x: vector<4xf32>) -> vector<4xf32> {
  %y = math.exp %x : vector<4xf32>
  return %y : vector<4xf32>
}

// The sign of the result is that of x, and what is an integer already stays: infinities and NaN too.
// CHECK-LABEL: func.func @floor(
// CHECK-SAME: %[[x:.*]]: vector<4xf32>
// CHECK: %[[down:.*]] = arith.select
// CHECK: %[[small:.*]] = arith.cmpf olt
// CHECK: %[[signed:.*]] = math.copysign %[[down]], %[[x]]
// CHECK: %[[r:.*]] = arith.select %[[small]], %[[signed]], %[[x]]
// CHECK: return %[[r]]
func.func @floor(%x: vector<4xf32>) -> vector<4xf32> {
  %y = math.floor %x : vector<4xf32>
  return %y : vector<4xf32>
}

// CHECK-LABEL: func.func @roots(
// CHECK: call @onnx_aot_math_sqrtf
// CHECK: call @onnx_aot_math_sqrt(
func.func @roots(%x: f32, %d: f64) -> (f32, f64) {
  %0 = math.rsqrt %x : f32
  %1 = math.sqrt %d : f64
  return %0, %1 : f32, f64
}

// CHECK-LABEL: func.func @fma(
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK-NOT: vector.fma
func.func @fma(%x: vector<4xf32>) -> vector<4xf32> {
  %y = vector.fma %x, %x, %x : vector<4xf32>
  return %y : vector<4xf32>
}

// CHECK-LABEL: func.func @minima(
// CHECK-NOT: arith.maximumf
// CHECK-NOT: arith.minnumf
// CHECK: return
func.func @minima(%x: f32, %y: f32) -> f32 {
  %0 = arith.maximumf %x, %y : f32
  %1 = arith.minnumf %0, %y : f32
  return %1 : f32
}

// CHECK-LABEL: func.func @half(
// CHECK-NOT: arith.{{extf|truncf}}
// CHECK: arith.bitcast %{{.*}} : i16 to f16
// CHECK: return
func.func @half(%x: f16) -> f16 {
  %0 = arith.addf %x, %x : f16
  return %0 : f16
}

// CHECK: func.func private @onnx_aot_math_sqrtf(f32) -> f32
// CHECK: func.func private @onnx_aot_math_sqrt(f64) -> f64
