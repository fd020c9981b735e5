#include "jpeg_encode.hpp"

#include <cstdlib>
#include <cstring>

#include "jpeg_errors.hpp"
#include "kernels/interleave.hpp"
#include "scratch.hpp"

namespace vision_io {
namespace {

constexpr int rows_at_once = 4;  // stay in the nearest cache
constexpr size_t first_size = size_t{1} << 16;

thread_local Scratch rows_memory;

struct Target {
  jpeg_destination_mgr base;  // first: libjpeg hands out its address
  Encoded encoded;
  size_t capacity;
};

Target& target(j_compress_ptr info) { return *reinterpret_cast<Target*>(info->dest); }

void fail(j_compress_ptr info, const char* text) {
  jpeg_fail(reinterpret_cast<j_common_ptr>(info), JpegStatus::no_memory, text);
}

void start(j_compress_ptr info) {
  Target& to = target(info);
  to.base.next_output_byte = to.encoded.bytes;
  to.base.free_in_buffer = to.capacity;
}

boolean grow(j_compress_ptr info) {
  Target& to = target(info);
  void* larger = std::realloc(to.encoded.bytes, 2 * to.capacity);
  if (!larger) fail(info, "no memory for the file");
  to.encoded.bytes = static_cast<uint8_t*>(larger);
  to.base.next_output_byte = to.encoded.bytes + to.capacity;
  to.base.free_in_buffer = to.capacity;
  to.capacity *= 2;
  return TRUE;
}

void finish(j_compress_ptr info) { target(info).encoded.size = target(info).capacity - target(info).base.free_in_buffer; }

void write_pixels(jpeg_compress_struct& info, const uint8_t* pixels, int channels, ptrdiff_t channel_stride, ptrdiff_t row_stride) {
  const int height = static_cast<int>(info.image_height), width = static_cast<int>(info.image_width);
  JSAMPROW rows[rows_at_once];
  uint8_t* memory = nullptr;
  if (channels == 3) {
    memory = rows_memory.at_least(static_cast<size_t>(width) * 4 * rows_at_once + 64);
    if (!memory) fail(&info, "no memory for the rows");
  }
  const InterleaveKernels& kernels = VISION_SELECT(interleave_kernels);
  for (int y = 0; y < height; y += rows_at_once) {
    const int count = height - y < rows_at_once ? height - y : rows_at_once;
    for (int i = 0; i < count; ++i) {
      const uint8_t* from = pixels + static_cast<ptrdiff_t>(y + i) * row_stride;
      if (channels == 1) {
        rows[i] = const_cast<uint8_t*>(from);  // libjpeg only reads
      } else {
        rows[i] = memory + static_cast<size_t>(i) * 4 * static_cast<size_t>(width);
        const uint8_t* planes[4] = {from, from + channel_stride, from + 2 * channel_stride, from};
        kernels.join(planes, 4, width, rows[i]);  // the fourth byte is ignored
      }
    }
    for (int written = 0; written < count;)
      written += static_cast<int>(jpeg_write_scanlines(&info, rows + written, static_cast<JDIMENSION>(count - written)));
  }
}

void encode(jpeg_compress_struct& info, const uint8_t* pixels, int channels, ptrdiff_t channel_stride, ptrdiff_t row_stride,
            const JpegSettings& settings) {
  info.input_components = channels == 1 ? 1 : 4;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_EXT_RGBX;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, settings.quality, TRUE);
  info.optimize_coding = settings.optimise ? TRUE : FALSE;
  if (channels == 3) {
    info.comp_info[0].h_samp_factor = settings.across;
    info.comp_info[0].v_samp_factor = settings.down;
  }
  if (settings.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  write_pixels(info, pixels, channels, channel_stride, row_stride);
  jpeg_finish_compress(&info);
}

}  // namespace

Encoded jpeg_encode(const uint8_t* pixels, int channels, int height, int width, ptrdiff_t channel_stride, ptrdiff_t row_stride,
                    const JpegSettings& settings, JpegReport& report) {
  jpeg_compress_struct info;
  JpegErrors errors;
  Target to;
  jpeg_install(errors, report);
  std::memset(&info, 0, sizeof info);
  info.err = &errors.base;
  to.encoded = Encoded{static_cast<uint8_t*>(std::malloc(first_size)), 0};
  to.capacity = first_size;
  to.base.init_destination = start;
  to.base.empty_output_buffer = grow;
  to.base.term_destination = finish;
  if (!to.encoded.bytes) {
    report.status = JpegStatus::no_memory;
    return {};
  }
  if (setjmp(errors.back) == 0) {
    jpeg_create_compress(&info);
    info.dest = &to.base;
    info.image_width = static_cast<JDIMENSION>(width);
    info.image_height = static_cast<JDIMENSION>(height);
    encode(info, pixels, channels, channel_stride, row_stride, settings);
  }
  jpeg_destroy_compress(&info);
  rows_memory.trim();
  if (report.status == JpegStatus::good) return to.encoded;
  std::free(to.encoded.bytes);
  return {};
}

}  // namespace vision_io
