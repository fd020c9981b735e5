#include "rle.hpp"

#include "bindings/bindings.hpp"

namespace vision_core {

// The texts stay where they are: the caller's list keeps them alive.
static std::vector<std::string_view> views(const nb::list& texts) {
  std::vector<std::string_view> out;
  out.reserve(texts.size());
  for (const nb::handle text : texts) {
    const nb::bytes bytes = nb::cast<nb::bytes>(text);
    out.emplace_back(bytes.c_str(), bytes.size());
  }
  return out;
}

static std::vector<Runs> parse_all(const std::vector<std::string_view>& texts, MaskSize size, const char* argument) {
  std::vector<Runs> out;
  out.reserve(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) out.push_back(parse_runs(texts[i], size, {argument, static_cast<int64_t>(i)}));
  return out;
}

static nb::bytes to_bytes(const std::string& text) { return nb::bytes(text.data(), text.size()); }

static nb::list run_encode(uintptr_t masks, int64_t count, int64_t height, int64_t width, int threads) {
  std::vector<std::string> texts;
  {
    nb::gil_scoped_release release;
    texts = encode_masks(in<uint8_t>(masks), count, {height, width}, threads);
  }
  nb::list out;
  for (const std::string& text : texts) out.append(to_bytes(text));
  return out;
}

static void run_decode(const nb::list& rles, int64_t height, int64_t width, int threads, uintptr_t masks) {
  const std::vector<std::string_view> texts = views(rles);
  nb::gil_scoped_release release;
  decode_masks(texts, {height, width}, threads, out<uint8_t>(masks));
}

// sizes: [count, 2] height, width.
static void run_area(const nb::list& rles, uintptr_t sizes, uintptr_t area) {
  const std::vector<std::string_view> texts = views(rles);
  nb::gil_scoped_release release;
  for (size_t i = 0; i < texts.size(); ++i) {
    const int64_t* size = in<int64_t>(sizes) + 2 * i;
    out<int64_t>(area)[i] = area_of(parse_runs(texts[i], {size[0], size[1]}, {"rles", static_cast<int64_t>(i)}));
  }
}

static void run_boxes(const nb::list& rles, uintptr_t sizes, uintptr_t boxes) {
  const std::vector<std::string_view> texts = views(rles);
  nb::gil_scoped_release release;
  for (size_t i = 0; i < texts.size(); ++i) {
    const int64_t* p = in<int64_t>(sizes) + 2 * i;
    const MaskSize size{p[0], p[1]};
    box_of(parse_runs(texts[i], size, {"rles", static_cast<int64_t>(i)}), size, out<double>(boxes) + 4 * i);
  }
}

static void run_iou(const nb::list& a, const nb::list& b, int64_t height, int64_t width, uintptr_t crowd, int threads,
                    uintptr_t iou) {
  const std::vector<std::string_view> first = views(a), second = views(b);
  const MaskSize size{height, width};
  nb::gil_scoped_release release;
  iou_of(parse_all(first, size, "rles1"), parse_all(second, size, "rles2"), size, in<uint8_t>(crowd), threads, out<double>(iou));
}

static nb::bytes run_merge(const nb::list& rles, int64_t height, int64_t width, bool intersect) {
  const std::vector<std::string_view> texts = views(rles);
  const MaskSize size{height, width};
  return to_bytes(format_runs(merge_runs(parse_all(texts, size, "rles"), size, intersect)));
}

static nb::bytes run_compress(uintptr_t counts, int64_t count) {
  const int64_t* first = in<int64_t>(counts);
  return to_bytes(format_runs(Runs(first, first + count)));
}

static nb::list run_counts(const nb::bytes& text, int64_t height, int64_t width) {
  nb::list out;
  for (const uint32_t run : parse_runs({text.c_str(), text.size()}, {height, width}, {"rles", 0})) out.append(run);
  return out;
}

// xy: [points, 2] of all polygons; ends: [count], the number of points up to the end of each.
static nb::list run_polygons(uintptr_t xy, uintptr_t ends, int64_t count, int64_t height, int64_t width) {
  std::vector<std::string> texts;
  {
    nb::gil_scoped_release release;
    int64_t begin = 0;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t end = in<int64_t>(ends)[i];
      texts.push_back(format_runs(polygon_runs(in<double>(xy) + 2 * begin, end - begin, {height, width})));
      begin = end;
    }
  }
  nb::list out;
  for (const std::string& text : texts) out.append(to_bytes(text));
  return out;
}

void bind_rle(nb::module_& m) {
  m.def("rle_area", &run_area, "rles"_a, "sizes"_a, "area"_a);
  m.def("rle_boxes", &run_boxes, "rles"_a, "sizes"_a, "boxes"_a);
  m.def("rle_compress", &run_compress, "counts"_a, "count"_a);
  m.def("rle_counts", &run_counts, "text"_a, "height"_a, "width"_a);
  m.def("rle_decode", &run_decode, "rles"_a, "height"_a, "width"_a, "threads"_a, "masks"_a);
  m.def("rle_encode", &run_encode, "masks"_a, "count"_a, "height"_a, "width"_a, "threads"_a);
  m.def("rle_iou", &run_iou, "a"_a, "b"_a, "height"_a, "width"_a, "crowd"_a, "threads"_a, "iou"_a);
  m.def("rle_merge", &run_merge, "rles"_a, "height"_a, "width"_a, "intersect"_a);
  m.def("rle_polygons", &run_polygons, "xy"_a, "ends"_a, "count"_a, "height"_a, "width"_a);
}

}  // namespace vision_core
