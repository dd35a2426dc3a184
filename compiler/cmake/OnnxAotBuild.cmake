# Helpers that every layer's CMakeLists.txt uses: library targets with the shared precompiled header, and TableGen.

add_library(onnx_aot_flags INTERFACE)
target_include_directories(onnx_aot_flags INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated ${PROJECT_SOURCE_DIR}/include)
target_include_directories(onnx_aot_flags SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(onnx_aot_llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
target_compile_options(onnx_aot_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-unused-parameter -fno-semantic-interposition>
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Xclang -fno-pch-timestamp>)
target_compile_definitions(onnx_aot_flags INTERFACE ONNX_AOT_VERSION="${PROJECT_VERSION}" ${onnx_aot_llvm_definitions})
if(ONNX_AOT_VERIFY_CONTRACTS)
  target_compile_definitions(onnx_aot_flags INTERFACE ONNX_AOT_VERIFY_CONTRACTS)
endif()

# One precompiled header for all layers: the MLIR headers that nearly every file includes.
file(WRITE ${PROJECT_BINARY_DIR}/pch.cpp "")
add_library(onnx_aot_pch OBJECT ${PROJECT_BINARY_DIR}/pch.cpp)
target_link_libraries(onnx_aot_pch PRIVATE onnx_aot_flags)
target_precompile_headers(onnx_aot_pch PRIVATE
  <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Func/IR/FuncOps.h> <mlir/Dialect/Linalg/IR/Linalg.h>
  <mlir/Dialect/Math/IR/Math.h> <mlir/Dialect/MemRef/IR/MemRef.h> <mlir/Dialect/SCF/IR/SCF.h>
  <mlir/Dialect/Tensor/IR/Tensor.h> <mlir/Dialect/Vector/IR/VectorOps.h> <mlir/Dialect/Bufferization/IR/Bufferization.h>
  <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h> <mlir/IR/Matchers.h> <mlir/IR/PatternMatch.h>
  <mlir/Pass/Pass.h> <mlir/Pass/PassManager.h> <mlir/Transforms/DialectConversion.h>
  <llvm/ADT/StringMap.h> <llvm/ADT/StringSwitch.h> <llvm/ADT/TypeSwitch.h> <llvm/Support/raw_ostream.h>)

# onnx_aot_add_library(NAME sources... [LINK libraries...] [DEPENDS targets...])
function(onnx_aot_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_precompile_headers(${name} REUSE_FROM onnx_aot_pch)
  target_link_libraries(${name} PUBLIC onnx_aot_flags ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# onnx_aot_tablegen(TARGET td-file output generator-flags... ...): one generated file below ${PROJECT_BINARY_DIR}/generated.
# Appends the output to the list onnx_aot_generated in the caller's scope.
function(onnx_aot_tablegen td output)
  set(full ${PROJECT_BINARY_DIR}/generated/${output})
  get_filename_component(dir ${full} DIRECTORY)
  file(MAKE_DIRECTORY ${dir})
  add_custom_command(OUTPUT ${full}
    COMMAND ${MLIR_TABLEGEN_EXE} ${ARGN} -I ${PROJECT_SOURCE_DIR} -I ${MLIR_INCLUDE_DIRS} -I ${LLVM_INCLUDE_DIRS}
            ${td} -o ${full} -d ${full}.d --write-if-changed
    DEPFILE ${full}.d DEPENDS ${td} VERBATIM
    COMMENT "TableGen ${output}")
  list(APPEND onnx_aot_generated ${full})
  set(onnx_aot_generated ${onnx_aot_generated} PARENT_SCOPE)
endfunction()

# A chapter of the generated reference, docs/OUTPUT in the build folder. Usage: onnx_aot_document(TD OUTPUT -gen-op-doc)
function(onnx_aot_document td output)
  set(full ${PROJECT_BINARY_DIR}/docs/${output})
  get_filename_component(dir ${full} DIRECTORY)
  file(MAKE_DIRECTORY ${dir})
  add_custom_command(OUTPUT ${full}
    COMMAND ${MLIR_TABLEGEN_EXE} ${ARGN} -I ${PROJECT_SOURCE_DIR} -I ${MLIR_INCLUDE_DIRS} -I ${LLVM_INCLUDE_DIRS}
            ${td} -o ${full} -d ${full}.d --write-if-changed
    DEPFILE ${full}.d DEPENDS ${td} VERBATIM
    COMMENT "Documenting ${output}")
  string(MAKE_C_IDENTIFIER document_${output} target)
  add_custom_target(${target} DEPENDS ${full})
  set_property(GLOBAL APPEND PROPERTY onnx_aot_documents ${target})
endfunction()
