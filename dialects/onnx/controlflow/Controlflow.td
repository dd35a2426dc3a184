//===- Controlflow.td - operators with bodies -----------------------------===//
include "dialects/onnx/OnnxFunctions.td"

// Bodies use the values around them. Their terminator is no operator, so that no model can name it.
def Onnx_YieldOp : Op<Onnx_Dialect, "Yield", [Pure, Terminator]> {
  let summary = "The results of a body";
  let description = [{
    A lowering says what becomes of the values: `skipped` leading ones are dropped, one per entry of `scan_axes` is
    collected along that axis, from behind where `scan_reversed` is 1. `declared` are the types that the model gives the
    values of a loop's body, which count where nothing else tells an extent.
  }];
  let arguments = (ins Variadic<AnyType>:$values, OptionalAttr<Onnx_INT>:$skipped,
                       OptionalAttr<Onnx_INTS>:$scan_axes, OptionalAttr<Onnx_INTS>:$scan_reversed,
                       OptionalAttr<TypeArrayAttr>:$declared);
}

// No operator either: what a run has to bring about for the rest of the model to make sense.
def Onnx_RequireOp : Op<Onnx_Dialect, "Require", []> {
  let summary = "Ends the run with a status unless a condition is as expected";
  let arguments = (ins Onnx_BoolTensor:$condition, // one element
                       BoolAttr:$expected, StrAttr:$code); // of aot.require
}

def Onnx_IfOp : Onnx_Op<"If", 25,
    (ins Onnx_BoolTensor:$cond), // (C1) one element
    (ins),
    (outs Variadic<Onnx_Value>:$outputs), // (C2) both branches yield as many values, of the same element types
    [], (region SizedRegion<1>:$then_branch, SizedRegion<1>:$else_branch)> {
  let summary = "The values of one of two branches";
  let familyDeclaration = [{
    /// The branch that a constant condition takes; null where the condition is not constant.
    ::mlir::Region *getTakenBranch();
  }];
}

def Onnx_LoopOp : Onnx_Op<"Loop", 25,
    (ins Optional<Onnx_I64Tensor>:$M,             // (C1) one element; absent: no bound
         Optional<Onnx_BoolTensor>:$cond,         // (C2) one element; absent: true
         Variadic<Onnx_Value>:$v_initial),        // (C3) carried; their types do not change
    (ins),
    (outs Variadic<Onnx_Value>:$v_final_and_scan_outputs),
    [AttrSizedOperandSegments],
    // (C4) (iteration, condition, carried...) -> (condition, carried..., scanned...)
    (region SizedRegion<1>:$body)> {
  let summary = "A body repeated up to M times while a condition holds";
  let familyDeclaration = [{
    /// Whether the condition is true before and after every iteration.
    bool isAlwaysTrue();
    /// Whether no iteration changes the condition.
    bool keepsCondition();
    /// The number of iterations where it is constant.
    std::optional<int64_t> getTripCount();
    /// Makes the types of the body's arguments as precise as those of the operands.
    ::llvm::LogicalResult refineBody();
  }];
}

def Onnx_ScanOp : Onnx_Op<"Scan", 25,
    (ins Variadic<Onnx_Tensor>:$initial_state_and_scan_inputs), // (C1) states, then num_scan_inputs inputs
    (ins Onnx_INT:$num_scan_inputs,                             // (C2) at least 1
         OptionalAttr<Onnx_INTS>:$scan_input_axes, OptionalAttr<Onnx_INTS>:$scan_input_directions,
         OptionalAttr<Onnx_INTS>:$scan_output_axes, OptionalAttr<Onnx_INTS>:$scan_output_directions),
    (outs Variadic<Onnx_Tensor>:$final_state_and_scan_outputs),
    [], // (C3) (states..., slices...) -> (states..., scanned...)
    (region SizedRegion<1>:$body)> {
  let summary = "A body repeated for every slice of its inputs";
  let familyDeclaration = [{
    unsigned getNumStates() { return getInitialStateAndScanInputs().size() - getNumScanInputs(); }
    /// The axis of scan input (output) `index`, which has `rank` dims; an error where it is none of them.
    ::llvm::FailureOr<int64_t> getInputAxis(unsigned index, int64_t rank);
    ::llvm::FailureOr<int64_t> getOutputAxis(unsigned index, int64_t rank);
    /// Whether scan input (output) `index` goes from the last slice to the first.
    bool isInputReversed(unsigned index);
    bool isOutputReversed(unsigned index);
    /// Makes the types of the body's arguments as precise as those of the operands.
    ::llvm::LogicalResult refineBody();
  }];
}

// Scan as it was up to opset 8: an axis 0 of all operands and results is the batch, and slices are along axis 1.
// Since no opset (0): only the importer makes it, and no model can name it.
def Onnx_BatchScanOp : Onnx_Function<"BatchScan", 0,
    (ins Variadic<Onnx_Tensor>:$initial_state_and_scan_inputs), // (C1)
    (ins OptionalAttr<Onnx_INTS>:$directions, Onnx_INT:$num_scan_inputs), // (C2)
    (outs Variadic<Onnx_Tensor>:$final_state_and_scan_outputs), [], (region SizedRegion<1>:$body)> {
  let summary = "A Scan for each entry of a batch";
}
