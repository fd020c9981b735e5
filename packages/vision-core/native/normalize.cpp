#include "normalize.hpp"

#include <vector>

#include "kernels/normalize.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

// What is taken from the values of a plane, or of all channels of interleaved pixels, in turns as the kernels ask for.
struct Tables {
  std::vector<float> mean, std;

  Tables(const float* means, const float* deviations, int64_t lanes)
      : mean(static_cast<size_t>(normalize_turn * lanes)), std(mean.size()) {
    for (size_t i = 0; i < mean.size(); ++i) {
      mean[i] = means ? means[i % static_cast<size_t>(lanes)] : 0;
      std[i] = deviations ? deviations[i % static_cast<size_t>(lanes)] : 1;
    }
  }
};

std::vector<Tables> tables_of(const Pixels& p, const float* mean, const float* std) {
  const int64_t lanes = p.interleaved() ? p.channels : 1;
  std::vector<Tables> tables;
  for (int64_t c = 0; c < p.channels; c += lanes)
    tables.emplace_back(mean ? mean + c : nullptr, std ? std + c : nullptr, lanes);
  return tables;
}

// Calls body(plane of its image, offset in the source, offset in the target, values, room) for pieces of rows. Each
// thread has one Room.
template <class Room, class Body>
void over_pieces(const Pixels& p, int64_t value_bytes, int threads, const Body& body) {
  constexpr int64_t piece = 6144;  // pixels that are made at once: results of 4 bytes stay in the second cache
  const int64_t lanes = p.interleaved() ? p.channels : 1, per_image = p.channels / lanes;
  const int64_t pieces = (p.width + piece - 1) / piece, longest = std::min(p.width, piece) * lanes;
  vision::parallel_for(p.images * per_image * p.height * pieces, std::max<int64_t>(thread_bytes / (longest * value_bytes), 1),
                       threads, [&](int64_t begin, int64_t end) {
    Room room(static_cast<size_t>(longest));
    for (int64_t i = begin; i < end; ++i) {
      const int64_t line = i / pieces, x = i % pieces * piece, plane = line / p.height, channel = plane % per_image;
      const int64_t from = plane / per_image * p.image_stride + channel * p.channel_stride +
                           line % p.height * p.row_stride + x * p.pixel_stride;
      body(channel, from, (line * p.width + x) * lanes, std::min(p.width - x, piece) * lanes, room);
    }
  });
}

struct NoRoom {
  explicit NoRoom(size_t) {}
};

}  // namespace

void normalize_u8(const Pixels& source, const float* mean, const float* std, Real type, void* target, int threads) {
  const NormalizeKernels& kernels = VISION_SELECT(normalize_kernels);
  const Pixels p = source.joined();
  const int lanes = p.interleaved() ? static_cast<int>(p.channels) : 1;
  const bool plain = !mean && !std;
  const std::vector<Tables> tables = plain ? std::vector<Tables>() : tables_of(p, mean, std);

  const auto make = [&](int64_t channel, int64_t from, int64_t count, float* out) {
    if (plain) return kernels.scale(p.data + from, count, out);
    const Tables& t = tables[static_cast<size_t>(channel)];
    kernels.normalize(p.data + from, count, t.mean.data(), t.std.data(), lanes, out);
  };
  if (type == Real::float32) {
    over_pieces<NoRoom>(p, 5, threads, [&](int64_t channel, int64_t from, int64_t to, int64_t count, const NoRoom&) {
      make(channel, from, count, static_cast<float*>(target) + to);
    });
    return;
  }
  const auto round = type == Real::float16 ? kernels.to_float16 : kernels.to_bfloat16;
  over_pieces<std::vector<float>>(
      p, 5, threads, [&](int64_t channel, int64_t from, int64_t to, int64_t count, std::vector<float>& exact) {
        make(channel, from, count, exact.data());
        round(exact.data(), count, static_cast<uint16_t*>(target) + to);
      });
}

void normalize_f32(const Pixels& source, const float* mean, const float* std, float* target, int threads) {
  const NormalizeKernels& kernels = VISION_SELECT(normalize_kernels);
  const Pixels p = source.joined();
  const int lanes = p.interleaved() ? static_cast<int>(p.channels) : 1;
  const std::vector<Tables> tables = tables_of(p, mean, std);
  const float* values = reinterpret_cast<const float*>(p.data);
  over_pieces<NoRoom>(p, 8, threads, [&](int64_t channel, int64_t from, int64_t to, int64_t count, const NoRoom&) {
    const Tables& t = tables[static_cast<size_t>(channel)];
    kernels.normalize_f32(values + from, count, t.mean.data(), t.std.data(), lanes, target + to);
  });
}

}  // namespace vision_core
