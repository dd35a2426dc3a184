//===- Options.td - The only place where flags are declared ---------------===//
//
// What it is for: the flags of onnx-aot and onnx-aot-run, as LLVM's option library reads them. CommandLine.cpp
// parses by this table and prints --help from it; Options.cpp says what each flag does.
//
// How it works: `Value` makes the two spellings of a flag with a value, `--flag=value` and `--flag value`. A flag with
// `NotYet` belongs to a capability that is not there yet: it is refused, except with one of its `Values`, which ask for
// what happens anyway. --help shows the groups in alphabetical order.
//
//===----------------------------------------------------------------------===//

include "llvm/Option/OptParser.td"

def CompileTool : OptionVisibility; // onnx-aot
def RunTool : OptionVisibility;     // onnx-aot-run
def NotYet : OptionFlag;

multiclass Value<string name, string metavar, string help> {
  def NAME : Joined<["--"], name#"=">, MetaVarName<metavar>, HelpText<help>;
  def NAME#_separate : Separate<["--"], name>, Alias<!cast<Option>(NAME)>;
}
class Switch<string name, string help> : Flag<["--"], name>, HelpText<help>;

class Heading<string title> : OptionGroup<title>, HelpText<title>;
def DeveloperGroup : Heading<"Developer">;
def DeviceGroup : Heading<"Device">;
def GeneralGroup : Heading<"General">;
def InformationGroup : Heading<"Information">;
def ModelGroup : Heading<"Model">;
def OptimisationGroup : Heading<"Optimisation">;
def OutputGroup : Heading<"Output">;
def TargetGroup : Heading<"Target">;
def TensorsGroup : Heading<"Inputs and outputs">;
def TimingGroup : Heading<"Timing">;

//===----------------------------------------------------------------------===//
// onnx-aot
//===----------------------------------------------------------------------===//

let Visibility = [CompileTool] in {

let Group = OutputGroup in {
def o : JoinedOrSeparate<["-"], "o">, MetaVarName<"OUT">,
  HelpText<"what to write; the suffix decides the kind:\n"
           ".o object, with its .h beside it  .a static library  .so shared library\n"
           ".c portable C99, with its .h  .s assembly  .ll LLVM IR\n"
           ".mlir the IR after --stop-after  .ptx the device's code\n"
           "'-' writes .c, .s, .ll and .mlir to standard output">;
defm emit : Value<"emit", "KIND", "o, a, so, c, s, ll, ptx or mlir; overrides the suffix">;
defm stop_after : Value<"stop-after", "STAGE", "import, graph, tensor, schedule, buffer or codegen; writes MLIR">;
defm name : Value<"name", "PREFIX",
  "C prefix of every symbol (default: the model file's stem, made an identifier)">;
defm weights : Value<"weights", "embed", "weights go into the object">, Flags<[NotYet]>, Values<"embed">;
defm report : Value<"report", "FILE.html|FILE.json",
  "write what was built: layers, their kernels, multiply-adds and bytes, and the\n"
  "plan of the memory; may be given once for each form">;
defm depfile : Value<"depfile", "FILE", "write a Makefile rule that lists every file that was read">;
}

let Group = InformationGroup in {
def check : Switch<"check", "only validate: print what is wrong, or the graph and what it needs">;
def list_ops : Switch<"list-ops", "print every operator and opset that is supported">;
}

// An instrumented object needs its sanitizer's runtime in the program, which onnx-aot-run does not have.
let Group = DeveloperGroup in {
defm sanitize : Value<"sanitize", "address|thread", "instrument the emitted code">;
}

}

//===----------------------------------------------------------------------===//
// onnx-aot-run
//===----------------------------------------------------------------------===//

let Visibility = [RunTool] in {

let Group = TensorsGroup in {
defm input : Value<"input", "NAME=FILE", "an input's value, from a .npy or .pb file; may be repeated">;
defm inputs : Value<"inputs", "DIR", "inputs from a folder: io.txt with .npy files, or input_0.pb, input_1.pb ...;\n"
                                       "may be repeated: a run for each">;
defm expect : Value<"expect", "DIR", "compare the outputs with those of a folder of the same forms;\n"
                                       "may be repeated, along with --inputs or alone">;
defm out : Value<"out", "DIR", "write inputs and outputs there as .npy files with an io.txt">;
defm seed : Value<"seed", "N", "of the values drawn for inputs that are not given (default: 1)">;
defm rtol : Value<"rtol", "X", "tolerance |d| <= atol + rtol*|ref| instead of the default,\n"
                               "|d| <= 1e-4*max|ref| + 1e-3*|ref|">;
defm atol : Value<"atol", "X", "see --rtol; the one that is not given is 0">;
}

let Group = DeveloperGroup in {
defm emit_c : Value<"emit-c", "FILE.c", "write C for these inputs, with its header, and run nothing">;
}

let Group = TimingGroup in {
def bench : Switch<"bench", "measure the time of a run">;
defm runs : Value<"runs", "N", "how often it runs for --bench (default: 100)">;
}

}

//===----------------------------------------------------------------------===//
// Both
//===----------------------------------------------------------------------===//

let Visibility = [CompileTool, RunTool] in {

let Group = ModelGroup in {
defm dim : Value<"dim", "NAME=N|LO..HI", "fix a symbolic dimension, or bound it (LO.. has no upper end);\n"
                                         "may be repeated">;
defm shape : Value<"shape", "INPUT=AxBxC", "fix the whole shape of an input; of a sequence, the shapes of its elements (AxB,CxD), or none where it or an optional is empty; may be repeated">;
defm value : Value<"value", "INPUT=A,B,C", "fix the value of an input of integers or bools, which a run checks; may be repeated">;
defm precision : Value<"precision", "fp32|tf32|fp16|bf16",
  "what products and their weights are made of (default: fp32); others with --device only. Sums keep 32 bits,\n"
  "inputs and outputs their types">;
}

let Group = TargetGroup in {
defm target : Value<"target", "TRIPLE", "the triple to make code for (default: this machine's)">;
defm mcpu : Value<"mcpu", "CPU", "native, or a CPU of the target (default on x86-64: x86-64-v3; elsewhere: generic)">;
defm mattr : Value<"mattr", "+F,-F", "CPU features to add or take away">;
defm allocator : Value<"allocator", "none|context",
  "where buffers come from whose size only a run knows: nowhere (default on bare metal), or\n"
  "from the functions of the context that the run is given">;
defm float_abi : Value<"float-abi", "soft|hard", "how floating point arguments are passed">;
}

let Group = OptimisationGroup in {
def O : Joined<["-"], "O">, MetaVarName<"0..3|s">, HelpText<"optimisation level (default: 3); s: small code">;
def fast_math : Switch<"fast-math", "results may be rounded otherwise: products fused with sums, divisions by\n"
                                    "reciprocals; infinities and NaNs stay what they are">;
defm kernels : Value<"kernels", "WHO",
  "who makes the heavy kernels: auto (whoever is fastest; default), mlir (this compiler alone), halide (Halide,\n"
  "wherever it can) or reference (plain loops)">;
defm threads : Value<"threads", "1", "code for at most so many threads">, Flags<[NotYet]>, Values<"1">;
}

let Group = TargetGroup in {
defm max_ram : Value<"max-ram", "SIZE", "fail when arena, stack and variables take more bytes (or 64K, 1M)">;
defm max_flash : Value<"max-flash", "SIZE", "fail when code and constants take more">;
}

let Group = DeviceGroup in {
defm device : Value<"device", "cuda[,cpu]",
  "the graph runs on an NVIDIA GPU: the object carries PTX, and the driver is loaded by the first run; with\n"
  ",cpu it carries code for the CPU too, which runs where there is no such GPU">;
defm gpu_arch : Value<"gpu-arch", "sm_80,..",
  "the GPUs to make PTX for, which later ones run too (default: sm_80)">;
def cubin : Switch<"cubin", "machine code for the GPUs of --gpu-arch beside the PTX, which their driver then need not\n"
                            "compile; made by ptxas of the CUDA Toolkit, which has to be installed">;
defm io : Value<"io", "host|device", "where inputs and outputs lie (default: host)">;
}

let Group = DeveloperGroup in {
def verify_contracts : Switch<"verify-contracts", "check what must hold after every stage">;
}

let Group = GeneralGroup in {
def json : Switch<"json", "with --list-ops: as JSON">,
  HelpTextForVariants<[RunTool], "with --bench: the result as one line of JSON">;
def quiet : Switch<"quiet", "no progress and no warnings">;
def version : Switch<"version", "print the versions of this program, LLVM and the kernel providers">;
def help : Switch<"help", "print this">;
def h : Flag<["-"], "h">, Alias<help>, HelpText<"the same">;
}

}
