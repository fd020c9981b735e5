#include "segment_pairs.hpp"

#include "bindings/bindings.hpp"

namespace vision_core {

static nb::list pairs_of(uintptr_t a, uintptr_t b, int64_t count) {
  std::vector<SegmentPair> pairs;
  {
    const nb::gil_scoped_release free;
    pairs = segment_pairs(in<int64_t>(a), in<int64_t>(b), count);
  }
  nb::list result;
  for (const SegmentPair& pair : pairs) result.append(nb::make_tuple(pair.a, pair.b, pair.pixels));
  return result;
}

void bind_segment_pairs(nb::module_& m) { m.def("segment_pairs", &pairs_of, "a"_a, "b"_a, "count"_a); }

}  // namespace vision_core
