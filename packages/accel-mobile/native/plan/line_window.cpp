#include "plan/line_window.hpp"

#include <unistd.h>

namespace accel_mobile {

int64_t cache_budget() {
  static const int64_t budget = [] {
    constexpr int64_t unknown = 512 << 10;
#if defined(_SC_LEVEL2_CACHE_SIZE)
    const int64_t size = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return (size > 0 ? std::clamp<int64_t>(size, 128 << 10, 4 << 20) : unknown) * 2 / 5;
#else
    return unknown * 2 / 5;
#endif
  }();
  return budget;
}

}  // namespace accel_mobile
