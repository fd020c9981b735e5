#include "jpeg_loss.hpp"

#include "jpeg_cosine.hpp"
#include "vision/simd.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

using simd::f32;
using simd::i16;

// Blocks side by side, as many as a vector of 16-bit values holds.
constexpr int group = i16::lanes < jpeg_block ? jpeg_block : i16::lanes;
static_assert(jpeg_reach % group == 0, "strides hold whole groups");

struct Tile {
  int16_t v[jpeg_block][group];
};

// Each block of a tile has its rows and columns exchanged.
#if VISION_ISA_IS_AVX512 || VISION_ISA_IS_AVX2 || VISION_ISA_IS_SSE41

#if VISION_ISA_IS_AVX512
#define VISION_UNPACK(half, bits) _mm512_unpack##half##_epi##bits
#elif VISION_ISA_IS_AVX2
#define VISION_UNPACK(half, bits) _mm256_unpack##half##_epi##bits
#else
#define VISION_UNPACK(half, bits) _mm_unpack##half##_epi##bits
#endif

inline void exchange(Tile& t) {  // a row of a block fills 128 bits, within which unpacking stays
  i16 a[8], b[8];
  for (int i = 0; i < 8; ++i) a[i] = simd::load(t.v[i]);
  for (int i = 0; i < 4; ++i) {
    b[2 * i].v = VISION_UNPACK(lo, 16)(a[2 * i].v, a[2 * i + 1].v);
    b[2 * i + 1].v = VISION_UNPACK(hi, 16)(a[2 * i].v, a[2 * i + 1].v);
  }
  for (int i = 0; i < 8; i += 4) {
    a[i].v = VISION_UNPACK(lo, 32)(b[i].v, b[i + 2].v);
    a[i + 1].v = VISION_UNPACK(hi, 32)(b[i].v, b[i + 2].v);
    a[i + 2].v = VISION_UNPACK(lo, 32)(b[i + 1].v, b[i + 3].v);
    a[i + 3].v = VISION_UNPACK(hi, 32)(b[i + 1].v, b[i + 3].v);
  }
  for (int i = 0; i < 4; ++i) {
    simd::store(t.v[2 * i], i16{VISION_UNPACK(lo, 64)(a[i].v, a[i + 4].v)});
    simd::store(t.v[2 * i + 1], i16{VISION_UNPACK(hi, 64)(a[i].v, a[i + 4].v)});
  }
}

#undef VISION_UNPACK

#else

inline void exchange(Tile& t) {
  for (int block = 0; block < group; block += jpeg_block)
    for (int i = 0; i < jpeg_block; ++i)
      for (int j = 0; j < i; ++j) {
        const int16_t kept = t.v[i][block + j];
        t.v[i][block + j] = t.v[j][block + i];
        t.v[j][block + i] = kept;
      }
}

#endif

// Runs step(values, column) down the columns of a tile.
template <class Step>
inline void down(Tile& t, const Step& step) {
  for (int c = 0; c < group; c += i16::lanes) {
    i32 low[8], high[8];
    for (int k = 0; k < 8; ++k) {
      const i16 x = simd::load(t.v[k] + c);
      low[k] = simd::widen_low(x);
      high[k] = simd::widen_high(x);
    }
    step(low, c);
    step(high, c + i32::lanes);
    for (int k = 0; k < 8; ++k) simd::store(t.v[k] + c, simd::narrow_i16(low[k], high[k]));
  }
}

// The numbers of a quantisation row by row of frequencies, repeated for all lanes.
struct Rows {
  int32_t step[8][group];
  float half[8][group], reciprocal[8][group];

  explicit Rows(const JpegSteps& steps) {
    for (int k = 0; k < 8; ++k)
      for (int c = 0; c < group; ++c) {
        const int i = 8 * k + c % 8;
        step[k][c] = steps.step[i], half[k][c] = steps.half[i], reciprocal[k][c] = steps.reciprocal[i];
      }
  }

  // To the nearest multiple of the step, halves away from zero. float32 is exact enough: what is cut to a whole number
  // lies at least 1 / (16 step) from one, and a quotient below 2^12 / step is wrong by less than 2^-11 / step.
  i32 nearest(i32 x, int k, int c) const {
    const i32 none = simd::set(0), size = simd::max(x, simd::sub(none, x));
    const f32 raised = simd::add(simd::to_f32(size), simd::load(half[k] + c));
    const f32 quotient = simd::mul(raised, simd::load(reciprocal[k] + c));
    const i32 whole = simd::mul(simd::truncate_to_i32(quotient), simd::load(step[k] + c));
    return simd::select(simd::gt(none, x), simd::sub(none, whole), whole);
  }
};

inline uint8_t clamp_u8(int32_t x) { return static_cast<uint8_t>(x < 0 ? 0 : x > 255 ? 255 : x); }

void through_blocks(const int16_t* in, int64_t in_stride, int64_t columns, const JpegSteps& steps, uint8_t* out,
                    int64_t out_stride) {
  const Rows rows(steps);
  for (int64_t at = 0; at < columns; at += group) {
    Tile t;
    for (int k = 0; k < 8; ++k) std::memcpy(t.v[k], in + k * in_stride + at, sizeof(t.v[k]));
    exchange(t);
    down(t, [](i32 v[8], int) { forward_cosine<true>(v); });
    exchange(t);
    down(t, [&](i32 v[8], int c) {
      forward_cosine<false>(v);
      for (int k = 0; k < 8; ++k) v[k] = rows.nearest(v[k], k, c);
      inverse_cosine<true>(v);
    });
    exchange(t);
    down(t, [](i32 v[8], int) { inverse_cosine<false>(v); });
    exchange(t);
    for (int k = 0; k < 8; ++k)
      for (int c = 0; c < group; ++c) out[k * out_stride + at + c] = clamp_u8(t.v[k][c] + 128);
  }
}

void to_ycc(const Planes& rgb, int64_t count, int16_t* __restrict y, uint8_t* __restrict cb, uint8_t* __restrict cr) {
  const uint8_t *__restrict red = rgb.r, *__restrict green = rgb.g, *__restrict blue = rgb.b;
  constexpr int32_t half = 1 << 15, middle = (128 << 16) + half - 1;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t r = red[i], g = green[i], b = blue[i];
    y[i] = static_cast<int16_t>(((19595 * r + 38470 * g + 7471 * b + half) >> 16) - 128);
    cb[i] = static_cast<uint8_t>((-11059 * r - 21709 * g + 32768 * b + middle) >> 16);
    cr[i] = static_cast<uint8_t>((32768 * r - 27439 * g - 5329 * b + middle) >> 16);
  }
}

void centre(const uint8_t* __restrict gray, int64_t count, int16_t* __restrict out) {
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<int16_t>(gray[i] - 128);
}

void halve(const uint8_t* __restrict upper, const uint8_t* __restrict lower, int64_t count, int16_t* __restrict out) {
  for (int64_t i = 0; i < count; ++i) {
    const int sum = upper[2 * i] + upper[2 * i + 1] + lower[2 * i] + lower[2 * i + 1];
    out[i] = static_cast<int16_t>(((sum + 1 + static_cast<int>(i & 1)) >> 2) - 128);
  }
}

void spread(const uint8_t* __restrict near, const uint8_t* __restrict far, int64_t count, uint16_t* __restrict sums,
            uint8_t* __restrict out) {
  for (int64_t i = 0; i < count; ++i) sums[i + 1] = static_cast<uint16_t>(3 * near[i] + far[i]);
  sums[0] = sums[1];
  sums[count + 1] = sums[count];
  for (int64_t i = 0; i < count; ++i) {
    const uint16_t nearer = static_cast<uint16_t>(3 * sums[i + 1]);
    out[2 * i] = static_cast<uint8_t>(static_cast<uint16_t>(nearer + sums[i] + 8) >> 4);
    out[2 * i + 1] = static_cast<uint8_t>(static_cast<uint16_t>(nearer + sums[i + 2] + 7) >> 4);
  }
}

void to_rgb(const uint8_t* __restrict y, const uint8_t* __restrict cb, const uint8_t* __restrict cr, int64_t count,
            const MutablePlanes& rgb) {
  uint8_t *__restrict red = rgb.r, *__restrict green = rgb.g, *__restrict blue = rgb.b;
  constexpr int32_t half = 1 << 15;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t luma = y[i], b = cb[i] - 128, r = cr[i] - 128;
    red[i] = clamp_u8(luma + ((91881 * r + half) >> 16));
    green[i] = clamp_u8(luma + ((-22554 * b - 46802 * r + half) >> 16));
    blue[i] = clamp_u8(luma + ((116130 * b + half) >> 16));
  }
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(JpegLossKernels, jpeg_loss_kernels) = {
    &VISION_ISA_NAMESPACE::to_ycc, &VISION_ISA_NAMESPACE::centre, &VISION_ISA_NAMESPACE::halve,
    &VISION_ISA_NAMESPACE::through_blocks, &VISION_ISA_NAMESPACE::spread, &VISION_ISA_NAMESPACE::to_rgb};

}  // namespace vision_core
