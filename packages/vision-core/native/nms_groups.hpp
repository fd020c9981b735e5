// What all kinds of suppression share: boxes in order of their scores, one group after the other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "nms.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {

// The order in which boxes are looked at: groups one after the other, in each the best score first.
struct GroupedOrder {
  std::vector<int64_t> by_score, by_group;
  std::vector<int64_t> starts;  // of each group in by_group, and the end of the last

  template <class T>
  GroupedOrder(const T* scores, const int64_t* groups, int64_t count) : by_score(static_cast<size_t>(count)) {
    sort_scores(scores, count, by_score.data());
    if (!groups) {
      starts = {0, count};
      return;
    }
    by_group = by_score;  // stable: within a group the order by scores stays
    std::stable_sort(by_group.begin(), by_group.end(), [groups](int64_t a, int64_t b) { return groups[a] < groups[b]; });
    for (size_t i = 0; i < by_group.size(); ++i)
      if (i == 0 || groups[by_group[i]] != groups[by_group[i - 1]]) starts.push_back(static_cast<int64_t>(i));
    starts.push_back(count);
  }

  bool grouped() const { return !by_group.empty(); }
  const std::vector<int64_t>& order() const { return grouped() ? by_group : by_score; }
};

// Calls run(begin, end, threads) for each group: alone with all threads, or many groups at once with one thread each.
template <class Run>
void for_each_group(const GroupedOrder& order, int threads, Run&& run) {
  const int64_t parts = static_cast<int64_t>(order.starts.size()) - 1, count = order.starts.back();
  if (parts == 1) return run(order.starts[0], count, threads);
  // About a thousand comparisons of a box with a chunk are worth a thread.
  const int64_t grain = std::max<int64_t>(1, parts * 4096 / std::max<int64_t>(count, 1));
  vision::parallel_for(parts, grain, threads, [&](int64_t first, int64_t last) {
    for (int64_t part = first; part < last; ++part) run(order.starts[part], order.starts[part + 1], 1);
  });
}

// Writes the indices of the boxes with kept[place in order.order()], best score first; returns how many they are.
inline int64_t write_kept(const GroupedOrder& order, const uint8_t* kept, int64_t* keep) {
  const size_t n = order.by_score.size();
  int64_t number = 0;
  if (!order.grouped()) {
    for (size_t i = 0; i < n; ++i)
      if (kept[i]) keep[number++] = order.by_score[i];
    return number;
  }
  std::vector<uint8_t> kept_box(n);
  for (size_t i = 0; i < n; ++i) kept_box[order.by_group[i]] = kept[i];
  for (size_t i = 0; i < n; ++i)
    if (kept_box[order.by_score[i]]) keep[number++] = order.by_score[i];
  return number;
}

}  // namespace vision_core
