#include "rle.hpp"

#include "bindings/bindings.hpp"

namespace vision_core {

// What stands in COCO's dictionaries. Texts stay where they are, `keep` holds them.
struct Items {
  std::vector<nb::object> keep;
  std::vector<std::string_view> texts;
  std::vector<MaskSize> sizes;

  // Whether all of them have the size of the first.
  bool uniform() const {
    for (const MaskSize& size : sizes)
      if (size.height != sizes[0].height || size.width != sizes[0].width) return false;
    return !sizes.empty();
  }

  std::vector<Runs> parse(const char* argument) const {
    std::vector<Runs> runs;
    runs.reserve(texts.size());
    for (size_t i = 0; i < texts.size(); ++i)
      runs.push_back(parse_runs(texts[i], sizes[i], {argument, static_cast<int64_t>(i)}));
    return runs;
  }
};

static bool read_side(PyObject* pair, Py_ssize_t index, int64_t& side) {
  PyObject* value = PyList_Check(pair) ? PyList_GetItem(pair, index) : PyTuple_GetItem(pair, index);
  if (!value || !PyLong_Check(value)) return false;
  int overflow = 0;
  side = PyLong_AsLongLongAndOverflow(value, &overflow);
  return !overflow && side >= 0 && side <= most_rle_pixels;
}

static bool read_item(PyObject* item, Items& items) {
  if (!PyDict_Check(item)) return false;
  PyObject *counts = PyDict_GetItemString(item, "counts"), *pair = PyDict_GetItemString(item, "size");
  if (!counts || !pair) return false;
  if (PyList_Check(pair) ? PyList_Size(pair) != 2 : !(PyTuple_Check(pair) && PyTuple_Size(pair) == 2)) return false;
  MaskSize size{};
  if (!read_side(pair, 0, size.height) || !read_side(pair, 1, size.width) || size.pixels() > most_rle_pixels) return false;
  Py_ssize_t length = 0;
  const char* text = nullptr;
  if (PyBytes_Check(counts)) {
    char* bytes = nullptr;
    if (PyBytes_AsStringAndSize(counts, &bytes, &length) == 0) text = bytes;
  } else if (PyUnicode_Check(counts)) {
    text = PyUnicode_AsUTF8AndSize(counts, &length);
  }
  if (!text) {
    PyErr_Clear();
    return false;
  }
  items.keep.push_back(nb::borrow(counts));
  items.texts.emplace_back(text, static_cast<size_t>(length));
  items.sizes.push_back(size);
  return true;
}

// False for what is not exactly a list of COCO's dictionaries with texts: the caller finds out why, or converts it.
static bool read(const nb::object& rles, int64_t expected, Items& items) {
  if (!PyList_Check(rles.ptr())) return false;
  const Py_ssize_t count = PyList_Size(rles.ptr());
  if (count != expected) return false;  // somebody changed it since memory for the result was asked for
  items.keep.reserve(static_cast<size_t>(count));
  items.texts.reserve(static_cast<size_t>(count));
  items.sizes.reserve(static_cast<size_t>(count));
  for (Py_ssize_t i = 0; i < count; ++i)
    if (!read_item(PyList_GetItem(rles.ptr(), i), items)) return false;
  return true;
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

static bool run_decode(const nb::object& rles, int64_t count, int64_t height, int64_t width, int threads, uintptr_t masks) {
  Items items;
  if (!read(rles, count, items) || !items.uniform()) return false;
  if (items.sizes[0].height != height || items.sizes[0].width != width) return false;
  nb::gil_scoped_release release;
  decode_masks(items.texts, items.sizes[0], threads, out<uint8_t>(masks));
  return true;
}

static bool run_area(const nb::object& rles, int64_t count, uintptr_t area) {
  Items items;
  if (!read(rles, count, items)) return false;
  nb::gil_scoped_release release;
  int64_t* next = out<int64_t>(area);
  for (const Runs& runs : items.parse("rles")) *next++ = area_of(runs);
  return true;
}

static bool run_boxes(const nb::object& rles, int64_t count, uintptr_t boxes) {
  Items items;
  if (!read(rles, count, items)) return false;
  nb::gil_scoped_release release;
  const std::vector<Runs> masks = items.parse("rles");
  for (size_t i = 0; i < masks.size(); ++i) box_of(masks[i], items.sizes[i], out<double>(boxes) + 4 * i);
  return true;
}

static bool run_iou(const nb::object& a, int64_t first_count, const nb::object& b, int64_t second_count, uintptr_t crowd, int threads, uintptr_t iou) {
  Items first, second;
  if (!read(a, first_count, first) || !read(b, second_count, second) || !first.uniform() || !second.uniform()) return false;
  const MaskSize size = first.sizes[0];
  if (size.height != second.sizes[0].height || size.width != second.sizes[0].width) return false;
  nb::gil_scoped_release release;
  iou_of(first.parse("rles1"), second.parse("rles2"), size, in<uint8_t>(crowd), threads, out<double>(iou));
  return true;
}

static nb::object run_merge(const nb::object& rles, bool intersect) {
  Items items;
  if (!PyList_Check(rles.ptr()) || !read(rles, PyList_Size(rles.ptr()), items) || !items.uniform()) return nb::none();
  return to_bytes(format_runs(merge_runs(items.parse("rles"), items.sizes[0], intersect)));
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
  m.def("rle_area", &run_area, "rles"_a, "count"_a, "area"_a);
  m.def("rle_boxes", &run_boxes, "rles"_a, "count"_a, "boxes"_a);
  m.def("rle_compress", &run_compress, "counts"_a, "count"_a);
  m.def("rle_counts", &run_counts, "text"_a, "height"_a, "width"_a);
  m.def("rle_decode", &run_decode, "rles"_a, "count"_a, "height"_a, "width"_a, "threads"_a, "masks"_a);
  m.def("rle_encode", &run_encode, "masks"_a, "count"_a, "height"_a, "width"_a, "threads"_a);
  m.def("rle_iou", &run_iou, "a"_a, "first_count"_a, "b"_a, "second_count"_a, "crowd"_a, "threads"_a, "iou"_a);
  m.def("rle_merge", &run_merge, "rles"_a, "intersect"_a);
  m.def("rle_polygons", &run_polygons, "xy"_a, "ends"_a, "count"_a, "height"_a, "width"_a);
}

}  // namespace vision_core
