// COCO's protocol (Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and its detection challenge).
//
// Detections are brought in the order class, image, score: a group is what a class has in an image. Groups are matched
// in parallel; then classes are gone through in parallel, each in the order of its scores. Most detections meet no
// ground truth that they could match at any threshold: for those one byte for each range of areas says all.
#include "detection_metrics.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "nms.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

enum Outcome : uint8_t { ignored, found, wrong, by_threshold };

struct Group {
  int64_t first_detection, last_detection, first_truth, last_truth;  // positions in the orders
};

// What matching looks at most, side by side in memory.
struct Entry {
  int64_t instance;
  double area, score;
  int32_t image;
};

// Instances in the order of classes; within a class the order stays.
struct ByClass {
  std::vector<Entry> entries;
  std::vector<int64_t> starts;

  ByClass(const Instances& all, int64_t images, int64_t classes) : starts(static_cast<size_t>(classes) + 1) {
    for (int64_t i = 0; i < all.offsets[images]; ++i)
      if (all.classes[i] >= 0) ++starts[static_cast<size_t>(all.classes[i]) + 1];
    for (size_t c = 1; c < starts.size(); ++c) starts[c] += starts[c - 1];
    entries.resize(static_cast<size_t>(starts.back()));
    std::vector<int64_t> next(starts.begin(), starts.end() - 1);
    for (int64_t image = 0; image < images; ++image) {
      for (int64_t i = all.offsets[image]; i < all.offsets[image + 1]; ++i) {
        if (all.classes[i] < 0) continue;
        const size_t place = static_cast<size_t>(next[static_cast<size_t>(all.classes[i])]++);
        entries[place] = {i, all.areas[i], all.scores ? all.scores[i] : 0, static_cast<int32_t>(image)};
      }
    }
  }
};

// Best score first; equal scores keep their order. Most groups are small.
void sort_by_score(Entry* first, int64_t count) {
  const auto better = [](const Entry& a, const Entry& b) { return a.score > b.score; };
  if (count > 32) {
    std::stable_sort(first, first + count, better);
    return;
  }
  for (int64_t i = 1; i < count; ++i) {
    const Entry entry = first[i];
    int64_t place = i;
    for (; place > 0 && better(entry, first[place - 1]); --place) first[place] = first[place - 1];
    first[place] = entry;
  }
}

// What a thread needs to match groups.
struct Scratch {
  struct Candidate {
    int64_t truth;
    double similarity;
  };
  std::vector<double> similarity;
  std::vector<Candidate> candidates;
  std::vector<int64_t> first_candidate, detections, truths;
  std::vector<uint8_t> truth_ignored, taken;
};

class Evaluation {
 public:
  Evaluation(const DetectionProblem& problem, int threads)
      : p_(problem),
        threads_(threads),
        detections_(problem.detections, problem.images, problem.classes),
        truths_(problem.truths, problem.images, problem.classes),
        limit_(problem.max_count ? problem.max_detections[problem.max_count - 1] : 0) {
    for (int64_t t = 0; t < p_.iou_count; ++t)
      thresholds_.push_back(std::min(p_.iou_thresholds[t], 1 - 1e-10));  // a perfect match reaches any threshold
    lowest_ = thresholds_.empty() ? 0 : *std::min_element(thresholds_.begin(), thresholds_.end());
  }

  void run() {
    constexpr int64_t block = 1 << 21;  // detections at a time: bounds the memory for outcomes
    for (int64_t first = 0; first < p_.classes;) {
      int64_t last = first + 1;
      while (last < p_.classes && start(last + 1) - start(first) <= block) ++last;
      run_classes(first, last);
      first = last;
    }
  }

 private:
  int64_t start(int64_t c) const { return detections_.starts[static_cast<size_t>(c)]; }

  void run_classes(int64_t first_class, int64_t last_class) {
    base_ = start(first_class);
    const int64_t count = start(last_class) - base_;
    rank_.reset(new int32_t[static_cast<size_t>(count)]);
    outcome_.reset(new uint8_t[static_cast<size_t>(count * p_.area_count)]);
    by_threshold_.reset(new uint8_t[static_cast<size_t>(count * p_.area_count * p_.iou_count)]);
    make_groups(first_class, last_class);
    vision::parallel_for(static_cast<int64_t>(groups_.size()), 64, threads_, [this](int64_t begin, int64_t end) {
      Scratch scratch;
      for (int64_t i = begin; i < end; ++i) match(groups_[static_cast<size_t>(i)], scratch);
    });
    by_score_.reset(new int64_t[static_cast<size_t>(count)]);
    vision::parallel_for(last_class - first_class, 1, threads_, [&](int64_t begin, int64_t end) {
      std::vector<double> scores;
      for (int64_t c = first_class + begin; c < first_class + end; ++c) {
        scores.clear();
        for (int64_t i = start(c); i < start(c + 1); ++i) scores.push_back(detection(i).score);
        if (!scores.empty())
          sort_scores(scores.data(), static_cast<int64_t>(scores.size()), by_score_.get() + start(c) - base_);
      }
    });
    vision::parallel_for((last_class - first_class) * p_.area_count, 1, threads_, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) accumulate(first_class + i / p_.area_count, i % p_.area_count);
    });
  }

  const Entry& detection(int64_t position) const { return detections_.entries[static_cast<size_t>(position)]; }
  const Entry& truth(int64_t position) const { return truths_.entries[static_cast<size_t>(position)]; }
  bool is_ignored(const Entry& truth, int64_t area) const {
    return p_.truths.ignore[truth.instance] || p_.truths.crowd[truth.instance] || outside(truth.area, area);
  }

  void make_groups(int64_t first_class, int64_t last_class) {
    groups_.clear();
    for (int64_t c = first_class; c < last_class; ++c) {
      int64_t g = truths_.starts[static_cast<size_t>(c)];
      const int64_t truths_end = truths_.starts[static_cast<size_t>(c) + 1];
      for (int64_t d = start(c); d < start(c + 1);) {
        const int32_t image = detection(d).image;
        int64_t last = d + 1;
        while (last < start(c + 1) && detection(last).image == image) ++last;
        while (g < truths_end && truth(g).image < image) ++g;
        int64_t last_truth = g;
        while (last_truth < truths_end && truth(last_truth).image == image) ++last_truth;
        groups_.push_back({d, last, g, last_truth});
        d = last, g = last_truth;
      }
    }
  }

  bool outside(double area, int64_t range) const {
    return area < p_.area_ranges[2 * range] || area > p_.area_ranges[2 * range + 1];
  }

  void match(const Group& group, Scratch& s) {
    Entry* found = detections_.entries.data() + group.first_detection;
    int64_t count = group.last_detection - group.first_detection;
    const int64_t truths = group.last_truth - group.first_truth;
    sort_by_score(found, count);
    int32_t* rank = rank_.get() + group.first_detection - base_;
    for (int64_t i = 0; i < count; ++i) rank[i] = static_cast<int32_t>(std::min<int64_t>(i, limit_));
    count = std::min(count, limit_);
    find_candidates(group, count, s);
    for (int64_t a = 0; a < p_.area_count; ++a) {
      for (int64_t i = 0; i < count; ++i) {
        const bool alone = s.first_candidate[static_cast<size_t>(i)] == s.first_candidate[static_cast<size_t>(i) + 1];
        outcome_[outcome_index(group.first_detection + i, a)] = alone ? unmatched(found[i], a) : by_threshold;
      }
      if (s.candidates.empty()) continue;
      s.truth_ignored.resize(static_cast<size_t>(truths));
      for (int64_t g = 0; g < truths; ++g)
        s.truth_ignored[static_cast<size_t>(g)] = is_ignored(truth(group.first_truth + g), a);
      for (int64_t t = 0; t < p_.iou_count; ++t) match_at(group, count, a, t, s);
    }
  }

  size_t outcome_index(int64_t position, int64_t area) const {
    return static_cast<size_t>((position - base_) * p_.area_count + area);
  }

  Outcome unmatched(const Entry& detection, int64_t area) const {
    return outside(detection.area, area) ? ignored : wrong;
  }

  // For each detection the ground truths that it could match at the lowest threshold.
  void find_candidates(const Group& group, int64_t count, Scratch& s) const {
    const int64_t truths = group.last_truth - group.first_truth;
    s.candidates.clear();
    s.first_candidate.assign(static_cast<size_t>(count) + 1, 0);
    if (truths == 0 || count == 0) return;
    s.similarity.resize(static_cast<size_t>(count * truths));
    s.detections.clear();
    s.truths.clear();
    for (int64_t i = 0; i < count; ++i) s.detections.push_back(detection(group.first_detection + i).instance);
    for (int64_t g = 0; g < truths; ++g) s.truths.push_back(truth(group.first_truth + g).instance);
    similarities(p_, s.detections.data(), count, s.truths.data(), truths, s.similarity.data());
    const double* value = s.similarity.data();
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t g = 0; g < truths; ++g, ++value)
        if (*value >= lowest_) s.candidates.push_back({g, *value});
      s.first_candidate[static_cast<size_t>(i) + 1] = static_cast<int64_t>(s.candidates.size());
    }
  }

  void match_at(const Group& group, int64_t count, int64_t area, int64_t t, Scratch& s) {
    s.taken.assign(static_cast<size_t>(group.last_truth - group.first_truth), 0);
    for (int64_t i = 0; i < count; ++i) {
      const Scratch::Candidate* begin = s.candidates.data() + s.first_candidate[static_cast<size_t>(i)];
      const Scratch::Candidate* end = s.candidates.data() + s.first_candidate[static_cast<size_t>(i) + 1];
      if (begin == end) continue;
      // An ignored ground truth is taken only when no other can be.
      int64_t best = best_of(group, begin, end, false, thresholds_[static_cast<size_t>(t)], s);
      if (best < 0) best = best_of(group, begin, end, true, thresholds_[static_cast<size_t>(t)], s);
      const int64_t position = group.first_detection + i;
      uint8_t outcome = unmatched(detection(position), area);
      if (best >= 0) {
        s.taken[static_cast<size_t>(best)] = 1;
        outcome = s.truth_ignored[static_cast<size_t>(best)] ? ignored : found;
      }
      by_threshold_[outcome_index(position, area) * static_cast<size_t>(p_.iou_count) + static_cast<size_t>(t)] = outcome;
    }
  }

  // The most similar free ground truth of those that are ignored, or of the others; of equal ones the last.
  int64_t best_of(const Group& group, const Scratch::Candidate* begin, const Scratch::Candidate* end, bool of_ignored,
                  double similarity, const Scratch& s) const {
    int64_t best = -1;
    for (const Scratch::Candidate* c = begin; c < end; ++c) {
      const size_t g = static_cast<size_t>(c->truth);
      if (static_cast<bool>(s.truth_ignored[g]) != of_ignored || c->similarity < similarity) continue;
      if (s.taken[g] && !p_.truths.crowd[truth(group.first_truth + c->truth).instance]) continue;
      best = c->truth, similarity = c->similarity;
    }
    return best;
  }

  void accumulate(int64_t c, int64_t area) {
    int64_t present = 0;
    for (int64_t i = truths_.starts[static_cast<size_t>(c)]; i < truths_.starts[static_cast<size_t>(c) + 1]; ++i)
      present += !is_ignored(truth(i), area);
    std::vector<Curve> curves(static_cast<size_t>(p_.iou_count));
    for (int64_t m = 0; m < p_.max_count; ++m) {
      const int64_t cell = ((c * p_.area_count + area) * p_.max_count + m) * p_.iou_count;
      if (present == 0) {
        std::fill_n(p_.recall + cell, p_.iou_count, -1.0);
        std::fill_n(p_.precision + cell * p_.recall_count, p_.iou_count * p_.recall_count, -1.0);
        std::fill_n(p_.scores + cell * p_.recall_count, p_.iou_count * p_.recall_count, -1.0);
        continue;
      }
      const double top = walk(c, area, p_.max_detections[m], curves);
      for (int64_t t = 0; t < p_.iou_count; ++t) write(curves[static_cast<size_t>(t)], present, top, cell + t);
    }
  }

  // Precision can only be largest where something is found: those places are all that is kept.
  struct Curve {
    int64_t wrong = 0;
    std::vector<double> precision, score;
  };

  // Returns the highest score (0 without detections).
  double walk(int64_t c, int64_t area, int64_t limit, std::vector<Curve>& curves) const {
    for (Curve& curve : curves) {
      curve.wrong = 0;
      curve.precision.clear();
      curve.score.clear();
    }
    const int64_t begin = start(c) - base_, end = start(c + 1) - base_;
    int64_t wrong_everywhere = 0;
    double top = 0;
    bool first = true;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t position = begin + by_score_[static_cast<size_t>(i)];
      if (rank_[static_cast<size_t>(position)] >= limit) continue;
      const size_t index = outcome_index(position + base_, area);
      const uint8_t outcome = outcome_[index];
      if (first) top = detection(position + base_).score, first = false;
      if (outcome == wrong) {
        ++wrong_everywhere;
      } else if (outcome == by_threshold) {
        const uint8_t* outcomes = by_threshold_.get() + index * static_cast<size_t>(p_.iou_count);
        for (size_t t = 0; t < curves.size(); ++t) {
          Curve& curve = curves[t];
          curve.wrong += outcomes[t] == wrong;
          if (outcomes[t] != found) continue;
          const double hits = static_cast<double>(curve.precision.size() + 1);
          const double misses = static_cast<double>(curve.wrong + wrong_everywhere);
          curve.precision.push_back(hits / (misses + hits + std::numeric_limits<double>::epsilon()));
          curve.score.push_back(detection(position + base_).score);
        }
      }
    }
    return top;
  }

  void write(Curve& curve, int64_t present, double top, int64_t cell) const {
    const int64_t hits = static_cast<int64_t>(curve.precision.size());
    for (int64_t i = hits - 1; i > 0; --i)
      curve.precision[static_cast<size_t>(i) - 1] =
          std::max(curve.precision[static_cast<size_t>(i) - 1], curve.precision[static_cast<size_t>(i)]);
    const double all = static_cast<double>(present);
    p_.recall[cell] = static_cast<double>(hits) / all;
    double* precision = p_.precision + cell * p_.recall_count;
    double* score = p_.scores + cell * p_.recall_count;
    int64_t hit = 0;
    for (int64_t r = 0; r < p_.recall_count; ++r) {
      const double wanted = p_.recall_thresholds[r];
      while (hit < hits && static_cast<double>(hit + 1) / all < wanted) ++hit;
      precision[r] = hit < hits ? curve.precision[static_cast<size_t>(hit)] : 0;
      score[r] = wanted <= 0 ? top : hit < hits ? curve.score[static_cast<size_t>(hit)] : 0;
    }
  }

  const DetectionProblem& p_;
  int threads_;
  ByClass detections_;
  const ByClass truths_;
  int64_t limit_, base_ = 0;
  double lowest_ = 0;
  std::vector<double> thresholds_;
  std::vector<Group> groups_;
  // of the detections of the classes at work, by position:
  std::unique_ptr<int32_t[]> rank_;         // in their group
  std::unique_ptr<uint8_t[]> outcome_;      // [detections, A]
  std::unique_ptr<uint8_t[]> by_threshold_;  // [detections, A, T], set where the outcome depends on the threshold
  std::unique_ptr<int64_t[]> by_score_;     // positions in their class, best score first
};

}  // namespace

void evaluate_detections(const DetectionProblem& problem, int threads) { Evaluation(problem, threads).run(); }

}  // namespace vision_core
