#include "normalize.hpp"

#include <vector>

#include "kernels/normalize.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

// The values of `lanes` channels in turns, as many as the kernels ask for.
std::vector<float> table_of(const float* values, int64_t lanes, float otherwise) {
  std::vector<float> table(static_cast<size_t>(normalize_turn * lanes));
  for (size_t i = 0; i < table.size(); ++i) table[i] = values ? values[i % static_cast<size_t>(lanes)] : otherwise;
  return table;
}

}  // namespace

void normalize_u8(const Pixels& source, const float* mean, const float* std, Real type, void* target, int threads) {
  constexpr int64_t piece = 6144;  // pixels that are made at once: results of 4 bytes stay in the second cache
  const NormalizeKernels& kernels = VISION_SELECT(normalize_kernels);
  const Pixels p = source.joined();
  const int64_t lanes = p.interleaved() ? p.channels : 1, per_image = p.channels / lanes;
  const bool plain = !mean && !std;
  // Each plane has tables of its own; interleaved pixels have one for all channels.
  std::vector<std::vector<float>> means, deviations;
  for (int64_t c = 0; c < per_image && !plain; ++c) {
    means.push_back(table_of(mean ? mean + c : nullptr, lanes, 0));
    deviations.push_back(table_of(std ? std + c : nullptr, lanes, 1));
  }
  const int64_t pieces = (p.width + piece - 1) / piece, bytes = std::min(p.width, piece) * lanes * 5;
  vision::parallel_for(p.images * per_image * p.height * pieces, std::max<int64_t>(thread_bytes / bytes, 1), threads,
                       [&](int64_t begin, int64_t end) {
    std::vector<float> exact(type == Real::float32 ? 0 : static_cast<size_t>(std::min(p.width, piece) * lanes));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t line = i / pieces, x = i % pieces * piece, plane = line / p.height, channel = plane % per_image;
      const int64_t count = std::min(p.width - x, piece) * lanes, to = (line * p.width + x) * lanes;
      const uint8_t* from = p.data + plane / per_image * p.image_stride + channel * p.channel_stride +
                            line % p.height * p.row_stride + x * p.pixel_stride;
      float* out = type == Real::float32 ? static_cast<float*>(target) + to : exact.data();
      if (plain) {
        kernels.scale(from, count, out);
      } else {
        kernels.normalize(from, count, means[channel].data(), deviations[channel].data(), static_cast<int>(lanes), out);
      }
      if (type == Real::float16) kernels.to_float16(out, count, static_cast<uint16_t*>(target) + to);
      if (type == Real::bfloat16) kernels.to_bfloat16(out, count, static_cast<uint16_t*>(target) + to);
    }
  });
}

}  // namespace vision_core
