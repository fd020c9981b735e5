#include "jpeg_batch.hpp"

#include "vision/isa.hpp"
#include "vision/thread_pool.hpp"

namespace vision_io {
namespace {

void decode_one(const JpegJob& job, const JpegResize& resize, JpegReport& report) {
  const auto data = reinterpret_cast<const uint8_t*>(static_cast<uintptr_t>(job.data));
  const auto out = static_cast<uintptr_t>(job.out);
  const auto whole = [](int64_t value) { return static_cast<int>(value); };
  const JpegWindow window{whole(job.eighths), whole(job.top), whole(job.left), whole(job.height), whole(job.width)};
  const auto mode = static_cast<JpegMode>(job.mode);
  if (resize.height > 0) {
    const FloatTarget target{reinterpret_cast<float*>(out), resize.height, resize.width, job.flip != 0, resize.factor, resize.bias};
    jpeg_decode_resized(data, static_cast<size_t>(job.size), mode, whole(job.channels), window, target, report);
  } else {
    jpeg_decode(data, static_cast<size_t>(job.size), mode, window, reinterpret_cast<uint8_t*>(out),
                static_cast<ptrdiff_t>(job.channel_stride), static_cast<ptrdiff_t>(job.row_stride), report);
  }
}

}  // namespace

void decode_jpegs(const JpegJob* jobs, int64_t count, const JpegResize& resize, int threads, JpegReport* reports) {
  const char* isa = vision::isa_name(vision::active_isa());
  vision::parallel_for(count, 1, threads, [&](int64_t begin, int64_t end) {
    vision::force_isa(isa);  // the choice is per thread
    for (int64_t i = begin; i < end; ++i) decode_one(jobs[i], resize, reports[i]);
  });
}

}  // namespace vision_io
