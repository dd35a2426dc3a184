//===- Device.td - what a run asks of a device -----------------------------===//
//
// Where the graph runs on a device, the entry's buffers are the device's: it
// makes memory there, moves inputs and outputs, and launches kernels, all in
// the order of one stream. Kernels are functions of the module `@device`.
// The runtime keeps the first error and does nothing from there on, so that
// these operations have no result to check but that of aot.wait.
//
// code generation turns each into a call of runtime_lib/platform/cuda.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_AOT_DEVICE
#define ONNX_AOT_AOT_DEVICE

include "dialects/aot/AotBase.td"
include "dialects/aot/Fused.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// What a device's operations are ordered by: its stream. They read and write buffers of the device, which no operation
// of the host touches.
def Aot_StreamResource : Resource<"::onnx_aot::aot::StreamResource">;
class Aot_StreamOp<string name, list<Trait> traits = []>
    : Op<Aot_Dialect, name, traits # [MemoryEffects<[MemRead<Aot_StreamResource>, MemWrite<Aot_StreamResource>]>]>;

def Aot_DeviceMemoryOp : Aot_StreamOp<"device_memory"> {
  let summary = "Memory of the device that the context keeps";
  let description = [{
    A block per slot, which grows where `bytes` asks for more; what it held is lost then.

    ```mlir
    %arena = aot.device_memory %ctx[0], %bytes : !llvm.ptr -> memref<?xi8>
    ```
  }];
  let arguments = (ins AnyType:$ctx, Index:$slot, Index:$bytes);
  let results = (outs MemRefRankOf<[I8], [1]>:$buffer);
  let assemblyFormat = "$ctx `[` $slot `]` `,` $bytes attr-dict `:` type($ctx) `->` type($buffer)";
}

def Aot_DeviceWeightsOp : Aot_StreamOp<"device_weights"> {
  let summary = "The device's copy of the weights";
  let arguments = (ins AnyType:$ctx);
  let results = (outs MemRefRankOf<[I8], [1]>:$buffer);
  let assemblyFormat = "$ctx attr-dict `:` type($ctx) `->` type($buffer)";
}

def Aot_TransferOp : Aot_StreamOp<"transfer"> {
  let summary = "Copies a dense buffer to the device, or from it";
  let description = [{
    What comes from the device is there when aot.wait has waited for it.

    ```mlir
    aot.transfer %x to_device %copy : !llvm.ptr, memref<4xf32>
    ```
  }];
  let arguments = (ins AnyType:$ctx, AnyMemRef:$source, AnyMemRef:$target, UnitAttr:$to_device);
  let assemblyFormat = [{
    $ctx `,` $source `to` (`device` $to_device^)? $target attr-dict `:` type($ctx) `,` type($source) `,` type($target)
  }];
}

def Aot_WaitOp : Aot_StreamOp<"wait"> {
  let summary = "Waits until the stream is empty; false when anything in it failed";
  let arguments = (ins AnyType:$ctx);
  let results = (outs I1:$ok);
  let assemblyFormat = "$ctx attr-dict `:` type($ctx)";
}

def Aot_TensorMapOp : Op<Aot_Dialect, "tensor_map", [Pure, AttrSizedOperandSegments]> {
  let summary = "What copies of boxes of a tensor are described by (TMA)";
  let description = [{
    For launches alone, which pass it by value. The first dim varies fastest and is dense; the other strides are in
    elements. A copy brings `box` elements, rows of which are swizzled by 128 bytes.

    ```mlir
    %map = aot.tensor_map %ctx, %x[%offset] extents(%k, %n) strides(%k) box [64, 128]
      : !llvm.ptr, memref<128x256xf16> -> !llvm.ptr
    ```
  }];
  let arguments = (ins AnyType:$ctx, AnyMemRef:$source, Index:$offset, Variadic<Index>:$extents, Variadic<Index>:$strides,
      DenseI64ArrayAttr:$box);
  let results = (outs AnyType:$map);
  let assemblyFormat = [{
    $ctx `,` $source `[` $offset `]` `extents` `(` $extents `)` `strides` `(` $strides `)` `box` $box attr-dict
    `:` type($ctx) `,` type($source) `->` type($map)
  }];
}

def Aot_LaunchOp : Aot_StreamOp<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Runs a kernel on a grid of blocks of threads";
  let description = [{
    A memref is passed as the address of its first element, an index as 32 bits. `shared_bytes` is what the kernel takes
    besides its own where its code is for one architecture alone.

    ```mlir
    aot.launch %ctx, @relu_0 blocks(%n, %c1, %c1) threads 256 (%x, %y : memref<1024xf32>, memref<1024xf32>) : !llvm.ptr
    ```
  }];
  let arguments = (ins AnyType:$ctx, FlatSymbolRefAttr:$kernel, Index:$x, Index:$y, Index:$z, I64Attr:$threads,
      I64Attr:$shared_bytes, Variadic<AnyType>:$passed);
  let assemblyFormat = [{
    $ctx `,` $kernel `blocks` `(` $x `,` $y `,` $z `)` `threads` $threads `shared` $shared_bytes
    `(` ($passed^ `:` type($passed))? `)` attr-dict `:` type($ctx)
  }];
}

def Aot_ReplayOp : Aot_StreamOp<"replay", [SingleBlock, NoTerminator]> {
  let summary = "Launches that depend on nothing but `key`";
  let description = [{
    The runtime captures them as a graph when they come again with the same key, and launches that graph from then on.
  }];
  let arguments = (ins AnyType:$ctx, Variadic<Index>:$key);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$ctx (`key` `(` $key^ `)`)? $body attr-dict `:` type($ctx)";
}

#endif // ONNX_AOT_AOT_DEVICE
