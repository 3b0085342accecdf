# SPDX-License-Identifier: Apache-2.0
# One room of the house: a static library of every source below src/NAME, compiled with the house's warnings.
set(LIMPET_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
                    -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND LIMPET_WARNINGS -Wno-restrict) # false alarms on std::string in GCC 12
endif()

option(LIMPET_SANITIZE "Address and undefined-behaviour sanitizers for user-space code" OFF)
if(LIMPET_SANITIZE)
  # Null pointers are found by the address sanitizer; its sister's checks of each pointer take a quarter of the build.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null,vptr,alignment,object-size
                      -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

function(limpet_room name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  add_library(limpet_${name} STATIC ${sources})
  target_include_directories(limpet_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_compile_options(limpet_${name} PRIVATE ${LIMPET_WARNINGS})
endfunction()
