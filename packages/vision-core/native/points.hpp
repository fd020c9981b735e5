// Operations that look every value of an image up in a table.
#pragma once

#include "pixels.hpp"

namespace vision_core {

enum class Point : int { brightness, contrast, gamma, solarize, posterize, autocontrast, equalize };

// The target is dense in the memory order of the source. What `first` and `second` mean depends on the operation.
void point_u8(const Pixels& source, Point kind, double first, double second, uint8_t* target, int threads);

// tables: 256 values, or 256 for each channel.
void lut_u8(const Pixels& source, const uint8_t* tables, bool per_channel, uint8_t* target, int threads);

// bins: 256 counts for each channel of each image.
void histogram_u8(const Pixels& source, int64_t* bins, int threads);

// The table of brightness: value * factor, and of contrast: what lies between `middle` and the value.
void blend_table(double factor, float middle, uint8_t* table);

}  // namespace vision_core
