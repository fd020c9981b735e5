// Holds every operation of every instruction set that this machine has against plain C++, on random values.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "simd_check.hpp"

namespace {

constexpr int count = 1024;
int failures = 0;
const char* isa = "";

template <class T, class U>
void expect(const char* what, int at, T got, U wanted) {
  if (got == static_cast<T>(wanted)) return;
  if (++failures < 20) std::printf("%s %s[%d]: got %g, expected %g\n", isa, what, at, double(got), double(wanted));
}

int clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

struct Values {
  std::vector<float> a, b, c;
  std::vector<int32_t> i, j;
  std::vector<int16_t> s, t;
  std::vector<uint8_t> u;
  std::vector<int8_t> v;
  Values() {
    std::mt19937 random(7);
    std::normal_distribution<float> normal(0.0f, 100.0f);
    for (int k = 0; k < count; ++k) {
      a.push_back(k % 7 ? normal(random) : float(k % 5) + 0.5f);  // halves too: rounding goes to even
      b.push_back(k % 11 ? normal(random) : a.back());
      c.push_back(normal(random));
      i.push_back(k % 3 ? int32_t(random()) : int32_t(random() % 200000) - 100000);
      j.push_back(k % 5 ? int32_t(random()) : i.back());
      s.push_back(k % 4 ? int16_t(random()) : int16_t(random() % 600 - 200));
      t.push_back(int16_t(random()));
      u.push_back(k % 9 ? uint8_t(random()) : 255);
      v.push_back(k % 9 ? int8_t(random()) : -128);
    }
  }
  vision_test::Arrays arrays() const {
    return {count, a.data(), b.data(), c.data(), i.data(), j.data(), s.data(), t.data(), u.data(), v.data()};
  }
};

void check_f32(const vision_test::SimdChecks& k, const Values& x) {
  std::vector<float> out(8 * count);
  k.f32_arithmetic(x.arrays(), out.data());
  for (int n = 0; n < count; ++n) {
    const float a = x.a[n], b = x.b[n], c = x.c[n];
    expect("add", n, out[n], a + b);
    expect("sub", n, out[count + n], a - b);
    expect("mul", n, out[2 * count + n], a * b);
    expect("div", n, out[3 * count + n], a / b);
    const float fused = out[4 * count + n];  // one rounding or two
    if (fused != a * b + c) expect("fma", n, fused, std::fma(a, b, c));
    expect("min", n, out[5 * count + n], a < b ? a : b);
    expect("max", n, out[6 * count + n], a > b ? a : b);
    expect("set", n, out[7 * count + n], 1.5f);
  }
  k.f32_compare(x.arrays(), out.data());
  for (int n = 0; n < count; ++n) {
    expect("lt", n, out[n], x.a[n] < x.b[n]);
    expect("le", n, out[count + n], x.a[n] <= x.b[n]);
    expect("gt", n, out[2 * count + n], x.a[n] > x.b[n]);
    expect("ge", n, out[3 * count + n], x.a[n] >= x.b[n]);
  }
  for (int n = 0; n <= k.lanes; ++n) {
    k.f32_partial(x.arrays(), n, out.data());
    for (int m = 0; m < k.lanes; ++m) expect("partial", m, out[m], m < n ? x.a[m] : -1.0f);
  }
  std::vector<int32_t> rounded(2 * count);
  k.convert(x.arrays(), rounded.data());
  for (int n = 0; n < count; ++n) {
    expect("round", n, rounded[n], std::nearbyint(x.a[n] + 3.0f));
    expect("truncate", n, rounded[count + n], std::trunc(x.a[n] + 3.0f));
  }
}

void check_integers(const vision_test::SimdChecks& k, const Values& x) {
  std::vector<int32_t> out(7 * count);
  k.i32_arithmetic(x.arrays(), out.data());
  for (int n = 0; n < count; ++n) {
    const uint32_t a = x.i[n], b = x.j[n];
    expect("i32 add", n, out[n], int32_t(a + b));
    expect("i32 sub", n, out[count + n], int32_t(a - b));
    expect("i32 mul", n, out[2 * count + n], int32_t(a * b));
    expect("i32 select", n, out[3 * count + n], std::max(x.i[n], x.j[n]));
    expect("i32 left", n, out[4 * count + n], int32_t(a << 3));
    expect("i32 right", n, out[5 * count + n], x.i[n] >> 5);
    expect("i32 min max", n, out[6 * count + n], std::min(std::max(x.i[n], x.j[n]), 1000));
  }
  std::vector<int16_t> words(11 * count);
  k.i16_arithmetic(x.arrays(), words.data());
  for (int n = 0; n < count; ++n) {
    const int a = x.s[n], b = x.t[n];
    const int wanted[11] = {int16_t(a + b),    int16_t(a - b),   clamp(a + b, -32768, 32767), clamp(a - b, -32768, 32767),
                            int16_t(a * b),    (a * b) >> 16,    std::min(a, b),              std::max(a, b),
                            int16_t(a * 4),    a >> 3,           (a * b + 0x4000) >> 15};
    for (int r = 0; r < 11; ++r) expect("i16", r, words[r * count + n], wanted[r]);
  }
}

void check_widths(const vision_test::SimdChecks& k, const Values& x) {
  std::vector<int16_t> words(count);
  std::vector<int32_t> longs(count);
  std::vector<uint8_t> bytes(count);
  std::vector<int8_t> signed_bytes(count);
  k.widen(x.arrays(), words.data(), longs.data());
  for (int n = 0; n < count; ++n) {
    expect("widen u8", n, words[n], x.u[n]);
    expect("widen i16", n, longs[n], x.s[n]);
  }
  k.narrow(x.arrays(), words.data(), bytes.data(), signed_bytes.data());
  for (int n = 0; n < count; ++n) {
    expect("narrow i16", n, words[n], clamp(x.i[n], -32768, 32767));
    expect("narrow u8", n, bytes[n], clamp(x.s[n], 0, 255));
    expect("narrow s8", n, signed_bytes[n], clamp(x.s[n], -128, 127));
  }
  k.dot4(x.arrays(), longs.data());
  for (int n = 0; n < count / 4; ++n) {
    uint32_t total = x.i[n];
    for (int m = 4 * n; m < 4 * n + 4; ++m) total += uint32_t(int(x.u[m]) * int(x.v[m]));
    expect("dot4", n, longs[n], int32_t(total));
  }
}

}  // namespace

int main() {
  const Values values;
  for (int n = 0; n < vision::isa_count; ++n) {
    isa = vision::isa_name(static_cast<vision::Isa>(n));
    if (!vision::force_isa(isa)) continue;
    const vision_test::SimdChecks& kernels = VISION_SELECT(vision_test::simd_checks);
    check_f32(kernels, values);
    check_integers(kernels, values);
    check_widths(kernels, values);
    std::printf("%-8s %2d lanes\n", isa, kernels.lanes);
  }
  std::printf("%d failures\n", failures);
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
