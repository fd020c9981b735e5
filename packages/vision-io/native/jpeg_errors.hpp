// libjpeg's errors as a jump back and a text. What stands between setjmp and the library must have no destructors.
#pragma once

#include <csetjmp>
#include <cstdio>
// jpeglib.h needs size_t and FILE first.
#include <jpeglib.h>

#include <jerror.h>

#include "jpeg_decode.hpp"

namespace vision_io {

struct JpegErrors {
  jpeg_error_mgr base;  // first: libjpeg hands out its address
  std::jmp_buf back;
  JpegReport* report;
  bool started;    // pixels are being decoded
  bool exhausted;  // the data has been read to its end
};

inline JpegErrors& jpeg_errors(j_common_ptr info) { return *reinterpret_cast<JpegErrors*>(info->err); }

inline void jpeg_fail(j_common_ptr info, JpegStatus status, const char* text) {
  JpegErrors& errors = jpeg_errors(info);
  errors.report->status = status;
  std::snprintf(errors.report->text, sizeof errors.report->text, "%s", text);
  std::longjmp(errors.back, 1);
}

inline void jpeg_error_exit(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  const bool memory = info->err->msg_code == JERR_OUT_OF_MEMORY;
  const bool started = jpeg_errors(info).started;
  jpeg_fail(info, memory ? JpegStatus::no_memory : started ? JpegStatus::damaged : JpegStatus::refused, text);
}

inline void jpeg_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  JpegErrors& errors = jpeg_errors(info);
  const int code = info->err->msg_code;
  if (code == JWRN_HIT_MARKER && errors.exhausted)
    jpeg_fail(info, JpegStatus::damaged, "the data ends before the picture does");
  const bool pixels = code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC ||
                      code == JWRN_ARITH_BAD_CODE || code == JWRN_BOGUS_PROGRESSION;
  if (!pixels || errors.report->corrupt) return;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  errors.report->corrupt = true;
  std::snprintf(errors.report->text, sizeof errors.report->text, "%s", text);
}

// libraries of interface version 7 and later scale width and height apart
#if JPEG_LIB_VERSION >= 70
inline int scaled_size(const jpeg_component_info& component) { return component.DCT_h_scaled_size; }
inline int smallest_unit(const jpeg_decompress_struct& info) { return info.min_DCT_h_scaled_size; }
#else
inline int scaled_size(const jpeg_component_info& component) { return component.DCT_scaled_size; }
inline int smallest_unit(const jpeg_decompress_struct& info) { return info.min_DCT_scaled_size; }
#endif

inline void jpeg_silent(j_common_ptr) {}

inline void jpeg_install(JpegErrors& errors, JpegReport& report) {
  jpeg_std_error(&errors.base);
  errors.base.error_exit = jpeg_error_exit;
  errors.base.emit_message = jpeg_message;
  errors.base.output_message = jpeg_silent;
  errors.report = &report;
  errors.started = errors.exhausted = false;
}

}  // namespace vision_io
