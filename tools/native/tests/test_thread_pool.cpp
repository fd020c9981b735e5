// Every index is visited once, whatever the threads; nested and concurrent calls work; a forked child has a pool.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "vision/thread_pool.hpp"

namespace {

bool covers(int64_t count, int64_t grain, int threads) {
  std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
  vision::parallel_for(count, grain, threads, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) visits[static_cast<size_t>(k)].fetch_add(1);
  });
  for (const auto& visit : visits)
    if (visit.load() != 1) return false;
  return true;
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::printf("failed: %s\n", what);
  std::exit(EXIT_FAILURE);
}

int64_t nested_sum() {
  std::atomic<int64_t> total{0};
  const auto add = [&](int64_t begin, int64_t end) { total.fetch_add(end - begin); };
  vision::parallel_for(8, 1, 4, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) vision::parallel_for(100, 1, 4, add);
  });
  return total.load();
}

}  // namespace

int main(int argc, char**) {
  const bool with_fork = argc < 2;  // qemu-user 7.2 aborts when a forked child starts a thread
  require(vision::pool_workers() == 0, "no thread is started before the first parallel call");
  for (int64_t count : {0, 1, 2, 7, 64, 1000, 4097})
    for (int64_t grain : {1, 3, 64, 100000})
      for (int threads : {1, 2, 3, 8}) require(covers(count, grain, threads), "each index once");
  require(nested_sum() == 800, "a call inside a range");
  for (int round = 0; round < 20000; ++round) {
    std::atomic<int> sum{0};
    vision::parallel_for(2, 1, 2, [&](int64_t b, int64_t e) { sum.fetch_add(static_cast<int>(e - b)); });
    require(sum.load() == 2, "many short calls");
  }
  {
    vision::KeepAwake awake;
    for (int round = 0; round < 2000; ++round) require(covers(16, 1, 3), "short calls, workers awake");
  }
  std::vector<std::thread> callers;
  std::atomic<int> good{0};
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) good += covers(500, 10, 3);
    });
  for (auto& caller : callers) caller.join();
  require(good.load() == 800, "calls from several threads at once");

  if (with_fork) {
    const pid_t child = fork();
    if (child == 0) _exit(vision::pool_workers() == 0 && covers(1000, 1, 4) && vision::pool_workers() == 3 ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a forked child starts its own workers");
    require(covers(1000, 1, 4), "the parent goes on after the fork");
  }
  std::printf("thread pool: all checks passed\n");
  return EXIT_SUCCESS;
}
