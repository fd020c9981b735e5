// An operation whose work is a function object.
#pragma once

#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "plan/program.hpp"

namespace accel_mobile {

template <class Body>
class FunctionOperation : public Operation {
 public:
  FunctionOperation(const char* kernel, Body body) : kernel_(kernel), body_(std::move(body)) {}
  void run(const Run& run) const override { body_(run); }
  const char* kernel() const override { return kernel_; }

 private:
  const char* kernel_;
  Body body_;
};

template <class Body>
std::unique_ptr<Operation> operation(const char* kernel, std::vector<int> reads, int writes, Body body) {
  auto made = std::make_unique<FunctionOperation<Body>>(kernel, std::move(body));
  made->reads = std::move(reads);
  made->writes = writes;
  return made;
}

inline void need(bool condition, const char* text) {
  if (!condition) throw std::invalid_argument(text);
}

inline bool same_places(const Value& a, const Value& b) {
  return a.n == b.n && a.t == b.t && a.h == b.h && a.w == b.w && a.c == b.c && a.stride == b.stride;
}

constexpr int64_t elements_grain = 1 << 14;  // elements that are worth handing to another thread

}  // namespace accel_mobile
