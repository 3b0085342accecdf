# SPDX-License-Identifier: Apache-2.0
# One room of the house: a static library of every source below src/NAME, compiled with the house's warnings.
set(LIMPET_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
                    -Woverloaded-virtual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND LIMPET_WARNINGS -Wno-restrict) # false alarms on std::string in GCC 12
endif()

# Such a clang knows coroutines, but neither libstdc++ nor Boost believe it without these (as in .clang-tidy).
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 17)
  add_compile_definitions($<$<COMPILE_LANGUAGE:CXX>:__cpp_impl_coroutine=201902L> BOOST_ASIO_HAS_CO_AWAIT
                          BOOST_ASIO_HAS_STD_COROUTINE)
  add_compile_options(-Wno-builtin-macro-redefined)
endif()

option(LIMPET_SANITIZE "Address and undefined-behaviour sanitizers for user-space code" OFF)
if(LIMPET_SANITIZE)
  # Null pointers are found by the address sanitizer; its sister's checks of each pointer take a quarter of the build. And
  # what clang writes before each function for calls through pointers does not go together with coroutines.
  set(unchecked null,vptr,alignment,object-size)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    string(APPEND unchecked ",function")
  endif()
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=${unchecked} -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

function(limpet_room name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  add_library(limpet_${name} STATIC ${sources})
  target_include_directories(limpet_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_compile_options(limpet_${name} PRIVATE ${LIMPET_WARNINGS})
endfunction()
