// Several operations that each take the pixels one by one, in one pass: mirroring, changes of colour, normalising.
#pragma once

#include <vector>

#include "normalize.hpp"
#include "pixels.hpp"

namespace vision_core {

// gray: three equal channels. table: each value looked up. order: channel c becomes what channel order[c] was.
enum class PassKind : int { brightness, contrast, saturation, hue, table, gray, order };

struct PassStep {
  PassKind kind;
  double factor;         // of brightness, contrast, saturation, hue
  const uint8_t* table;  // 256 values
  int order[3];
};

struct PassResult {
  bool bytes;  // else floats: value / 255, or with mean and std (value / 255 - mean) / std
  Real type;
  const float *mean, *std;  // a value for each channel, or null
  bool planar;              // planes, in whatever order the source is; else in the source's order
  void* data;               // dense
};

// Mirrored left to right and upside down, then changed step by step with rounding to bytes in between. Images with other
// than three channels have only steps of the kinds brightness and table, and those with one channel contrast.
void pixel_pass_u8(const Pixels& source, bool mirrored, bool upside_down, const std::vector<PassStep>& steps,
                   const PassResult& result, int threads);

}  // namespace vision_core
