//===- Recurrent.td - RNN, GRU and LSTM -----------------------------------===//
include "dialects/onnx/OnnxBase.td"

// D is the number of directions, G of gates (RNN 1, GRU 3: z r h, LSTM 4: i o f c), H the hidden size. With layout 1
// the batch comes first in X, Y and the states.
//
// What holds for all three:
// (C1) X has rank 3, W is D x G*H x I, R is D x G*H x H, B is D x 2*G*H (W's biases before R's), P is D x 3*H (i o f);
// (C2) initial_h and initial_c are D x batch x H, sequence_lens has one element per batch;
// (C3) direction is forward, reverse or bidirectional; layout is 0 or 1; hidden_size, where given, is H;
// (C4) activations name known functions: f (RNN), f g (GRU), f g h (LSTM), for each direction.
class Onnx_RecurrentOp<string opName, dag inputs, dag attrs, dag outputs> : Onnx_Op<opName, 22,
    inputs,
    !con((ins OptionalAttr<Onnx_FLOATS>:$activation_alpha, OptionalAttr<Onnx_FLOATS>:$activation_beta,
              OptionalAttr<Onnx_STRINGS>:$activations, OptionalAttr<Onnx_FLOAT>:$clip,
              Onnx_StringDefault<"forward">:$direction, OptionalAttr<Onnx_INT>:$hidden_size,
              Onnx_IntDefault<0>:$layout), attrs),
    outputs, [AttrSizedOperandSegments, AttrSizedResultSegments]>;

defvar Onnx_RecurrentInputs = (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$W, Onnx_FloatTensor:$R,
    Optional<Onnx_FloatTensor>:$B, Optional<TensorOf<[I32]>>:$sequence_lens, Optional<Onnx_FloatTensor>:$initial_h);
defvar Onnx_RecurrentOutputs = (outs Optional<Onnx_FloatTensor>:$Y, Optional<Onnx_FloatTensor>:$Y_h);

def Onnx_RNNOp : Onnx_RecurrentOp<"RNN", Onnx_RecurrentInputs, (ins), Onnx_RecurrentOutputs> {
  let summary = "H' = f(X W' + H R' + biases)";
}

def Onnx_GRUOp : Onnx_RecurrentOp<"GRU", Onnx_RecurrentInputs, (ins Onnx_IntDefault<0>:$linear_before_reset),
    Onnx_RecurrentOutputs> {
  let summary = "Gated recurrent unit: H' = (1 - z) h + z H";
}

def Onnx_LSTMOp : Onnx_RecurrentOp<"LSTM",
    !con(Onnx_RecurrentInputs, (ins Optional<Onnx_FloatTensor>:$initial_c, Optional<Onnx_FloatTensor>:$P)),
    (ins Onnx_IntDefault<0>:$input_forget),
    !con(Onnx_RecurrentOutputs, (outs Optional<Onnx_FloatTensor>:$Y_c))> {
  let summary = "Long short-term memory: C' = f C + i c, H' = o h(C')";
}
