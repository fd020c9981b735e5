// How many pixels each segment of one map shares with each of another.
#pragma once

#include <cstdint>
#include <vector>

namespace vision_core {

struct SegmentPair {
  int64_t a, b, pixels;
};

// a, b: [count], the segment of each pixel. The pairs that occur, in the order in which they occur first.
std::vector<SegmentPair> segment_pairs(const int64_t* a, const int64_t* b, int64_t count);

}  // namespace vision_core
