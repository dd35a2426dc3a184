//===- Fused.td - chains of operations that are one kernel of a device ----===//
//
// What a device does in one launch is one operation before memory is planned:
// its operands are in use until its end, its result from its begin, so that no
// buffer takes the place of another one that some block still reads; and what
// lies between the parts is no tensor any more, so that it takes no memory.
// Bodies speak of single elements, as those of aot.kernel do.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_AOT_FUSED
#define ONNX_AOT_AOT_FUSED

include "dialects/aot/AotBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Aot_FusedOp<string name, list<Trait> traits = []>
    : Op<Aot_Dialect, name, traits # [DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
  code fusedDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
    ::mlir::AffineMap getMap(unsigned operand) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getIndexingMaps()[operand]).getValue();
    }
    unsigned getNumLoops() { return getMap(0).getNumDims(); }
  }];
}

def Aot_RowsOp : Aot_FusedOp<"rows", [SingleBlock]> {
  let summary = "Elementwise work on rows, and reductions of each row";
  let description = [{
    The last `reduced` dims of the iteration space are those of a row; the others count rows. The body is run for every
    element of every row, all of a row at once: it gets the elements of the inputs, which the maps give, and yields the
    element of the result; where the result's map does not depend on the dims of a row, all of the row yield the same.
    An aot.across in it combines the values that the elements of the row have there.

    ```mlir
    %y = aot.rows "softmax" ins(%x : tensor<8x64xf32>) outs(%init : tensor<8x64xf32>) maps [...] reduced 1 {
    ^bb0(%e: f32):
      %m = aot.across identity 0xFF800000 : f32 { ^bb0(%acc: f32): %n = arith.maxnumf %acc, %e ... }
      %d = arith.subf %e, %m
      %p = math.exp %d
      %s = aot.across identity 0.0 : f32 { ^bb0(%acc: f32): %n = arith.addf %acc, %p ... }
      %q = arith.divf %p, %s
      aot.yield %q : f32
    } -> tensor<8x64xf32>
    ```
  }];
  let arguments = (ins StrAttr:$kind, Variadic<AnyShaped>:$inputs, AnyShaped:$init, AffineMapArrayAttr:$indexing_maps,
      I64Attr:$reduced);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $kind `ins` `(` $inputs `:` type($inputs) `)` `outs` `(` $init `:` type($init) `)` `maps` $indexing_maps
    `reduced` $reduced $body attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = fusedDeclaration # [{
    /// Whether `map` is the same for all elements of a row.
    bool isOfRow(::mlir::AffineMap map);
  }];
}

def Aot_AcrossOp : Op<Aot_Dialect, "across", [SingleBlock, RecursiveMemoryEffects, HasParent<"RowsOp">]> {
  let summary = "Combines what the elements of a row have";
  let description = [{
    Starts at `identity`; `step` maps the accumulator to the next one at each element of the row. Its last operation
    combines the accumulator with a value, so that partial results can be combined by it, too.
  }];
  let arguments = (ins TypedAttrInterface:$identity);
  let results = (outs AnyType:$result);
  let regions = (region SizedRegion<1>:$step);
  let hasVerifier = 1;
  let assemblyFormat = "`identity` $identity $step attr-dict `:` type($result)";
}

def Aot_AttentionOp : Aot_FusedOp<"attention"> {
  let summary = "Values weighted by the softmax of scores";
  let description = [{
    The iteration dims are those of the batch, then a query i, a key j, d along which both are multiplied, and e along
    the value. `inputs` are queries, keys and values, and then what the regions read besides; the maps give them, and
    `init`, over all of the dims, but what `scores` reads moves along neither d nor e, and what `finish` reads along
    neither j nor d.

      s[i, j] = scores(elements of all inputs, position in every dim, sum over d of q[i, d] * k[j, d])
      y[i, e] = finish(elements of all inputs, (sum over j of exp(s[i, j] - m[i]) * v[j, e]) * r[i])
      where m[i] = max over j of s[i, j] and 1 / r[i] = sum over j of exp(s[i, j] - m[i])

    Sums have 32 bits. A row of which all scores are -inf has no m; it gives NaN, or 0 with `zero_rows`.
  }];
  let arguments = (ins Variadic<AnyShaped>:$inputs, AnyShaped:$init, AffineMapArrayAttr:$indexing_maps,
      UnitAttr:$zero_rows);
  let regions = (region SizedRegion<1>:$scores, SizedRegion<1>:$finish);
  let assemblyFormat = [{
    `ins` `(` $inputs `:` type($inputs) `)` `outs` `(` $init `:` type($init) `)` `maps` $indexing_maps
    (`zero_rows` $zero_rows^)? `scores` $scores `finish` $finish attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = fusedDeclaration # [{
    /// The first inputs.
    enum Operand : unsigned { Query, Key, Value, Others };
    unsigned dimOfQuery() { return getNumLoops() - 4; }
    unsigned dimOfKey() { return getNumLoops() - 3; }
    unsigned dimOfDepth() { return getNumLoops() - 2; }
    unsigned dimOfValue() { return getNumLoops() - 1; }
  }];
}

#endif // ONNX_AOT_AOT_FUSED
