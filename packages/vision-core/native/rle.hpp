// Run-length masks of the COCO data set: the lengths of runs of 0s and 1s, in turns and beginning with 0s, down the
// columns of a mask from left to right. Written as text, a length is the difference to the one two before it (from the
// fourth on), in signed groups of five bits, lowest first, each with a bit that says whether another one follows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vision_core {

// More than this a mask cannot have: lengths are 32-bit numbers in every implementation.
constexpr int64_t most_rle_pixels = 2147483647;

struct MaskSize {
  int64_t height, width;
  int64_t pixels() const { return height * width; }
};

using Runs = std::vector<uint32_t>;

// Which mask of which argument, for messages.
struct Place {
  const char* argument;
  int64_t index;
};

// Throws std::invalid_argument for text that is not the runs of a mask of this size.
Runs parse_runs(std::string_view text, MaskSize size, Place place);

std::string format_runs(const Runs& runs);

// masks: [count, height, width], contiguous.
std::vector<std::string> encode_masks(const uint8_t* masks, int64_t count, MaskSize size, int threads);

// masks: [count, height, width], contiguous.
void decode_masks(const std::vector<std::string_view>& texts, MaskSize size, int threads, uint8_t* masks);

int64_t area_of(const Runs& runs);

// box: x, y, width, height of the pixels of the mask; zeros if there are none.
void box_of(const Runs& runs, MaskSize size, double* box);

// iou: [a.size(), b.size()]. Where crowd[j] is set, the area of `a` takes the place of the union.
void iou_of(const std::vector<Runs>& a, const std::vector<Runs>& b, MaskSize size, const uint8_t* crowd, int threads,
            double* iou);

Runs merge_runs(const std::vector<Runs>& masks, MaskSize size, bool intersect);

// xy: [points, 2].
Runs polygon_runs(const double* xy, int64_t points, MaskSize size);

}  // namespace vision_core
