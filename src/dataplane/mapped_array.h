// SPDX-License-Identifier: Apache-2.0
// A BPF array map seen as memory: limpetd stores single words in place, without disturbing what packets write beside.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "model/result.h"

namespace limpet::dataplane {

template <class T>
class MappedArray {
 public:
  // `fd`: of a BPF_F_MMAPABLE array whose values are T.
  static Result<MappedArray> map(int fd, std::size_t size, const std::string& name) {
    static_assert(sizeof(T) % 8 == 0, "the kernel rounds elements up to 8 bytes");
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t bytes = (size * sizeof(T) + page - 1) / page * page;
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return system_error("cannot map the table " + name, errno);
    return MappedArray(static_cast<T*>(memory), size, bytes);
  }

  MappedArray() = default;
  MappedArray(MappedArray&& other) noexcept { swap(other); }
  MappedArray& operator=(MappedArray&& other) noexcept {
    MappedArray taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~MappedArray() {
    if (memory_ != nullptr) ::munmap(memory_, bytes_);
  }

  std::size_t size() const { return size_; }
  T& operator[](std::size_t index) { return memory_[index]; }
  const T& operator[](std::size_t index) const { return memory_[index]; }

 private:
  MappedArray(T* memory, std::size_t size, std::size_t bytes) : memory_(memory), size_(size), bytes_(bytes) {}
  void swap(MappedArray& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(size_, other.size_);
    std::swap(bytes_, other.bytes_);
  }

  T* memory_ = nullptr;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

// Words that packets read or write at the same time.
template <class Word>
void store_word(Word& word, std::type_identity_t<Word> value) {
  __atomic_store_n(&word, value, __ATOMIC_SEQ_CST);
}
template <class Word>
Word load_word(const Word& word) {
  return __atomic_load_n(&word, __ATOMIC_SEQ_CST);
}

}  // namespace limpet::dataplane
