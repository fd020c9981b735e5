#include "rle.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "kernels/bitmask.hpp"
#include "vision/thread_pool.hpp"

namespace vision_core {
namespace {

[[noreturn]] void fail(const Place& place, const std::string& what) {
  throw std::invalid_argument(std::string(place.argument) + "[" + std::to_string(place.index) + "]: " + what);
}

std::string shown(MaskSize size) { return std::to_string(size.height) + " x " + std::to_string(size.width); }

// Half-open ranges of pixels, in order, not empty and not touching.
struct Span {
  int64_t begin, end;
};

std::vector<Span> spans_of(const Runs& runs) {
  std::vector<Span> spans;
  spans.reserve(runs.size() / 2);
  int64_t at = 0;
  for (size_t i = 0; i + 1 < runs.size(); i += 2) {
    const int64_t begin = at + runs[i], end = begin + runs[i + 1];
    at = end;
    if (begin == end) continue;
    if (!spans.empty() && spans.back().end == begin) {
      spans.back().end = end;
    } else {
      spans.push_back({begin, end});
    }
  }
  return spans;
}

Runs runs_of(const std::vector<Span>& spans, MaskSize size) {
  Runs runs;
  runs.reserve(2 * spans.size() + 1);
  int64_t at = 0;
  for (const Span& span : spans) {
    runs.push_back(static_cast<uint32_t>(span.begin - at));
    runs.push_back(static_cast<uint32_t>(span.end - span.begin));
    at = span.end;
  }
  if (at < size.pixels() || runs.empty()) runs.push_back(static_cast<uint32_t>(size.pixels() - at));
  return runs;
}

// A mask as bits down its columns; each column begins with a new word.
struct ColumnBits {
  MaskSize size;
  int64_t words;  // of a column
  std::vector<uint64_t> bits, row;

  explicit ColumnBits(MaskSize mask_size)
      : size(mask_size), words((size.height + 63) / 64), bits(static_cast<size_t>(words * ((size.width + 63) / 64 * 64))),
        row(static_cast<size_t>((size.width + 63) / 64)) {}

  void fill(const BitmaskKernels& kernels, const uint8_t* mask) {
    const int64_t tiles = static_cast<int64_t>(row.size());
    std::vector<std::array<uint64_t, 64>> tile(row.size());
    for (int64_t part = 0; part < words; ++part) {
      const int64_t rows = std::min<int64_t>(64, size.height - 64 * part);
      for (int64_t y = 0; y < 64; ++y) {
        if (y < rows) {
          kernels.pack(mask + (64 * part + y) * size.width, size.width, row.data());
        } else {
          std::fill(row.begin(), row.end(), 0);
        }
        for (int64_t t = 0; t < tiles; ++t) tile[t][y] = row[t];
      }
      for (int64_t t = 0; t < tiles; ++t) {
        uint64_t any = 0;
        for (const uint64_t word : tile[t]) any |= word;
        if (any) kernels.transpose(tile[t].data());
        for (int64_t x = 0; x < 64; ++x) bits[(64 * t + x) * words + part] = tile[t][x];
      }
    }
  }

  void write(const BitmaskKernels& kernels, uint8_t* mask) const {
    const int64_t tiles = static_cast<int64_t>(row.size());
    std::array<uint64_t, 64> tile;
    for (int64_t part = 0; part < words; ++part) {
      const int64_t rows = std::min<int64_t>(64, size.height - 64 * part);
      for (int64_t t = 0; t < tiles; ++t) {
        uint64_t any = 0;
        for (int64_t x = 0; x < 64; ++x) any |= tile[x] = bits[(64 * t + x) * words + part];
        if (any) kernels.transpose(tile.data());
        const int64_t columns = std::min<int64_t>(64, size.width - 64 * t);
        for (int64_t y = 0; y < rows; ++y)
          kernels.unpack(&tile[y], columns, mask + (64 * part + y) * size.width + 64 * t);
      }
    }
  }

  void set(int64_t x, int64_t y_begin, int64_t y_end) {
    uint64_t* column = bits.data() + x * words;
    const int64_t first = y_begin >> 6, last = (y_end - 1) >> 6;
    const uint64_t head = ~uint64_t{0} << (y_begin & 63), tail = ~uint64_t{0} >> (63 - ((y_end - 1) & 63));
    if (first == last) {
      column[first] |= head & tail;
      return;
    }
    column[first] |= head;
    for (int64_t i = first + 1; i < last; ++i) column[i] = ~uint64_t{0};
    column[last] |= tail;
  }

  Runs runs() const {
    Runs out;
    uint64_t value = 0;
    int64_t begin = 0;
    for (int64_t x = 0; x < size.width; ++x) {
      const uint64_t* column = bits.data() + x * words;
      for (int64_t part = 0; part < words; ++part) {
        const int64_t rows = std::min<int64_t>(64, size.height - 64 * part);
        uint64_t changes = column[part] ^ (column[part] << 1 | value);
        if (rows < 64) changes &= (uint64_t{1} << rows) - 1;
        for (; changes; changes &= changes - 1) {
          const int64_t at = x * size.height + 64 * part + __builtin_ctzll(changes);
          out.push_back(static_cast<uint32_t>(at - begin));
          begin = at;
        }
        value = column[part] >> (rows - 1) & 1;
      }
    }
    if (begin < size.pixels() || out.empty()) out.push_back(static_cast<uint32_t>(size.pixels() - begin));
    return out;
  }
};

// About 50 us of work for a thread.
int64_t grain_of(MaskSize size) { return std::max<int64_t>(1, 500000 / std::max<int64_t>(size.pixels(), 1)); }

int64_t overlap(const std::vector<Span>& a, const std::vector<Span>& b) {
  int64_t sum = 0;
  auto i = a.begin(), j = b.begin();
  if (i == a.end() || j == b.end()) return 0;
  // Masks often begin at different columns: skip to where both have pixels.
  const auto ends_after = [](const Span& span, int64_t position) { return span.end <= position; };
  if (i->end <= j->begin) i = std::lower_bound(i, a.end(), j->begin, ends_after);
  else if (j->end <= i->begin) j = std::lower_bound(j, b.end(), i->begin, ends_after);
  while (i != a.end() && j != b.end()) {
    sum += std::max<int64_t>(std::min(i->end, j->end) - std::max(i->begin, j->begin), 0);
    const bool first = i->end < j->end;
    i += first, j += !first;
  }
  return sum;
}

struct Shape {
  std::vector<Span> spans;
  double box[4];
  int64_t area;
};

std::vector<Shape> shapes_of(const std::vector<Runs>& masks, MaskSize size) {
  std::vector<Shape> shapes(masks.size());
  for (size_t i = 0; i < masks.size(); ++i) {
    shapes[i].spans = spans_of(masks[i]);
    shapes[i].area = area_of(masks[i]);
    box_of(masks[i], size, shapes[i].box);
  }
  return shapes;
}

bool apart(const double* a, const double* b) {
  return a[0] + a[2] <= b[0] || b[0] + b[2] <= a[0] || a[1] + a[3] <= b[1] || b[1] + b[3] <= a[1];
}

std::vector<Span> unite(const std::vector<Span>& a, const std::vector<Span>& b) {
  std::vector<Span> out;
  out.reserve(a.size() + b.size());
  for (auto i = a.begin(), j = b.begin(); i != a.end() || j != b.end();) {
    const Span& next = j == b.end() || (i != a.end() && i->begin <= j->begin) ? *i++ : *j++;
    if (!out.empty() && next.begin <= out.back().end) {
      out.back().end = std::max(out.back().end, next.end);
    } else {
      out.push_back(next);
    }
  }
  return out;
}

std::vector<Span> intersect_spans(const std::vector<Span>& a, const std::vector<Span>& b) {
  std::vector<Span> out;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    const Span both{std::max(i->begin, j->begin), std::min(i->end, j->end)};
    if (both.begin < both.end) out.push_back(both);
    if (i->end < j->end) ++i;
    else ++j;
  }
  return out;
}

}  // namespace

Runs parse_runs(std::string_view text, MaskSize size, Place place) {
  constexpr int most_groups = 7;  // 35 bits hold the difference of two 32-bit numbers
  const int64_t pixels = size.pixels();
  Runs runs;
  runs.reserve(text.size());
  int64_t total = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    int64_t value = 0;
    for (int group = 0;; ++group) {
      if (at == text.size()) fail(place, "counts end within a number, at byte " + std::to_string(at) + "; the text is cut off");
      if (group == most_groups) fail(place, "counts have a number of more than 7 bytes at byte " + std::to_string(begin));
      const int byte = static_cast<unsigned char>(text[at]);
      if (byte < 48 || byte > 111)
        fail(place, "counts have byte " + std::to_string(byte) + " at " + std::to_string(at) + ", expected 48 to 111 ('0' to 'o')");
      ++at;
      const int64_t bits = byte - 48;
      value |= (bits & 31) << (5 * group);
      if (bits & 32) continue;
      if (bits & 16) value -= int64_t{1} << (5 * group + 5);
      break;
    }
    if (runs.size() > 2) value += runs[runs.size() - 2];
    total += value;
    if (value < 0 || total > pixels)
      fail(place, "run " + std::to_string(runs.size()) + " is " + std::to_string(value) + " pixels long and ends outside of the " +
                      shown(size) + " mask");
    runs.push_back(static_cast<uint32_t>(value));
  }
  if (total != pixels)
    fail(place, "counts add up to " + std::to_string(total) + ", expected " + std::to_string(pixels) + " for a mask of " + shown(size));
  return runs;
}

std::string format_runs(const Runs& runs) {
  std::string text;
  text.reserve(2 * runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    int64_t value = runs[i];
    if (i > 2) value -= runs[i - 2];
    for (bool more = true; more;) {
      int64_t bits = value & 31;
      value >>= 5;
      more = value != (bits & 16 ? -1 : 0);
      text.push_back(static_cast<char>(48 + (more ? bits | 32 : bits)));
    }
  }
  return text;
}

std::vector<std::string> encode_masks(const uint8_t* masks, int64_t count, MaskSize size, int threads) {
  std::vector<std::string> texts(static_cast<size_t>(count));
  const BitmaskKernels& kernels = VISION_SELECT(bitmask_kernels);
  vision::parallel_for(count, grain_of(size), threads, [&](int64_t begin, int64_t end) {
    ColumnBits bits(size);
    for (int64_t i = begin; i < end; ++i) {
      bits.fill(kernels, masks + i * size.pixels());
      texts[i] = format_runs(bits.runs());
    }
  });
  return texts;
}

void decode_masks(const std::vector<std::string_view>& texts, MaskSize size, int threads, uint8_t* masks) {
  const int64_t count = static_cast<int64_t>(texts.size());
  const BitmaskKernels& kernels = VISION_SELECT(bitmask_kernels);
  std::vector<Runs> runs;
  for (int64_t i = 0; i < count; ++i) runs.push_back(parse_runs(texts[i], size, {"rles", i}));
  vision::parallel_for(count, grain_of(size), threads, [&](int64_t begin, int64_t end) {
    ColumnBits bits(size);
    for (int64_t i = begin; i < end; ++i) {
      std::fill(bits.bits.begin(), bits.bits.end(), 0);
      for (const Span& span : spans_of(runs[i])) {
        int64_t at = span.begin;
        for (int64_t x = at / size.height; at < span.end; ++x) {
          const int64_t column_end = std::min((x + 1) * size.height, span.end);
          bits.set(x, at - x * size.height, column_end - x * size.height);
          at = column_end;
        }
      }
      bits.write(kernels, masks + i * size.pixels());
    }
  });
}

int64_t area_of(const Runs& runs) {
  int64_t sum = 0;
  for (size_t i = 1; i < runs.size(); i += 2) sum += runs[i];
  return sum;
}

void box_of(const Runs& runs, MaskSize size, double* box) {
  int64_t top = size.height, bottom = 0, left = 0, right = 0, at = 0;
  const uint32_t rows = static_cast<uint32_t>(size.height);
  bool found = false;
  for (size_t i = 0; i + 1 < runs.size(); i += 2) {
    const int64_t begin = at + runs[i], end = begin + runs[i + 1];
    at = end;
    if (begin == end) continue;
    // Pixels are fewer than 2^31, and divisions of 32 bits are faster.
    const int64_t first = static_cast<uint32_t>(begin) / rows, last = static_cast<uint32_t>(end - 1) / rows;
    if (!found) left = first;
    found = true;
    right = last + 1;
    const bool whole = first != last;  // such a run reaches the bottom of a column and the top of the next
    top = whole ? 0 : std::min(top, begin - first * size.height);
    bottom = whole ? size.height : std::max(bottom, end - last * size.height);
  }
  box[0] = static_cast<double>(left), box[1] = found ? static_cast<double>(top) : 0;
  box[2] = static_cast<double>(right - left), box[3] = found ? static_cast<double>(bottom - top) : 0;
}

void iou_of(const std::vector<Runs>& a, const std::vector<Runs>& b, MaskSize size, const uint8_t* crowd, int threads,
            double* iou) {
  const std::vector<Shape> first = shapes_of(a, size), second = shapes_of(b, size);
  const int64_t columns = static_cast<int64_t>(b.size());
  const int64_t grain = std::max<int64_t>(1, 64 / std::max<int64_t>(columns, 1));
  vision::parallel_for(static_cast<int64_t>(a.size()), grain, threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        const Shape &x = first[i], &y = second[j];
        const int64_t inter = apart(x.box, y.box) ? 0 : overlap(x.spans, y.spans);
        const int64_t whole = crowd[j] ? x.area : x.area + y.area - inter;
        iou[i * columns + j] = inter == 0 ? 0.0 : static_cast<double>(inter) / static_cast<double>(whole);
      }
    }
  });
}

Runs merge_runs(const std::vector<Runs>& masks, MaskSize size, bool intersect) {
  std::vector<Span> merged = spans_of(masks.at(0));
  for (size_t i = 1; i < masks.size(); ++i) {
    const std::vector<Span> next = spans_of(masks[i]);
    merged = intersect ? intersect_spans(merged, next) : unite(merged, next);
  }
  return runs_of(merged, size);
}

}  // namespace vision_core
