// Pixels are taken in tiles that stay in the nearest cache while all steps go over them. Only the contrast step looks at
// the whole image before: at the mean of the image as the steps before it leave it.
#include "colour.hpp"

#include <atomic>
#include <cstring>
#include <vector>

#include "kernels/colour.hpp"
#include "kernels/lut.hpp"
#include "points.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

constexpr int64_t tile = 2048;  // pixels

// The pixels of an image, cut into tiles of a row.
struct Tiles {
  explicit Tiles(const Pixels& image) : p(image), per_row((image.width + tile - 1) / tile) {}

  int64_t count() const { return p.images * p.height * per_row; }
  int64_t grain() const { return std::max<int64_t>(thread_bytes / 4 / (3 * std::min(p.width, tile)), 1); }
  int64_t pixels(int64_t i) const { return std::min(p.width - i % per_row * tile, tile); }
  const uint8_t* at(int64_t i) const {
    const int64_t row = i / per_row;
    return p.data + row / p.height * p.image_stride + row % p.height * p.row_stride + i % per_row * tile * p.pixel_stride;
  }

  Pixels p;
  int64_t per_row;
};

// Three planes of a tile.
struct Buffer {
  uint8_t r[tile], g[tile], b[tile];
  MutablePlanes planes() { return {r, g, b}; }
};

Planes read_only(const MutablePlanes& p) { return {p.r, p.g, p.b}; }

// The planes of a tile where they lie, or in the buffer if they are interleaved.
Planes planes_of(const Tiles& tiles, int64_t i, const ColourKernels& kernels, Buffer& buffer) {
  const uint8_t* at = tiles.at(i);
  if (!tiles.p.interleaved()) return {at, at + tiles.p.channel_stride, at + 2 * tiles.p.channel_stride};
  kernels.split(at, tiles.pixels(i), buffer.planes());
  return read_only(buffer.planes());
}

// The gray values of a tile.
void gray_of(const Tiles& tiles, int64_t i, const ColourKernels& kernels, uint8_t* out) {
  const uint8_t* at = tiles.at(i);
  if (tiles.p.interleaved()) return kernels.gray_interleaved(at, tiles.pixels(i), out);
  kernels.gray({at, at + tiles.p.channel_stride, at + 2 * tiles.p.channel_stride}, tiles.pixels(i), out);
}

struct Prepared {  // a step with its numbers
  Colour kind;
  float factor, other;
  std::vector<uint8_t> tables;  // of brightness and contrast, 256 values an image; brightness has one for all
};

class Chain {
 public:
  Chain() : colour_(VISION_SELECT(colour_kernels)), lut_(VISION_SELECT(lut_kernels)) {}

  void add(Prepared step) { steps_.push_back(std::move(step)); }
  void clear() { steps_.clear(); }

  // Runs the steps over all tiles of `source` into the dense `target`, which may be the same memory.
  void run(const Pixels& source, const Pixels& target, int threads) const {
    const Tiles from(source), to(target);
    vision::parallel_for(from.count(), from.grain(), threads, [&](int64_t begin, int64_t end) {
      Buffer in, out;
      for (int64_t i = begin; i < end; ++i) {
        const Planes planes = planes_of(from, i, colour_, in);
        uint8_t* at = const_cast<uint8_t*>(to.at(i));
        if (to.p.interleaved()) {
          over(planes, from.pixels(i), i / (from.per_row * from.p.height), out.planes());
          colour_.join(read_only(out.planes()), from.pixels(i), at);
        } else {
          over(planes, from.pixels(i), i / (from.per_row * from.p.height),
               {at, at + to.p.channel_stride, at + 2 * to.p.channel_stride});
        }
      }
    });
  }

 private:
  void over(Planes in, int64_t count, int64_t image, const MutablePlanes& out) const {
    if (steps_.empty()) {
      copy(in.r, count, out.r), copy(in.g, count, out.g), copy(in.b, count, out.b);
    }
    for (const Prepared& step : steps_) {
      if (step.kind == Colour::saturation) {
        colour_.saturate(in, count, step.factor, step.other, out);
      } else if (step.kind == Colour::hue) {
        colour_.hue(in, count, step.factor, out);
      } else {
        const uint8_t* table = step.tables.data() + (step.kind == Colour::contrast ? 256 * image : 0);
        lut_.apply(in.r, count, table, out.r);
        lut_.apply(in.g, count, table, out.g);
        lut_.apply(in.b, count, table, out.b);
      }
      in = read_only(out);
    }
  }

  static void copy(const uint8_t* from, int64_t count, uint8_t* to) {
    if (from != to) std::memcpy(to, from, static_cast<size_t>(count));
  }

  const ColourKernels& colour_;
  const LutKernels& lut_;
  std::vector<Prepared> steps_;
};

}  // namespace

float gray_mean(const Pixels& image, int threads) {
  const ColourKernels& kernels = VISION_SELECT(colour_kernels);
  const Tiles tiles(image.joined());
  std::atomic<uint64_t> total{0};
  vision::parallel_for(tiles.count(), tiles.grain(), threads, [&](int64_t begin, int64_t end) {
    Buffer buffer;
    uint64_t part = 0;
    for (int64_t i = begin; i < end; ++i) {
      if (image.channels == 1) {
        part += kernels.sum(tiles.at(i), tiles.pixels(i));
        continue;
      }
      gray_of(tiles, i, kernels, buffer.r);
      part += kernels.sum(buffer.r, tiles.pixels(i));
    }
    total.fetch_add(part, std::memory_order_relaxed);
  });
  return static_cast<float>(static_cast<double>(total.load()) / static_cast<double>(image.height * image.width));
}

void gray_u8(const Pixels& source, int64_t channels, uint8_t* target, int threads) {
  const ColourKernels& kernels = VISION_SELECT(colour_kernels);
  const Tiles from(source.joined()), to(dense(source, target, channels, source.height, source.width).joined());
  vision::parallel_for(from.count(), from.grain(), threads, [&](int64_t begin, int64_t end) {
    Buffer buffer;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t count = from.pixels(i);
      // A dense target may be cut otherwise than a source with gaps between its rows.
      const int64_t row = i / from.per_row, x = i % from.per_row * tile;
      const int64_t image = row / from.p.height, pixel = row % from.p.height * from.p.width + x;
      uint8_t* at = writable(to.p) + image * to.p.image_stride + pixel * to.p.pixel_stride;
      if (to.p.interleaved()) {
        gray_of(from, i, kernels, buffer.r);
        kernels.join({buffer.r, buffer.r, buffer.r}, count, at);
        continue;
      }
      gray_of(from, i, kernels, at);
      for (int64_t c = 1; c < channels; ++c)
        std::memcpy(at + c * to.p.channel_stride, at, static_cast<size_t>(count));
    }
  });
}

void colour_chain_u8(const Pixels& source, const ColourStep* steps, int count, uint8_t* target, int threads) {
  const Pixels result = dense(source, target, source.channels, source.height, source.width);
  Pixels from = source, to = result;
  if (source.joined().height == 1) from = source.joined(), to = result.joined();
  Chain chain;
  for (int i = 0; i < count; ++i) {
    Prepared step{steps[i].kind, static_cast<float>(steps[i].factor), static_cast<float>(1 - steps[i].factor), {}};
    if (step.kind == Colour::hue) step.factor = static_cast<float>(steps[i].factor * 6);
    if (step.kind == Colour::brightness) {
      step.tables.resize(256);
      blend_table(steps[i].factor, 0, step.tables.data());
    } else if (step.kind == Colour::contrast) {
      if (i > 0) {  // do what comes before, and go on from there
        chain.run(from, to, threads);
        chain.clear();
        from = to;
      }
      step.tables.resize(static_cast<size_t>(256 * source.images));
      for (int64_t image = 0; image < source.images; ++image) {
        Pixels one = from;
        one.images = 1;
        one.data += image * from.image_stride;
        blend_table(steps[i].factor, gray_mean(one, threads), step.tables.data() + 256 * image);
      }
    }
    chain.add(std::move(step));
  }
  chain.run(from, to, threads);
}

}  // namespace vision_core
