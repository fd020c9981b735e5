// The plan for filters of at most two taps along a row, which enlarging has.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/resize.hpp"

namespace vision_core {

constexpr int64_t spread_values = 64;  // of a group

// Empty where a group would need more than 64 neighbouring values of the source, or more than two taps.
inline std::vector<SpreadGroup> spread_groups(const RowFilter& filter, int64_t channels, int64_t width) {
  const int64_t values = width * channels;
  std::vector<SpreadGroup> groups(static_cast<size_t>((values + spread_values - 1) / spread_values));
  for (size_t g = 0; g < groups.size(); ++g) {
    SpreadGroup& group = groups[g];
    group = {};
    const int64_t begin = static_cast<int64_t>(g) * spread_values;
    group.base = filter.start[begin / channels] * channels;
    for (int64_t i = 0; i < std::min(spread_values, values - begin); ++i) {
      const int64_t x = (begin + i) / channels, channel = (begin + i) % channels;
      const int64_t at = filter.start[x] * channels + channel - group.base;
      const int taps = filter.taps[x];
      if (taps > 2 || at < 0 || at + (taps - 1) * channels >= spread_values) return {};
      const int16_t* w = filter.weights + x * filter.stride;
      group.from[0][i] = static_cast<uint8_t>(at);
      group.from[1][i] = static_cast<uint8_t>(at + (taps - 1) * channels);
      const uint32_t second = taps > 1 ? static_cast<uint16_t>(w[1]) : 0;
      group.weights[i % 16 / 4][i / 16 * 4 + i % 4] = static_cast<int32_t>(static_cast<uint16_t>(w[0]) | second << 16);
    }
  }
  return groups;
}

}  // namespace vision_core
