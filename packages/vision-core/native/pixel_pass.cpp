// Pixels are taken in tiles of a row, which stay in the nearest cache while all steps go over them. A contrast step looks
// at the whole image before: the steps in front of it then make an image of their own, and add up its gray values.
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

// Steps between two looks at the whole image.
class Segment {
 public:
  Segment(const Pixels& source, bool mirrored, bool upside_down, const std::vector<Prepared>& steps, const Sink& sink,
          std::atomic<uint64_t>* gray_sums)
      : p_(source), mirrored_(mirrored), upside_down_(upside_down), steps_(steps), sink_(sink), sums_(gray_sums),
        per_row_((source.width + tile - 1) / tile) {}

  void run(int threads) const {
    const bool triples = p_.channels == 3;
    const int64_t planes = triples || p_.interleaved() ? p_.images : p_.images * p_.channels;
    const int64_t values = std::min(p_.width, tile) * (planes == p_.images ? p_.channels : 1);
    const int64_t effort = steps_.empty() ? 1 : 4;
    vision::parallel_for(planes * p_.height * per_row_, std::max<int64_t>(thread_bytes / effort / values, 1), threads,
                         [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t row = i / per_row_, x = i % per_row_ * tile;
        const Place place{row / p_.height, row % p_.height, x, std::min(p_.width - x, tile)};
        triples ? three(place) : p_.interleaved() ? lanes(place) : plane(place);
      }
    });
  }

 private:
  struct Place {  // of a tile in the result; `image` counts planes where these are taken one by one
    int64_t image, y, x, count;
  };

  struct Buffer {
    uint8_t r[tile], g[tile], b[tile];
    MutablePlanes planes() { return {r, g, b}; }
  };

  static Planes read_only(const MutablePlanes& p) { return {p.r, p.g, p.b}; }

  // Where the pixels of a tile begin in the source.
  const uint8_t* source_at(const uint8_t* image, const Place& t) const {
    const int64_t y = upside_down_ ? p_.height - 1 - t.y : t.y, x = mirrored_ ? p_.width - t.x - t.count : t.x;
    return image + y * p_.row_stride + x * p_.pixel_stride;
  }

  // A tile of three channels: where it lies, or in the buffer.
  Planes load(const Place& t, Buffer& buffer) const {
    const uint8_t* from = source_at(p_.data + t.image * p_.image_stride, t);
    Planes planes{from, from + p_.channel_stride, from + 2 * p_.channel_stride};
    if (p_.interleaved()) {
      uint8_t reversed[3 * tile];
      if (mirrored_) flip_.reverse(from, t.count, 3, reversed);
      colour_.split(mirrored_ ? reversed : from, t.count, buffer.planes());
      return read_only(buffer.planes());
    }
    if (!mirrored_) return planes;
    flip_.reverse(planes.r, t.count, 1, buffer.r);
    flip_.reverse(planes.g, t.count, 1, buffer.g);
    flip_.reverse(planes.b, t.count, 1, buffer.b);
    return read_only(buffer.planes());
  }

  void three(const Place& t) const {
    Buffer buffer, gray;
    const Pixels& to = sink_.pixels;
    int64_t offset = t.image * to.image_stride + t.y * to.row_stride + t.x * to.pixel_stride;
    if (p_.interleaved() && to.interleaved() && steps_.empty() && !sums_) return lanes(t);  // no need to take them apart
    Planes in = load(t, buffer);
    in = change(in, t, buffer);
    if (sums_) {
      colour_.gray(in, t.count, gray.r);
      sums_[t.image].fetch_add(colour_.sum(gray.r, t.count), std::memory_order_relaxed);
    }
    if (to.interleaved()) {
      uint8_t joined[3 * tile];
      uint8_t* out = sink_.bytes() ? sink_.at(offset) : joined;
      colour_.join(in, t.count, out);
      if (!sink_.bytes()) sink_.write(joined, 3 * t.count, 0, offset);
      return;
    }
    const uint8_t* planes[3] = {in.r, in.g, in.b};
    for (int64_t c = 0; c < 3; ++c, offset += to.channel_stride) {
      if (sink_.bytes()) std::memcpy(sink_.at(offset), planes[c], static_cast<size_t>(t.count));
      if (!sink_.bytes()) sink_.write(planes[c], t.count, c, offset);
    }
  }

  // Runs the steps; the result lies in the buffer, or where `in` lies if nothing changed.
  Planes change(Planes in, const Place& t, Buffer& buffer) const {
    MutablePlanes out = buffer.planes();
    for (const Prepared& step : steps_) {
      switch (step.kind) {
        case PassKind::saturation: colour_.saturate(in, t.count, step.factor, step.other, out); break;
        case PassKind::hue: colour_.hue(in, t.count, step.factor, out); break;
        case PassKind::gray:
          colour_.gray(in, t.count, out.r);
          std::memcpy(out.g, out.r, static_cast<size_t>(t.count));
          std::memcpy(out.b, out.r, static_cast<size_t>(t.count));
          break;
        case PassKind::order: {  // only the names change, of what is in the buffer and of the buffer's planes
          const uint8_t* from[3] = {in.r, in.g, in.b};
          uint8_t* to[3] = {out.r, out.g, out.b};
          in = {from[step.order[0]], from[step.order[1]], from[step.order[2]]};
          out = {to[step.order[0]], to[step.order[1]], to[step.order[2]]};
          continue;
        }
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

  static const uint8_t* table_of(const Prepared& step, int64_t image) {
    return step.tables.data() + (step.kind == PassKind::contrast ? 256 * image : 0);
  }

  // A tile of one plane of an image with any number of channels, or of one.
  void plane(const Place& t) const {
    const int64_t image = t.image / p_.channels, channel = t.image % p_.channels;
    const Pixels& to = sink_.pixels;
    bytewise(source_at(p_.data + image * p_.image_stride + channel * p_.channel_stride, t), 1, t.count, image, channel,
             image * to.image_stride + channel * to.channel_stride + t.y * to.row_stride + t.x);
  }

  // A tile of interleaved pixels of any number of channels.
  void lanes(const Place& t) const {
    const Pixels& to = sink_.pixels;
    const int64_t offset = t.image * to.image_stride + t.y * to.row_stride + t.x * to.pixel_stride;
    bytewise(source_at(p_.data + t.image * p_.image_stride, t), static_cast<int>(p_.channels), t.count, t.image, 0, offset);
  }

  void bytewise(const uint8_t* from, int size, int64_t pixels, int64_t image, int64_t channel, int64_t offset) const {
    uint8_t buffer[most_channels * tile];
    const int64_t count = pixels * size;
    uint8_t* out = sink_.bytes() ? sink_.at(offset) : buffer;
    if (mirrored_) {
      flip_.reverse(from, pixels, size, out);
      from = out;
    }
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
  const bool mirrored_, upside_down_;
  const std::vector<Prepared>& steps_;
  const Sink& sink_;
  std::atomic<uint64_t>* sums_;
  const int64_t per_row_;
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
    to = {to.data, source.images, source.channels, source.height, source.width, source.channels * plane, plane, source.width, 1};
  }
  if (!mirrored && !upside_down && from.joined().height == 1) from = from.joined(), to = to.joined();
  Segment(from, mirrored, upside_down, prepared, Sink(to, &result), nullptr).run(threads);
}

}  // namespace vision_core
