// A network with fixed sizes as a list of operations over one arena, run by one call.
//
// Activations lie channels last, positions in the order batch, time, height, width; the channels of a position are padded
// to a multiple of 16. What the padding holds is never used. A value that nothing writes has no place in the arena: it
// stands for the caller's planes.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "plan/buffer.hpp"

namespace accel_mobile {

enum class Type : int32_t { f32, u8 };

inline int64_t round_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

struct Value {
  Type type = Type::f32;
  int64_t n = 0, t = 0, h = 0, w = 0, c = 0;
  int64_t stride = 0;  // between positions, in elements
  int64_t offset = -1;  // in the arena, bytes
  int first = -1, last = -1;  // operations that write and last read it

  int64_t rows() const { return n * t * h * w; }
  int64_t rows_per_sample() const { return t * h * w; }
  int64_t bytes() const { return rows() * stride * (type == Type::f32 ? 4 : 1); }
};

class Program;

// What an operation sees while it runs.
struct Run {
  const Program& program;
  char* arena;
  const void* const* inputs;
  void* const* outputs;
  int threads;

  const Value& value(int id) const;
  float* f32(int id) const;
  uint8_t* u8(int id) const;
};

class Operation {
 public:
  virtual ~Operation() = default;
  virtual void run(const Run&) const = 0;
  virtual const char* kernel() const = 0;

  std::vector<int> reads;
  int writes = -1;
};

class Program {
 public:
  // Throws std::invalid_argument where sizes are not positive or overflow.
  int add_value(Type type, int64_t n, int64_t t, int64_t h, int64_t w, int64_t c, int64_t stride);
  void add(std::unique_ptr<Operation> operation);
  // Places all values; no operation can be added afterwards.
  void finish();
  void run(const void* const* inputs, void* const* outputs, int threads) const;

  const Value& value(int id) const;
  int64_t arena_bytes() const { return arena_bytes_; }
  size_t operation_count() const { return operations_.size(); }
  const Operation& operation(size_t index) const { return *operations_.at(index); }
  // Seconds per operation of one run with these inputs; with one thread, of processor time.
  std::vector<double> profile(const void* const* inputs, void* const* outputs, int threads) const;

 private:
  std::unique_ptr<Buffer> borrow_arena() const;
  void return_arena(std::unique_ptr<Buffer> arena) const;

  std::vector<Value> values_;
  std::vector<std::unique_ptr<Operation>> operations_;
  int64_t arena_bytes_ = -1;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Buffer>> free_arenas_;  // one per call that ran at the same time
};

}  // namespace accel_mobile
