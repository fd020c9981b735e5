#include "vision/thread_pool.hpp"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vision {
namespace {

constexpr int max_workers = 255;
constexpr int chunks_per_thread = 4;  // enough to even out threads that are slowed by others
constexpr auto watch_time = std::chrono::microseconds(200);

std::atomic<int> keep_awake{0};
thread_local bool inside = false;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

struct Job {
  RangeFunction function;
  void* context;
  int64_t count, chunk;
  std::atomic<int64_t> next{0};

  void work() {
    inside = true;
    for (;;) {
      const int64_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
      if (begin >= count) break;
      function(context, begin, begin + chunk < count ? begin + chunk : count);
    }
    inside = false;
  }
};

class Pool {
 public:
  bool run(Job& job, int threads) {
    std::unique_lock<std::mutex> owner(owner_, std::try_to_lock);
    if (!owner.owns_lock()) return false;
    grow(threads - 1);
    const int helpers = threads - 1 < workers_ ? threads - 1 : workers_;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      seats_ = helpers;
      running_.store(helpers, std::memory_order_relaxed);
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (sleeping_.load(std::memory_order_acquire) > 0) wake_.notify_all();
    job.work();
    {
      // Seats that no worker has taken yet are given up: the work is all handed out.
      std::lock_guard<std::mutex> lock(mutex_);
      running_.fetch_sub(seats_, std::memory_order_relaxed);
      seats_ = 0;
      job_ = nullptr;
    }
    for (int turns = 0; running_.load(std::memory_order_acquire) > 0; ++turns) {
      if (turns < 2000) {
        relax();
      } else {
        std::this_thread::yield();
      }
    }
    return true;
  }

  int workers() const { return workers_; }

 private:
  void grow(int wanted) {
    while (workers_ < wanted && workers_ < max_workers) {
      try {
        std::thread(&Pool::serve, this, generation_.load()).detach();
      } catch (const std::system_error&) {
        return;  // no more threads to be had: the caller does the work
      }
      ++workers_;
    }
  }

  void serve(uint64_t seen) {
    for (;;) {
      watch(seen);
      Job* job = nullptr;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        sleeping_.fetch_add(1, std::memory_order_release);
        // std::condition_variable::wait itself asks for the libstdc++ of GCC 12, newer than manylinux_2_34 may have.
        while (generation_.load(std::memory_order_relaxed) == seen)
          pthread_cond_wait(wake_.native_handle(), mutex_.native_handle());
        sleeping_.fetch_sub(1, std::memory_order_release);
        seen = generation_.load(std::memory_order_relaxed);
        if (seats_ > 0) {
          --seats_;
          job = job_;
        }
      }
      if (!job) continue;
      job->work();
      running_.fetch_sub(1, std::memory_order_release);
    }
  }

  void watch(uint64_t seen) const {
    if (keep_awake.load(std::memory_order_relaxed) == 0) return;
    const auto until = std::chrono::steady_clock::now() + watch_time;
    for (int turns = 1; generation_.load(std::memory_order_acquire) == seen; ++turns) {
      relax();
      if (turns % 64 == 0 && (keep_awake.load(std::memory_order_relaxed) == 0 || std::chrono::steady_clock::now() > until))
        return;
    }
  }

  std::mutex owner_, mutex_;
  std::condition_variable wake_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> running_{0}, sleeping_{0};
  int seats_ = 0;
  int workers_ = 0;
  Job* job_ = nullptr;
};

std::atomic<Pool*> current{nullptr};

// A child has none of the parent's threads, and its locks may be held by them: it starts afresh and leaves the old
// pool where it is.
void forget_in_child() {
  current.store(nullptr);
  keep_awake.store(0);
  inside = false;
}

Pool& pool() {
  static const int registered = pthread_atfork(nullptr, nullptr, forget_in_child);
  (void)registered;
  Pool* found = current.load(std::memory_order_acquire);
  if (found) return *found;
  Pool* made = new Pool;  // never freed: workers wait in it until the process ends
  if (current.compare_exchange_strong(found, made)) return *made;
  delete made;
  return *found;
}

}  // namespace

void run_parallel(int64_t count, int64_t grain, int threads, RangeFunction function, void* context) {
  if (count <= 0) return;
  if (grain < 1) grain = 1;
  const int64_t chunks = (count + grain - 1) / grain;
  if (threads > chunks) threads = static_cast<int>(chunks);
  if (threads > 1 && !inside) {
    const int64_t parts = static_cast<int64_t>(threads) * chunks_per_thread;
    const int64_t even = (count + parts - 1) / parts;
    Job job{function, context, count, even > grain ? even : grain};
    if (pool().run(job, threads)) return;
  }
  function(context, 0, count);
}

KeepAwake::KeepAwake() { keep_awake.fetch_add(1, std::memory_order_relaxed); }
KeepAwake::~KeepAwake() { keep_awake.fetch_sub(1, std::memory_order_relaxed); }

int pool_workers() {
  const Pool* found = current.load(std::memory_order_acquire);
  return found ? found->workers() : 0;
}

}  // namespace vision
