#include "resample.hpp"

#include <cstring>

#include "round_bytes.hpp"

namespace vision_io {
namespace VISION_ISA_NAMESPACE {

// Four channels of a pixel, or four pixels of a channel. The compiler maps it to whatever the ISA has.
typedef float quad __attribute__((vector_size(16)));
typedef int32_t quad_order __attribute__((vector_size(16), unused));

static inline quad load_quad(const float* p) {
  quad x;
  memcpy(&x, p, sizeof x);
  return x;
}

static inline void store_quad(float* p, quad x) { memcpy(p, &x, sizeof x); }

// clang knows one spelling of a shuffle, gcc before 12 only the other.
#if defined(__clang__) || __GNUC__ >= 12
#define VISION_IO_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define VISION_IO_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, quad_order{__VA_ARGS__})
#endif

static inline void transpose(quad& a, quad& b, quad& c, quad& d) {
  const quad ab = VISION_IO_SHUFFLE(a, b, 0, 4, 1, 5), ab2 = VISION_IO_SHUFFLE(a, b, 2, 6, 3, 7);
  const quad cd = VISION_IO_SHUFFLE(c, d, 0, 4, 1, 5), cd2 = VISION_IO_SHUFFLE(c, d, 2, 6, 3, 7);
  a = VISION_IO_SHUFFLE(ab, cd, 0, 1, 4, 5);
  b = VISION_IO_SHUFFLE(ab, cd, 2, 3, 6, 7);
  c = VISION_IO_SHUFFLE(ab2, cd2, 0, 1, 4, 5);
  d = VISION_IO_SHUFFLE(ab2, cd2, 2, 3, 6, 7);
}

// Pieces that stay in registers while all taps are added.
constexpr int piece = 64;

#if VISION_ISA_IS_AVX512 || VISION_ISA_IS_AVX2
#if VISION_ISA_IS_AVX512
typedef __m512 floats;
static inline floats load_bytes(const uint8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
static inline floats spread(float x) { return _mm512_set1_ps(x); }
static inline floats add_product(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }
static inline floats nothing() { return _mm512_setzero_ps(); }
static inline void store_floats(float* p, floats x) { _mm512_storeu_ps(p, x); }
#else
typedef __m256 floats;
static inline floats load_bytes(const uint8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
static inline floats spread(float x) { return _mm256_set1_ps(x); }
static inline floats add_product(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }
static inline floats nothing() { return _mm256_setzero_ps(); }
static inline void store_floats(float* p, floats x) { _mm256_storeu_ps(p, x); }
#endif

static int blend_pieces(const uint8_t* const* rows, const float* weights, int taps, int width, float* out) {
  constexpr int lanes = sizeof(floats) / sizeof(float), parts = piece / lanes;
  int x = 0;
  for (; x + piece <= width; x += piece) {
    floats sums[parts];
    for (int i = 0; i < parts; ++i) sums[i] = nothing();
    for (int t = 0; t < taps; ++t) {
      const floats weight = spread(weights[t]);
      for (int i = 0; i < parts; ++i) sums[i] = add_product(load_bytes(rows[t] + x + i * lanes), weight, sums[i]);
    }
    for (int i = 0; i < parts; ++i) store_floats(out + x + i * lanes, sums[i]);
  }
  for (; x < width && width >= lanes; x += lanes) {
    if (x > width - lanes) x = width - lanes;  // the rest once more with what lies before it
    floats sum = nothing();
    for (int t = 0; t < taps; ++t) sum = add_product(load_bytes(rows[t] + x), spread(weights[t]), sum);
    store_floats(out + x, sum);
  }
  return x < width ? x : width;
}
#else
static int blend_pieces(const uint8_t* const* rows, const float* weights, int taps, int width, float* __restrict out) {
  int x = 0;
  for (; x + piece <= width; x += piece) {
    float sums[piece];
    for (int i = 0; i < piece; ++i) sums[i] = weights[0] * static_cast<float>(rows[0][x + i]);
    for (int t = 1; t < taps; ++t) {
      const uint8_t* __restrict row = rows[t] + x;
      const float weight = weights[t];
      for (int i = 0; i < piece; ++i) sums[i] += weight * static_cast<float>(row[i]);
    }
    memcpy(out + x, sums, sizeof sums);
  }
  return x;
}
#endif

static void blend(const uint8_t* const* rows, const float* weights, int taps, int width, float* out) {
  for (int x = blend_pieces(rows, weights, taps, width, out); x < width; ++x) {
    float sum = weights[0] * static_cast<float>(rows[0][x]);
    for (int t = 1; t < taps; ++t) sum += weights[t] * static_cast<float>(rows[t][x]);
    out[x] = sum;
  }
}

static void interleave(const float* const* rows, int channels, int width, float* pixels) {
  const float* planes[4];
  for (int c = 0; c < 4; ++c) planes[c] = rows[c < channels ? c : 0];
  for (int x = 0; x < width; x += 4) {  // the slack takes what is beyond
    quad a = load_quad(planes[0] + x), b = load_quad(planes[1] + x), c = load_quad(planes[2] + x), d = load_quad(planes[3] + x);
    transpose(a, b, c, d);
    float* to = pixels + 4 * static_cast<ptrdiff_t>(x);
    store_quad(to, a);
    store_quad(to + 4, b);
    store_quad(to + 8, c);
    store_quad(to + 12, d);
  }
}

// One output pixel of all channels at a time: works for every scale.
static void across_pixels(const float* const* rows, int channels, int from_width, const AcrossPlan& plan, const float* factor,
                          const float* bias, float* pixels, float* out, ptrdiff_t channel_stride) {
  interleave(rows, channels, from_width, pixels);
  const quad scale = load_quad(factor), offset = load_quad(bias);
  const auto value = [&](int x) {
    const float* from = pixels + 4 * static_cast<ptrdiff_t>(plan.taps[x].first);
    const float* weight = plan.weights + static_cast<ptrdiff_t>(x) * plan.stride;
    quad sum = load_quad(from) * weight[0];
    for (int t = 1; t < plan.taps[x].count; ++t) sum += load_quad(from + 4 * t) * weight[t];
    return sum * scale + offset;
  };
  int x = 0;
  for (; x + 4 <= plan.width; x += 4) {
    quad part[4] = {value(x), value(x + 1), value(x + 2), value(x + 3)};
    transpose(part[0], part[1], part[2], part[3]);
    for (int c = 0; c < channels; ++c) store_quad(out + c * channel_stride + x, part[c]);
  }
  for (; x < plan.width; ++x) {
    const quad last = value(x);
    for (int c = 0; c < channels; ++c) out[c * channel_stride + x] = last[c];
  }
}

#if VISION_ISA_IS_AVX512
// 16 neighbours pick their taps from a window of two registers.
static void across_groups(const float* const* rows, int channels, const AcrossPlan& plan, const float* factor, const float* bias,
                          float* out, ptrdiff_t channel_stride) {
  const __m512i one = _mm512_set1_epi32(1);
  for (int x = 0, group = 0; x < plan.width; x += resample_group, ++group) {
    const int left = plan.width - x;
    const __mmask16 mask = left >= resample_group ? __mmask16(0xffff) : __mmask16((1u << left) - 1);
    const __m512i first = _mm512_maskz_loadu_epi32(mask, plan.offset + x);
    const float* weights = plan.by_group + static_cast<ptrdiff_t>(group) * plan.most * resample_group;
    for (int c = 0; c < channels; ++c) {
      const float* from = rows[c] + plan.base[group];
      const __m512 low = _mm512_loadu_ps(from), high = _mm512_loadu_ps(from + 16);
      __m512 sum = _mm512_setzero_ps();
      __m512i at = first;
      for (int t = 0; t < plan.most; ++t, at = _mm512_add_epi32(at, one))
        sum = _mm512_fmadd_ps(_mm512_loadu_ps(weights + t * resample_group), _mm512_permutex2var_ps(low, at, high), sum);
      sum = _mm512_fmadd_ps(sum, _mm512_set1_ps(factor[c]), _mm512_set1_ps(bias[c]));
      _mm512_mask_storeu_ps(out + c * channel_stride + x, mask, sum);
    }
  }
}
#endif

static void across(const float* const* rows, int channels, int from_width, const AcrossPlan& plan, const float* factor,
                   const float* bias, float* pixels, float* out, ptrdiff_t channel_stride) {
#if VISION_ISA_IS_AVX512
  if (plan.grouped) return across_groups(rows, channels, plan, factor, bias, out, channel_stride);
#endif
  across_pixels(rows, channels, from_width, plan, factor, bias, pixels, out, channel_stride);
}

static void to_bytes(const float* values, int count, uint8_t* out) {
  store_bytes_of([&](int i) { return simd::load(values + i); }, count, out);
}

}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(ResampleKernels, resample_kernels) = {&VISION_ISA_NAMESPACE::blend, &VISION_ISA_NAMESPACE::across,
                                                            &VISION_ISA_NAMESPACE::to_bytes};

}  // namespace vision_io
