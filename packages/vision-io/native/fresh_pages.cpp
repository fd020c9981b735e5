#include "fresh_pages.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace vision_io {

void populate_pages(void* address, int64_t bytes) {
#if defined(__linux__)
  constexpr int populate_write = 23;  // MADV_POPULATE_WRITE of Linux 5.14; older headers do not name it
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<uintptr_t>(address) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(address) + static_cast<uintptr_t>(bytes > 0 ? bytes : 0);
  // An older system refuses, and the pages come one by one.
  if (end > first) static_cast<void>(madvise(reinterpret_cast<void*>(first), end - first, populate_write));
#else
  static_cast<void>(address);
  static_cast<void>(bytes);
#endif
}

}  // namespace vision_io
