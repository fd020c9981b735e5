// What the targets share: numbers taken from the front of an input, and memory of exactly the size that was promised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "vision/isa.hpp"

namespace fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  // 0 where the input is used up.
  uint32_t byte() { return size_ ? (--size_, *data_++) : 0; }
  uint32_t word() {
    const uint32_t low = byte();
    return low | byte() << 8;
  }
  // One of low ... high.
  int in(int low, int high) { return low + static_cast<int>(word() % static_cast<uint32_t>(high - low + 1)); }

  const uint8_t* rest() const { return data_; }
  size_t size() const { return size_; }

 private:
  const uint8_t* data_;
  size_t size_;
};

// Memory of its own on the heap: a byte before or behind it is seen by the address sanitizer.
template <class T>
class Exact {
 public:
  explicit Exact(size_t count) : memory_(new T[count ? count : 1]()), count_(count) {}

  T* get() const { return memory_.get(); }
  size_t count() const { return count_; }

  // Fills it with the rest of an input, again and again.
  void fill(const Input& input) {
    auto* to = reinterpret_cast<uint8_t*>(memory_.get());
    for (size_t i = 0; input.size() && i < count_ * sizeof(T); ++i) to[i] = input.rest()[i % input.size()];
  }

 private:
  std::unique_ptr<T[]> memory_;
  size_t count_;
};

// One of the instruction sets of this machine.
inline void choose_isa(uint32_t number) {
  static const char* const names[] = {"scalar", "sse41", "avx2", "avx512", "neon"};
  for (uint32_t i = 0; i < 5; ++i)
    if (vision::force_isa(names[(number + i) % 5])) return;
}

// A property does not hold.
[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "property does not hold: %s\n", what);
  std::abort();
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
