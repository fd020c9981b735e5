# How a native module of this project is built: one extension per package, each kernel file compiled once per ISA.
#
#   vision_native_module(_native_ext PACKAGE vision_core
#     BINDINGS  native/bindings.cpp        # nanobind only: checks, GIL release, call
#     SOURCES   native/plan/arena.cpp      # compiled once, baseline flags
#     KERNELS   native/kernels/nms.cpp     # compiled once per ISA
#     ISAS      scalar sse41 avx2 avx512   # of these, what fits the processor that is built for
#     LIBRARIES JPEG::JPEG)
#
# Options: VISION_SANITIZE (ASan + UBSan), VISION_WERROR.

include_guard(GLOBAL)

option(VISION_SANITIZE "Build with the address and undefined-behaviour sanitizers" OFF)
option(VISION_WERROR "Treat warnings as errors" OFF)

get_filename_component(VISION_NATIVE_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(VISION_ARCH_ISAS scalar sse41 avx2 avxvnni avx512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(VISION_ARCH_ISAS scalar neon dotprod i8mm)
else()
  set(VISION_ARCH_ISAS scalar)
endif()

# Kernels see the flags of their ISA and no others; a fused multiply-add is written where it is meant.
set(VISION_FLAGS_scalar "")
set(VISION_FLAGS_sse41 -msse4.1)
set(VISION_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(VISION_FLAGS_avxvnni ${VISION_FLAGS_avx2} -mavxvnni)
set(VISION_FLAGS_avx512 ${VISION_FLAGS_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
    -mprefer-vector-width=512)
set(VISION_FLAGS_neon "")
set(VISION_FLAGS_dotprod -march=armv8.2-a+dotprod)
set(VISION_FLAGS_i8mm -march=armv8.2-a+dotprod+i8mm)
set(VISION_KERNEL_FLAGS -ffp-contract=off -fno-math-errno -fno-exceptions -fno-rtti)

function(vision_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-psabi -Wno-maybe-uninitialized)  # gcc 12 warns in its own AVX-512 headers
  if(VISION_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(VISION_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=undefined
                           -fno-omit-frame-pointer -g -O1)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  endif()
endfunction()

# vision_kernel_objects(NAME OUT_VAR KERNELS ... ISAS ... INCLUDES ...): object files of each kernel for each ISA.
# OUT_VAR receives the list of generator expressions, OUT_VAR_DEFINITIONS the VISION_HAS_<ISA> definitions.
function(vision_kernel_objects name out)
  cmake_parse_arguments(ARG "" "" "KERNELS;ISAS;INCLUDES" ${ARGN})
  set(objects "")
  set(definitions "")
  foreach(isa IN LISTS VISION_ARCH_ISAS)
    if(isa IN_LIST ARG_ISAS OR isa MATCHES "^(scalar|neon)$")  # the baselines are always there
      string(TOUPPER ${isa} upper)
      list(APPEND definitions VISION_HAS_${upper}=1)
      if(ARG_KERNELS)
        set(target ${name}_${isa})
        add_library(${target} OBJECT ${ARG_KERNELS})
        target_include_directories(${target} PRIVATE ${VISION_NATIVE_ROOT}/include ${ARG_INCLUDES})
        target_compile_definitions(${target} PRIVATE VISION_ISA_NAMESPACE=${isa} VISION_ISA_IS_${upper}=1)
        target_compile_options(${target} PRIVATE ${VISION_KERNEL_FLAGS} ${VISION_FLAGS_${isa}})
        vision_warnings(${target})
        list(APPEND objects $<TARGET_OBJECTS:${target}>)
      endif()
    endif()
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
  set(${out}_DEFINITIONS ${definitions} PARENT_SCOPE)
endfunction()

set(VISION_SUPPORT_SOURCES ${VISION_NATIVE_ROOT}/src/isa.cpp ${VISION_NATIVE_ROOT}/src/thread_pool.cpp)

function(vision_native_module name)
  cmake_parse_arguments(ARG "" "PACKAGE" "BINDINGS;SOURCES;KERNELS;ISAS;INCLUDES;LIBRARIES;DEFINITIONS" ${ARGN})
  if(NOT ARG_PACKAGE OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "vision_native_module: PACKAGE is needed; unknown arguments: '${ARG_UNPARSED_ARGUMENTS}'")
  endif()
  find_package(Threads REQUIRED)
  find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module OPTIONAL_COMPONENTS Development.SABIModule)
  execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir OUTPUT_VARIABLE nanobind_ROOT
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  find_package(nanobind CONFIG REQUIRED)

  set(includes ${CMAKE_CURRENT_SOURCE_DIR}/native ${ARG_INCLUDES})
  vision_kernel_objects(${name} kernels KERNELS ${ARG_KERNELS} ISAS ${ARG_ISAS} INCLUDES ${includes})
  nanobind_add_module(${name} BACKEND_MODULE nanobind_backend NOMINSIZE NB_SUPPRESS_WARNINGS
                      ${ARG_BINDINGS} ${ARG_SOURCES} ${VISION_SUPPORT_SOURCES} ${kernels})
  target_include_directories(${name} PRIVATE ${VISION_NATIVE_ROOT}/include ${includes})
  target_compile_definitions(${name} PRIVATE ${kernels_DEFINITIONS} ${ARG_DEFINITIONS})
  target_compile_options(${name} PRIVATE -ffp-contract=off)
  target_link_libraries(${name} PRIVATE Threads::Threads ${ARG_LIBRARIES})
  vision_warnings(${name})
  install(TARGETS ${name} LIBRARY DESTINATION ${ARG_PACKAGE} COMPONENT ${ARG_PACKAGE})
endfunction()
