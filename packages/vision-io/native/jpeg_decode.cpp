#include "jpeg_decode.hpp"

#include <cstring>

#include "jpeg_session.hpp"
#include "kernels/jpeg.hpp"
#include "scratch.hpp"

namespace vision_io {
namespace {

constexpr int slots = 3;              // MCU rows in memory: the one that is written out and its two neighbours
constexpr int most_components = 4;
constexpr int most_sampling = 4;
// A hostile progressive file asks for a whole pass over the picture per few bytes.
constexpr int most_scans = 256, usual_scans = 20;
constexpr int64_t most_scanned_pixels = int64_t{1} << 31;
constexpr int most_rows = 16 * most_sampling;

thread_local Scratch planes_memory, region_memory;

boolean out_of_data(j_decompress_ptr info) {
  static const JOCTET end[] = {0xff, JPEG_EOI};
  jpeg_errors(reinterpret_cast<j_common_ptr>(info)).exhausted = true;
  info->src->next_input_byte = end;
  info->src->bytes_in_buffer = 2;
  return TRUE;
}

void count_scans(j_common_ptr common) {
  const jpeg_decompress_struct& info = *reinterpret_cast<j_decompress_ptr>(common);
  const int64_t scans = info.input_scan_number;
  if (scans > most_scans || (scans > usual_scans && scans * info.image_width * info.image_height > most_scanned_pixels))
    jpeg_fail(common, JpegStatus::damaged, "more scans than any writer makes");
}

void open(jpeg_decompress_struct& info, JpegErrors& errors, const uint8_t* data, size_t size) {
  info.err = &errors.base;
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, data, static_cast<unsigned long>(size));
  info.src->fill_input_buffer = out_of_data;
  jpeg_read_header(&info, TRUE);
}

// Every block has a Huffman code of its own for its mean, of one bit at least, whatever the kind of the file.
int64_t blocks(const jpeg_decompress_struct& info) {
  int64_t count = 0;
  for (int c = 0; c < info.num_components; ++c)
    count += int64_t{info.comp_info[c].width_in_blocks} * info.comp_info[c].height_in_blocks;
  return count;
}

// One component's rows in memory: `slots` MCU rows, each sample row with slack on both sides.
struct Plane {
  uint8_t* base;
  int stride, rows_per_mcu, width, height;
  int across, down;  // how often a sample repeats in the picture
  bool fancy;

  uint8_t* row(int y) const {
    y = y < 0 ? 0 : y >= height ? height - 1 : y;
    return base + static_cast<ptrdiff_t>(y / rows_per_mcu % slots * rows_per_mcu + y % rows_per_mcu) * stride;
  }
};

struct Reader {
  jpeg_decompress_struct* info;
  const JpegKernels* kernels;
  JpegMode mode;
  JpegWindow window;
  uint8_t* out;
  ptrdiff_t channel_stride, row_stride;
  int components;         // that are decoded
  int mcu_rows;           // sample rows of the picture per MCU row
  Plane plane[most_components];
  uint8_t* wide[most_components];   // upsampled rows
  uint8_t* light[3];                // RGB of the window where only its luma is wanted
};

void fail(Reader& reader, JpegStatus status, const char* text) {
  jpeg_fail(reinterpret_cast<j_common_ptr>(reader.info), status, text);
}

void lay_out(Reader& reader) {
  jpeg_decompress_struct& info = *reader.info;
  const int unit = smallest_unit(info);
  size_t total = 0, offset[most_components];
  for (int c = 0; c < reader.components; ++c) {
    const jpeg_component_info& component = info.comp_info[c];
    Plane& plane = reader.plane[c];
    const int h = component.h_samp_factor * scaled_size(component), v = component.v_samp_factor * scaled_size(component);
    const int h_max = info.max_h_samp_factor * unit, v_max = info.max_v_samp_factor * unit;
    if (h_max % h || v_max % v) fail(reader, JpegStatus::refused, "fractional sampling");
    plane.across = h_max / h;
    plane.down = v_max / v;
    plane.rows_per_mcu = v;
    plane.width = static_cast<int>(component.downsampled_width);
    plane.height = static_cast<int>(component.downsampled_height);
    plane.stride = (static_cast<int>(component.width_in_blocks) * scaled_size(component) + 2 * jpeg_slack + 63) / 64 * 64;
    // libjpeg filters only these; other ratios repeat samples.
    plane.fancy = unit > 1 && ((plane.across == 2 && plane.down <= 2 && plane.width > 2) || (plane.across == 1 && plane.down == 2));
    offset[c] = total;
    total += static_cast<size_t>(plane.stride) * plane.rows_per_mcu * slots;
  }
  const size_t wide = (static_cast<size_t>(info.output_width) + 8 * 2 + 3 * jpeg_slack + 63) / 64 * 64;
  uint8_t* memory = planes_memory.at_least(total + (most_components + 3) * wide + 2 * jpeg_slack);
  if (!memory) fail(reader, JpegStatus::no_memory, "no memory for the rows");
  for (int c = 0; c < reader.components; ++c) reader.plane[c].base = memory + jpeg_slack + offset[c];
  for (int c = 0; c < most_components; ++c) reader.wide[c] = memory + jpeg_slack + total + c * wide;
  for (int c = 0; c < 3; ++c) reader.light[c] = memory + jpeg_slack + total + (most_components + c) * wide;
}

// Samples [window.left, + window.width) of a component for row `y` of the picture; valid until the next call for it.
const uint8_t* samples(const Reader& reader, int c, int y) {
  const Plane& plane = reader.plane[c];
  const int left = reader.window.left, right = left + reader.window.width;
  const uint8_t* near = plane.row(y / plane.down);
  if (plane.across == 1 && (plane.down == 1 || !plane.fancy)) return near + left;
  uint8_t* wide = reader.wide[c];
  const int begin = left / plane.across, end = (right + plane.across - 1) / plane.across;
  const int beside = y / plane.down + (y % plane.down ? 1 : -1);
  if (!plane.fancy) {
    for (int i = begin, to = 0; i < end; ++i)
      for (int repeat = 0; repeat < plane.across; ++repeat) wide[to++] = near[i];
  } else if (plane.across == 1) {
    reader.kernels->blend_rows(near + begin, plane.row(beside) + begin, end - begin, y % 2 ? 2 : 1, wide);
  } else if (plane.down == 1) {
    reader.kernels->double_row(near, begin, end, wide);
  } else {
    reader.kernels->double_both(near, plane.row(beside), begin, end, wide);
  }
  return wide + (left - begin * plane.across);
}

void write_row(const Reader& reader, int y) {
  const int width = reader.window.width;
  const size_t bytes = static_cast<size_t>(width);
  const J_COLOR_SPACE space = reader.info->jpeg_color_space;
  uint8_t* to = reader.out + static_cast<ptrdiff_t>(y - reader.window.top) * reader.row_stride;
  uint8_t* out[4];
  for (int c = 0; c < 4; ++c) out[c] = to + c * reader.channel_stride;
  const bool gray = reader.mode == JpegMode::gray || reader.mode == JpegMode::gray_alpha;
  const uint8_t* in[most_components] = {};
  for (int c = 0; c < reader.components; ++c) in[c] = samples(reader, c, y);
  const JpegKernels& kernels = *reader.kernels;

  if (reader.components == 1) {
    const int copies = reader.mode == JpegMode::rgb || reader.mode == JpegMode::rgb_alpha ? 3 : 1;
    for (int c = 0; c < copies; ++c) std::memcpy(out[c], in[0], bytes);
  } else {
    uint8_t* const* rgb = gray ? reader.light : out;
    if (space == JCS_YCbCr) {
      kernels.ycc_to_rgb(in[0], in[1], in[2], width, rgb[0], rgb[1], rgb[2]);
    } else if (space == JCS_RGB) {
      for (int c = 0; c < 3; ++c) std::memcpy(rgb[c], in[c], bytes);
    } else {
      // Unchanged inks are as the file stores them; YCCK holds the complement of its first three in YCC.
      const bool inks = reader.mode == JpegMode::unchanged;
      uint8_t* const* three = inks ? out : reader.light;
      if (space == JCS_YCCK) {
        kernels.ycc_to_rgb(in[0], in[1], in[2], width, three[0], three[1], three[2]);
        for (int c = 0; c < 3; ++c)
          for (int x = 0; x < width; ++x) three[c][x] = static_cast<uint8_t>(255 - three[c][x]);
      } else {
        for (int c = 0; c < 3; ++c) std::memcpy(three[c], in[c], bytes);
      }
      if (inks)
        std::memcpy(out[3], in[3], bytes);
      else
        for (int c = 0; c < 3; ++c) kernels.ink_to_light(three[c], in[3], width, rgb[c]);
    }
    if (gray) kernels.rgb_to_gray(rgb[0], rgb[1], rgb[2], width, out[0]);
  }
  if (reader.mode == JpegMode::gray_alpha) std::memset(out[1], 255, bytes);
  if (reader.mode == JpegMode::rgb_alpha) std::memset(out[3], 255, bytes);
}

// Repeats the first and the last sample of the newest MCU row, for the filters at the edges.
void repeat_edges(const Reader& reader, int mcu) {
  for (int c = 0; c < reader.components; ++c) {
    const Plane& plane = reader.plane[c];
    if (!plane.fancy || plane.across == 1) continue;
    for (int i = 0; i < plane.rows_per_mcu; ++i) {
      uint8_t* row = plane.base + static_cast<ptrdiff_t>(mcu % slots * plane.rows_per_mcu + i) * plane.stride;
      row[-1] = row[0];
      row[plane.width] = row[plane.width - 1];
    }
  }
}

void read_rows(Reader& reader) {
  jpeg_decompress_struct& info = *reader.info;
  const int top = reader.window.top, bottom = top + reader.window.height;
  const int all = (static_cast<int>(info.output_height) + reader.mcu_rows - 1) / reader.mcu_rows;
  // The filters look at the sample row above and below, which is in another MCU row only at the edges of one.
  const int above = top % reader.mcu_rows ? 0 : 1, below = bottom % reader.mcu_rows ? 0 : 1;
  const int first = top / reader.mcu_rows > above ? top / reader.mcu_rows - above : 0;
  const int end = (bottom - 1) / reader.mcu_rows + below;
  const int last = end < all ? end : all - 1;
  uint8_t* rows[most_components][most_rows];
  uint8_t** table[most_components];
  int done = top;
  for (int mcu = 0; mcu <= last; ++mcu) {
    for (int c = 0; c < info.num_components; ++c) {
      const Plane& plane = reader.plane[c < reader.components ? c : 0];
      for (int i = 0; i < plane.rows_per_mcu; ++i)
        rows[c][i] = plane.base + static_cast<ptrdiff_t>(mcu % slots * plane.rows_per_mcu + i) * plane.stride;
      table[c] = rows[c];
      // Rows above the window need no IDCT.
      if (c < reader.components) info.comp_info[c].component_needed = mcu >= first ? TRUE : FALSE;
    }
    if (jpeg_read_raw_data(&info, table, static_cast<JDIMENSION>(reader.mcu_rows)) == 0)
      fail(reader, JpegStatus::damaged, "no more rows");
    if (mcu < first) continue;
    repeat_edges(reader, mcu);
    const int complete = mcu == last ? bottom : mcu * reader.mcu_rows;
    for (; done < complete && done < bottom; ++done) write_row(reader, done);
  }
  // What follows the last row must be sound as well; a window that ends before it leaves the rest unread.
  if (last == all - 1) jpeg_finish_decompress(&info);
}

void decode(Reader& reader, JpegErrors& errors) {
  jpeg_decompress_struct& info = *reader.info;
  info.raw_data_out = TRUE;
  info.scale_num = static_cast<unsigned>(reader.window.eighths);
  info.scale_denom = 8;
  const bool gray = reader.mode == JpegMode::gray || reader.mode == JpegMode::gray_alpha;
  const J_COLOR_SPACE space = info.jpeg_color_space;
  const int expected = space == JCS_GRAYSCALE ? 1 : space == JCS_CMYK || space == JCS_YCCK ? 4 : 3;
  if (space == JCS_UNKNOWN || space > JCS_YCCK || info.num_components != expected)
    fail(reader, JpegStatus::refused, "components of an unknown meaning");
  reader.components = gray && space == JCS_YCbCr ? 1 : expected;
  for (int c = reader.components; c < info.num_components; ++c) info.comp_info[c].component_needed = FALSE;
  jpeg_progress_mgr progress{};
  progress.progress_monitor = count_scans;
  info.progress = &progress;
  info.mem->max_memory_to_use = 0;
  jpeg_start_decompress(&info);
  if (errors.exhausted && info.buffered_image == FALSE && jpeg_has_multiple_scans(&info))
    fail(reader, JpegStatus::damaged, "the data ends before the picture does");
  errors.started = true;
  reader.mcu_rows = info.max_v_samp_factor * smallest_unit(info);
  if (reader.window.top + reader.window.height > static_cast<int>(info.output_height) ||
      reader.window.left + reader.window.width > static_cast<int>(info.output_width))
    fail(reader, JpegStatus::damaged, "the picture has another size than its header");
  lay_out(reader);
  read_rows(reader);
}

}  // namespace

bool jpeg_begin(JpegSession& session, const uint8_t* data, size_t size, JpegHeader& header, JpegReport& report) {
  jpeg_decompress_struct& info = session.info;
  jpeg_install(session.errors, report);
  std::memset(&info, 0, sizeof info);
  if (setjmp(session.errors.back) != 0) return false;
  open(info, session.errors, data, size);
  header = {static_cast<int>(info.image_width), static_cast<int>(info.image_height), info.num_components,
            static_cast<int>(info.jpeg_color_space), !info.arith_code && blocks(info) / 8 > static_cast<int64_t>(size)};
  return true;
}

void jpeg_pixels(JpegSession& session, JpegMode mode, const JpegWindow& window, uint8_t* out, ptrdiff_t channel_stride,
                 ptrdiff_t row_stride) {
  Reader reader;
  reader.info = &session.info;
  reader.kernels = &VISION_SELECT(jpeg_kernels);
  reader.mode = mode;
  reader.window = window;
  reader.out = out;
  reader.channel_stride = channel_stride;
  reader.row_stride = row_stride;
  if (setjmp(session.errors.back) == 0) decode(reader, session.errors);
}

void jpeg_end(JpegSession& session) {
  jpeg_destroy_decompress(&session.info);
  planes_memory.trim();
}

void jpeg_header(const uint8_t* data, size_t size, JpegHeader& header, JpegReport& report) {
  JpegSession session;
  jpeg_begin(session, data, size, header, report);
  jpeg_end(session);
}

void jpeg_decode(const uint8_t* data, size_t size, JpegMode mode, const JpegWindow& window, uint8_t* out,
                 ptrdiff_t channel_stride, ptrdiff_t row_stride, JpegReport& report) {
  JpegSession session;
  JpegHeader header;
  if (jpeg_begin(session, data, size, header, report)) jpeg_pixels(session, mode, window, out, channel_stride, row_stride);
  jpeg_end(session);
}

void jpeg_pixels_resized(JpegSession& session, JpegMode mode, int channels, const JpegWindow& window, const FloatTarget& target,
                         JpegReport& report) {
  const size_t plane = static_cast<size_t>(window.width) * static_cast<size_t>(window.height);
  uint8_t* region = region_memory.at_least(plane * static_cast<size_t>(channels) + jpeg_slack);
  if (region) jpeg_pixels(session, mode, window, region, static_cast<ptrdiff_t>(plane), window.width);
  const BytePlanes from{region, channels, window.height, window.width, static_cast<ptrdiff_t>(plane), window.width};
  if (!region || (report.status == JpegStatus::good && !resize_normalised(from, target))) report.status = JpegStatus::no_memory;
  region_memory.trim();
}

void jpeg_decode_resized(const uint8_t* data, size_t size, JpegMode mode, int channels, const JpegWindow& window,
                         const FloatTarget& target, JpegReport& report) {
  JpegSession session;
  JpegHeader header;
  if (jpeg_begin(session, data, size, header, report)) jpeg_pixels_resized(session, mode, channels, window, target, report);
  jpeg_end(session);
}

}  // namespace vision_io
