#include "masks.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/bitmask.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

// Looks for values that are not 0 in a row of them.
class Finder {
 public:
  Finder(const BitmaskKernels& kernels, int64_t size, bool floating)
      : kernels_(kernels), size_(size), floating_(floating) {}

  int64_t first(const uint8_t* values, int64_t count) const {
    for (int64_t from = 0; from < count;) {
      const int64_t at = from + kernels_.first_set(values + from * size_, (count - from) * size_) / size_;
      if (at >= count || !negative_zero(values + at * size_)) return at;
      from = at + 1;
    }
    return count;
  }

  int64_t last(const uint8_t* values, int64_t count) const {
    while (count > 0) {
      const int64_t byte = kernels_.last_set(values, count * size_);
      if (byte < 0) return -1;
      const int64_t at = byte / size_;
      if (!negative_zero(values + at * size_)) return at;
      count = at;
    }
    return -1;
  }

 private:
  bool negative_zero(const uint8_t* value) const {
    if (!floating_ || value[size_ - 1] != 0x80) return false;
    for (int64_t i = 0; i + 1 < size_; ++i)
      if (value[i]) return false;
    return true;
  }

  const BitmaskKernels& kernels_;
  int64_t size_;
  bool floating_;
};

void box_around(const Finder& finder, const uint8_t* mask, int64_t height, int64_t width, int64_t size, float* box) {
  const int64_t begin = finder.first(mask, height * width);
  if (begin == height * width) {
    std::fill(box, box + 4, 0.0f);
    return;
  }
  const int64_t end = finder.last(mask, height * width), top = begin / width, bottom = end / width;
  int64_t left = begin % width, right = end % width;
  if (left > right) std::swap(left, right);
  for (int64_t y = top; y <= bottom; ++y) {  // of each row only what may widen the box
    const uint8_t* row = mask + y * width * size;
    left = std::min(left, finder.first(row, left));
    const int64_t beyond = finder.last(row + (right + 1) * size, width - right - 1);
    if (beyond >= 0) right += beyond + 1;
  }
  box[0] = static_cast<float>(left), box[1] = static_cast<float>(top);
  box[2] = static_cast<float>(right), box[3] = static_cast<float>(bottom);
}

// About 50 us of work for a thread, at `per_us` units in a microsecond.
int64_t grain_of(int64_t work, int64_t per_us) {
  return std::max<int64_t>(1, 50 * per_us / std::max<int64_t>(work, 1));
}

struct Bits {
  int64_t words;
  std::vector<uint64_t> bits;
  std::vector<int64_t> areas;

  Bits(const BitmaskKernels& kernels, const uint8_t* masks, int64_t count, int64_t pixels, int threads)
      : words((pixels + 63) / 64), bits(static_cast<size_t>(count * words)), areas(static_cast<size_t>(count)) {
    vision::parallel_for(count, grain_of(pixels, 20000), threads, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        kernels.pack(masks + i * pixels, pixels, bits.data() + i * words);
        areas[i] = kernels.count(bits.data() + i * words, words);
      }
    });
  }
};

// For each pixel of a direction: the two values of the mask beside it, and the share of the second one.
struct Axis {
  int64_t begin, end;  // pixels of the image
  std::vector<int32_t> low, high;
  std::vector<float> share;

  Axis(int64_t first, int64_t last, int64_t image, int64_t values)
      : begin(std::max<int64_t>(first, 0)), end(std::min(last + 1, image)) {
    const int64_t count = std::max<int64_t>(last - first + 1, 1);
    const float scale = static_cast<float>(values) / static_cast<float>(count);
    for (int64_t i = begin; i < end; ++i) {
      const float at = std::max(scale * (static_cast<float>(i - first) + 0.5f) - 0.5f, 0.0f);
      const int64_t lower = std::min(static_cast<int64_t>(at), values - 1);
      low.push_back(static_cast<int32_t>(lower));
      high.push_back(static_cast<int32_t>(std::min(lower + 1, values - 1)));
      share.push_back(at - static_cast<float>(lower));
    }
  }
};

inline void put(float value, float, float* out) { *out = value; }
inline void put(float value, float threshold, uint8_t* out) { *out = value > threshold; }

template <class Out>
void paste_one(const float* mask, const int64_t* box, const Paste& paste, float threshold, Out* out) {
  if (paste.height == 0 || paste.width == 0) return;  // `out` may be null then
  const Axis rows(box[1], box[3], paste.height, paste.mask_height), columns(box[0], box[2], paste.width, paste.mask_width);
  const int64_t first = rows.begin < rows.end && columns.begin < columns.end ? rows.begin : paste.height;
  const size_t row_bytes = static_cast<size_t>(paste.width) * sizeof(Out);
  std::memset(out, 0, static_cast<size_t>(first) * row_bytes);
  if (first == paste.height) return;
  std::vector<float> blended(static_cast<size_t>(paste.mask_width));
  for (int64_t y = rows.begin; y < rows.end; ++y) {
    const float* upper = mask + rows.low[y - rows.begin] * paste.mask_width;
    const float* lower = mask + rows.high[y - rows.begin] * paste.mask_width;
    const float share = rows.share[y - rows.begin];
    for (int64_t i = 0; i < paste.mask_width; ++i) blended[i] = upper[i] * (1 - share) + lower[i] * share;
    Out* row = out + y * paste.width;
    std::memset(row, 0, static_cast<size_t>(columns.begin) * sizeof(Out));
    const int64_t count = columns.end - columns.begin;
    for (int64_t i = 0; i < count; ++i) {
      const float part = columns.share[i];
      put(blended[columns.low[i]] * (1 - part) + blended[columns.high[i]] * part, threshold, row + columns.begin + i);
    }
    std::memset(row + columns.end, 0, static_cast<size_t>(paste.width - columns.end) * sizeof(Out));
  }
  std::memset(out + rows.end * paste.width, 0, static_cast<size_t>(paste.height - rows.end) * row_bytes);
}

template <class Out>
void paste_all(const Paste& paste, float threshold, int threads, Out* out) {
  const int64_t pixels = paste.height * paste.width;
  vision::parallel_for(paste.count, grain_of(pixels, 2000), threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      paste_one(paste.masks + i * paste.mask_height * paste.mask_width, paste.boxes + 4 * i, paste, threshold,
                out + i * pixels);
  });
}

}  // namespace

void masks_to_boxes(const uint8_t* masks, int64_t count, int64_t height, int64_t width, int64_t size, bool floating,
                    int threads, float* boxes) {
  const Finder finder(VISION_SELECT(bitmask_kernels), size, floating);
  const int64_t bytes = height * width * size;
  vision::parallel_for(count, grain_of(bytes, 20000), threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) box_around(finder, masks + i * bytes, height, width, size, boxes + 4 * i);
  });
}

void mask_iou(const uint8_t* a, int64_t first_count, const uint8_t* b, int64_t second_count, int64_t pixels, int threads,
              float* iou) {
  const BitmaskKernels& kernels = VISION_SELECT(bitmask_kernels);
  const Bits first(kernels, a, first_count, pixels, threads), second(kernels, b, second_count, pixels, threads);
  vision::parallel_for(first_count, grain_of(first.words * second_count, 1000), threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t j = 0; j < second_count; ++j) {
        const int64_t inter = kernels.count_both(first.bits.data() + i * first.words,
                                                 second.bits.data() + j * first.words, first.words);
        const int64_t whole = first.areas[i] + second.areas[j] - inter;
        iou[i * second_count + j] = whole ? static_cast<float>(static_cast<double>(inter) / static_cast<double>(whole)) : 0;
      }
    }
  });
}

void paste_masks(const Paste& paste, int threads, float* out) { paste_all(paste, 0.0f, threads, out); }

void paste_masks(const Paste& paste, float threshold, int threads, uint8_t* out) {
  paste_all(paste, threshold, threads, out);
}

}  // namespace vision_core
