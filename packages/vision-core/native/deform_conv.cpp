#include "deform_conv.hpp"

#include <algorithm>
#include <type_traits>

#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

template <class T>
const DeformFunctions<T>& functions(const DeformKernels& kernels) {
  if constexpr (std::is_same_v<T, float>) return kernels.f32;
  else return kernels.f64;
}

}  // namespace

template <class T>
DeformConv<T>::DeformConv(const DeformGeometry& geometry, int64_t groups, const T* pixels, const T* offset,
                          const T* mask, Part part, int threads)
    : zeros_(static_cast<size_t>(geometry.channels)), geometry_(geometry), pixels_(pixels), offset_(offset), mask_(mask),
      part_(part), threads_(threads) {
  const int64_t channels = geometry.channels, positions = part.end - part.begin;
  const int64_t group = channels / groups, offset_group = channels / geometry.offset_groups;
  for (int64_t c = 0; c < channels;) {
    const int64_t end = std::min((c / group + 1) * group, (c / offset_group + 1) * offset_group);
    const int64_t column = c / group * positions * geometry.taps() * group + c % group;
    runs_.push_back({c, end - c, column, c / offset_group});
    c = end;
  }
  geometry_.runs = runs_.data();
  geometry_.run_count = static_cast<int64_t>(runs_.size());
  geometry_.group_channels = group;
}

template <class T>
DeformImage<T> DeformConv<T>::image(int64_t index) const {
  const int64_t masks = geometry_.offset_groups * geometry_.taps() * geometry_.positions();
  return {pixels_ + index * geometry_.height * geometry_.width * geometry_.channels, offset_ + index * 2 * masks,
          mask_ ? mask_ + index * masks : nullptr, zeros_.data()};
}

template <class T>
int64_t DeformConv<T>::column_values() const {
  return (part_.end - part_.begin) * geometry_.taps() * geometry_.channels;
}

// Calls body(image, begin, end, first of the columns) for ranges of positions, on many threads.
template <class T>
template <class Body>
void DeformConv<T>::each_range(Body&& body) const {
  const int64_t positions = part_.end - part_.begin;
  const int64_t row = geometry_.taps() * geometry_.group_channels;
  const int64_t grain = std::max<int64_t>(1, 100000 / std::max<int64_t>(geometry_.taps() * (geometry_.channels + 32), 1));
  vision::parallel_for(part_.images * positions, grain, threads_, [&](int64_t first, int64_t last) {
    while (first < last) {
      const int64_t i = first / positions, begin = first % positions;
      const int64_t end = std::min(positions, begin + (last - first));
      body(part_.image + i, part_.begin + begin, part_.begin + end, i * column_values() + begin * row);
      first += end - begin;
    }
  });
}

template <class T>
void DeformConv<T>::sample(T* columns) const {
  const auto run = functions<T>(VISION_SELECT(deform_kernels)).sample;
  each_range([&](int64_t index, int64_t begin, int64_t end, int64_t at) {
    run(geometry_, image(index), begin, end, columns + at);
  });
}

template <class T>
void DeformConv<T>::position_gradients(const T* columns, T* offset, T* mask) const {
  const auto run = functions<T>(VISION_SELECT(deform_kernels)).position_gradients;
  const int64_t masks = geometry_.offset_groups * geometry_.taps() * geometry_.positions();
  each_range([&](int64_t index, int64_t begin, int64_t end, int64_t at) {
    run(geometry_, image(index), begin, end, columns + at, offset ? offset + index * 2 * masks : nullptr,
        mask ? mask + index * masks : nullptr);
  });
}

// Threads share images and channels, so that no two write the same values and the order of additions is fixed.
template <class T>
void DeformConv<T>::scatter(const T* columns, T* pixels) const {
  const auto run = functions<T>(VISION_SELECT(deform_kernels)).scatter;
  constexpr int64_t line = 64 / sizeof(T);
  const int64_t channels = geometry_.channels;
  const int64_t wanted = std::max<int64_t>(1, (threads_ + part_.images - 1) / std::max<int64_t>(part_.images, 1));
  const int64_t share = std::max(line, ((channels + wanted - 1) / wanted + line - 1) / line * line);
  const int64_t shares = (channels + share - 1) / share;
  vision::parallel_for(part_.images * shares, 1, threads_, [&](int64_t first, int64_t last) {
    for (; first < last; ++first) {
      const int64_t i = first / shares, channel = first % shares * share;
      run(geometry_, image(part_.image + i), part_.begin, part_.end, channel, std::min(channel + share, channels),
          columns + i * column_values(),
          pixels + (part_.image + i) * geometry_.height * geometry_.width * channels);
    }
  });
}

template <class T>
void deform_conv_small(const DeformGeometry& geometry, int64_t groups, int64_t batch, int64_t out_channels,
                       const T* input, const T* offset, const T* weight, const T* bias, const T* mask, T* out) {
  const int64_t channels = geometry.channels, pixels = geometry.height * geometry.width, taps = geometry.taps();
  const int64_t positions = geometry.positions(), group = channels / groups, row = taps * group;
  const auto transpose = [](const T* from, int64_t rows, int64_t columns, T* to) {
    for (int64_t y = 0; y < rows; ++y)
      for (int64_t x = 0; x < columns; ++x) to[x * rows + y] = from[y * columns + x];
  };
  std::vector<T> interleaved(static_cast<size_t>(batch * pixels * channels));
  for (int64_t i = 0; i < batch; ++i)
    transpose(input + i * pixels * channels, channels, pixels, interleaved.data() + i * pixels * channels);
  std::vector<T> weights(static_cast<size_t>(out_channels * row));
  for (int64_t i = 0; i < out_channels; ++i) transpose(weight + i * row, group, taps, weights.data() + i * row);
  std::vector<T> columns(static_cast<size_t>(batch * positions * taps * channels));
  DeformConv<T>(geometry, groups, interleaved.data(), offset, mask, {0, batch, 0, positions}, 1).sample(columns.data());

  const auto dot = functions<T>(VISION_SELECT(deform_kernels)).dot;
  for (int64_t i = 0; i < batch; ++i) {
    for (int64_t c = 0; c < out_channels; ++c) {
      const T* first = columns.data() + (i * groups + c / (out_channels / groups)) * positions * row;
      const T start = bias ? bias[c] : T{0};
      for (int64_t p = 0; p < positions; ++p) *out++ = start + dot(weights.data() + c * row, first + p * row, row);
    }
  }
}

template void deform_conv_small(const DeformGeometry&, int64_t, int64_t, int64_t, const float*, const float*,
                                const float*, const float*, const float*, float*);
template void deform_conv_small(const DeformGeometry&, int64_t, int64_t, int64_t, const double*, const double*,
                                const double*, const double*, const double*, double*);
template class DeformConv<float>;
template class DeformConv<double>;

}  // namespace vision_core
