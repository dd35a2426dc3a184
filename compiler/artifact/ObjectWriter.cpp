//===- ObjectWriter.cpp - From an LLVM module to files a linker takes -----===//
//
// See ObjectWriter.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/ObjectWriter.h"

#include "codegen/cpu/TargetMachine.h"
#include "compiler/CrashHandler.h"
#include "compiler/artifact/ModelInterface.h"
#include "compiler/artifact/OutputFiles.h"
#include "compiler/artifact/WeightsWriter.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Mangler.h"
#include "llvm/IR/Module.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Object/Wasm.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <set>

using namespace llvm;

namespace onnx_aot {

static Error emit(const EmittedModel &emitted, raw_pwrite_stream &stream, CodeGenFileType kind) {
  legacy::PassManager passes;
  passes.add(new TargetLibraryInfoWrapperPass(freestandingLibraryInfo(emitted.machine.getTargetTriple())));
  if (emitted.machine.addPassesToEmitFile(passes, stream, /*DwoOut=*/nullptr, kind))
    return createStringError(std::make_error_code(std::errc::not_supported),
                             "the target " + emitted.machine.getTargetTriple().str() + " has no writer for this kind");
  if (emitted.machine.getTargetTriple().getArch() == Triple::xtensa)
    expectRefusals("Xtensa");
  passes.run(emitted.module);
  expectRefusals(nullptr);
  return Error::success();
}

/// Takes out the note that the stack need not be executable. Operating systems read it; on bare metal no other object
/// has one, and GNU ld would warn about each of those.
static Error removeStackNote(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false, /*IsVolatile=*/true);
  if (!buffer)
    return cannotWrite(path, buffer.getError());
  auto object = object::ObjectFile::createObjectFile((*buffer)->getMemBufferRef());
  if (!object)
    return object.takeError();
  objcopy::ConfigManager config;
  config.Common.InputFilename = config.Common.OutputFilename = path;
  if (Error error = config.Common.ToRemove.addMatcher(
          objcopy::NameOrPattern::create(".note.GNU-stack", objcopy::MatchStyle::Literal, [](Error e) { return e; })))
    return error;
  SmallVector<char, 0> bytes;
  raw_svector_ostream copy(bytes);
  if (Error error = objcopy::executeObjcopyOnBinary(config, **object, copy))
    return error;
  std::error_code code;
  raw_fd_ostream stream(path, code);
  if (code)
    return cannotWrite(path, code);
  stream.write(bytes.data(), bytes.size());
  stream.close();
  code = stream.error();
  stream.clear_error();
  return code ? cannotWrite(path, code) : Error::success();
}

static std::string weightsName(const EmittedModel &emitted) {
  SmallString<64> name;
  Mangler::getNameWithPrefix(name, emitted.prefix + "_weights", emitted.machine.createDataLayout());
  return name.str().str();
}

/// Says why bytes written to `section` would not be read-only data of the program, if so.
static Error checkWeightsSection(const object::SectionRef &section) {
  if (section.isVirtual() || section.isBSS())
    return createStringError("the object has no bytes for the weights");
  if (!isa<object::ELFObjectFileBase>(section.getObject()))
    return Error::success();
  object::ELFSectionRef elf(section);
  if (elf.getType() != ELF::SHT_PROGBITS || !(elf.getFlags() & ELF::SHF_ALLOC) || (elf.getFlags() & ELF::SHF_WRITE))
    return createStringError("the weights' section is not read-only data");
  return Error::success();
}

/// Where the bytes of `symbol` begin, as an address inside the object's buffer.
static Expected<ArrayRef<uint8_t>> symbolBytes(const object::ObjectFile &object, const object::SymbolRef &symbol) {
  if (auto *wasm = dyn_cast<object::WasmObjectFile>(&object)) {
    const auto &info = wasm->getWasmSymbol(symbol).Info;
    if (info.Kind != wasm::WASM_SYMBOL_TYPE_DATA || info.DataRef.Segment >= wasm->dataSegments().size())
      return createStringError("the weights are not data");
    ArrayRef<uint8_t> content = wasm->dataSegments()[info.DataRef.Segment].Data.Content;
    if (info.DataRef.Offset > content.size())
      return createStringError("the weights lie outside their segment");
    return content.drop_front(info.DataRef.Offset);
  }
  auto section = symbol.getSection();
  if (!section)
    return section.takeError();
  if (*section == object.section_end())
    return createStringError("the weights are not in a section");
  if (Error error = checkWeightsSection(**section))
    return std::move(error);
  auto address = symbol.getAddress();
  if (!address)
    return address.takeError();
  auto contents = (*section)->getContents();
  if (!contents)
    return contents.takeError();
  uint64_t offset = *address - (*section)->getAddress();
  if (offset > contents->size())
    return createStringError("the weights lie outside their section");
  return arrayRefFromStringRef(contents->drop_front(offset));
}

/// The place of the weights in the object file `path`.
static Expected<uint64_t> findWeights(const EmittedModel &emitted, StringRef path) {
  Expected<object::OwningBinary<object::ObjectFile>> file = object::ObjectFile::createObjectFile(path);
  if (!file)
    return file.takeError();
  const object::ObjectFile &object = *file->getBinary();
  std::string wanted = weightsName(emitted);
  for (const object::SymbolRef &symbol : object.symbols()) {
    auto name = symbol.getName();
    if (!name) {
      consumeError(name.takeError());
      continue;
    }
    if (*name != wanted)
      continue;
    auto bytes = symbolBytes(object, symbol);
    if (!bytes)
      return bytes.takeError();
    if (bytes->size() < emitted.model.weightBytes)
      return createStringError("the object has too few bytes for the weights");
    return reinterpret_cast<const char *>(bytes->data()) - object.getData().data();
  }
  return createStringError("the object has no symbol " + wanted);
}

static Error patchWeights(const EmittedModel &emitted, StringRef path) {
  auto offset = findWeights(emitted, path);
  if (!offset)
    return offset.takeError();
  auto file = sys::fs::openNativeFileForReadWrite(path, sys::fs::CD_OpenExisting, sys::fs::OF_None);
  if (!file)
    return file.takeError();
  uint64_t size;
  std::error_code code = sys::fs::file_size(path, size);
  std::error_code mapCode;
  if (!code) {
    sys::fs::mapped_file_region region(*file, sys::fs::mapped_file_region::readwrite, size, 0, mapCode);
    if (!mapCode)
      writeWeights(emitted.model, MutableArrayRef<char>(region.data() + *offset, emitted.model.weightBytes),
                   !emitted.machine.createDataLayout().isLittleEndian());
  }
  std::error_code closeCode = sys::fs::closeFile(*file);
  for (std::error_code failure : {code, mapCode, closeCode})
    if (failure)
      return cannotWrite(path, failure);
  return Error::success();
}

Expected<std::vector<std::string>> forbiddenSymbols(StringRef path, const TargetMachine &machine) {
  static const std::pair<StringRef, StringRef> allowed[] = {
#define ALLOW(architecture, symbol) {architecture, symbol},
#include "compiler/artifact/UndefinedSymbols.def"
  };
  Expected<object::OwningBinary<object::ObjectFile>> file = object::ObjectFile::createObjectFile(path);
  if (!file)
    return file.takeError();
  const object::ObjectFile &object = *file->getBinary();

  StringRef architecture = Triple::getArchTypePrefix(machine.getTargetTriple().getArch());
  bool underscore = machine.createDataLayout().getGlobalPrefix() == '_';
  std::set<std::string> forbidden;
  for (const object::SymbolRef &symbol : object.symbols()) {
    auto flags = symbol.getFlags();
    auto name = symbol.getName();
    if (!flags || !name) {
      consumeError(flags.takeError());
      consumeError(name.takeError());
      continue;
    }
    // COFF's weak externals and ELF's first, empty symbol are no references.
    if (!(*flags & object::SymbolRef::SF_Undefined) || name->empty())
      continue;
    StringRef plain = *name;
    if (underscore)
      plain.consume_front("_");
    bool isAllowed = any_of(allowed, [&](const auto &row) {
      if (!row.first.empty() && row.first != architecture)
        return false;
      return row.second.ends_with("*") ? plain.starts_with(row.second.drop_back()) : plain == row.second;
    });
    // Instrumented objects need their sanitizer's runtime; nobody ships them.
    bool isSanitizer = any_of(ArrayRef<StringRef>{"__asan_", "__tsan_", "__start_asan_", "__stop_asan_"},
                              [&](StringRef start) { return plain.starts_with(start); });
    if (!isAllowed && !isSanitizer)
      forbidden.insert(plain.str());
  }
  return std::vector<std::string>(forbidden.begin(), forbidden.end());
}

Error writeObject(const EmittedModel &emitted, StringRef path) {
  {
    std::error_code code;
    raw_fd_ostream stream(path, code);
    if (code)
      return cannotWrite(path, code);
    Error error = emit(emitted, stream, CodeGenFileType::ObjectFile);
    stream.close();
    std::error_code failure = stream.error();
    stream.clear_error();
    if (error)
      return error;
    if (failure)
      return cannotWrite(path, failure);
  }
  const Triple &triple = emitted.machine.getTargetTriple();
  if (triple.isOSBinFormatELF() && isBareMetal(triple))
    if (Error error = removeStackNote(path))
      return error;
  if (emitted.model.weightBytes != 0)
    if (Error error = patchWeights(emitted, path))
      return error;

  auto forbidden = forbiddenSymbols(path, emitted.machine);
  if (!forbidden)
    return forbidden.takeError();
  if (!forbidden->empty())
    return createStringError("the emitted code needs functions that a freestanding object may not: " +
                             join(*forbidden, ", "));
  return Error::success();
}

Error writeStaticLibrary(const EmittedModel &emitted, StringRef object, StringRef path) {
  auto member = NewArchiveMember::getFile(object, /*Deterministic=*/true);
  if (!member)
    return member.takeError();
  std::string name = emitted.prefix + ".o";
  member->MemberName = name;
  const Triple &triple = emitted.machine.getTargetTriple();
  object::Archive::Kind kind = triple.isOSDarwin()    ? object::Archive::K_DARWIN
                               : triple.isOSWindows() ? object::Archive::K_COFF
                                                      : object::Archive::K_GNU;
  std::vector<NewArchiveMember> members;
  members.push_back(std::move(*member));
  return writeArchive(path, members, SymtabWritingMode::NormalSymtab, kind, /*Deterministic=*/true, /*Thin=*/false);
}

/// Gives the weights their bytes as a constant, for output that is text.
static void materializeWeights(const EmittedModel &emitted) {
  GlobalVariable *weights = emitted.module.getGlobalVariable(emitted.prefix + "_weights");
  if (!weights || emitted.model.weightBytes == 0)
    return;
  std::vector<char> image(emitted.model.weightBytes);
  writeWeights(emitted.model, image, !emitted.machine.createDataLayout().isLittleEndian());
  weights->setInitializer(ConstantDataArray::getString(emitted.module.getContext(),
                                                       StringRef(image.data(), image.size()),
                                                       /*AddNull=*/false));
}

Error writeAssembly(const EmittedModel &emitted, raw_pwrite_stream &stream) {
  materializeWeights(emitted);
  return emit(emitted, stream, CodeGenFileType::AssemblyFile);
}

Error writeLLVMIR(const EmittedModel &emitted, raw_pwrite_stream &stream) {
  materializeWeights(emitted);
  emitted.module.print(stream, /*AAW=*/nullptr);
  return Error::success();
}

} // namespace onnx_aot
