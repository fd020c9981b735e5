// Decoded planes to a part of the picture, resized and normalised, in one pass: rows of RGB bytes exist only while the
// output rows that need them are made, so that they stay in the cache.
#pragma once

#include "kernels/yuv.hpp"
#include "resample.hpp"

namespace vision_io {

// How the samples become RGB: one of the two.
struct YuvColour {
  const FixedCoefficients* fixed;
  const FloatCoefficients* exact;
};

struct Region {
  int top, left, height, width;
};

// The caller has checked that the region lies inside the picture. False: no memory.
bool shape_yuv(const YuvPicture& picture, const YuvColour& colour, const Region& region, const FloatTarget& to);

}  // namespace vision_io
