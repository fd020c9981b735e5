#include "box_iou.hpp"

namespace vision_core {
namespace VISION_ISA_NAMESPACE {
namespace {

// Compilers turn the loops below into vectors. All operations are rounded one by one, in the reference's order.

template <class T>
inline T larger(T a, T b) {
  return a > b ? a : b;
}

template <class T>
inline T smaller(T a, T b) {
  return a < b ? a : b;
}

template <class T>
inline T positive(T x) {
  return x > 0 ? x : 0;
}

// NaN does not pass through larger() and smaller(), but a box that has one has no area either: the IoU is NaN.
template <class T, Overlap kind>
void flat_rows(const OverlapTask<T>& task, int64_t begin, int64_t end) {
  constexpr T aspect_scale = static_cast<T>(0.40528473456935108577551785283891);  // 4 / pi^2
  const int64_t count = task.count2;
  const T *x1 = task.columns2, *y1 = x1 + count, *x2 = y1 + count, *y2 = x2 + count, *area = y2 + count;
  const T* aspect = area + count;
  const T eps = task.eps;
  for (int64_t i = begin; i < end; ++i) {
    const T* box = task.boxes1 + 4 * i;
    const T a_x1 = box[0], a_y1 = box[1], a_x2 = box[2], a_y2 = box[3];
    const T a_area = (a_x2 - a_x1) * (a_y2 - a_y1);
    const T a_x = (a_x1 + a_x2) / 2, a_y = (a_y1 + a_y2) / 2;
    const T a_aspect = kind == Overlap::complete ? task.aspects1[i] : 0;
    T* __restrict out = task.out + i * count;
    for (int64_t j = 0; j < count; ++j) {
      const T width = positive(smaller(a_x2, x2[j]) - larger(a_x1, x1[j]));
      const T height = positive(smaller(a_y2, y2[j]) - larger(a_y1, y1[j]));
      const T inter = width * height;
      const T whole = (a_area + area[j]) - inter;
      T value = inter / whole;
      if constexpr (kind != Overlap::iou) {
        const T around_x = positive(larger(a_x2, x2[j]) - smaller(a_x1, x1[j]));
        const T around_y = positive(larger(a_y2, y2[j]) - smaller(a_y1, y1[j]));
        if constexpr (kind == Overlap::generalized) {
          const T around = around_x * around_y;
          value = value - (around - whole) / around;
        } else {
          const T diagonal = around_x * around_x + around_y * around_y + eps;
          const T apart_x = a_x - (x1[j] + x2[j]) / 2, apart_y = a_y - (y1[j] + y2[j]) / 2;
          const T distant = value - (apart_x * apart_x + apart_y * apart_y) / diagonal;
          if constexpr (kind == Overlap::complete) {
            const T turned = a_aspect - aspect[j];
            const T v = aspect_scale * (turned * turned);
            value = distant - v / (1 - value + v + eps) * v;
          } else {
            value = distant;
          }
        }
      }
      out[j] = value;
    }
  }
}

template <class T>
void solid_rows(const OverlapTask<T>& task, int64_t begin, int64_t end) {
  const int64_t count = task.count2;
  const T *x1 = task.columns2, *y1 = x1 + count, *z1 = y1 + count;
  const T *x2 = z1 + count, *y2 = x2 + count, *z2 = y2 + count, *volume = z2 + count;
  for (int64_t i = begin; i < end; ++i) {
    const T* box = task.boxes1 + 6 * i;
    const T a_x1 = box[0], a_y1 = box[1], a_z1 = box[2], a_x2 = box[3], a_y2 = box[4], a_z2 = box[5];
    const T a_volume = (a_x2 - a_x1) * (a_y2 - a_y1) * (a_z2 - a_z1);
    T* __restrict out = task.out + i * count;
    for (int64_t j = 0; j < count; ++j) {
      const T width = positive(smaller(a_x2, x2[j]) - larger(a_x1, x1[j]));
      const T height = positive(smaller(a_y2, y2[j]) - larger(a_y1, y1[j]));
      const T depth = positive(smaller(a_z2, z2[j]) - larger(a_z1, z1[j]));
      const T inter = width * height * depth;
      out[j] = inter / ((a_volume + volume[j]) - inter);
    }
  }
}

}  // namespace
}  // namespace VISION_ISA_NAMESPACE

VISION_DEFINE_KERNELS(BoxIouKernels, box_iou_kernels) = {
    {&VISION_ISA_NAMESPACE::flat_rows<float, Overlap::iou>,
     &VISION_ISA_NAMESPACE::flat_rows<float, Overlap::generalized>,
     &VISION_ISA_NAMESPACE::flat_rows<float, Overlap::distance>,
     &VISION_ISA_NAMESPACE::flat_rows<float, Overlap::complete>, &VISION_ISA_NAMESPACE::solid_rows<float>},
    {&VISION_ISA_NAMESPACE::flat_rows<double, Overlap::iou>,
     &VISION_ISA_NAMESPACE::flat_rows<double, Overlap::generalized>,
     &VISION_ISA_NAMESPACE::flat_rows<double, Overlap::distance>,
     &VISION_ISA_NAMESPACE::flat_rows<double, Overlap::complete>, &VISION_ISA_NAMESPACE::solid_rows<double>}};

}  // namespace vision_core
