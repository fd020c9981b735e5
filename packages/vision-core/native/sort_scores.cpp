#include <algorithm>
#include <cstring>
#include <vector>

#include "nms.hpp"

namespace vision_core {
namespace {

// A number that ascends as scores descend: NaN is 0, both zeros are the same.
uint32_t descending_key(float score) {
  if (score != score) return 0;
  score += 0.0f;
  uint32_t bits;
  std::memcpy(&bits, &score, sizeof bits);
  return ~(bits ^ (bits >> 31 ? 0xffffffffu : 0x80000000u));
}

uint64_t descending_key(double score) {
  if (score != score) return 0;
  score += 0.0;
  uint64_t bits;
  std::memcpy(&bits, &score, sizeof bits);
  return ~(bits ^ (bits >> 63 ? ~uint64_t{0} : uint64_t{1} << 63));
}

template <class Key>
struct Entry {
  Key key;
  uint32_t index;
};

// Least significant digit first; each pass is stable. Passes in which all keys share the digit are left out.
template <class Key>
void radix_sort(std::vector<Entry<Key>>& entries) {
  constexpr int digit_bits = 11, digits = 1 << digit_bits;
  std::vector<Entry<Key>> other(entries.size());
  std::vector<uint32_t> start(digits);
  for (unsigned shift = 0; shift < 8 * sizeof(Key); shift += digit_bits) {
    std::fill(start.begin(), start.end(), 0);
    for (const auto& entry : entries) ++start[(entry.key >> shift) & (digits - 1)];
    if (start[(entries[0].key >> shift) & (digits - 1)] == entries.size()) continue;
    uint32_t sum = 0;
    for (auto& place : start) {
      const uint32_t number = place;
      place = sum;
      sum += number;
    }
    for (const auto& entry : entries) other[start[(entry.key >> shift) & (digits - 1)]++] = entry;
    entries.swap(other);
  }
}

}  // namespace

template <class T>
void sort_scores(const T* scores, int64_t count, int64_t* order) {
  using Key = decltype(descending_key(T{}));
  constexpr int64_t radix_pays = 512;
  std::vector<Entry<Key>> entries(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) entries[i] = {descending_key(scores[i]), static_cast<uint32_t>(i)};
  if (count >= radix_pays) {
    radix_sort(entries);
  } else {
    std::sort(entries.begin(), entries.end(), [](const Entry<Key>& a, const Entry<Key>& b) {
      return a.key != b.key ? a.key < b.key : a.index < b.index;
    });
  }
  for (int64_t i = 0; i < count; ++i) order[i] = entries[i].index;
}

template void sort_scores(const float*, int64_t, int64_t*);
template void sort_scores(const double*, int64_t, int64_t*);

}  // namespace vision_core
