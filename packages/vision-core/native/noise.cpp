#include "noise.hpp"

#include "vision/thread_pool.hpp"

namespace vision_core {

void add_noise_u8(const uint8_t* source, const float* noise, int64_t count, float scale, float shift, bool clip,
                  int threads, uint8_t* target) {
  constexpr int64_t values_per_thread = 1 << 16;
  constexpr float most = 1 << 24;  // more steps than that cannot be told apart, nor turned into an integer at will
  vision::parallel_for(count, values_per_thread, threads, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float change = noise[i] * scale + shift;
      const float kept = change > -most ? (change < most ? change : most) : -most;  // NaN becomes -most
      const int32_t value = source[i] + static_cast<int32_t>(kept);
      target[i] = static_cast<uint8_t>(clip ? (value < 0 ? 0 : value > 255 ? 255 : value) : value);
    }
  });
}

}  // namespace vision_core
