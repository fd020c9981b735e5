#include "jpeg_encode.hpp"

#include <cstdlib>
#include <cstring>

#include "jpeg_errors.hpp"
#include "kernels/interleave.hpp"
#include "kernels/jpeg_forward.hpp"
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

// Planes of an MCU row as libjpeg wants them: 8 rows of blocks per component, edges repeated.
struct McuRow {
  const JpegForwardKernels* kernels;
  uint8_t *luma, *chroma[2], *full[2][2];  // full: colour before it is averaged, of two rows
  int stride, width, padded;               // padded: to whole blocks of the averaged colour
  int across, down;
};

void repeat_last(uint8_t* row, int width, int padded) {
  std::memset(row + width, row[width - 1], static_cast<size_t>(padded - width));
}

// Converts image row `y` into row `i` of the MCU row.
void convert_row(const McuRow& mcu, const uint8_t* from, ptrdiff_t channel_stride, int i) {
  uint8_t* luma = mcu.luma + static_cast<ptrdiff_t>(i) * mcu.stride;
  uint8_t *cb = mcu.full[0][i % mcu.down], *cr = mcu.full[1][i % mcu.down];
  if (mcu.across == 1) {
    cb = mcu.chroma[0] + static_cast<ptrdiff_t>(i) * mcu.stride;
    cr = mcu.chroma[1] + static_cast<ptrdiff_t>(i) * mcu.stride;
  }
  mcu.kernels->rgb_to_ycc(from, from + channel_stride, from + 2 * channel_stride, mcu.width, luma, cb, cr);
  repeat_last(luma, mcu.width, mcu.padded);
  repeat_last(cb, mcu.width, mcu.padded);
  repeat_last(cr, mcu.width, mcu.padded);
}

// `rows`: how many of the MCU row lie in the picture.
void fill(const McuRow& mcu, const uint8_t* pixels, ptrdiff_t channel_stride, ptrdiff_t row_stride, int rows) {
  const auto again = [&](uint8_t* plane, int i) {
    uint8_t* row = plane + static_cast<ptrdiff_t>(i) * mcu.stride;
    std::memcpy(row, row - mcu.stride, static_cast<size_t>(mcu.padded));
  };
  for (int i = 0; i < DCTSIZE * mcu.down; ++i) {
    if (i < rows) convert_row(mcu, pixels + static_cast<ptrdiff_t>(i) * row_stride, channel_stride, i);
    else again(mcu.luma, i);
    const bool last = i % mcu.down == mcu.down - 1 || i == rows - 1;
    const int at = i / mcu.down;
    for (int c = 0; c < 2; ++c) {
      uint8_t* out = mcu.chroma[c] + static_cast<ptrdiff_t>(at) * mcu.stride;
      if (i >= rows) {
        if (i % mcu.down == 0) again(mcu.chroma[c], at);
      } else if (last && mcu.across == 2 && mcu.down == 2) {
        mcu.kernels->halve_both(mcu.full[c][0], mcu.full[c][i % 2], mcu.padded / 2, out);
      } else if (last && mcu.across == 2) {
        mcu.kernels->halve_row(mcu.full[c][0], mcu.padded / 2, out);
      }
    }
  }
}

// 4:4:4, 4:2:2 and 4:2:0 straight from the planes: colour and averages here, DCT and coding there.
void write_planes(jpeg_compress_struct& info, const uint8_t* pixels, ptrdiff_t channel_stride, ptrdiff_t row_stride,
                  const JpegSettings& settings) {
  const int height = static_cast<int>(info.image_height), width = static_cast<int>(info.image_width);
  McuRow mcu;
  mcu.kernels = &VISION_SELECT(jpeg_forward_kernels);
  mcu.across = settings.across;
  mcu.down = settings.down;
  mcu.width = width;
  mcu.padded = (width + DCTSIZE * mcu.across - 1) / (DCTSIZE * mcu.across) * DCTSIZE * mcu.across;
  mcu.stride = (mcu.padded + forward_slack + 63) / 64 * 64;
  const size_t line = static_cast<size_t>(mcu.stride);
  uint8_t* memory = rows_memory.at_least(line * (DCTSIZE * (static_cast<size_t>(mcu.down) + 2) + 4));
  if (!memory) fail(&info, "no memory for the rows");
  mcu.luma = memory;
  mcu.chroma[0] = mcu.luma + line * DCTSIZE * static_cast<size_t>(mcu.down);
  mcu.chroma[1] = mcu.chroma[0] + line * DCTSIZE;
  for (int i = 0; i < 4; ++i) mcu.full[i / 2][i % 2] = mcu.chroma[1] + line * static_cast<size_t>(DCTSIZE + i);
  JSAMPROW rows[3][2 * DCTSIZE];
  JSAMPARRAY planes[3] = {rows[0], rows[1], rows[2]};
  for (int i = 0; i < 2 * DCTSIZE; ++i) {
    rows[0][i] = mcu.luma + line * static_cast<size_t>(i < DCTSIZE * mcu.down ? i : 0);
    for (int c = 0; c < 2; ++c) rows[c + 1][i] = mcu.chroma[c] + line * static_cast<size_t>(i % DCTSIZE);
  }
  const int step = DCTSIZE * mcu.down;
  for (int y = 0; y < height; y += step) {
    fill(mcu, pixels + static_cast<ptrdiff_t>(y) * row_stride, channel_stride, row_stride, height - y < step ? height - y : step);
    if (jpeg_write_raw_data(&info, planes, static_cast<JDIMENSION>(step)) == 0) fail(&info, "rows were not taken");
  }
}

void encode(jpeg_compress_struct& info, const uint8_t* pixels, int channels, ptrdiff_t channel_stride, ptrdiff_t row_stride,
            const JpegSettings& settings) {
  const bool planar = channels == 3 && ((settings.across == 1 && settings.down == 1) || (settings.across == 2 && settings.down <= 2));
  info.input_components = channels == 1 ? 1 : planar ? 3 : 4;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : planar ? JCS_YCbCr : JCS_EXT_RGBX;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, settings.quality, TRUE);
  info.optimize_coding = settings.optimise ? TRUE : FALSE;
  if (channels == 3) {
    info.comp_info[0].h_samp_factor = settings.across;
    info.comp_info[0].v_samp_factor = settings.down;
  }
  info.raw_data_in = planar ? TRUE : FALSE;
  if (settings.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  if (planar)
    write_planes(info, pixels, channel_stride, row_stride, settings);
  else
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
