// Pixels are taken in tiles, which stay in the nearest cache while all steps go over them. A contrast step looks at the
// whole image before: the steps in front of it then make an image of their own, and add up its gray values.
#include "pixel_pass.hpp"

#include <atomic>
#include <cstring>
#include <memory>

#include "colour.hpp"
#include "kernels/colour.hpp"
#include "kernels/flip.hpp"
#include "kernels/lut.hpp"
#include "kernels/normalize.hpp"
#include "points.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

constexpr int64_t tile = 2048;        // pixels
constexpr int64_t most_channels = 4;  // that tiles of interleaved pixels have room for

struct Prepared {  // a step with its numbers
  PassKind kind;
  float factor, other;
  const int* order;
  std::vector<uint8_t> tables;  // 256 values, of contrast for each image
};

// Where the values of a segment go: the result, or an image between two segments.
struct Sink {
  const Pixels pixels;  // of bytes; of floats, the strides count values all the same
  const PassResult* result;
  const NormalizeKernels& kernels;
  std::vector<std::vector<float>> means, deviations;

  Sink(const Pixels& at, const PassResult* to) : pixels(at), result(to), kernels(VISION_SELECT(normalize_kernels)) {
    if (!to || to->bytes || (!to->mean && !to->std)) return;
    const int64_t lanes = at.interleaved() ? at.channels : 1;
    for (int64_t c = 0; c < at.channels / lanes; ++c) {
      means.push_back(turns(to->mean ? to->mean + c : nullptr, lanes, 0));
      deviations.push_back(turns(to->std ? to->std + c : nullptr, lanes, 1));
    }
  }

  bool bytes() const { return !result || result->bytes; }
  uint8_t* at(int64_t offset) const { return writable(pixels) + offset; }

  // `count` values of a plane, or of interleaved pixels, to the floats from `offset` on.
  void write(const uint8_t* in, int64_t count, int64_t plane, int64_t offset) const {
    float exact[tile * most_channels];
    float* out = result->type == Real::float32 ? static_cast<float*>(result->data) + offset : exact;
    if (means.empty()) {
      kernels.scale(in, count, out);
    } else {
      const size_t p = static_cast<size_t>(plane);
      kernels.normalize(in, count, means[p].data(), deviations[p].data(),
                        static_cast<int>(pixels.interleaved() ? pixels.channels : 1), out);
    }
    if (result->type == Real::float16) kernels.to_float16(out, count, static_cast<uint16_t*>(result->data) + offset);
    if (result->type == Real::bfloat16) kernels.to_bfloat16(out, count, static_cast<uint16_t*>(result->data) + offset);
  }

 private:
  static std::vector<float> turns(const float* values, int64_t lanes, float otherwise) {
    std::vector<float> table(static_cast<size_t>(normalize_turn * lanes), otherwise);
    for (size_t i = 0; values && i < table.size(); ++i) table[i] = values[i % static_cast<size_t>(lanes)];
    return table;
  }
};

// Steps between two looks at the whole image. The result has no gaps, so tiles are cut from it as from one long row,
// whatever the rows of the source are.
class Segment {
 public:
  Segment(const Pixels& source, bool mirrored, bool upside_down, const std::vector<Prepared>& steps, const Sink& sink,
          std::atomic<uint64_t>* gray_sums)
      : p_(mirrored || upside_down ? source : source.joined()), mirrored_(mirrored), upside_down_(upside_down),
        as_it_lies_(!mirrored && !upside_down && p_.height == 1), steps_(steps), sink_(sink), sums_(gray_sums) {}

  void run(int threads) const {
    const bool triples = p_.channels == 3;
    const int64_t planes = triples || p_.interleaved() ? p_.images : p_.images * p_.channels;
    const int64_t pixels = p_.height * p_.width, tiles = (pixels + tile - 1) / tile;
    const int64_t values = std::min(pixels, tile) * (planes == p_.images ? p_.channels : 1);
    const int64_t effort = steps_.empty() ? 1 : 4;
    vision::parallel_for(planes * tiles, std::max<int64_t>(thread_bytes / effort / values, 1), threads,
                         [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i % tiles * tile;
        const Place place{i / tiles, first, std::min(pixels - first, tile)};
        triples ? three(place) : p_.interleaved() ? lanes(place) : plane(place);
      }
    });
  }

 private:
  struct Place {  // of a tile in the result; `image` counts planes where these are taken one by one
    int64_t image, first, count;
  };

  struct Buffer {
    uint8_t r[tile], g[tile], b[tile];
    MutablePlanes planes() { return {r, g, b}; }
  };

  static Planes read_only(const MutablePlanes& p) { return {p.r, p.g, p.b}; }

  // The pixels of a tile, of `size` bytes each: where they lie in the source, or gathered from its rows.
  const uint8_t* pixels_of(const uint8_t* plane, int size, const Place& t, uint8_t* room) const {
    if (as_it_lies_) return plane + t.first * size;
    int64_t y = t.first / p_.width, x = t.first % p_.width;
    uint8_t* out = room;
    for (int64_t left = t.count; left > 0; ++y, x = 0) {
      const int64_t n = std::min(left, p_.width - x);
      const uint8_t* row = plane + (upside_down_ ? p_.height - 1 - y : y) * p_.row_stride;
      if (mirrored_) {
        flip_.reverse(row + (p_.width - x - n) * size, n, size, out);
      } else {
        std::memcpy(out, row + x * size, static_cast<size_t>(n * size));
      }
      left -= n, out += n * size;
    }
    return room;
  }

  // A tile of three channels: where it lies, or in the buffer.
  Planes load(const Place& t, Buffer& buffer) const {
    const uint8_t* from = p_.data + t.image * p_.image_stride;
    if (p_.interleaved()) {
      uint8_t room[3 * tile];
      colour_.split(pixels_of(from, 3, t, room), t.count, buffer.planes());
      return read_only(buffer.planes());
    }
    return {pixels_of(from, 1, t, buffer.r), pixels_of(from + p_.channel_stride, 1, t, buffer.g),
            pixels_of(from + 2 * p_.channel_stride, 1, t, buffer.b)};
  }

  void three(const Place& t) const {
    Buffer buffer, gray;
    const Pixels& to = sink_.pixels;
    const int64_t offset = t.image * to.image_stride + t.first * to.pixel_stride;
    if (p_.interleaved() && to.interleaved() && steps_.empty() && !sums_) return lanes(t);  // together as they are
    const bool in_place = sink_.bytes() && !to.interleaved();
    MutablePlanes out = in_place ? planes_at(offset) : buffer.planes();
    const Planes in = change(load(t, buffer), t, out);
    if (sums_) {
      colour_.gray(in, t.count, gray.r);
      sums_[t.image].fetch_add(colour_.sum(gray.r, t.count), std::memory_order_relaxed);
    }
    if (!in_place) {
      write(in, t.count, offset);
    } else if (in.r != out.r) {
      std::memcpy(out.r, in.r, static_cast<size_t>(t.count));
      std::memcpy(out.g, in.g, static_cast<size_t>(t.count));
      std::memcpy(out.b, in.b, static_cast<size_t>(t.count));
    }
  }

  MutablePlanes planes_at(int64_t offset) const {
    uint8_t* at = sink_.at(offset);
    return {at, at + sink_.pixels.channel_stride, at + 2 * sink_.pixels.channel_stride};
  }

  // Three planes to interleaved pixels or to floats.
  void write(const Planes& in, int64_t count, int64_t offset) const {
    if (sink_.pixels.interleaved()) {
      uint8_t joined[3 * tile];
      uint8_t* out = sink_.bytes() ? sink_.at(offset) : joined;
      colour_.join(in, count, out);
      if (!sink_.bytes()) sink_.write(joined, 3 * count, 0, offset);
      return;
    }
    const uint8_t* planes[3] = {in.r, in.g, in.b};
    for (int64_t c = 0; c < 3; ++c) sink_.write(planes[c], count, c, offset + c * sink_.pixels.channel_stride);
  }

  // Runs the steps and returns where their result lies: in `out`, or where `in` lies if nothing changed.
  Planes change(Planes in, const Place& t, const MutablePlanes& out) const {
    for (const Prepared& step : steps_) {
      switch (step.kind) {
        case PassKind::saturation: colour_.saturate(in, t.count, step.factor, step.other, out); break;
        case PassKind::hue: colour_.hue(in, t.count, step.factor, out); break;
        case PassKind::gray:
          colour_.gray(in, t.count, out.r);
          std::memcpy(out.g, out.r, static_cast<size_t>(t.count));
          std::memcpy(out.b, out.r, static_cast<size_t>(t.count));
          break;
        case PassKind::order: reorder(in, t.count, step.order, out); break;
        default: {
          const uint8_t* table = table_of(step, t.image);
          lut_.apply(in.r, t.count, table, out.r);
          lut_.apply(in.g, t.count, table, out.g);
          lut_.apply(in.b, t.count, table, out.b);
        }
      }
      in = read_only(out);
    }
    return in;
  }

  static void reorder(const Planes& in, int64_t count, const int* order, const MutablePlanes& out) {
    const uint8_t* from[3] = {in.r, in.g, in.b};
    uint8_t* to[3] = {out.r, out.g, out.b};
    uint8_t copies[3][tile];
    for (int c = 0; c < 3; ++c) std::memcpy(copies[c], from[order[c]], static_cast<size_t>(count));
    for (int c = 0; c < 3; ++c) std::memcpy(to[c], copies[c], static_cast<size_t>(count));
  }

  static const uint8_t* table_of(const Prepared& step, int64_t image) {
    return step.tables.data() + (step.kind == PassKind::contrast ? 256 * image : 0);
  }

  // A tile of one plane of an image with any number of channels, or of one.
  void plane(const Place& t) const {
    const int64_t image = t.image / p_.channels, channel = t.image % p_.channels;
    const Pixels& to = sink_.pixels;
    bytewise(p_.data + image * p_.image_stride + channel * p_.channel_stride, 1, t, image, channel,
             image * to.image_stride + channel * to.channel_stride + t.first);
  }

  // A tile of interleaved pixels of any number of channels.
  void lanes(const Place& t) const {
    const Pixels& to = sink_.pixels;
    bytewise(p_.data + t.image * p_.image_stride, static_cast<int>(p_.channels), t, t.image, 0,
             t.image * to.image_stride + t.first * to.pixel_stride);
  }

  void bytewise(const uint8_t* plane, int size, const Place& t, int64_t image, int64_t channel, int64_t offset) const {
    uint8_t buffer[most_channels * tile];
    const int64_t count = t.count * size;
    uint8_t* out = sink_.bytes() ? sink_.at(offset) : buffer;
    const uint8_t* from = pixels_of(plane, size, t, out);
    for (const Prepared& step : steps_) {
      lut_.apply(from, count, table_of(step, image), out);
      from = out;
    }
    if (sums_) sums_[image].fetch_add(colour_.sum(from, count), std::memory_order_relaxed);
    if (!sink_.bytes()) {
      sink_.write(from, count, channel, offset);
    } else if (from != out) {
      std::memcpy(out, from, static_cast<size_t>(count));
    }
  }

  const ColourKernels& colour_ = VISION_SELECT(colour_kernels);
  const FlipKernels& flip_ = VISION_SELECT(flip_kernels);
  const LutKernels& lut_ = VISION_SELECT(lut_kernels);
  const Pixels p_;
  const bool mirrored_, upside_down_, as_it_lies_;
  const std::vector<Prepared>& steps_;
  const Sink& sink_;
  std::atomic<uint64_t>* sums_;
};

Prepared prepare(const PassStep& step) {
  Prepared made{step.kind, static_cast<float>(step.factor), static_cast<float>(1 - step.factor), step.order, {}};
  if (step.kind == PassKind::hue) made.factor = static_cast<float>(step.factor * 6);
  if (step.kind == PassKind::brightness || step.kind == PassKind::table) made.tables.resize(256);
  if (step.kind == PassKind::brightness) blend_table(step.factor, 0, made.tables.data());
  if (step.kind == PassKind::table) std::memcpy(made.tables.data(), step.table, 256);
  return made;
}

bool one_table(const Prepared& step) { return step.kind == PassKind::brightness || step.kind == PassKind::table; }

// A table of a table is a table.
void add(std::vector<Prepared>& steps, Prepared step) {
  if (one_table(step) && !steps.empty() && one_table(steps.back())) {
    for (uint8_t& value : steps.back().tables) value = step.tables[value];
  } else {
    steps.push_back(std::move(step));
  }
}

// Contrast, which knows its means now.
void add_contrast(std::vector<Prepared>& steps, double factor, const std::vector<float>& means) {
  Prepared step{PassKind::contrast, 0, 0, nullptr, std::vector<uint8_t>(256 * means.size())};
  for (size_t i = 0; i < means.size(); ++i) blend_table(factor, means[i], step.tables.data() + 256 * i);
  steps.push_back(std::move(step));
}

std::vector<float> gray_means(const Pixels& source, int threads) {
  std::vector<float> means;
  for (int64_t image = 0; image < source.images; ++image) {
    Pixels one = source;
    one.images = 1;
    one.data += image * source.image_stride;
    means.push_back(gray_mean(one, threads));
  }
  return means;
}

}  // namespace

void pixel_pass_u8(const Pixels& source, bool mirrored, bool upside_down, const std::vector<PassStep>& steps,
                   const PassResult& result, int threads) {
  Pixels from = source;
  std::unique_ptr<uint8_t[]> between;
  std::vector<Prepared> prepared;
  for (const PassStep& step : steps) {
    if (step.kind != PassKind::contrast) {
      add(prepared, prepare(step));
      continue;
    }
    std::vector<float> means;
    if (prepared.empty()) {
      means = gray_means(from, threads);
    } else {  // do what comes before, and go on from there
      const bool first = !between;
      if (first) between.reset(new uint8_t[static_cast<size_t>(source.values())]);
      Pixels middle = dense(source, between.get(), source.channels, source.height, source.width);
      const Sink sink(middle, nullptr);
      std::unique_ptr<std::atomic<uint64_t>[]> sums(new std::atomic<uint64_t>[static_cast<size_t>(source.images)]());
      Segment(from, mirrored, upside_down, prepared, sink, sums.get()).run(threads);
      for (int64_t image = 0; image < source.images; ++image)
        means.push_back(static_cast<float>(static_cast<double>(sums[image].load()) /
                                           static_cast<double>(source.height * source.width)));
      from = middle, mirrored = upside_down = false;
      prepared.clear();
    }
    add_contrast(prepared, step.factor, means);
  }
  Pixels to = dense(source, static_cast<const uint8_t*>(result.data), source.channels, source.height, source.width);
  if (result.planar) {
    const int64_t plane = source.height * source.width;
    to.image_stride = source.channels * plane, to.channel_stride = plane, to.row_stride = source.width, to.pixel_stride = 1;
  }
  Segment(from, mirrored, upside_down, prepared, Sink(to, &result), nullptr).run(threads);
}

}  // namespace vision_core
