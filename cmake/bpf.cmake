# SPDX-License-Identifier: Apache-2.0
# The data plane: bpf/limpet.bpf.c compiled by clang, embedded as a skeleton (limpet.skel.h).
find_program(CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

set(bpf_object ${PROJECT_BINARY_DIR}/bpf/limpet.bpf.o)
set(bpf_skeleton ${PROJECT_BINARY_DIR}/bpf/limpet.skel.h)
file(GLOB_RECURSE bpf_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bpf/*.h ${PROJECT_SOURCE_DIR}/bpf/*.c)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/bpf)

# -target bpf does not search the multiarch directory where Debian keeps <asm/types.h>.
add_custom_command(
  OUTPUT ${bpf_object}
  COMMAND ${CLANG} -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror -Wno-unused-parameter
          -I/usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -c ${PROJECT_SOURCE_DIR}/bpf/limpet.bpf.c -o ${bpf_object}
  DEPENDS ${bpf_sources}
  COMMENT "Compiling the data plane"
  VERBATIM)
add_custom_command(
  OUTPUT ${bpf_skeleton}
  COMMAND ${BPFTOOL} gen skeleton ${bpf_object} name limpet_bpf > ${bpf_skeleton}
  DEPENDS ${bpf_object}
  COMMENT "Embedding the data plane"
  VERBATIM)
add_custom_target(limpet_bpf_skeleton DEPENDS ${bpf_skeleton})

add_library(limpet_bpf INTERFACE)
add_dependencies(limpet_bpf limpet_bpf_skeleton)
# abi.h is the only file of bpf/ that C++ includes; the skeleton is generated code.
target_include_directories(limpet_bpf SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/bpf)
target_include_directories(limpet_bpf INTERFACE ${PROJECT_SOURCE_DIR})
