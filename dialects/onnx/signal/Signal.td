//===- Signal.td - operators of signal processing -------------------------===//
include "dialects/onnx/OnnxBase.td"

def Onnx_DFTOp : Onnx_Op<"DFT", 20,
    (ins Onnx_FloatTensor:$input,             // (C1) rank >= 2, last extent 1 (real) or 2 (complex)
         Optional<Onnx_IntTensor>:$dft_length, // (C2) one positive element
         Optional<Onnx_I64Tensor>:$axis),      // (C3) one element, not the last axis; absent: the last but one
    (ins Onnx_IntDefault<0>:$inverse, Onnx_IntDefault<0>:$onesided),
    (outs Onnx_FloatTensor:$output), [AttrSizedOperandSegments]> {
  let summary = "Discrete Fourier transform along an axis";
}

def Onnx_STFTOp : Onnx_Op<"STFT", 17,
    (ins Onnx_FloatTensor:$signal,               // (C1) batch x length, or batch x length x 1 (real) or 2 (complex)
         Onnx_IntTensor:$frame_step,             // (C2) one positive element
         Optional<Onnx_FloatTensor>:$window,     // (C3) rank 1
         Optional<Onnx_IntTensor>:$frame_length), // (C4) one positive element, the window's extent
    (ins Onnx_IntDefault<1>:$onesided), (outs Onnx_FloatTensor:$output), [AttrSizedOperandSegments]> {
  let summary = "Discrete Fourier transforms of overlapping frames";
}

def Onnx_MelWeightMatrixOp : Onnx_Op<"MelWeightMatrix", 17,
    (ins Onnx_IntTensor:$num_mel_bins, Onnx_IntTensor:$dft_length, Onnx_IntTensor:$sample_rate, // (C1) one element each
         Onnx_FloatTensor:$lower_edge_hertz, Onnx_FloatTensor:$upper_edge_hertz),
    (ins Onnx_IntDefault<1>:$output_datatype), (outs Onnx_NumberTensor:$output)> { // (C2) a number's
  let summary = "The matrix that turns a spectrum into mel bands";
}
