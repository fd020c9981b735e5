#include "yuv.hpp"

#include "round_bytes.hpp"
#include "yuv_vectors.hpp"

namespace vision_io {
namespace VISION_ISA_NAMESPACE {

static inline uint8_t clip(int x) { return static_cast<uint8_t>(x < 0 ? 0 : x > 255 ? 255 : x); }

// One or two rows of luma that share a row of chroma. `first` and `second` are the samples of a chroma pair.
struct RowPair {
  const uint8_t* luma[2];
  const uint8_t *u, *v;
  uint8_t* rgb[2];
  int rows, step;
};

static inline void fixed_pixels(const RowPair pair, const FixedCoefficients c, ptrdiff_t channel, int begin, int end) {
  for (int x = begin; x < end; ++x) {
    const int u = 8 * pair.u[(x >> 1) * pair.step] - 1024, v = 8 * pair.v[(x >> 1) * pair.step] - 1024;
    const int red = (v * c.v_to_r) >> 16, green = ((u * c.u_to_g) >> 16) + ((v * c.v_to_g) >> 16);
    const int blue = (u * c.u_to_b) >> 16;
    for (int row = 0; row < pair.rows; ++row) {
      const int luma = ((8 * pair.luma[row][x] - c.y_offset) * c.y_gain) >> 16;
      uint8_t* out = pair.rgb[row] + x;
      out[0] = clip(luma + red);
      out[channel] = clip(luma + green);
      out[2 * channel] = clip(luma + blue);
    }
  }
}

#if VISION_IO_VECTORS
// pmulhw is the arithmetic that swscale defines: (a * b) >> 16 of signed words.
struct FixedVectors {
  i16 y_offset, y_gain, v_to_r, u_to_g, v_to_g, u_to_b, centre;
  explicit FixedVectors(const FixedCoefficients& c)
      : y_offset(set16(c.y_offset)), y_gain(set16(c.y_gain)), v_to_r(set16(c.v_to_r)), u_to_g(set16(c.u_to_g)),
        v_to_g(set16(c.v_to_g)), u_to_b(set16(c.u_to_b)), centre(set16(1024)) {}
};

template <bool past>
static inline void put(uint8_t* out, u8 bytes) {
  if (past)
    store_past(out, bytes);
  else
    store(out, bytes);
}

template <bool past>
static inline void fixed_block(const RowPair& pair, const FixedVectors& c, ptrdiff_t channel, int x) {
  i16 u, v;
  if (pair.step == 1) {
    u = load_samples(pair.u + x / 2);
    v = load_samples(pair.v + x / 2);
  } else if (pair.u < pair.v) {
    load_pairs(pair.u + x, u, v);
  } else {
    load_pairs(pair.v + x, v, u);
  }
  u = sub(shift_left<3>(u), c.centre);
  v = sub(shift_left<3>(v), c.centre);
  const i16 red = mul_high(v, c.v_to_r), green = add(mul_high(u, c.u_to_g), mul_high(v, c.v_to_g));
  const i16 blue = mul_high(u, c.u_to_b);
  for (int row = 0; row < pair.rows; ++row) {
    const u8 bytes = load(pair.luma[row] + x);
    const i16 low = mul_high(sub(shift_left<3>(bytes_low(bytes)), c.y_offset), c.y_gain);
    const i16 high = mul_high(sub(shift_left<3>(bytes_high(bytes)), c.y_offset), c.y_gain);
    uint8_t* out = pair.rgb[row] + x;
    put<past>(out, pack(add(low, twice_low(red)), add(high, twice_high(red))));
    put<past>(out + channel, pack(add(low, twice_low(green)), add(high, twice_high(green))));
    put<past>(out + 2 * channel, pack(add(low, twice_low(blue)), add(high, twice_high(blue))));
  }
}
#endif

static void fixed_420(const YuvPicture& p, const FixedCoefficients& c, const Destination& out) {
#if VISION_IO_VECTORS
  const FixedVectors vectors(c);
  constexpr uintptr_t line = 64;
  const auto apart = static_cast<uintptr_t>(out.channel_stride) | static_cast<uintptr_t>(out.row_stride);
  const bool past = out.passing && (reinterpret_cast<uintptr_t>(out.rgb) | apart) % line == 0;
#endif
  for (int y = 0; y < p.height; y += 2) {
    RowPair pair;
    pair.rows = y + 1 < p.height ? 2 : 1;
    pair.step = p.chroma_step;
    for (int row = 0; row < 2; ++row) {
      const ptrdiff_t line = y + (row < pair.rows ? row : 0);
      pair.luma[row] = p.y + line * p.y_stride;
      pair.rgb[row] = out.rgb + line * out.row_stride;
    }
    pair.u = p.u + (y / 2) * p.u_stride;
    pair.v = p.v + (y / 2) * p.v_stride;
    int done = 0;
#if VISION_IO_VECTORS
    const int even = p.width & ~1;
    if (past)
      for (; done + u8::lanes <= even; done += u8::lanes) fixed_block<true>(pair, vectors, out.channel_stride, done);
    for (; done + u8::lanes <= even; done += u8::lanes) fixed_block<false>(pair, vectors, out.channel_stride, done);
    if (done < even && even >= u8::lanes) {  // the rest once more with what lies before it
      fixed_block<false>(pair, vectors, out.channel_stride, even - u8::lanes);
      done = even;
    }
#endif
    fixed_pixels(pair, c, out.channel_stride, done, p.width);
  }
#if VISION_IO_VECTORS
  if (past) stored_past();
#endif
}

// Rounded once. Multiplications and additions are kept apart, so that every ISA and the NumPy reference agree.
constexpr int block = 256;

// Samples begin, begin + step, ... as floats, `repeat` (1, 2 or 4) times each. Words are copied out first: a plane of
// bytes must not be read through a pointer to words.
static void load_samples_of(const YuvPicture& p, const uint8_t* plane, int begin, int count, int step, float offset, float* to) {
  if (p.sample_bytes == 1) {
    const uint8_t* from = plane + begin * step;
    if (step == 1)
      for (int i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]) - offset;
    else
      for (int i = 0; i < count; ++i) to[i] = static_cast<float>(from[2 * i]) - offset;
    return;
  }
  uint16_t words[2 * block];
  memcpy(words, plane + 2 * begin * step, static_cast<size_t>(2 * ((count - 1) * step + 1)));
  if (step == 1)
    for (int i = 0; i < count; ++i) to[i] = static_cast<float>(words[i] >> p.sample_shift) - offset;
  else
    for (int i = 0; i < count; ++i) to[i] = static_cast<float>(words[2 * i] >> p.sample_shift) - offset;
}

static void load_chroma(const YuvPicture& p, const uint8_t* plane, int begin, int count, float centre, float* to) {
  const int shift = p.chroma_shift_x;  // `begin` is a multiple of `block`, so that groups are never cut at their start
  if (shift == 0) return load_samples_of(p, plane, begin, count, p.chroma_step, centre, to);
  float samples[block];
  const int groups = (count + (1 << shift) - 1) >> shift;
  load_samples_of(p, plane, begin >> shift, groups, p.chroma_step, centre, samples);
  if (shift == 1) {
    for (int i = 0; i < groups; ++i) to[2 * i] = to[2 * i + 1] = samples[i];
  } else {
    for (int i = 0; i < count; ++i) to[i] = samples[i >> shift];
  }
}

static void exact_block(const float* luma, const float* u, const float* v, int count, const FloatCoefficients& c,
                        uint8_t* red, uint8_t* green, uint8_t* blue) {
  const f32 gain = set(c.y_gain), v_to_r = set(c.v_to_r), u_to_g = set(c.u_to_g), v_to_g = set(c.v_to_g);
  const f32 u_to_b = set(c.u_to_b);
  const auto y = [&](int i) { return mul(load(luma + i), gain); };
  store_bytes_of([&](int i) { return add(y(i), mul(load(v + i), v_to_r)); }, count, red);
  store_bytes_of([&](int i) { return add(add(y(i), mul(load(u + i), u_to_g)), mul(load(v + i), v_to_g)); }, count, green);
  store_bytes_of([&](int i) { return add(y(i), mul(load(u + i), u_to_b)); }, count, blue);
}

static void exact(const YuvPicture& p, const FloatCoefficients& c, const Destination& out) {
  float luma[block] = {}, u[block + 1] = {}, v[block + 1] = {};  // an odd width writes the other half of its last pair
  for (int y = 0; y < p.height; ++y) {
    const uint8_t* y_row = p.y + y * p.y_stride;
    const uint8_t* u_row = p.u + (y >> p.chroma_shift_y) * p.u_stride;
    const uint8_t* v_row = p.v + (y >> p.chroma_shift_y) * p.v_stride;
    for (int begin = 0; begin < p.width; begin += block) {
      const int count = p.width - begin < block ? p.width - begin : block;
      load_samples_of(p, y_row, begin, count, 1, c.y_offset, luma);
      load_chroma(p, u_row, begin, count, c.centre, u);
      load_chroma(p, v_row, begin, count, c.centre, v);
      uint8_t* red = out.rgb + y * out.row_stride + begin;
      exact_block(luma, u, v, count, c, red, red + out.channel_stride, red + 2 * out.channel_stride);
    }
  }
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(YuvKernels, yuv_kernels) = {&VISION_ISA_NAMESPACE::fixed_420, &VISION_ISA_NAMESPACE::exact};

}  // namespace vision_io
