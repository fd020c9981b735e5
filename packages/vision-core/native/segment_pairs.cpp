// Neighbouring pixels mostly belong to the same pair, so that the table is asked once for a run of them.
#include "segment_pairs.hpp"

#include <cstddef>
#include <utility>

namespace vision_core {
namespace {

using std::size_t;

class PairTable {
 public:
  PairTable() : places_(256, -1) {}

  void add(int64_t a, int64_t b, int64_t pixels) {
    if (2 * pairs_.size() >= places_.size()) grow();
    const size_t place = find(a, b);
    if (places_[place] < 0) {
      places_[place] = static_cast<int64_t>(pairs_.size());
      pairs_.push_back({a, b, 0});
    }
    pairs_[static_cast<size_t>(places_[place])].pixels += pixels;
  }

  std::vector<SegmentPair>& pairs() { return pairs_; }

 private:
  size_t find(int64_t a, int64_t b) const {
    uint64_t hash = static_cast<uint64_t>(a) * 0x9e3779b97f4a7c15u;
    hash ^= (static_cast<uint64_t>(b) + 0x7f4a7c15u) * 0xc2b2ae3d27d4eb4fu;
    hash ^= hash >> 29;
    size_t place = static_cast<size_t>(hash) & (places_.size() - 1);
    while (places_[place] >= 0) {
      const SegmentPair& pair = pairs_[static_cast<size_t>(places_[place])];
      if (pair.a == a && pair.b == b) break;
      place = (place + 1) & (places_.size() - 1);
    }
    return place;
  }

  void grow() {
    places_.assign(2 * places_.size(), -1);
    for (size_t i = 0; i < pairs_.size(); ++i) places_[find(pairs_[i].a, pairs_[i].b)] = static_cast<int64_t>(i);
  }

  std::vector<int64_t> places_;  // into the pairs, -1 is free; their number is a power of two
  std::vector<SegmentPair> pairs_;
};

}  // namespace

std::vector<SegmentPair> segment_pairs(const int64_t* a, const int64_t* b, int64_t count) {
  PairTable table;
  for (int64_t first = 0; first < count;) {
    int64_t last = first + 1;
    while (last < count && a[last] == a[first] && b[last] == b[first]) ++last;
    table.add(a[first], b[first], last - first);
    first = last;
  }
  return std::move(table.pairs());
}

}  // namespace vision_core
