//===- PlaceWeights.cpp - all constants in one section ------------------------------------------------------------===//
//
// Bufferization leaves one memref.global per constant. They become slices of one external global, `@weights`, whose
// bytes the artifact stage writes; equal constants share a slice. They begin with the slices that the module's
// attribute aot.first_weights has, if any: those of another version of the model, with which it shares what is equal.
//
//   memref.global "private" constant @__constant_64xf32 = dense_resource<w>
//   %0 = memref.get_global @__constant_64xf32
// becomes
//   memref.global "private" @weights : memref<256xi8> {alignment = 64, aot.slices = [{offset = 0, value = ...}]}
//   %w = memref.get_global @weights ; %0 = memref.view %w[%offset][]
//
// From here weights have addresses; no later pass adds one.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/buffer/Passes.h"
#include "llvm/Support/xxhash.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PLACEWEIGHTS
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
struct PlaceWeights : impl::PlaceWeightsBase<PlaceWeights> {
  static constexpr int64_t kAlignment = 64;

  struct Slice {
    int64_t offset;
    ElementsAttr value;
  };

  void runOnOperation() override {
    ModuleOp module = getOperation();
    OpBuilder builder(&getContext());
    llvm::MapVector<uint64_t, SmallVector<Slice>> byDigest;
    llvm::StringMap<int64_t> offsets;
    SmallVector<Slice> slices;
    int64_t size = 0;
    SmallVector<memref::GlobalOp> globals;
    module.walk([&](memref::GlobalOp global) {
      if (global.getInitialValue() && isa<ElementsAttr>(*global.getInitialValue()))
        globals.push_back(global);
    });
    if (auto first = module->getAttrOfType<ArrayAttr>(kFirstWeightsAttr)) {
      module->removeAttr(kFirstWeightsAttr);
      for (auto slice : first.getAsRange<DictionaryAttr>()) {
        SmallVector<char> storage;
        ArrayRef<char> bytes;
        auto value = slice.getAs<ElementsAttr>("value");
        if (!value || !slice.getAs<IntegerAttr>("offset") || !onnx::getRawBytes(value, storage, bytes)) {
          module.emitError("the first weights cannot be read");
          return signalPassFailure();
        }
        slices.push_back({slice.getAs<IntegerAttr>("offset").getInt(), value});
        byDigest[digestOf(bytes)].push_back(slices.back());
        size = std::max<int64_t>(size, llvm::alignTo(slices.back().offset + bytes.size(), kAlignment));
      }
    }
    if (globals.empty() && slices.empty())
      return;
    for (memref::GlobalOp global : globals) {
      auto value = cast<ElementsAttr>(*global.getInitialValue());
      SmallVector<char> storage;
      ArrayRef<char> bytes;
      if (!onnx::getRawBytes(value, storage, bytes)) {
        global.emitError("a constant's bytes cannot be read");
        return signalPassFailure();
      }
      SmallVector<Slice> &alike = byDigest[digestOf(bytes)];
      const Slice *same = llvm::find_if(alike, [&](const Slice &slice) { return sameBytes(slice.value, bytes); });
      int64_t offset = same == alike.end() ? size : same->offset;
      if (same == alike.end()) {
        slices.push_back({offset, value});
        alike.push_back(slices.back());
        size = llvm::alignTo(size + bytes.size(), kAlignment);
      }
      offsets[global.getSymName()] = offset;
    }
    declare(module, slices, std::max<int64_t>(size, 1), builder);
    auto type = MemRefType::get({std::max<int64_t>(size, 1)}, builder.getI8Type());
    module.walk([&](memref::GetGlobalOp get) {
      auto found = offsets.find(get.getName());
      if (found == offsets.end())
        return;
      builder.setInsertionPoint(get);
      Value weights = memref::GetGlobalOp::create(builder, get.getLoc(), type, "weights");
      Value offset = arith::ConstantIndexOp::create(builder, get.getLoc(), found->second);
      Value view = memref::ViewOp::create(builder, get.getLoc(), get.getType(), weights, offset, ValueRange());
      get.replaceAllUsesWith(view);
      get.erase();
    });
    for (memref::GlobalOp global : globals)
      global.erase();
  }

  static uint64_t digestOf(ArrayRef<char> bytes) {
    return llvm::xxh3_64bits(ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  }

  static bool sameBytes(ElementsAttr value, ArrayRef<char> bytes) {
    SmallVector<char> storage;
    ArrayRef<char> other;
    return onnx::getRawBytes(value, storage, other) && other == bytes;
  }

  void declare(ModuleOp module, ArrayRef<Slice> slices, int64_t size, OpBuilder &builder) {
    SmallVector<Attribute> list;
    for (const Slice &slice : slices)
      list.push_back(builder.getDictionaryAttr({builder.getNamedAttr("offset", builder.getI64IntegerAttr(slice.offset)),
                                                builder.getNamedAttr("value", slice.value)}));
    builder.setInsertionPointToStart(module.getBody());
    auto global = memref::GlobalOp::create(builder, module.getLoc(), builder.getStringAttr("weights"),
                                           builder.getStringAttr("private"),
                                           TypeAttr::get(MemRefType::get({size}, builder.getI8Type())), Attribute(),
                                           UnitAttr(), builder.getI64IntegerAttr(kAlignment));
    global->setAttr("aot.slices", builder.getArrayAttr(list));
  }
};
} // namespace
} // namespace onnx_aot
