#include "plan/program.hpp"

#include <time.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "vision/thread_pool.hpp"

namespace accel_mobile {

namespace {

// With one thread, what it ran: on a busy machine others run in between.
double clock_seconds(int threads) {
  timespec now{};
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

const Value& Run::value(int id) const { return program.value(id); }
float* Run::f32(int id) const { return reinterpret_cast<float*>(arena + value(id).offset); }
uint8_t* Run::u8(int id) const { return reinterpret_cast<uint8_t*>(arena + value(id).offset); }

const Value& Program::value(int id) const {
  if (id < 0 || id >= static_cast<int>(values_.size())) throw std::invalid_argument("no such value");
  return values_[id];
}

int Program::add_value(Type type, int64_t n, int64_t t, int64_t h, int64_t w, int64_t c, int64_t stride) {
  constexpr int64_t limit = int64_t{1} << 40;
  int64_t count = 1;
  for (int64_t size : {n, t, h, w, stride}) {
    if (size < 1 || size > limit || count > limit / size)
      throw std::invalid_argument("a value's sizes must be positive and its bytes below 2^40");
    count *= size;
  }
  if (c < 1 || c > stride || stride % 16 != 0)
    throw std::invalid_argument("a value's channels must fit its stride, a multiple of 16");
  Value value;
  value.type = type, value.n = n, value.t = t, value.h = h, value.w = w, value.c = c, value.stride = stride;
  values_.push_back(value);
  return static_cast<int>(values_.size()) - 1;
}

void Program::add(std::unique_ptr<Operation> operation) {
  if (arena_bytes_ >= 0) throw std::invalid_argument("the program is finished");
  const int index = static_cast<int>(operations_.size());
  for (int id : operation->reads) {
    if (value(id).first < 0) throw std::invalid_argument("an operation reads a value that nothing has written");
    values_[id].last = index;
  }
  if (operation->writes >= 0) {
    if (value(operation->writes).first >= 0) throw std::invalid_argument("a value is written twice");
    values_[operation->writes].first = values_[operation->writes].last = index;
  }
  operations_.push_back(std::move(operation));
}

// Greedy by size (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", arXiv 2001.03288):
// the largest value first, each at the lowest place where no value that lives at the same time lies.
void Program::finish() {
  std::vector<int> order(values_.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return values_[a].bytes() > values_[b].bytes(); });
  std::vector<int> placed;
  int64_t total = 0;
  for (int id : order) {
    Value& value = values_[id];
    if (value.first < 0) continue;
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (int other : placed) {
      const Value& o = values_[other];
      if (o.first <= value.last && value.first <= o.last) taken.emplace_back(o.offset, o.offset + o.bytes() + 64);
    }
    std::sort(taken.begin(), taken.end());
    int64_t at = 0;
    for (const auto& [begin, end] : taken) {
      if (at + value.bytes() + 64 <= begin) break;
      at = std::max(at, round_up(end, 64));
    }
    value.offset = at;
    total = std::max(total, at + value.bytes() + 64);
    placed.push_back(id);
  }
  arena_bytes_ = total;
}

std::unique_ptr<Buffer> Program::borrow_arena() const {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!free_arenas_.empty()) {
      std::unique_ptr<Buffer> arena = std::move(free_arenas_.back());
      free_arenas_.pop_back();
      return arena;
    }
  }
  return std::make_unique<Buffer>(static_cast<size_t>(arena_bytes_));
}

void Program::return_arena(std::unique_ptr<Buffer> arena) const {
  std::lock_guard<std::mutex> lock(mutex_);
  free_arenas_.push_back(std::move(arena));
}

void Program::run(const void* const* inputs, void* const* outputs, int threads) const {
  if (arena_bytes_ < 0) throw std::invalid_argument("the program is not finished");
  const vision::KeepAwake awake;
  std::unique_ptr<Buffer> arena = borrow_arena();
  const Run run{*this, arena->as<char>(), inputs, outputs, threads};
  for (const auto& operation : operations_) operation->run(run);
  return_arena(std::move(arena));
}

std::vector<double> Program::profile(const void* const* inputs, void* const* outputs, int threads) const {
  if (arena_bytes_ < 0) throw std::invalid_argument("the program is not finished");
  const vision::KeepAwake awake;
  std::unique_ptr<Buffer> arena = borrow_arena();
  const Run run{*this, arena->as<char>(), inputs, outputs, threads};
  std::vector<double> seconds;
  for (const auto& operation : operations_) {
    const double start = clock_seconds(threads);
    operation->run(run);
    seconds.push_back(clock_seconds(threads) - start);
  }
  return_arena(std::move(arena));
  return seconds;
}

}  // namespace accel_mobile
