#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
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

// Zeros, a little at a time: long fills make the C library write past the cache, which costs a third more in memory that
// is fresh from the system.
template <class T>
inline void fill_zeros(T* values, int64_t count) {
  constexpr int64_t step = 1024 / static_cast<int64_t>(sizeof(T));
  int64_t i = 0;
  for (; i + step <= count; i += step) std::memset(values + i, 0, 1024);
  if (i < count) std::memset(values + i, 0, static_cast<size_t>(count - i) * sizeof(T));  // `values` of none may be null
}

}  // namespace vision_core
