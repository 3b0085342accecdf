# SPDX-License-Identifier: Apache-2.0
# BPF programs: compiled by clang, embedded as a skeleton.
find_program(CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

# limpet_bpf_skeleton(NAME SOURCE DEPENDENCY...): build/bpf/NAME.skel.h, made by the target NAME_bpf_skeleton, and the
# library NAME_bpf to link for it. The skeleton's struct is NAME_bpf.
function(limpet_bpf_skeleton name source)
  set(object ${PROJECT_BINARY_DIR}/bpf/${name}.bpf.o)
  set(skeleton ${PROJECT_BINARY_DIR}/bpf/${name}.skel.h)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/bpf)
  # -target bpf does not search the multiarch directory where Debian keeps <asm/types.h>.
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${CLANG} -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror -Wno-unused-parameter
            -I/usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -I${PROJECT_SOURCE_DIR} -c ${source} -o ${object}
    DEPENDS ${source} ${ARGN}
    COMMENT "Compiling ${name}.bpf.c"
    VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
    DEPENDS ${object}
    COMMENT "Embedding ${name}.bpf.o"
    VERBATIM)
  add_custom_target(${name}_bpf_skeleton DEPENDS ${skeleton})
  add_library(${name}_bpf INTERFACE)
  add_dependencies(${name}_bpf ${name}_bpf_skeleton)
  # A skeleton is generated code.
  target_include_directories(${name}_bpf SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/bpf)
endfunction()

# The data plane. abi.h is the only file of bpf/ that C++ includes.
file(GLOB_RECURSE bpf_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bpf/*.h)
limpet_bpf_skeleton(limpet ${PROJECT_SOURCE_DIR}/bpf/limpet.bpf.c ${bpf_headers})
target_include_directories(limpet_bpf INTERFACE ${PROJECT_SOURCE_DIR})
