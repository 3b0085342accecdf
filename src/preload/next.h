// SPDX-License-Identifier: Apache-2.0
// The function that would have been called without this library.
#pragma once

#include <dlfcn.h>

namespace limpet::preload {

// To be kept by the caller: looking it up takes a lock.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace limpet::preload

// A static function pointer NAME_next, set before main(); a constructor that runs still earlier sets it by its first
// call.
#define LIMPET_NEXT(name)                                                                  \
  static decltype(::name)* name##_next_function;                                           \
  static decltype(::name)* name##_next() {                                                 \
    decltype(::name)* function = __atomic_load_n(&name##_next_function, __ATOMIC_RELAXED); \
    if (function != nullptr) return function;                                              \
    function = limpet::preload::next<decltype(::name)>(#name);                             \
    __atomic_store_n(&name##_next_function, function, __ATOMIC_RELAXED);                   \
    return function;                                                                       \
  }                                                                                        \
  [[gnu::constructor]] static void find_##name() { (void)name##_next(); }

// A function of libc's name that programs are to find here first.
#define LIMPET_PUBLIC extern "C" __attribute__((visibility("default")))
