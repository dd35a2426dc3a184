# What `cmake --install` copies: the command lines, the public headers and the CMake package. A project that uses
# onnx-aot by add_subdirectory() gets the same add_onnx_model(), with the compiler built here.
include(CMakePackageConfigHelpers)

add_executable(onnx-aot::onnx-aot ALIAS onnx-aot)
include(${CMAKE_CURRENT_LIST_DIR}/OnnxAot.cmake)

set(onnx_aot_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/OnnxAot)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/OnnxAotConfig.cmake.in ${PROJECT_BINARY_DIR}/OnnxAotConfig.cmake
  INSTALL_DESTINATION ${onnx_aot_package_dir}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_BINDIR)
# The package holds headers and a program that runs on the build machine: it serves targets of any word size.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/OnnxAotConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)

# libMLIR lies in LLVM's own folder, where the loader does not look.
set_target_properties(onnx-aot onnx-aot-run onnx-aot-opt PROPERTIES INSTALL_RPATH ${LLVM_LIBRARY_DIR})
install(TARGETS onnx-aot onnx-aot-run onnx-aot-opt RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_BINARY_DIR}/OnnxAotConfig.cmake ${PROJECT_BINARY_DIR}/OnnxAotConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/OnnxAot.cmake
        DESTINATION ${onnx_aot_package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
