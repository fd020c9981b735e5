// Memory that a thread keeps between calls, so that small pictures cost no page faults. No destructor runs on the way
// of a longjmp: the owner is thread_local, the callee holds plain pointers.
#pragma once

#include <cstddef>
#include <cstdlib>

namespace vision_io {

class Scratch {
 public:
  Scratch() = default;
  ~Scratch() { std::free(memory_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // At least `size` bytes, or null. What was there before is lost.
  unsigned char* at_least(size_t size) {
    if (size <= size_) return memory_;
    release();
    memory_ = static_cast<unsigned char*>(std::malloc(size));
    size_ = memory_ ? size : 0;
    return memory_;
  }

  // Gives large blocks back: a thread that once met a huge picture does not hold its memory for ever.
  // True when it did.
  bool trim() {
    if (size_ <= kept) return false;
    release();
    return true;
  }

 private:
  static constexpr size_t kept = size_t{8} << 20;

  void release() {
    std::free(memory_);
    memory_ = nullptr;
    size_ = 0;
  }

  unsigned char* memory_ = nullptr;
  size_t size_ = 0;
};

}  // namespace vision_io
