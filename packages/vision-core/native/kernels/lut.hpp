// Tables of 256 values, and the counts that some of them are made of.
#pragma once

#include <cstdint>

#include "vision/dispatch.hpp"

namespace vision_core {

struct LutKernels {
  // out[i] = table[in[i]]; out may be in.
  void (*apply)(const uint8_t* in, int64_t count, const uint8_t* table, uint8_t* out);
  // out[i] = tables[i % channels][in[i]]; tables of 256 values one after the other. count is a multiple of channels.
  void (*apply_interleaved)(const uint8_t* in, int64_t count, const uint8_t* tables, int channels, uint8_t* out);
  // Adds the count of each value to bins; `count` values, each `step` behind the one before.
  void (*histogram)(const uint8_t* in, int64_t count, int64_t step, uint32_t* bins);
  // Lowers *least and raises *most to what the values have; out of place i belongs to channel i % channels.
  void (*extremes)(const uint8_t* in, int64_t count, int channels, uint8_t* least, uint8_t* most);
};

VISION_DECLARE_KERNELS(LutKernels, lut_kernels)

}  // namespace vision_core
