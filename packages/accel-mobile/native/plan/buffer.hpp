// Memory aligned to cache lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

namespace accel_mobile {

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes) { resize(bytes); }
  Buffer(Buffer&& other) noexcept : data_(other.data_), bytes_(other.bytes_) { other.data_ = nullptr, other.bytes_ = 0; }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      release();
      data_ = other.data_, bytes_ = other.bytes_;
      other.data_ = nullptr, other.bytes_ = 0;
    }
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { release(); }

  // New memory, all zero, with room for a vector read past the end.
  void resize(size_t bytes) {
    release();
    data_ = static_cast<char*>(::operator new(bytes + 64, std::align_val_t{64}));
    std::memset(data_, 0, bytes + 64);
    bytes_ = bytes;
  }
  size_t bytes() const { return bytes_; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  void release() {
    if (data_) ::operator delete(data_, std::align_val_t{64});
    data_ = nullptr, bytes_ = 0;
  }
  char* data_ = nullptr;
  size_t bytes_ = 0;
};

// At least `bytes` of memory of the calling thread, which keeps it for the next call. One user at a time.
template <class T>
T* thread_scratch(size_t count) {
  thread_local Buffer buffer;
  const size_t bytes = count * sizeof(T);
  if (buffer.bytes() < bytes) buffer.resize(bytes + bytes / 4);
  return buffer.as<T>();
}

}  // namespace accel_mobile
