//===- artifact_object_test.cpp - Objects, libraries and text, linked and run ----===//

#include "compiler/artifact/OutputFiles.h"
#include "test/unit/artifact_fixture.h"

using namespace onnx_aot;
using namespace onnx_aot::test;

namespace {

const char *const program = R"c(
#include "tiny.h"
#include <stdio.h>
#include <string.h>
_Alignas(64) static char arena[TINY_ARENA_BYTES + 64];
static int fail(int line) { printf("line %d\n", line); return 1; }
int main(void) {
  static const int64_t dims[] = TINY_INPUT_X_DIMS;
  float x[4] = {1, 2, 3, 4}, y[4] = {0};
  char text[200];
  if (tiny_run(x, y, arena) != ONNX_AOT_OK) return fail(__LINE__);
  for (int i = 0; i < 4; ++i)
    if (y[i] != x[i] * (float)(i + 1) + 0.5f) return fail(__LINE__);
  const onnx_aot_model *m = &tiny_model;
  const void *in[] = {x};
  void *out[] = {y};
  memset(y, 0, sizeof y);
  if (m->entry(in, out, NULL, NULL, arena, NULL) != ONNX_AOT_OK || y[3] != 16.5f) return fail(__LINE__);
  if (tiny_run(NULL, y, arena) != ONNX_AOT_NULL_ARGUMENT) return fail(__LINE__);
  if (tiny_run(x, y, NULL) != ONNX_AOT_NULL_ARGUMENT) return fail(__LINE__);
  if (m->entry(NULL, out, NULL, NULL, arena, NULL) != ONNX_AOT_NULL_ARGUMENT) return fail(__LINE__);
  if (tiny_run(x, y, arena + 4) != ONNX_AOT_ARENA_ALIGNMENT) return fail(__LINE__);
  if (m->abi_version != ONNX_AOT_ABI_VERSION || m->num_inputs != 1 || m->num_outputs != 1) return fail(__LINE__);
  if (m->num_metadata != 2 || m->num_nodes != 2 || m->arena_align != 64 || m->arena_bytes != 64) return fail(__LINE__);
  if (m->weight_bytes != 80 || m->model_version != 7) return fail(__LINE__);
  if (strcmp(m->name, "tiny") || strcmp(m->graph_name, "tiny") || strcmp(m->producer_name, "tests")) return fail(__LINE__);
  if (strcmp(m->producer_version, "1") || strcmp(m->domain, "d") || strcmp(m->doc_string, "doc")) return fail(__LINE__);
  if (strcmp(m->metadata[0].key, "author") || strcmp(m->metadata[0].value, "someone")) return fail(__LINE__);
  if (strcmp(m->node_names[0], "conv1") || strcmp(m->node_names[1], "relu")) return fail(__LINE__);
  if (strcmp(m->inputs[0].name, "x") || m->inputs[0].rank != 2 || m->inputs[0].bytes != 16) return fail(__LINE__);
  if (memcmp(m->inputs[0].dims, dims, sizeof dims) || m->inputs[0].dtype != ONNX_AOT_FLOAT) return fail(__LINE__);
  if (strcmp(m->outputs[0].name, "y") || m->outputs[0].rank != 1) return fail(__LINE__);
  if (onnx_aot_status_text(m, 1u | (1u << 8), text, sizeof text) != strlen(text)) return fail(__LINE__);
  if (strcmp(text, "tiny: node \"conv1\": an input, output or arena pointer is NULL")) return fail(__LINE__);
  onnx_aot_status_text(m, 2u | (9u << 8), text, sizeof text);
  if (strcmp(text, "tiny: node #8: the arena is not aligned as the model needs")) return fail(__LINE__);
  onnx_aot_status_text(m, 0, text, sizeof text);
  if (strcmp(text, "tiny: ok")) return fail(__LINE__);
  onnx_aot_status_text(NULL, 250, text, sizeof text);
  if (strcmp(text, "unknown status code 250")) return fail(__LINE__);
  if (onnx_aot_status_text(m, 0, text, 5) != 8 || strcmp(text, "tiny")) return fail(__LINE__);
  if (onnx_aot_status_text(m, 0, NULL, 0) != 8) return fail(__LINE__);
  puts("fine");
  return 0;
}
)c";

const char *const strict = "cc -std=c11 -O1 -Wall -Wextra -Wpedantic -Werror main.c ";

TEST_F(ArtifactTest, ObjectLinksAndRuns) {
  ASSERT_TRUE(build(options("tiny.o", OutputKind::Object))) << errors;
  EXPECT_EQ(files(), (std::vector<std::string>{"tiny.h", "tiny.o"}));
  write("main.c", program);
  ASSERT_EQ(shell(std::string(strict) + "tiny.o -o run && ./run"), 0) << log;
  ASSERT_EQ(shell("nm -u tiny.o"), 0);
  EXPECT_EQ(log, "");
  ASSERT_EQ(shell("nm -g --defined-only tiny.o | cut -d' ' -f3 | sort"), 0);
  EXPECT_EQ(log, "onnx_aot_status_text\ntiny_model\ntiny_run\ntiny_weights\n");
  ASSERT_EQ(shell("readelf -W -s tiny.o | grep tiny_weights"), 0);
  EXPECT_NE(log.find("HIDDEN"), std::string::npos) << log;
  // No unwinding tables.
  EXPECT_NE(shell("readelf -W -S tiny.o | grep eh_frame"), 0) << log;
  // Read-only, progbits, aligned; nothing writable but relocated constants.
  ASSERT_EQ(shell("readelf -W -S tiny.o | grep -E 'rodata.tiny_weights .*PROGBITS .* A +0 +0 64'"), 0);
  ASSERT_EQ(shell("readelf -W -S tiny.o | grep -E ' \\.(data|bss)'  | grep -v 'data.rel.ro' | grep -vE ' 000000 '"),
            256)
      << log;
}

TEST_F(ArtifactTest, StaticLibraryLinksAndRuns) {
  ASSERT_TRUE(build(options("libtiny.a", OutputKind::StaticLibrary))) << errors;
  EXPECT_EQ(files(), (std::vector<std::string>{"libtiny.a", "libtiny.h"}));
  write("main.c", program);
  ASSERT_EQ(shell("ar t libtiny.a"), 0);
  EXPECT_EQ(log, "tiny.o\n");
  ASSERT_EQ(shell("mv libtiny.h tiny.h; " + std::string(strict) + "libtiny.a -o run && ./run"), 0) << log;
}

TEST_F(ArtifactTest, SharedLibraryLinksAndRuns) {
  ASSERT_TRUE(build(options("tiny.so", OutputKind::SharedLibrary))) << errors;
  EXPECT_EQ(files(), (std::vector<std::string>{"tiny.h", "tiny.so"}));
  write("main.c", program);
  ASSERT_EQ(shell(std::string(strict) + "tiny.so -Wl,-rpath,. -o run && ./run"), 0) << log;
  ASSERT_EQ(shell("nm -D --defined-only tiny.so | cut -d' ' -f3 | sort"), 0);
  EXPECT_EQ(log, "onnx_aot_status_text\ntiny_model\ntiny_run\n");
  ASSERT_EQ(shell("readelf -W -d -l tiny.so"), 0);
  EXPECT_NE(log.find("[tiny.so]"), std::string::npos);
  EXPECT_EQ(log.find("NEEDED"), std::string::npos);
  EXPECT_EQ(log.find("RWE"), std::string::npos);
  EXPECT_NE(log.find("GNU_STACK"), std::string::npos);
  // A second one in the same process: the linker can run again.
  ASSERT_TRUE(build(options("again.so", OutputKind::SharedLibrary))) << errors;
}

TEST_F(ArtifactTest, AssemblyAndIRHoldTheWeights) {
  ASSERT_TRUE(build(options("tiny.s", OutputKind::Assembly))) << errors;
  ASSERT_TRUE(build(options("tiny.ll", OutputKind::LLVMIR))) << errors;
  EXPECT_EQ(files(), (std::vector<std::string>{"tiny.ll", "tiny.s"}));
  ASSERT_TRUE(build(options("tiny.o", OutputKind::Object))) << errors;
  write("main.c", program);
  ASSERT_EQ(shell(std::string(strict) + "tiny.s -o run && ./run"), 0) << log;
  std::string ir = readFile(in("tiny.ll"));
  EXPECT_NE(
      ir.find("@tiny_weights = hidden local_unnamed_addr externally_initialized constant [80 x i8] c\"\\00\\00\\80?"),
      std::string::npos)
      << ir.substr(0, 2000);
}

TEST_F(ArtifactTest, TwoModelsInOneProgram) {
  ASSERT_TRUE(build(options("one.o", OutputKind::Object, "one"))) << errors;
  ASSERT_TRUE(build(options("two.o", OutputKind::Object, "two"))) << errors;
  write("main.c", R"c(
#include "one.h"
#include "two.h"
int main(void) {
  _Alignas(64) static char arena[ONE_ARENA_BYTES];
  float x[4] = {1, 2, 3, 4}, y[4], z[4];
  return one_run(x, y, arena) || two_run(y, z, arena) || z[0] != 2.0f || two_model.name[0] != 't';
}
)c");
  ASSERT_EQ(shell(std::string(strict) + "one.o two.o -o run && ./run"), 0) << log;
}

TEST_F(ArtifactTest, SameInputSameBytes) {
  for (auto [name, kind] : {std::pair("a.o", OutputKind::Object),
                            {"a.a", OutputKind::StaticLibrary},
                            {"a.so", OutputKind::SharedLibrary},
                            {"a.s", OutputKind::Assembly}}) {
    CompilerOptions once = options(name, kind);
    ASSERT_TRUE(build(once)) << errors;
    std::string first = readFile(in(name));
    llvm::sys::fs::create_directory(in("sub"));
    CompilerOptions again = options("sub/" + std::string(name), kind);
    ASSERT_TRUE(build(again)) << errors;
    EXPECT_FALSE(first.empty());
    EXPECT_TRUE(first == readFile(in("sub/" + std::string(name)))) << name;
  }
}

TEST_F(ArtifactTest, OtherTargets) {
  struct Case {
    const char *triple, *flags, *machine;
  };
  for (Case each : {Case{"aarch64-linux-gnu", "", "AArch64"},
                    {"riscv64-linux-gnu", "double-float ABI", "RISC-V"},
                    {"thumbv7em-none-eabi", "", "ARM"},
                    {"thumbv7em-none-eabihf", "VFP registers", "ARM"},
                    {"armv7-linux-gnueabihf", "VFP registers", "ARM"},
                    {"i686-linux-gnu", "", "Intel 80386"},
                    {"powerpc64-linux-gnu", "", "PowerPC64"}}) {
    CompilerOptions how = options("t.o", OutputKind::Object);
    how.codegen.triple = each.triple;
    ASSERT_TRUE(build(how)) << each.triple << errors;
    ASSERT_EQ(shell("readelf -W -h -A t.o | grep -E 'Machine|Flags|Tag_ABI_VFP_args'"), 0);
    EXPECT_NE(log.find(each.machine), std::string::npos) << log;
    EXPECT_NE(log.find(each.flags), std::string::npos) << log;
    ASSERT_EQ(shell("readelf -W -S t.o | grep -E 'rodata.tiny_weights .*PROGBITS .* A +0 +0 64'"), 0) << each.triple;
    // The first two weights in the target's byte order.
    ASSERT_EQ(shell("readelf -x .rodata.tiny_weights t.o"), 0);
    bool big = llvm::StringRef(each.triple).starts_with("powerpc64-");
    EXPECT_NE(log.find(big ? "3f800000 40000000" : "0000803f 00000040"), std::string::npos) << each.triple << log;
    // The description has the layout that C gives it there.
    ASSERT_EQ(shell("readelf -W -s t.o | awk '$8 == \"tiny_model\" {print $3}'"), 0);
    write("size.c", "#include \"t.h\"\n_Static_assert(sizeof(onnx_aot_model) == " + log + ", \"\");\n");
    EXPECT_EQ(shell("clang-22 -std=c11 -ffreestanding -fsyntax-only --target=" + std::string(each.triple) + " size.c"),
              0)
        << each.triple << log;
    if (!llvm::StringRef(each.triple).contains("linux"))
      continue;
    how.artifact.output = in("t.so");
    how.artifact.kind = OutputKind::SharedLibrary;
    ASSERT_TRUE(build(how)) << each.triple << errors;
    ASSERT_EQ(shell("readelf -W -h t.so | grep -E 'Machine'"), 0);
    EXPECT_NE(log.find(each.machine), std::string::npos) << log;
    llvm::sys::fs::remove(in("t.so"));
  }
  for (const char *triple : {"wasm32-unknown-unknown", "x86_64-pc-windows-msvc", "arm64-apple-macos"}) {
    CompilerOptions how = options("t.o", OutputKind::Object);
    how.codegen.triple = triple;
    ASSERT_TRUE(build(how)) << triple << errors;
    std::string bytes = readFile(in("t.o"));
    EXPECT_NE(bytes.find(std::string("\0\0\x80\x3f\0\0\0\x40", 8)), std::string::npos) << triple;
    how = options("t.so", OutputKind::SharedLibrary);
    how.codegen.triple = triple;
    EXPECT_FALSE(build(how));
    EXPECT_EQ(exitStatus, 1);
    EXPECT_NE(errors.find("shared libraries"), std::string::npos) << errors;
    EXPECT_FALSE(llvm::sys::fs::exists(in("t.so")));
  }
}

TEST_F(ArtifactTest, FailureLeavesNothing) {
  // Code that would need libm.
  std::string code = codeModule;
  code += "declare double @sin(double)\n";
  size_t at = code.find("%s = fadd");
  code.insert(at,
              "%sd = call double @sin(double 1.0)\n %st = fptrunc double %sd to float\n store float %st, ptr %ap\n");
  for (auto [name, kind] : {std::pair("t.o", OutputKind::Object),
                            {"t.a", OutputKind::StaticLibrary},
                            {"t.so", OutputKind::SharedLibrary}}) {
    EXPECT_FALSE(build(options(name, kind), code));
    EXPECT_EQ(exitStatus, 2);
    EXPECT_NE(errors.find("sin"), std::string::npos) << errors;
    EXPECT_TRUE(files().empty());
  }
  EXPECT_FALSE(build(options("no/such/folder/t.o", OutputKind::Object)));
  EXPECT_EQ(exitStatus, 1) << errors;
  EXPECT_NE(errors.find("cannot write"), std::string::npos) << errors;
  CompilerOptions device = options("t.o", OutputKind::Object);
  device.artifact.output = "/dev/null";
  EXPECT_FALSE(build(device));
  EXPECT_EQ(exitStatus, 1) << errors;
  CompilerOptions badDepfile = options("t.o", OutputKind::Object);
  badDepfile.depfile = in("none/t.d");
  EXPECT_FALSE(build(badDepfile));
  EXPECT_FALSE(build(options("t.o", OutputKind::Object, "onnx_aot")));
  EXPECT_EQ(exitStatus, 1) << errors;
  CompilerOptions badCpu = options("t.o", OutputKind::Object);
  badCpu.codegen.cpu = "pentium9000";
  EXPECT_FALSE(build(badCpu));
  EXPECT_EQ(exitStatus, 1);
  EXPECT_FALSE(build(options("t.o", OutputKind::Object), "define i32 @main(ptr %x) { ret i32 0 }"));
  EXPECT_EQ(exitStatus, 2);
  EXPECT_TRUE(files().empty());
}

TEST_F(ArtifactTest, BackendErrorsAreReported) {
  // LLVM itself would print the error and end the process.
  std::string code = codeModule;
  code.insert(code.find("%s = fadd"), "%none = call i32 asm \"\", \"={nosuchregister}\"()\n");
  for (auto [name, kind] : {std::pair("t.o", OutputKind::Object), {"t.s", OutputKind::Assembly}}) {
    EXPECT_FALSE(build(options(name, kind), code));
    EXPECT_EQ(exitStatus, 1);
    EXPECT_NE(errors.find("no code for this target: "), std::string::npos) << errors;
    EXPECT_NE(errors.find("nosuchregister"), std::string::npos) << errors;
    EXPECT_TRUE(files().empty());
  }
}

TEST_F(ArtifactTest, InputsStayAsTheyAre) {
  write("tiny.onnx", "the model");
  ASSERT_EQ(shell("ln -s tiny.onnx link.o"), 0);
  std::vector<std::string> before = files();
  for (const char *name : {"tiny.onnx", "./tiny.onnx", "link.o"}) {
    OutputFiles outputs({in("tiny.onnx")});
    llvm::Error error = outputs.write(in(name), [](llvm::raw_pwrite_stream &os) { os << "code"; });
    EXPECT_NE(toString(std::move(error)).find("the model is read from this file"), std::string::npos) << name;
  }
  OutputFiles outputs({in("tiny.onnx")});
  auto write = [](llvm::raw_pwrite_stream &os) { os << "code"; };
  ASSERT_FALSE(outputs.write(in("out.o"), write));
  llvm::Error twice = outputs.write(in("./out.o"), write);
  EXPECT_NE(toString(std::move(twice)).find("another output of this run"), std::string::npos);
  ASSERT_FALSE(outputs.publish());
  before.push_back("out.o");
  llvm::sort(before);
  EXPECT_EQ(files(), before);
  EXPECT_EQ(readFile(in("tiny.onnx")), "the model");
}

TEST_F(ArtifactTest, Depfile) {
  CompilerOptions how = options("tiny out.o", OutputKind::Object);
  how.depfile = in("tiny.d");
  ASSERT_TRUE(build(how)) << errors;
  std::string text = readFile(how.depfile);
  EXPECT_NE(text.find("/tiny\\ out.o: \\\n  tiny.onnx \\\n  a\\ b.bin\n"), std::string::npos) << text;
}

TEST_F(ArtifactTest, MLIR) {
  ASSERT_TRUE(build(options("tiny.mlir", OutputKind::MLIR))) << errors;
  EXPECT_EQ(files(), std::vector<std::string>{"tiny.mlir"});
  EXPECT_NE(readFile(in("tiny.mlir")).find("func.func @main"), std::string::npos);
}

TEST_F(ArtifactTest, EveryLevelRuns) {
  write("main.c", program);
  for (int level : {0, 1, 2}) {
    CompilerOptions how = options("tiny.o", OutputKind::Object);
    how.codegen.optLevel = level;
    ASSERT_TRUE(build(how)) << errors;
    ASSERT_EQ(shell(std::string(strict) + "tiny.o -o run && ./run"), 0) << log;
  }
}

TEST_F(ArtifactTest, AddressSanitizerSeesIntoTheCode) {
  CompilerOptions how = options("tiny.o", OutputKind::Object);
  how.codegen.sanitize = CodegenOptions::Sanitize::Address;
  ASSERT_TRUE(build(how)) << errors;
  write("main.c", program);
  ASSERT_EQ(shell("clang-22 -std=c11 -fsanitize=address main.c tiny.o -o run && ./run"), 0) << log;
  write("short.c", R"c(
#include "tiny.h"
#include <stdlib.h>
int main(void) {
  float *x = malloc(16), *y = malloc(12);
  void *arena = aligned_alloc(64, 64);
  for (int i = 0; i < 4; ++i) x[i] = 1;
  return (int)tiny_run(x, y, arena);
}
)c");
  ASSERT_EQ(shell("clang-22 -std=c11 -fsanitize=address short.c tiny.o -o short"), 0) << log;
  EXPECT_NE(shell("./short"), 0);
  EXPECT_NE(log.find("heap-buffer-overflow"), std::string::npos) << log;
}

TEST_F(ArtifactTest, ThreadSanitizerSeesIntoTheCode) {
  CompilerOptions how = options("tiny.o", OutputKind::Object);
  how.codegen.sanitize = CodegenOptions::Sanitize::Thread;
  ASSERT_TRUE(build(how)) << errors;
  write("race.c", R"c(
#include "tiny.h"
#include <pthread.h>
#include <stdlib.h>
static float x[4] = {1, 2, 3, 4};
static int shared;
_Alignas(64) static char arenas[2][64];
static void *work(void *argument) {
  int index = *(int *)argument;
  float y[4];
  for (int i = 0; i < 1000; ++i)
    if (tiny_run(x, y, arenas[shared ? 0 : index]) || y[3] != 16.5f) abort();
  return NULL;
}
int main(int argc, char **argv) {
  pthread_t threads[2];
  int index[2] = {0, 1};
  (void)argv;
  shared = argc > 1;
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, work, &index[i]);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  return 0;
}
)c");
  ASSERT_EQ(shell("clang-22 -std=c11 -fsanitize=thread race.c tiny.o -o race && ./race"), 0) << log;
  EXPECT_NE(shell("./race shared"), 0);
  EXPECT_NE(log.find("data race"), std::string::npos) << log;
}

} // namespace
