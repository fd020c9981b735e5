// A row of the result needs the rows around it once, down their columns; what comes out is mirrored at both ends and
// smoothed along. Everything between the two passes is one row, which stays in the cache.
#include "smooth.hpp"

#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/smooth.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

// Weights as multiples of 2^-15 whose sum is exactly 1, or one step less where the centre has all of it.
std::vector<int16_t> quantised(const Window& window) {
  std::vector<int16_t> weights(static_cast<size_t>(window.radius + 1));
  int sides = 0;
  for (int64_t k = window.radius; k > 0; --k) {
    weights[k] = static_cast<int16_t>(std::lround(window.weights[k] * 32768));
    sides += 2 * weights[k];
  }
  weights[0] = static_cast<int16_t>(std::min(32768 - sides, 32767));
  return weights;
}

// Weights behind the last one that counts are left out: a wide window of a narrow curve.
Window trimmed(const Window& window, double least) {
  Window w = window;
  while (w.radius > 0 && w.weights[w.radius] < least) --w.radius;
  return w;
}

int64_t mirrored(int64_t i, int64_t size) { return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i; }

// Copies to both ends of a row of pixels what lies mirrored within it.
template <class T>
void mirror_ends(T* row, int64_t width, int64_t pixel, int64_t radius) {
  for (int64_t k = 1; k <= radius; ++k)
    for (int64_t c = 0; c < pixel; ++c) {
      row[-k * pixel + c] = row[k * pixel + c];
      row[(width - 1 + k) * pixel + c] = row[(width - 1 - k) * pixel + c];
    }
}

template <class T>
void find_rows(const T* plane, int64_t row_stride, int64_t y, int64_t height, int64_t radius, const T** rows) {
  for (int64_t k = -radius; k <= radius; ++k) rows[k + radius] = plane + mirrored(y + k, height) * row_stride;
}

}  // namespace

void blur_u8(const Pixels& p, const Window& across, const Window& down, uint8_t* target, int threads) {
  const SmoothKernels& kernels = VISION_SELECT(smooth_kernels);
  const Window along = trimmed(across, 0.5 / 32768), below = trimmed(down, 0.5 / 32768);
  const std::vector<int16_t> row_weights = quantised(along), column_weights = quantised(below);
  const int64_t pixel = p.interleaved() ? p.channels : 1, per_image = p.channels / pixel, values = p.width * pixel;
  const int64_t work = values * (along.radius + below.radius + 2);
  vision::parallel_for(p.images * per_image * p.height, std::max<int64_t>(thread_bytes * 4 / work, 1), threads,
                       [&](int64_t begin, int64_t end) {
    std::vector<int16_t> line(static_cast<size_t>(values + 2 * along.radius * pixel));
    std::vector<const uint8_t*> rows(static_cast<size_t>(2 * below.radius + 1));
    int16_t* middle = line.data() + along.radius * pixel;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t plane = i / p.height;
      find_rows(p.data + plane / per_image * p.image_stride + plane % per_image * p.channel_stride, p.row_stride,
                i % p.height, p.height, below.radius, rows.data());
      kernels.down_8(rows.data(), column_weights.data(), static_cast<int>(below.radius), values, middle);
      mirror_ends(middle, p.width, pixel, along.radius);
      kernels.along_8(middle, row_weights.data(), static_cast<int>(along.radius), pixel, values, target + i * values);
    }
  });
}

void blur_f32(const float* source, int64_t planes, int64_t height, int64_t width, const Window& across,
              const Window& down, float* target, int threads) {
  const SmoothKernels& kernels = VISION_SELECT(smooth_kernels);
  const std::vector<float> row_weights(across.weights, across.weights + across.radius + 1);
  const std::vector<float> column_weights(down.weights, down.weights + down.radius + 1);
  const int64_t work = width * (across.radius + down.radius + 2) * 4;
  vision::parallel_for(planes * height, std::max<int64_t>(thread_bytes * 4 / work, 1), threads,
                       [&](int64_t begin, int64_t end) {
    std::vector<float> line(static_cast<size_t>(width + 2 * across.radius));
    std::vector<const float*> rows(static_cast<size_t>(2 * down.radius + 1));
    float* middle = line.data() + across.radius;
    for (int64_t i = begin; i < end; ++i) {
      find_rows(source + i / height * height * width, width, i % height, height, down.radius, rows.data());
      kernels.down_f32(rows.data(), column_weights.data(), static_cast<int>(down.radius), width, middle);
      mirror_ends(middle, width, 1, across.radius);
      kernels.along_f32(middle, row_weights.data(), static_cast<int>(across.radius), width, target + i * width);
    }
  });
}

void sharpness_u8(const Pixels& p, double factor, uint8_t* target, int threads) {
  const SmoothKernels& kernels = VISION_SELECT(smooth_kernels);
  const int64_t pixel = p.interleaved() ? p.channels : 1, per_image = p.channels / pixel, values = p.width * pixel;
  const float rest = static_cast<float>(1 - factor);
  vision::parallel_for(p.images * per_image * p.height, std::max<int64_t>(thread_bytes / (4 * values), 1), threads,
                       [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t plane = i / p.height, y = i % p.height;
      const uint8_t* row =
          p.data + plane / per_image * p.image_stride + plane % per_image * p.channel_stride + y * p.row_stride;
      uint8_t* out = target + i * values;
      if (y == 0 || y == p.height - 1 || p.width <= 2) {
        std::memcpy(out, row, static_cast<size_t>(values));
        continue;
      }
      std::memcpy(out, row, static_cast<size_t>(pixel));
      kernels.sharpen(row - p.row_stride + pixel, row + pixel, row + p.row_stride + pixel, pixel, values - 2 * pixel, rest,
                      out + pixel);
      std::memcpy(out + values - pixel, row + values - pixel, static_cast<size_t>(pixel));
    }
  });
}

}  // namespace vision_core
