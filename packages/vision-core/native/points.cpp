// Tables are made with torchvision's float32 operations in their order, so that the values agree bit for bit.
#include "points.hpp"

#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "colour.hpp"
#include "kernels/colour.hpp"
#include "kernels/lut.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

// Runs body(image, first channel, offset of the source, offset of the target, values) over pieces of rows.
template <class Body>
void over_pieces(const Pixels& p, int threads, const Body& body) {
  constexpr int64_t piece_pixels = 1 << 14;
  const int64_t lanes = p.interleaved() ? p.channels : 1, planes = p.images * (p.channels / lanes);
  const int64_t pieces = (p.width + piece_pixels - 1) / piece_pixels;
  const int64_t bytes = std::min(p.width, piece_pixels) * lanes;
  vision::parallel_for(planes * p.height * pieces, std::max<int64_t>(thread_bytes / bytes, 1), threads,
                       [&](int64_t begin, int64_t end) {
                         for (int64_t i = begin; i < end; ++i) {
                           const int64_t line = i / pieces, x = i % pieces * piece_pixels;
                           const int64_t plane = line / p.height, y = line % p.height;
                           const int64_t planes_per_image = p.channels / lanes;
                           const int64_t image = plane / planes_per_image, channel = plane % planes_per_image;
                           const int64_t from = image * p.image_stride + channel * p.channel_stride + y * p.row_stride +
                                                x * p.pixel_stride;
                           body(image, channel, from, (line * p.width + x) * lanes,
                                std::min(p.width - x, piece_pixels) * lanes);
                         }
                       });
}

enum class Tables { one, per_image, per_plane };

void apply(const Pixels& p, const uint8_t* tables, Tables which, uint8_t* target, int threads) {
  const LutKernels& kernels = VISION_SELECT(lut_kernels);
  over_pieces(p, threads, [&](int64_t image, int64_t channel, int64_t from, int64_t to, int64_t count) {
    if (which == Tables::per_plane && p.interleaved()) {
      kernels.apply_interleaved(p.data + from, count, tables + 256 * image * p.channels, static_cast<int>(p.channels),
                                target + to);
    } else {
      const int64_t table = which == Tables::one ? 0 : which == Tables::per_image ? image : image * p.channels + channel;
      kernels.apply(p.data + from, count, tables + 256 * table, target + to);
    }
  });
}

uint8_t cut(float x) { return static_cast<uint8_t>(x > 0 ? (x < 255 ? x : 255.0f) : 0.0f); }  // NaN to 0

void gamma_table(float gamma, float gain, uint8_t* table) {
  for (int v = 0; v < 256; ++v) {
    const float x = std::pow(static_cast<float>(v) * static_cast<float>(1.0 / 255.0), gamma) * gain;
    table[v] = cut((x > 0 ? (x < 1 ? x : 1.0f) : 0.0f) * static_cast<float>(255 + 1.0 - 1e-3));
  }
}

void stretch_table(uint8_t least, uint8_t most, uint8_t* table) {
  const float scale = static_cast<float>(most - least) * static_cast<float>(1.0 / 255.0);
  for (int v = 0; v < 256; ++v)
    table[v] = least < most ? cut((static_cast<float>(v) - static_cast<float>(least)) / scale) : static_cast<uint8_t>(v);
}

// The share of darker pixels decides on the new value. Values that do not occur may get any.
void equalize_table(const int64_t* bins, uint8_t* table) {
  int64_t total = 0, last = 0;
  for (int v = 0; v < 256; ++v)
    if (bins[v]) total += bins[v], last = bins[v];
  const int64_t step = (total - last) / 255;
  int64_t darker = 0;
  for (int v = 0; v < 256; ++v) {
    table[v] = step == 0 ? static_cast<uint8_t>(v)
               : v == 0  ? 0
                         : static_cast<uint8_t>(std::min<int64_t>((darker + step / 2) / step, 255));
    darker += bins[v];
  }
}

std::vector<uint8_t> stretch_tables(const Pixels& p, int threads) {
  const LutKernels& kernels = VISION_SELECT(lut_kernels);
  const int64_t lanes = p.interleaved() ? p.channels : 1, planes = p.images * (p.channels / lanes);
  std::vector<uint8_t> tables(static_cast<size_t>(p.images * p.channels * 256));
  vision::parallel_for(planes, std::max<int64_t>(thread_bytes / (p.width * p.height * lanes), 1), threads,
                       [&](int64_t begin, int64_t end) {
    std::vector<uint8_t> least(static_cast<size_t>(lanes)), most(static_cast<size_t>(lanes));
    for (int64_t plane = begin; plane < end; ++plane) {
      const int64_t image = plane / (p.channels / lanes), channel = plane % (p.channels / lanes);
      const uint8_t* data = p.data + image * p.image_stride + channel * p.channel_stride;
      std::fill(least.begin(), least.end(), 255);
      std::fill(most.begin(), most.end(), 0);
      for (int64_t y = 0; y < p.height; ++y)
        kernels.extremes(data + y * p.row_stride, p.width * lanes, static_cast<int>(lanes), least.data(), most.data());
      for (int64_t c = 0; c < lanes; ++c)
        stretch_table(least[c], most[c], tables.data() + 256 * (plane * lanes + c));
    }
  });
  return tables;
}

std::vector<uint8_t> equalize_tables(const Pixels& p, int threads) {
  const size_t planes = static_cast<size_t>(p.images * p.channels);
  std::vector<int64_t> bins(planes * 256);
  histogram_u8(p, bins.data(), threads);
  std::vector<uint8_t> tables(planes * 256);
  for (size_t plane = 0; plane < planes; ++plane) equalize_table(bins.data() + 256 * plane, tables.data() + 256 * plane);
  return tables;
}

std::vector<uint8_t> contrast_tables(const Pixels& p, double factor, int threads) {
  std::vector<uint8_t> tables(static_cast<size_t>(p.images) * 256);
  for (int64_t image = 0; image < p.images; ++image) {
    Pixels one = p;
    one.data += image * p.image_stride;
    one.images = 1;
    blend_table(factor, gray_mean(one, threads), tables.data() + 256 * image);
  }
  return tables;
}

}  // namespace

void blend_table(double factor, float middle, uint8_t* table) {
  const float own = static_cast<float>(factor), other = static_cast<float>(1 - factor);
  for (int v = 0; v < 256; ++v) {
    const float scaled = static_cast<float>(v) * own;
    table[v] = cut(middle == 0 ? scaled
                               : static_cast<float>(static_cast<double>(middle) * other + static_cast<double>(scaled)));
  }
}

void point_u8(const Pixels& source, Point kind, double first, double second, uint8_t* target, int threads) {
  const Pixels p = source.joined();
  uint8_t table[256];
  switch (kind) {
    case Point::contrast: return apply(p, contrast_tables(p, first, threads).data(), Tables::per_image, target, threads);
    case Point::autocontrast: return apply(p, stretch_tables(p, threads).data(), Tables::per_plane, target, threads);
    case Point::equalize: return apply(p, equalize_tables(p, threads).data(), Tables::per_plane, target, threads);
    case Point::brightness: blend_table(first, 0, table); break;
    case Point::gamma: gamma_table(static_cast<float>(first), static_cast<float>(second), table); break;
    case Point::solarize:
      for (int v = 0; v < 256; ++v) table[v] = static_cast<uint8_t>(v >= first ? 255 - v : v);
      break;
    case Point::posterize: {
      const int bits = first > 0 ? (first < 8 ? static_cast<int>(first) : 8) : 0;
      for (int v = 0; v < 256; ++v) table[v] = static_cast<uint8_t>(v & (0xff00 >> bits));
      break;
    }
  }
  apply(p, table, Tables::one, target, threads);
}

void lut_u8(const Pixels& source, const uint8_t* tables, bool per_channel, uint8_t* target, int threads) {
  const Pixels p = source.joined();
  if (!per_channel) return apply(p, tables, Tables::one, target, threads);
  std::vector<uint8_t> repeated;
  for (int64_t image = 0; image < p.images; ++image) repeated.insert(repeated.end(), tables, tables + 256 * p.channels);
  apply(p, repeated.data(), Tables::per_plane, target, threads);
}

void histogram_u8(const Pixels& source, int64_t* bins, int threads) {
  const Pixels p = source.joined();
  const LutKernels& kernels = VISION_SELECT(lut_kernels);
  const ColourKernels& colour = VISION_SELECT(colour_kernels);
  // Parts of a plane, or of all three if their pixels are interleaved, each with counts of its own.
  constexpr int64_t longest = 1 << 18, tile = 2048;
  const bool triples = p.interleaved() && p.channels == 3;
  const int64_t lanes = triples ? 3 : 1, planes = p.images * (p.channels / lanes);
  const int64_t parts = (p.width + longest - 1) / longest;
  std::unique_ptr<uint32_t[]> counts(new uint32_t[static_cast<size_t>(planes * parts * lanes * 256)]());
  const int64_t bytes = p.height * std::min(p.width, longest) * lanes;
  vision::parallel_for(planes * parts, std::max<int64_t>(thread_bytes / 4 / bytes, 1), threads,
                       [&](int64_t begin, int64_t end) {
    uint8_t r[tile], g[tile], b[tile];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t plane = i / parts, start = i % parts * longest, stop = std::min(p.width, start + longest);
      const int64_t image = plane * lanes / p.channels, channel = plane * lanes % p.channels;
      uint32_t* to = counts.get() + 256 * lanes * i;
      for (int64_t y = 0; y < p.height; ++y) {
        const uint8_t* row = p.data + image * p.image_stride + channel * p.channel_stride + y * p.row_stride;
        if (!triples) kernels.histogram(row + start * p.pixel_stride, stop - start, p.pixel_stride, to);
        for (int64_t x = start; triples && x < stop; x += tile) {
          const int64_t n = std::min(stop - x, tile);
          colour.split(row + 3 * x, n, {r, g, b});
          kernels.histogram(r, n, 1, to), kernels.histogram(g, n, 1, to + 256), kernels.histogram(b, n, 1, to + 512);
        }
      }
    }
  });
  std::fill(bins, bins + p.images * p.channels * 256, 0);
  for (int64_t i = 0; i < planes * parts; ++i)
    for (int64_t v = 0; v < 256 * lanes; ++v) bins[i / parts * lanes * 256 + v] += counts[static_cast<size_t>(256 * lanes * i + v)];
}

}  // namespace vision_core
