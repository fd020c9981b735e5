#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace vision_core {

// Memory of a thread, null where there is none: no exception may leave the function of a thread.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t values)
      : data_(static_cast<T*>(::operator new(static_cast<size_t>(values + 1) * sizeof(T), std::align_val_t(64),
                                             std::nothrow))) {}
  ~Scratch() { ::operator delete(data_, std::align_val_t(64)); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* get() const { return data_; }

 private:
  T* data_;
};

}  // namespace vision_core
