#include "recycled.hpp"

#include <cstdlib>
#include <mutex>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace vision_io {
namespace {

constexpr size_t huge_page = size_t{2} << 20;
constexpr int most_blocks = 16;

size_t rounded(size_t size) { return (size + huge_page - 1) / huge_page * huge_page; }

struct Block {
  void* memory;
  size_t size;
};

// Nobody waits for the mutex: a process that was forked while another thread held it would wait for ever. Who does not
// get it asks the system. The newest last. Never destroyed: tensors may be freed while the process ends.
struct Free {
  std::mutex mutex;
  Block blocks[most_blocks];
  int count = 0;
  size_t bytes = 0;

  void remove(int at) {
    bytes -= blocks[at].size;
    for (int i = at; i + 1 < count; ++i) blocks[i] = blocks[i + 1];
    --count;
  }
};

Free& kept() {
  static Free* const free = new Free;
  return *free;
}

}  // namespace

void* recycled_take(size_t size) {
  const size_t wanted = rounded(size);
  {
    Free& free = kept();
    const std::unique_lock<std::mutex> lock(free.mutex, std::try_to_lock);
    for (int i = lock ? free.count - 1 : -1; i >= 0; --i) {
      if (free.blocks[i].size != wanted) continue;
      void* const memory = free.blocks[i].memory;
      free.remove(i);
      return memory;
    }
  }
#if defined(_WIN32)
  return std::malloc(wanted);
#else
  void* memory = nullptr;
  if (posix_memalign(&memory, huge_page, wanted) != 0) return nullptr;
#if defined(__linux__)
  madvise(memory, wanted, MADV_HUGEPAGE);
#endif
  return memory;
#endif
}

void recycled_give(void* memory, size_t size) {
  const size_t held = rounded(size);
  if (held <= recycled_bytes) {
    Free& free = kept();
    const std::unique_lock<std::mutex> lock(free.mutex, std::try_to_lock);
    if (!lock) return std::free(memory);
    while (free.count && (free.bytes + held > recycled_bytes || free.count == most_blocks)) {
      std::free(free.blocks[0].memory);
      free.remove(0);
    }
    free.blocks[free.count++] = {memory, held};
    free.bytes += held;
    return;
  }
  std::free(memory);
}

size_t recycled_kept() {
  Free& free = kept();
  const std::unique_lock<std::mutex> lock(free.mutex, std::try_to_lock);
  return lock ? free.bytes : 0;
}

}  // namespace vision_io
