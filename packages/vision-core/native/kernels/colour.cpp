#include "colour.hpp"

#include "vision/simd.hpp"

#if VISION_ISA_IS_SSE41 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_AVX512
#include <immintrin.h>
#elif VISION_ISA_IS_NEON
#include <arm_neon.h>
#endif

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

namespace simd = vision::simd::VISION_ISA_NAMESPACE;
using simd::f32;
using simd::i16;
using simd::i32;
using simd::u8;

constexpr int wide = u8::lanes;

struct Quarters {  // a vector of bytes as floats
  f32 v[4];
};

inline Quarters load(const uint8_t* p) {
  const u8 bytes = simd::load(p);
  const i16 low = simd::widen_low(bytes), high = simd::widen_high(bytes);
  return {{simd::to_f32(simd::widen_low(low)), simd::to_f32(simd::widen_high(low)),
           simd::to_f32(simd::widen_low(high)), simd::to_f32(simd::widen_high(high))}};
}

// Values within the range of 16 bits; cut to 0..255 and rounded down.
inline void store(uint8_t* p, const Quarters& x) {
  i32 v[4];
  for (int k = 0; k < 4; ++k) v[k] = simd::truncate_to_i32(x.v[k]);
  simd::store(p, simd::narrow_u8(simd::narrow_i16(v[0], v[1]), simd::narrow_i16(v[2], v[3])));
}

// Rounded down, this is (2989 r + 5870 g + 1140 b) / 10000 for all colours: what is added outweighs the rounding of the
// products, and stays below the 0.0001 that lie between a result and the next whole number.
inline f32 to_gray(f32 r, f32 g, f32 b) {
  const f32 red = simd::fma(r, simd::set(0.2989f), simd::set(4e-5f));
  return simd::fma(b, simd::set(0.114f), simd::fma(g, simd::set(0.587f), red));
}

inline f32 floor_positive(f32 x) { return simd::to_f32(simd::truncate_to_i32(x)); }

// Calls body(in, out) for whole vectors; the last pixels go through a copy with room behind them.
template <class Body>
inline void over_vectors(const Planes& in, int64_t count, const MutablePlanes& out, const Body& body) {
  int64_t i = 0;
  for (; i + wide <= count; i += wide)
    body(Planes{in.r + i, in.g + i, in.b + i}, MutablePlanes{out.r + i, out.g + i, out.b + i});
  if (i == count) return;
  const size_t rest = static_cast<size_t>(count - i);
  uint8_t r[wide] = {}, g[wide] = {}, b[wide] = {};
  std::memcpy(r, in.r + i, rest), std::memcpy(g, in.g + i, rest), std::memcpy(b, in.b + i, rest);
  body(Planes{r, g, b}, MutablePlanes{r, g, b});
  std::memcpy(out.r + i, r, rest), std::memcpy(out.g + i, g, rest), std::memcpy(out.b + i, b, rest);
}

void saturate(const Planes& source, int64_t count, float factor, float other, const MutablePlanes& target) {
  const f32 own = simd::set(factor), rest = simd::set(other), none = simd::set(0.0f), full = simd::set(255.0f);
  over_vectors(source, count, target, [&](const Planes& in, const MutablePlanes& out) {
    Quarters r = load(in.r), g = load(in.g), b = load(in.b);
    for (int k = 0; k < 4; ++k) {
      const f32 gray = floor_positive(to_gray(r.v[k], g.v[k], b.v[k]));
      const auto blend = [&](f32 x) {
        return simd::min(simd::max(simd::fma(gray, rest, simd::mul(x, own)), none), full);
      };
      r.v[k] = blend(r.v[k]), g.v[k] = blend(g.v[k]), b.v[k] = blend(b.v[k]);
    }
    store(out.r, r), store(out.g, g), store(out.b, b);
  });
}

// A colour is its least channel, plus its range times a trapezoid over the circle for each channel:
// red |h - 3| - 1, green 2 - |h - 2|, blue 2 - |h - 4|, each cut to 0..1, with h in 0..6. So value and saturation of
// the HSV hexcone (Smith, "Color gamut transform pairs", 1978) need not be computed.
struct Turn {
  f32 turn, one = simd::set(1.0f), two = simd::set(2.0f), three = simd::set(3.0f), four = simd::set(4.0f),
            zero = simd::set(0.0f), six = simd::set(6.0f), sixth = simd::set(1.0f / 6), half = simd::set(0.5f),
            scale = simd::set(static_cast<float>((255 + 1.0 - 1e-3) / 255));

  f32 magnitude(f32 x) const { return simd::max(x, simd::sub(zero, x)); }
  f32 unit(f32 x) const { return simd::min(simd::max(x, zero), one); }

  void operator()(f32& r, f32& g, f32& b) const {
    const f32 most = simd::max(simd::max(r, g), b), least = simd::min(simd::min(r, g), b);
    const f32 range = simd::sub(most, least), inverse = simd::div(one, simd::max(range, one));
    const f32 from_red = simd::mul(simd::sub(g, b), inverse);
    const f32 from_green = simd::fma(simd::sub(b, r), inverse, two), from_blue = simd::fma(simd::sub(r, g), inverse, four);
    const f32 angle = simd::select(simd::ge(r, most), from_red, simd::select(simd::ge(g, most), from_green, from_blue));
    f32 h = simd::add(angle, turn);
    // Whole turns away: what rounding does to 0 and 6 does not matter, they are the same colour.
    h = simd::sub(h, simd::mul(six, simd::to_f32(simd::round_to_i32(simd::sub(simd::mul(h, sixth), half)))));
    const f32 weight_r = unit(simd::sub(magnitude(simd::sub(h, three)), one));
    const f32 weight_g = unit(simd::sub(two, magnitude(simd::sub(h, two))));
    const f32 weight_b = unit(simd::sub(two, magnitude(simd::sub(h, four))));
    r = simd::mul(simd::fma(range, weight_r, least), scale);
    g = simd::mul(simd::fma(range, weight_g, least), scale);
    b = simd::mul(simd::fma(range, weight_b, least), scale);
  }
};

void hue(const Planes& source, int64_t count, float turn, const MutablePlanes& target) {
  Turn change;
  change.turn = simd::set(turn);
  over_vectors(source, count, target, [&](const Planes& in, const MutablePlanes& out) {
    Quarters r = load(in.r), g = load(in.g), b = load(in.b);
    for (int k = 0; k < 4; ++k) change(r.v[k], g.v[k], b.v[k]);
    store(out.r, r), store(out.g, g), store(out.b, b);
  });
}

#if VISION_ISA_IS_AVX512
#include "gray_avx512.hpp"
#else

inline int64_t gray_wide(const Planes& in, int64_t count, uint8_t* out) {
  int64_t i = 0;
  for (; i + wide <= count; i += wide) {
    Quarters r = load(in.r + i);
    const Quarters g = load(in.g + i), b = load(in.b + i);
    for (int k = 0; k < 4; ++k) r.v[k] = to_gray(r.v[k], g.v[k], b.v[k]);
    store(out + i, r);
  }
  return i;
}

inline int64_t gray_interleaved_wide(const uint8_t*, int64_t, uint8_t*) { return 0; }

#endif

void gray(const Planes& source, int64_t count, uint8_t* target) {
  const int64_t i = gray_wide(source, count, target);
  if (i == count) return;
  const size_t rest = static_cast<size_t>(count - i);
  uint8_t r[wide] = {}, g[wide] = {}, b[wide] = {};
  std::memcpy(r, source.r + i, rest), std::memcpy(g, source.g + i, rest), std::memcpy(b, source.b + i, rest);
  gray_wide({r, g, b}, wide, r);
  std::memcpy(target + i, r, rest);
}

uint64_t sum(const uint8_t* in, int64_t count) {
  const simd::s8 one = simd::set8(static_cast<int8_t>(1));
  uint64_t total = 0;
  int64_t i = 0;
  while (i + wide <= count) {  // as many as a lane can add up
    i32 sums = simd::set(0);
    for (int k = 0; k < 1 << 16 && i + wide <= count; ++k, i += wide) sums = simd::dot4(sums, simd::load(in + i), one);
    int32_t parts[i32::lanes];
    simd::store(parts, sums);
    for (int32_t part : parts) total += static_cast<uint64_t>(part);
  }
  for (; i < count; ++i) total += in[i];
  return total;
}

#include "interleave.hpp"

void gray_interleaved(const uint8_t* in, int64_t count, uint8_t* out) {
  constexpr int64_t tile = 1024;
  uint8_t r[tile], g[tile], b[tile];
  for (int64_t i = gray_interleaved_wide(in, count, out); i < count; i += tile) {
    const int64_t n = count - i < tile ? count - i : tile;
    split(in + 3 * i, n, {r, g, b});
    gray({r, g, b}, n, out + i);
  }
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(ColourKernels, colour_kernels) = {
    &VISION_ISA_NAMESPACE::saturate, &VISION_ISA_NAMESPACE::hue,   &VISION_ISA_NAMESPACE::gray, &VISION_ISA_NAMESPACE::gray_interleaved,
    &VISION_ISA_NAMESPACE::sum,      &VISION_ISA_NAMESPACE::split, &VISION_ISA_NAMESPACE::join};

}  // namespace vision_core
