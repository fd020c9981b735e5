// A small thread pool: lazy, one per module, asleep while idle, usable again in a forked child.
#pragma once

#include <cstdint>
#include <type_traits>

namespace vision {

using RangeFunction = void (*)(void* context, int64_t begin, int64_t end);

// Calls function(context, begin, end) on disjoint ranges that cover [0, count), each at least `grain` long (but the
// last), on up to `threads` threads, the caller among them. Returns when all are done. A call from inside a range, or
// while another thread uses the pool, runs in the caller alone. The function must not throw.
void run_parallel(int64_t count, int64_t grain, int threads, RangeFunction function, void* context);

template <class Body>
void parallel_for(int64_t count, int64_t grain, int threads, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  run_parallel(
      count, grain, threads,
      [](void* context, int64_t begin, int64_t end) { (*static_cast<Plain*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));  // the body may be const
}

// While one exists, workers that run out of work watch for more (at most about 200 us) before they sleep: for programs
// of many short parallel steps. Waking a sleeping thread costs 5 to 50 us.
class KeepAwake {
 public:
  KeepAwake();
  ~KeepAwake();
  KeepAwake(const KeepAwake&) = delete;
  KeepAwake& operator=(const KeepAwake&) = delete;
};

// Worker threads that this process has started so far.
int pool_workers();

}  // namespace vision
