#include "deform_conv.hpp"

#include "vision/simd.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

namespace simd = vision::simd::VISION_ISA_NAMESPACE;
using simd::f32;

inline float floor_of(float x) { return __builtin_floorf(x); }
inline double floor_of(double x) { return __builtin_floor(x); }

// A sampling point: the pixels around it (zeros where they lie outside), their weights, and how these change with the
// point's y and x. What is outside of the image by a pixel or more, or NaN, is `outside`.
template <class T>
struct Sample {
  const T* pixel[4];  // upper left, upper right, lower left, lower right
  int64_t index[4];   // of the pixel in the image, -1 outside
  T weight[4];
  T part_y, part_x;
  bool outside;
};

template <class T>
inline void locate(const DeformGeometry& g, const DeformImage<T>& image, T y, T x, Sample<T>& sample) {
  sample.outside = !(y > -1 && x > -1 && y < static_cast<T>(g.height) && x < static_cast<T>(g.width));
  if (sample.outside) return;
  const T top = floor_of(y), left = floor_of(x);
  const T b = y - top, r = x - left, a = 1 - b, l = 1 - r;
  sample.part_y = b, sample.part_x = r;
  sample.weight[0] = a * l, sample.weight[1] = a * r, sample.weight[2] = b * l, sample.weight[3] = b * r;
  const int64_t y0 = static_cast<int64_t>(top), x0 = static_cast<int64_t>(left);
  const bool rows[2] = {y0 >= 0, y0 + 1 < g.height}, columns[2] = {x0 >= 0, x0 + 1 < g.width};
  const int64_t first = y0 * g.width + x0;
  const int64_t index[4] = {first, first + 1, first + g.width, first + g.width + 1};
  for (int k = 0; k < 4; ++k) {
    const bool inside = rows[k >> 1] && columns[k & 1];
    sample.index[k] = inside ? index[k] : -1;
    sample.pixel[k] = inside ? image.pixels + index[k] * g.channels : image.zeros;
  }
}

// Calls body(position, tap, offset group, sample, mask) for every sampling point of the positions.
template <class T, class Body>
inline void each_sample(const DeformGeometry& g, const DeformImage<T>& image, int64_t begin, int64_t end, Body&& body) {
  const int64_t taps = g.taps(), positions = g.positions();
  Sample<T> sample{};
  for (int64_t p = begin; p < end; ++p) {
    const int64_t y0 = p / g.out_width * g.stride_y - g.padding_y, x0 = p % g.out_width * g.stride_x - g.padding_x;
    for (int64_t tap = 0; tap < taps; ++tap) {
      const T y = static_cast<T>(y0 + tap / g.kernel_width * g.dilation_y);
      const T x = static_cast<T>(x0 + tap % g.kernel_width * g.dilation_x);
      for (int64_t group = 0; group < g.offset_groups; ++group) {
        const int64_t at = group * taps + tap;
        const T* offset = image.offset + 2 * at * positions + p;
        locate(g, image, y + offset[0], x + offset[positions], sample);
        body(p, tap, group, sample, image.mask ? image.mask[at * positions + p] : T{1});
      }
    }
  }
}

inline void blend(const float* const* pixel, const float* weight, int64_t count, float* out) {
  const float *a = pixel[0], *b = pixel[1], *c = pixel[2], *d = pixel[3];
  const f32 wa = simd::set(weight[0]), wb = simd::set(weight[1]), wc = simd::set(weight[2]), wd = simd::set(weight[3]);
  int64_t i = 0;
  for (; i + f32::lanes <= count; i += f32::lanes) {
    const f32 upper = simd::fma(wb, simd::load(b + i), simd::mul(wa, simd::load(a + i)));
    const f32 lower = simd::fma(wd, simd::load(d + i), simd::mul(wc, simd::load(c + i)));
    simd::store(out + i, simd::add(upper, lower));
  }
  const int rest = static_cast<int>(count - i);
  if (rest == 0) return;
  const f32 upper = simd::fma(wb, simd::load_first(b + i, rest), simd::mul(wa, simd::load_first(a + i, rest)));
  const f32 lower = simd::fma(wd, simd::load_first(d + i, rest), simd::mul(wc, simd::load_first(c + i, rest)));
  simd::store_first(out + i, simd::add(upper, lower), rest);
}

inline void blend(const double* const* pixel, const double* weight, int64_t count, double* __restrict out) {
  const double *a = pixel[0], *b = pixel[1], *c = pixel[2], *d = pixel[3];
  for (int64_t i = 0; i < count; ++i)
    out[i] = (weight[0] * a[i] + weight[1] * b[i]) + (weight[2] * c[i] + weight[3] * d[i]);
}

// The four sums of gradient times pixel.
inline void dots(const float* const* pixel, const float* gradient, int64_t count, float* sums) {
  f32 total[4] = {simd::set(0.0f), simd::set(0.0f), simd::set(0.0f), simd::set(0.0f)};
  int64_t i = 0;
  for (; i + f32::lanes <= count; i += f32::lanes) {
    const f32 value = simd::load(gradient + i);
    for (int k = 0; k < 4; ++k) total[k] = simd::fma(value, simd::load(pixel[k] + i), total[k]);
  }
  const int rest = static_cast<int>(count - i);
  if (rest) {
    const f32 value = simd::load_first(gradient + i, rest);
    for (int k = 0; k < 4; ++k) total[k] = simd::fma(value, simd::load_first(pixel[k] + i, rest), total[k]);
  }
  for (int k = 0; k < 4; ++k) sums[k] += simd::sum(total[k]);
}

inline void dots(const double* const* pixel, const double* gradient, int64_t count, double* sums) {
  constexpr int lanes = 8;  // as many sums side by side, so that compilers can use vectors
  for (int k = 0; k < 4; ++k) {
    double total[lanes] = {};
    const double* p = pixel[k];
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
      for (int j = 0; j < lanes; ++j) total[j] += gradient[i + j] * p[i + j];
    for (; i < count; ++i) total[0] += gradient[i] * p[i];
    for (int j = 0; j < lanes; ++j) sums[k] += total[j];
  }
}

float dot(const float* a, const float* b, int64_t count) {
  f32 total = simd::set(0.0f);
  int64_t i = 0;
  for (; i + f32::lanes <= count; i += f32::lanes) total = simd::fma(simd::load(a + i), simd::load(b + i), total);
  const int rest = static_cast<int>(count - i);
  if (rest) total = simd::fma(simd::load_first(a + i, rest), simd::load_first(b + i, rest), total);
  return simd::sum(total);
}

double dot(const double* a, const double* b, int64_t count) {
  double total[4] = {};
  int64_t i = 0;
  for (; i + 4 <= count; i += 4)
    for (int k = 0; k < 4; ++k) total[k] += a[i + k] * b[i + k];
  for (; i < count; ++i) total[0] += a[i] * b[i];
  return (total[0] + total[1]) + (total[2] + total[3]);
}

inline void accumulate(float weight, const float* values, int64_t count, float* out) {
  const f32 w = simd::set(weight);
  int64_t i = 0;
  for (; i + f32::lanes <= count; i += f32::lanes)
    simd::store(out + i, simd::fma(w, simd::load(values + i), simd::load(out + i)));
  const int rest = static_cast<int>(count - i);
  if (rest)
    simd::store_first(out + i, simd::fma(w, simd::load_first(values + i, rest), simd::load_first(out + i, rest)), rest);
}

inline void accumulate(double weight, const double* __restrict values, int64_t count, double* __restrict out) {
  for (int64_t i = 0; i < count; ++i) out[i] += weight * values[i];
}

template <class T>
void sample(const DeformGeometry& g, const DeformImage<T>& image, int64_t begin, int64_t end, T* columns) {
  const int64_t taps = g.taps();
  each_sample(g, image, begin, end, [&](int64_t p, int64_t tap, int64_t group, Sample<T>& sample, T mask) {
    T* row = columns + ((p - begin) * taps + tap) * g.group_channels;
    for (int k = 0; k < 4; ++k) sample.weight[k] *= mask;
    for (int64_t r = 0; r < g.run_count; ++r) {
      const ChannelRun& run = g.runs[r];
      if (run.offset_group != group) continue;
      T* out = row + run.column;
      if (sample.outside) {
        for (int64_t i = 0; i < run.count; ++i) out[i] = 0;
        continue;
      }
      const T* pixel[4];
      for (int k = 0; k < 4; ++k) pixel[k] = sample.pixel[k] + (sample.index[k] < 0 ? 0 : run.channel);
      blend(pixel, sample.weight, run.count, out);
    }
  });
}

template <class T>
void position_gradients(const DeformGeometry& g, const DeformImage<T>& image, int64_t begin, int64_t end,
                        const T* columns, T* offset, T* mask_gradient) {
  const int64_t taps = g.taps(), positions = g.positions();
  each_sample(g, image, begin, end, [&](int64_t p, int64_t tap, int64_t group, Sample<T>& sample, T mask) {
    const T* row = columns + ((p - begin) * taps + tap) * g.group_channels;
    T sums[4] = {};
    for (int64_t r = 0; r < g.run_count && !sample.outside; ++r) {
      const ChannelRun& run = g.runs[r];
      if (run.offset_group != group) continue;
      const T* pixel[4];
      for (int k = 0; k < 4; ++k) pixel[k] = sample.pixel[k] + (sample.index[k] < 0 ? 0 : run.channel);
      dots(pixel, row + run.column, run.count, sums);
    }
    const int64_t at = group * taps + tap;
    if (offset) {
      const T b = sample.part_y, r = sample.part_x;
      const T by_y = (1 - r) * (sums[2] - sums[0]) + r * (sums[3] - sums[1]);
      const T by_x = (1 - b) * (sums[1] - sums[0]) + b * (sums[3] - sums[2]);
      offset[2 * at * positions + p] = sample.outside ? 0 : mask * by_y;
      offset[(2 * at + 1) * positions + p] = sample.outside ? 0 : mask * by_x;
    }
    if (mask_gradient) {
      const T* w = sample.weight;
      mask_gradient[at * positions + p] =
          sample.outside ? 0 : (w[0] * sums[0] + w[1] * sums[1]) + (w[2] * sums[2] + w[3] * sums[3]);
    }
  });
}

template <class T>
void scatter(const DeformGeometry& g, const DeformImage<T>& image, int64_t begin, int64_t end, int64_t first,
             int64_t last, const T* columns, T* pixels) {
  const int64_t taps = g.taps();
  each_sample(g, image, begin, end, [&](int64_t p, int64_t tap, int64_t group, Sample<T>& sample, T mask) {
    if (sample.outside) return;
    const T* row = columns + ((p - begin) * taps + tap) * g.group_channels;
    for (int64_t r = 0; r < g.run_count; ++r) {
      const ChannelRun& run = g.runs[r];
      const int64_t from = run.channel > first ? run.channel : first;
      const int64_t to = run.channel + run.count < last ? run.channel + run.count : last;
      if (run.offset_group != group || from >= to) continue;
      for (int k = 0; k < 4; ++k)
        if (sample.index[k] >= 0)
          accumulate(sample.weight[k] * mask, row + run.column + (from - run.channel), to - from,
                     pixels + sample.index[k] * g.channels + from);
    }
  });
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(DeformKernels, deform_kernels) = {
    {&VISION_ISA_NAMESPACE::sample<float>, &VISION_ISA_NAMESPACE::position_gradients<float>,
     &VISION_ISA_NAMESPACE::scatter<float>, &VISION_ISA_NAMESPACE::dot},
    {&VISION_ISA_NAMESPACE::sample<double>, &VISION_ISA_NAMESPACE::position_gradients<double>,
     &VISION_ISA_NAMESPACE::scatter<double>, &VISION_ISA_NAMESPACE::dot}};

}  // namespace vision_core
