//===- Aot.td - the aot dialect: kernels and their strategies -------------===//
//
// Small on purpose: it holds what neither ONNX nor MLIR's own dialects say,
// namely the heavy computations whose code a kernel provider makes, and the
// choice that was taken for each.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_AOT
#define ONNX_AOT_AOT

include "dialects/aot/AotBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

def Aot_StrategyAttr : AttrDef<Aot_Dialect, "Strategy"> {
  let mnemonic = "strategy";
  let summary = "How a kernel provider is to make a kernel";
  let description = [{
    `vector` is the iteration dim that runs along vector lanes (-1: scalar code),
    `width` the lanes of one vector, `vectors` how many vectors one register tile
    spans; `row` the dim that a register tile unrolls (-1: none) and `rows` by how
    much. A tile so holds `rows * vectors` accumulators of `width` lanes. `block` is the
    order of the loops: 0, all rows for one tile of the vector dim before its next tile;
    otherwise so many points of `row` for all of the vector dim before the next ones. A
    window then goes down the column of one tile of rows, all of the vector dim at a time.
  }];
  let parameters = (ins StringRefParameter<"kernel provider">:$provider,
      "int64_t":$vector, "int64_t":$width, "int64_t":$vectors, "int64_t":$row, "int64_t":$rows,
      DefaultValuedParameter<"int64_t", "0">:$block);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Aot_KernelOp : Op<Aot_Dialect, "kernel", [
    DestinationStyleOpInterface, SingleBlock, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "A perfect loop nest: a reduction and what is applied to its result";
  let description = [{
    The iteration space has one dim per entry of `iterator_types`. Every operand is
    read (the last, `init`, written) at the element that its indexing map gives.
    For each point of the parallel dims an accumulator starts at `identity`; the
    `compute` block maps (elements of all inputs, accumulator) to the next
    accumulator at each point of the reduction dims; then the `epilogue` block
    maps (elements of all inputs, accumulator) to the element that is stored.
    An input that the epilogue reads may not depend on a reduction dim.
    `init` gives the destination; its present content is not read.

    ```mlir
    // C = relu(A * B + bias)
    %c = aot.kernel "matmul" ins(%a, %b, %bias : ...) outs(%init : tensor<4x8xf32>)
        maps [(m, n, k) -> (m, k), (m, n, k) -> (k, n), (m, n, k) -> (n), (m, n, k) -> (m, n)]
        iterators ["parallel", "parallel", "reduction"] identity 0.0 : f32
        compute { ^bb0(%x, %w, %z, %acc): ... aot.yield %next }
        epilogue { ^bb0(%x, %w, %z, %acc): ... aot.yield %y }
    ```
  }];
  let arguments = (ins StrAttr:$kind, Variadic<AnyShaped>:$inputs, AnyShaped:$init,
      AffineMapArrayAttr:$indexing_maps, StrArrayAttr:$iterator_types, TypedAttrInterface:$identity,
      OptionalAttr<Aot_StrategyAttr>:$strategy);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$compute, SizedRegion<1>:$epilogue);
  let hasVerifier = 1;
  let assemblyFormat = [{
    $kind (`ins` `(` $inputs^ `:` type($inputs) `)`)? `outs` `(` $init `:` type($init) `)`
    `maps` $indexing_maps `iterators` $iterator_types `identity` $identity
    (`strategy` $strategy^)? `compute` $compute `epilogue` $epilogue
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    unsigned getNumLoops() { return getIteratorTypes().size(); }
    bool isReduction(unsigned dim);
    ::mlir::AffineMap getMap(unsigned operand);
    /// Extent of each iteration dim; kDynamic where the operands' types do not tell.
    ::llvm::SmallVector<int64_t> getStaticExtents();
  }];
}

def Aot_WinogradOp : Op<Aot_Dialect, "winograd", [AttrSizedOperandSegments,
    DestinationStyleOpInterface, SingleBlock, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "A 3x3 convolution of stride 1 by minimal filtering";
  let description = [{
    Tiles of `tile` x `tile` results are computed from (tile + 2) x (tile + 2) elements of the data, as many products
    per channel as these are (see Winograd.h). `data` is [n, y, x, ic] without its padding, `pads` are the rows above
    and the columns left of it; what lies beyond it is 0. `weights` are transformed and packed for tiles of
    `strategy.vectors * strategy.width` = P output channels, `group` panels of which are computed before the next ones:
    [groups, (tile + 2)^2, group, ic, P]. With more than one group, oc is a multiple of group * P. `init` is [n, y, x, oc].
    The `epilogue` maps (elements of `inputs`, sum) to the element that is stored; `indexing_maps` are those of `inputs`
    over (n, y, x, oc). Data are transformed, multiplied and transformed back `block` rows of tiles at a time, in
    `scratch`, which the buffer stage adds; where `block` does not divide their number, the last block begins early.
    `error` is what was measured with these weights (see WinogradError.h): that of this way, and that of a direct sum.

    ```mlir
    %y = aot.winograd tile 4 pads [1, 1] block 7 group 2 ins(%x, %w : tensor<1x56x56x64xf32>, tensor<1x36x2x64x32xf32>)
        outs(%init : tensor<1x56x56x64xf32>) maps [] strategy <...> epilogue { ^bb0(%acc): aot.yield %acc }
    ```
  }];
  let arguments = (ins AnyShaped:$data, AnyShaped:$weights, Variadic<AnyShaped>:$inputs, AnyShaped:$init,
      Optional<AnyMemRef>:$scratch, AffineMapArrayAttr:$indexing_maps, I64Attr:$tile, DenseI64ArrayAttr:$pads,
      I64Attr:$block, I64Attr:$group, Aot_StrategyAttr:$strategy, OptionalAttr<DenseF64ArrayAttr>:$error);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$epilogue);
  let hasVerifier = 1;
  let assemblyFormat = [{
    `tile` $tile `pads` $pads `block` $block `group` $group `ins` `(` $data `,` $weights (`,` $inputs^)? `:` type($data) `,`
    type($weights) (`,` type($inputs)^)? `)` `outs` `(` $init `:` type($init) `)` (`scratch` `(` $scratch^ `:`
    type($scratch) `)`)? `maps` $indexing_maps `strategy` $strategy (`error` $error^)? `epilogue` $epilogue
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    ::mlir::AffineMap getMap(unsigned input) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getIndexingMaps()[input]).getValue();
    }
    /// Output channels of one panel of weights.
    int64_t getPanel() { return getStrategy().getVectors() * getStrategy().getWidth(); }
    int64_t getGroups() { return ::llvm::cast<::mlir::ShapedType>(getWeights().getType()).getDimSize(0); }
    /// Output channels that a group computes: whole vectors.
    int64_t getLanes() {
      int64_t channels = ::llvm::cast<::mlir::ShapedType>(getInit().getType()).getDimSize(3);
      return ::llvm::alignTo(channels / getGroups(), getStrategy().getWidth());
    }
    /// Rows of tiles of all images.
    int64_t getTileRows() {
      auto type = ::llvm::cast<::mlir::ShapedType>(getInit().getType());
      return type.getDimSize(0) * int64_t(::llvm::divideCeil(type.getDimSize(1), getTile()));
    }
    /// Elements of `scratch`.
    int64_t getScratchSize();
  }];
}

def Aot_Sum : AnyTypeOf<[I32, VectorOfRankAndType<[1], [I32]>]>;
def Aot_Bytes : AnyTypeOf<[I8, VectorOfRankAndType<[1], [I8]>]>;

def Aot_DotOp : Op<Aot_Dialect, "dot", [Pure, AllTypesMatch<["sum", "result"]>, AllTypesMatch<["a", "b"]>]> {
  let summary = "Adds products of bytes to a sum of 32 bits";
  let description = [{
    Each lane of the sum takes four neighbours: lane i adds a[4 i + q] * b[4 i + q] for q = 0 .. 3. In the body of a
    kernel it is one product of two elements; the kernel's last reduction dim then counts those four, `a` and `b` have
    it as neighbours, and one instruction may do for it. Bytes are signed but for `a_unsigned` and `b_unsigned`; with
    `flips_a` the top bit of `a` is inverted before: 0 .. 255 becomes -128 .. 127, or the reverse.

    ```mlir
    %t = aot.dot %s, %x, %w {a_unsigned} : i32, i8
    ```
  }];
  let arguments = (ins Aot_Sum:$sum, Aot_Bytes:$a, Aot_Bytes:$b, UnitAttr:$a_unsigned, UnitAttr:$b_unsigned,
      UnitAttr:$flips_a);
  let results = (outs Aot_Sum:$result);
  let assemblyFormat = "$sum `,` $a `,` $b attr-dict `:` type($sum) `,` type($a)";
  let extraClassDeclaration = [{
    /// Bytes to a lane of the sum.
    static constexpr int64_t kBytes = 4;
  }];
}

def Aot_SamplingAttr : AttrDef<Aot_Dialect, "Sampling"> {
  let mnemonic = "sampling";
  let summary = "Where the elements of a resized axis come from";
  let description = [{
    Each output position along `axis` reads `taps` elements. Where `scale` is 0, tables that are operands say which, and
    their weights. Otherwise the result is `scale` times as long, and position scale * q + p, its phase being p, reads
    the elements q + offsets[p * taps + t] with weights[p * taps + t], those beyond the ends being the first or the last
    one; the offsets of a phase do not fall. `window` bounds how far what a position reads lies before the last element
    that it or an earlier one reads: of 1 where it is that element.
  }];
  let parameters = (ins "int64_t":$axis, "int64_t":$taps, "int64_t":$window,
      DefaultValuedParameter<"int64_t", "0">:$scale, OptionalParameter<"::mlir::DenseI64ArrayAttr">:$offsets,
      OptionalParameter<"::mlir::DenseF64ArrayAttr">:$weights);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Aot_ResampleOp : Op<Aot_Dialect, "resample", [AttrSizedOperandSegments,
    DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Resizes one axis, or some axis and the last one";
  let description = [{
    y[.., o, .., i] is the sum over the taps of both axes of the products of their weights with elements of the data; in
    the form `moves` there is one tap per axis, without a weight. For each sampling without phases `tables` has one
    tensor of positions (i32, inside the data) per tap, then, unless elements are moved, one of weights per tap.

    Where there are two axes and weights, the last of `inits` is memory to work in, whose content nobody reads. Without
    `rows_first` rows of the data are made as long as those of the result, once each, the latest `window` of the first
    sampling being kept there, row r at r mod window; rows of the result are sums of these. With `rows_first` a row of
    the data's length is summed there, and made as long as the result's.

    The `epilogue`, where there is one, maps (elements of `inputs`, sum) to the element that is stored; `indexing_maps`
    are those of `inputs` over the dims of the result, each of which appears once at most, the last one at the end.

    ```mlir
    %y:2 = aot.resample %x outs(%init, %rows : tensor<1x3x8x8xf32>, tensor<2x8xf32>)
        [#aot.sampling<axis = 2, taps = 2, window = 2, scale = 2, offsets = [-1, 0, 0, 1], weights = [...]>, ...] maps []
    ```
  }];
  let arguments = (ins AnyShaped:$data, Variadic<AnyShaped>:$tables, Variadic<AnyShaped>:$inputs, Variadic<AnyShaped>:$inits,
      AffineMapArrayAttr:$indexing_maps,
      TypedArrayAttrBase<Aot_SamplingAttr, "samplings">:$samplings, UnitAttr:$moves, UnitAttr:$rows_first);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region AnyRegion:$epilogue);
  let hasVerifier = 1;
  let assemblyFormat = [{
    $data `:` type($data) (`tables` `(` $tables^ `:` type($tables) `)`)? (`ins` `(` $inputs^ `:` type($inputs) `)`)?
    `outs` `(` $inits `:` type($inits) `)` $samplings (`moves` $moves^)? (`rows_first` $rows_first^)? `maps`
    $indexing_maps (`epilogue` $epilogue^)? attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitsMutable(); }
    ::mlir::Value getInit() { return getInits().front(); }
    /// Whether an input of the epilogue may be read so.
    static bool isReadAlongRows(::mlir::AffineMap map);
    /// Null where none is needed.
    ::mlir::Value getScratch() { return getInits().size() > 1 ? getInits().back() : ::mlir::Value(); }
    ::mlir::AffineMap getMap(unsigned input) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getIndexingMaps()[input]).getValue();
    }
    SamplingAttr getSampling(unsigned index) { return ::llvm::cast<SamplingAttr>(getSamplings()[index]); }
  }];
}

def Aot_GeneratedOp : Op<Aot_Dialect, "generated", [AttrSizedOperandSegments,
    DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "A kernel that a provider has made as a whole";
  let description = [{
    What no loop nest says. The provider was asked when the operation was made (see KernelProvider.h) and has prepared
    `symbol`, a function of the dense buffers `inputs`, of `init`, which it writes, and of `scratch`, `scratch_bytes`
    bytes that the buffer stage adds. Code generation turns the operation into a call of it. `specification` is what the
    provider was given, while elementwise neighbours may still move into it (aot-fuse-generated).

    ```mlir
    %y = aot.generated "resize" by "halide" @hk_1f scratch_bytes 15372 ins(%x : tensor<1x3x240x320xf32>)
        outs(%init : tensor<1x3x720x960xf32>) -> tensor<1x3x720x960xf32>
    ```
  }];
  let arguments = (ins StrAttr:$kind, StrAttr:$provider, FlatSymbolRefAttr:$symbol, I64Attr:$scratch_bytes,
      OptionalAttr<StrAttr>:$specification, Variadic<AnyShaped>:$inputs, AnyShaped:$init, Optional<AnyMemRef>:$scratch);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kind `by` $provider $symbol `scratch_bytes` $scratch_bytes `ins` `(` $inputs `:` type($inputs) `)`
    `outs` `(` $init `:` type($init) `)` (`scratch` `(` $scratch^ `:` type($scratch) `)`)? attr-dict
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def Aot_YieldOp : Op<Aot_Dialect, "yield", [Pure, Terminator]> {
  let summary = "Ends a block of a kernel";
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

// The numbers are those of onnx_aot_code in include/onnx_aot/runtime.h; codegen/cpu/LowerRequire.cpp holds them to it.
class Aot_Code<string name, int number> : I32EnumAttrCase<name, number>;
def Aot_CodeEnum : I32EnumAttr<"Code", "What is wrong when a check fails", [
    Aot_Code<"dim_out_of_bounds", 16>, Aot_Code<"index_out_of_range", 17>, Aot_Code<"empty_reduction", 18>,
    Aot_Code<"k_out_of_range", 19>, Aot_Code<"division_by_zero", 20>, Aot_Code<"loop_bound", 21>,
    Aot_Code<"shape_mismatch", 22>, Aot_Code<"invalid_value", 23>, Aot_Code<"out_of_memory", 24>, Aot_Code<"device_error", 35>]> {
  let cppNamespace = "::onnx_aot::aot";
  let genSpecializedAttr = 0;
}
def Aot_CodeAttr : EnumAttr<Aot_Dialect, Aot_CodeEnum, "code"> {
  let assemblyFormat = "$value";
}

// What a check touches: nothing that another operation reads or writes.
def Aot_StatusResource : Resource<"::onnx_aot::aot::StatusResource">;

def Aot_RequireOp : Op<Aot_Dialect, "require", [MemoryEffects<[MemWrite<Aot_StatusResource>]>]> {
  let summary = "Ends the run with a status when a condition does not hold";
  let description = [{
    The status names the ONNX node of the operation's location (see StatusNode.h). Code behind the check may rely on
    the condition; nothing that relies on it may be able to move before it, which holds for memory accesses and for
    divisions: neither is speculatable. A check stands in the entry, in scf bodies too, but not in the body of a
    kernel or of a linalg operation: a check of many elements is a reduction whose result is required.

    ```mlir
    %ok = arith.cmpi ult, %k, %extent : index
    aot.require %ok, k_out_of_range
    ```
  }];
  let arguments = (ins I1:$condition, Aot_CodeAttr:$code);
  let assemblyFormat = "$condition `,` $code attr-dict";
  let hasCanonicalizeMethod = 1;
  let hasVerifier = 1;
}

def Aot_BroadcastOp : Op<Aot_Dialect, "broadcast", [
    Pure, DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "A view that repeats dims which turn out to be 1";
  let description = [{
    For broadcasts whose need is only known at run time. Dims are aligned at the
    end, as in numpy: each dim of the source equals the result's or is 1, and
    dims that the source lacks repeat it. `sizes` has one value for every `?` of
    the result. Becomes a view with stride 0 along what repeats; nothing is ever
    written through it.

    ```mlir
    %y = aot.broadcast %x sizes(%d0, %d1) : tensor<?x4xf32> to tensor<?x?x4xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<Index>:$sizes);
  let results = (outs AnyRankedTensor:$result);
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let hasFolder = 1;
  let assemblyFormat = "$source (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($source) `to` type($result)";
  let builders = [
    /// `sizes` has an entry for every dim of the result.
    OpBuilder<(ins "::mlir::Value":$source, "::llvm::ArrayRef<::mlir::OpFoldResult>":$sizes)>];
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getType() { return ::llvm::cast<::mlir::RankedTensorType>(getResult().getType()); }
    ::mlir::RankedTensorType getSourceType() { return ::llvm::cast<::mlir::RankedTensorType>(getSource().getType()); }
    /// The extent of every dim of the result.
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedSizes();
    /// How many dims of the result the source lacks.
    int64_t getMissingDims() { return getType().getRank() - getSourceType().getRank(); }
  }];
}

def Aot_SlotOp : Op<Aot_Dialect, "slot", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Memory that the context keeps for one buffer";
  let description = [{
    For a buffer whose size only the run knows. The context holds one block per slot
    and makes it larger where `bytes` asks for more; what it held is lost then.
    `ok` is false where there is no memory: nothing may touch `buffer` then.
    Becomes a call of `void *onnx_aot_context_slot(onnx_aot_context *, uint64_t slot, uint64_t bytes)`.

    ```mlir
    %buffer, %ok = aot.slot %ctx[%index], %bytes : !llvm.ptr -> memref<?xi8>
    aot.require %ok, out_of_memory
    ```
  }];
  let arguments = (ins AnyType:$ctx, Index:$slot, Index:$bytes);
  let results = (outs MemRefRankOf<[I8], [1]>:$buffer, I1:$ok);
  let assemblyFormat = "$ctx `[` $slot `]` `,` $bytes attr-dict `:` type($ctx) `->` type($buffer)";
}

#endif // ONNX_AOT_AOT
