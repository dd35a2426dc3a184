//===- Pipeline.cpp - the table of contents of the compiler -------------------------------------------------------===//
//
// The stages in order: import -> graph -> tensor -> schedule -> buffer -> codegen -> artifact. Import and artifact are
// not passes (compiler/import, compiler/artifact); the others are listed here. Each stage ends with the verifier of its
// contract, where contracts are verified (--verify-contracts).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/Pipeline.h"
#include "codegen/cpu/CpuTargetModel.h"
#include "codegen/cpu/Passes.h"
#include "codegen/nvptx/Architecture.h"
#include "codegen/nvptx/Passes.h"
#include "dialects/aot/AotDialect.h"
#include "dialects/onnx/OnnxDialect.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/AllInterfaces.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "passes/buffer/Passes.h"
#include "passes/contracts/Passes.h"
#include "passes/graph/Passes.h"
#include "passes/schedule/LoopStrategy.h"
#include "passes/schedule/Passes.h"
#include "passes/tensor/Passes.h"

using namespace mlir;
using namespace onnx_aot;

void onnx_aot::buildShapeInference(OpPassManager &passes) { passes.nest<func::FuncOp>().addPass(createInferShapes()); }

void onnx_aot::buildLowering(OpPassManager &passes) {
  passes.addPass(createBindDims());
  passes.addPass(createOnnxToLinalg());
}

static void buildGraphStage(OpPassManager &passes, const aot::TargetModel &target, const CompilerOptions &options) {
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createInferShapes());
  functions.addPass(createExpandFunctions());
  functions.addPass(createInferShapes());
  functions.addPass(createFoldBatchNormalization());
  if (target.prefersIntegerProducts() || options.device.isUsed) {
    functions.addPass(createSinkDequantization());
    functions.addPass(createUseIntegerProducts());
    functions.addPass(createFoldDequantization({/*weights=*/!target.hasLittleMemory() && !target.isForSize()}));
  } else {
    functions.addPass(createFoldDequantization({/*weights=*/!target.isForSize()}));
  }
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createCanonicalizerPass());
  if (options.graph.precision == Precision::Half || options.graph.precision == Precision::Brain) {
    functions.addPass(createNarrowProducts({options.graph.precision == Precision::Brain}));
    functions.addPass(createCSEPass());
  }
  functions.addPass(createVerifyGraphContract());
  // From here every tensor is ranked, and what is constant is folded.
}

static void buildTensorStage(OpPassManager &passes, aot::KernelProvider *provider) {
  passes.addPass(createBindDims());
  passes.nest<func::FuncOp>().addPass(createGenerateResizePass(provider));
  passes.addPass(createOnnxToLinalg());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createReportFailingChecks());
  // From here no onnx operation is left: linalg, tensor, arith, math, scf, and heavy computations as aot.kernel.
}

static void buildScheduleStage(OpPassManager &passes, const ScheduleOptions &options, bool isReference,
                               bool isForDevice, const StageServices &services) {
  const aot::TargetModel &target = services.target;
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createLinalgGeneralizeNamedOpsPass());
  if (isReference)
    return functions.addPass(createChooseStrategyPass(target));
  functions.addPass(createFuseElementwise());
  if (isForDevice) {
    // A device's kernels read the layouts that the model has, and get their threads when they are made.
    // A dim that somebody asks a tensor for would be a use of it.
    functions.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
    functions.addPass(createCanonicalizerPass());
    functions.addPass(createCSEPass());
    functions.addPass(createNarrowEarly());
    functions.addPass(createFuseEpilogue());
    functions.addPass(createCanonicalizerPass());
    functions.addPass(createCSEPass());
    functions.addPass(createUseRowKernels());
    functions.addPass(createCanonicalizerPass());
    functions.addPass(createCSEPass());
    functions.addPass(createUseFusedAttention());
    functions.addPass(createCanonicalizerPass());
    functions.addPass(createCSEPass());
    return functions.addPass(createChooseStrategyPass(target));
  }
  functions.addPass(createChooseLayoutPass(target));
  functions.addPass(createFuseEpilogue());
  functions.addPass(createFusePrologue());
  functions.addPass(createFuseGeneratedPass(services.provider));
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  // From here kernels are final; each gets its strategy, and its constants the layout that the strategy reads.
  if (options.arenaBytes) {
    // Memory counts before speed, and minimal filtering needs more of it.
    functions.addPass(createUsePatches({*options.arenaBytes}));
  } else {
    if (!target.hasLittleMemory() && !target.isForSize())
      functions.addPass(createSplitMaxima());
    functions.addPass(createUseWinogradPass(target));
    functions.addPass(createFuseRowsPass(target));
  }
  functions.addPass(createUseDotProductsPass(target));
  functions.addPass(createChooseStrategyPass(target, services.provider));
  functions.addPass(createPackOperandsPass(target));
  functions.addPass(createPackWeights());
}

static void buildBufferStage(OpPassManager &passes, const StageServices &services, const DeviceOptions &device,
                             Precision precision) {
  passes.addPass(createPrepareEntry());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  // Sizes become arithmetic on the entry's dims, where operations tell.
  passes.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
  passes.nest<func::FuncOp>().addPass(createUnshareDestinations());
  passes.nest<func::FuncOp>().addPass(createTrimFills());
  passes.nest<func::FuncOp>().addPass(createDetachMergedResults());
  passes.nest<func::FuncOp>().addPass(createPlaceRegionResults());
  passes.addPass(bufferization::createEmptyTensorEliminationPass());
  passes.addPass(bufferization::createEmptyTensorToAllocTensorPass());
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferAlignment = 64;
  bufferize.allowReturnAllocsFromLoops = true;
  passes.addPass(bufferization::createOneShotBufferizePass(bufferize));
  // From here there are no tensors. Self-copies vanish when both sides have become one value.
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createCanonicalizerPass());
  passes.nest<func::FuncOp>().addPass(createForwardCopies());
  passes.addPass(createPlaceWeights());
  passes.nest<func::FuncOp>().addPass(createPlaceScratch());
  passes.nest<func::FuncOp>().addPass(createOrderOperations());
  // From here every kernel has who makes it.
  passes.addPass(createPrepareKernelsPass(services.provider));
  passes.addPass(createPlanArenaPass(services.target, services.facts));
  passes.nest<func::FuncOp>().addPass(createResolveReshapes());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  if (device.isUsed) {
    passes.addPass(createMapToDevice({device.hasBuffers, nvptx::haveMatrixUnits(device.architectures),
                                      /*roundProducts=*/precision == Precision::TensorFloat,
                                      nvptx::haveWarpgroups(device.architectures)}));
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    if (services.facts)
      passes.addPass(createDescribeDevicePass(*services.facts));
  }
  // From here nothing allocates; the arena's size is known, or a function of the entry's dims.
}

static void buildCodegenStage(OpPassManager &passes, const CodegenOptions &options, const StageServices &services,
                              const DeviceOptions &device) {
  const CpuTargetModel &target = services.target;
  passes.nest<func::FuncOp>().addPass(createRetypeEmptyArguments());
  if (device.isUsed) {
    CompileKernelsOptions compile;
    compile.architectures.assign(device.architectures.begin(), device.architectures.end());
    compile.ptxas = device.ptxas;
    passes.addPass(createCompileKernels(compile));
    passes.addPass(createLowerDevice({device.hasFallback}));
    // From here the entry is code of the host like any other.
  }
  passes.addPass(createOutlineKernels());
  passes.addPass(createEmitWinograd());
  passes.addPass(createCallGeneratedKernelsPass(services.provider));
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createEmitResamplePass(target));
  functions.addPass(createEmitLoopsPass(target));
  functions.addPass(createLowerDots({target.dotIsa()}));
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createLoopInvariantCodeMotionPass());
  if (options.fastMath)
    passes.addPass(createRelaxFloats());
  // From here math functions are code of ours, whose arithmetic is as it is written.
  passes.addPass(createLowerMath(target.mathOptions()));
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  passes.addPass(arith::createArithExpandOpsPass(expand));
  if (target.addressBits() == 32)
    passes.addPass(createNarrowIndex());
  // From here indices have the width that the module's data layout says.
  passes.addPass(createLowerSlots());
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(createSCFToControlFlowPass());
  passes.nest<func::FuncOp>().addPass(createLowerRequire());
  // From here everything is converted to the LLVM dialect; memrefs are bare pointers at the entry.
  passes.addPass(createConvertToLLVM());
  passes.addPass(createReconcileUnrealizedCastsPass());
  passes.addPass(createEraseNarrowFloats({target.mathOptions().hardwareF16}));
}

/// For codegen/c, which prints structured control flow and scalars: nothing is vectorised or converted.
static void buildCodegenStageForC(OpPassManager &passes, const CpuTargetModel &target) {
  passes.addPass(createOutlineKernels());
  OpPassManager &functions = passes.nest<func::FuncOp>();
  functions.addPass(createEmitResamplePass(target));
  functions.addPass(createEmitLoopsPass(target));
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createLoopInvariantCodeMotionPass());
  passes.addPass(createLowerMath(target.mathOptions()));
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  passes.addPass(arith::createArithExpandOpsPass(expand));
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(createEraseNarrowFloats({target.mathOptions().hardwareF16}));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

static std::unique_ptr<Pass> createContractVerifier(Stage stage) {
  switch (stage) {
  case Stage::Import:
    return createVerifyImportContract();
  case Stage::Graph:
    return nullptr; // the stage itself verifies it: a breach is for the user to know
  case Stage::Tensor:
    return createVerifyTensorContract();
  case Stage::Schedule:
    return createVerifyScheduleContract();
  case Stage::Buffer:
    return createVerifyBufferContract();
  case Stage::Codegen:
    return createVerifyCodegenContract();
  }
  llvm_unreachable("a stage without a contract");
}

static void buildPasses(OpPassManager &passes, Stage stage, const CompilerOptions &options,
                        const StageServices &services) {
  switch (stage) {
  case Stage::Import:
    return;
  case Stage::Graph:
    return buildGraphStage(passes, services.target, options);
  case Stage::Tensor:
    return buildTensorStage(passes, services.provider);
  case Stage::Schedule:
    return buildScheduleStage(passes, options.schedule, options.kernels == KernelChoice::Reference,
                              options.device.isUsed, services);
  case Stage::Buffer:
    return buildBufferStage(passes, services, options.device, options.graph.precision);
  case Stage::Codegen:
    return options.artifact.kind == OutputKind::C
               ? buildCodegenStageForC(passes, services.target)
               : buildCodegenStage(passes, options.codegen, services, options.device);
  }
}

void onnx_aot::buildStage(OpPassManager &passes, Stage stage, const CompilerOptions &options,
                          const StageServices &services) {
  buildPasses(passes, stage, options, services);
  // The printer of C says itself what it cannot print.
  bool isForPrinter = stage == Stage::Codegen && options.artifact.kind == OutputKind::C;
  std::unique_ptr<Pass> verifier = options.verifyContracts && !isForPrinter ? createContractVerifier(stage) : nullptr;
  if (verifier)
    passes.addPass(std::move(verifier));
}

void onnx_aot::registerAllOnnxAotDialects(DialectRegistry &registry) {
  registry.insert<aot::AotDialect, onnx::OnnxDialect, affine::AffineDialect, arith::ArithDialect,
                  bufferization::BufferizationDialect, cf::ControlFlowDialect, func::FuncDialect, linalg::LinalgDialect,
                  LLVM::LLVMDialect, NVVM::NVVMDialect, nvgpu::NVGPUDialect, math::MathDialect, memref::MemRefDialect,
                  scf::SCFDialect, tensor::TensorDialect, ub::UBDialect, vector::VectorDialect>();
  aot::registerBufferization(registry);
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerAllDialectInterfaceImplementations(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerSubsetOpInterfaceExternalModels(registry);
  tensor::registerInferTypeOpInterfaceExternalModels(registry);
  vector::registerBufferizableOpInterfaceExternalModels(registry);
}

void onnx_aot::registerAllOnnxAotPasses() {
  registergraphPasses();
  registertensorPasses();
  registerschedulePasses();
  registerbufferPasses();
  registercontractsPasses();
  registercpuPasses();
  registernvptxPasses();
}
