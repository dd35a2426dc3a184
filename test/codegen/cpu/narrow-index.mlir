// RUN: onnx-aot-opt %s --aot-narrow-index | FileCheck %s
// Numbers saturate where they become an index of 32 bits.

// CHECK-LABEL: @numbers
func.func @numbers(%x: i64, %y: i32, %unsigned: i32, %index: index) -> (index, index, index, index, i64) {
  // CHECK: arith.constant 2147483647 : index
  %large = arith.constant 9223372036854775807 : index
  // CHECK: %[[MOST:.*]] = arith.constant 2147483647 : i64
  // CHECK: %[[LOW:.*]] = arith.minsi %arg0, %[[MOST]]
  // CHECK: %[[LEAST:.*]] = arith.constant -2147483648 : i64
  // CHECK: %[[IN:.*]] = arith.maxsi %[[LOW]], %[[LEAST]]
  // CHECK: arith.index_cast %[[IN]] : i64 to index
  %a = arith.index_cast %x : i64 to index
  // A number that fits stays as it is.
  // CHECK: arith.index_cast %arg1 : i32 to index
  %b = arith.index_cast %y : i32 to index
  // CHECK: %[[SMALL:.*]] = arith.minui %arg2, %{{.*}} : i32
  // CHECK: arith.index_castui %[[SMALL]] : i32 to index
  %c = arith.index_castui %unsigned : i32 to index
  // CHECK: arith.index_cast %arg3 : index to i64
  %d = arith.index_cast %index : index to i64
  return %a, %b, %c, %large, %d : index, index, index, index, i64
}

// CHECK-LABEL: @vectors
// CHECK: arith.constant dense<[1, 2147483647, -2147483648]> : vector<3xindex>
func.func @vectors(%x: vector<3xi64>) -> (vector<3xindex>, vector<3xindex>) {
  %c = arith.constant dense<[1, 4294967296, -4294967296]> : vector<3xindex>
  // CHECK: arith.minsi %arg0, %{{.*}} : vector<3xi64>
  %a = arith.index_cast %x : vector<3xi64> to vector<3xindex>
  return %c, %a : vector<3xindex>, vector<3xindex>
}
