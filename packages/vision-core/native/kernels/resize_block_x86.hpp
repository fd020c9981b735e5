// The horizontal pass over a block of rows at once, for x86. Part of resize.cpp's anonymous namespace.
//
// The block is turned on its side, so that a vector holds the same place of all its rows: one weight then serves a whole
// vector, and no sums across a vector are needed. Both turns cost less than half an instruction for each value.

constexpr int block_rows = bytes / 2;

#if VISION_ISA_IS_AVX512
inline Bytes low16(Bytes a, Bytes b) { return _mm512_unpacklo_epi16(a, b); }
inline Bytes high16(Bytes a, Bytes b) { return _mm512_unpackhi_epi16(a, b); }
inline Bytes load(const int16_t* p) { return _mm512_loadu_si512(p); }
inline void store_pixels(uint8_t* out, Bytes words) {
  const __m512i positive = _mm512_max_epi16(words, _mm512_setzero_si512());
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtusepi16_epi8(positive));
}
#elif VISION_ISA_IS_AVX2
inline Bytes low16(Bytes a, Bytes b) { return _mm256_unpacklo_epi16(a, b); }
inline Bytes high16(Bytes a, Bytes b) { return _mm256_unpackhi_epi16(a, b); }
inline Bytes load(const int16_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
inline void store_pixels(uint8_t* out, Bytes words) {
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(words, words), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(packed));
}
#else
inline Bytes low16(Bytes a, Bytes b) { return _mm_unpacklo_epi16(a, b); }
inline Bytes high16(Bytes a, Bytes b) { return _mm_unpackhi_epi16(a, b); }
inline Bytes load(const int16_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
inline void store_pixels(uint8_t* out, Bytes words) {
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_packus_epi16(words, words));
}
#endif

// Eight rows of eight values, turned; the results lie block_rows values apart.
inline void turn_words(const int16_t* rows, int64_t row_stride, int16_t* out) {
  __m128i x[8], y[8];
  for (int r = 0; r < 8; ++r) x[r] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows + r * row_stride));
  for (int k = 0; k < 4; ++k) {
    y[2 * k] = _mm_unpacklo_epi16(x[2 * k], x[2 * k + 1]);
    y[2 * k + 1] = _mm_unpackhi_epi16(x[2 * k], x[2 * k + 1]);
  }
  for (int k = 0; k < 2; ++k) {
    for (int h = 0; h < 2; ++h) {
      x[4 * k + 2 * h] = _mm_unpacklo_epi32(y[4 * k + h], y[4 * k + 2 + h]);
      x[4 * k + 2 * h + 1] = _mm_unpackhi_epi32(y[4 * k + h], y[4 * k + 2 + h]);
    }
  }
  for (int k = 0; k < 4; ++k) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * k * block_rows), _mm_unpacklo_epi64(x[k], x[4 + k]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + (2 * k + 1) * block_rows), _mm_unpackhi_epi64(x[k], x[4 + k]));
  }
}

// Eight columns of eight bytes that lie block_rows apart become eight rows, of which the first `rows` are written.
inline void turn_bytes(const uint8_t* columns, int rows, size_t count, uint8_t* out, int64_t row_stride) {
  __m128i x[8], y[4];
  for (int c = 0; c < 8; ++c) x[c] = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(columns + c * block_rows));
  for (int k = 0; k < 4; ++k) y[k] = _mm_unpacklo_epi8(x[2 * k], x[2 * k + 1]);
  const __m128i a = _mm_unpacklo_epi16(y[0], y[1]), b = _mm_unpackhi_epi16(y[0], y[1]);
  const __m128i c = _mm_unpacklo_epi16(y[2], y[3]), d = _mm_unpackhi_epi16(y[2], y[3]);
  const __m128i pairs[4] = {_mm_unpacklo_epi32(a, c), _mm_unpackhi_epi32(a, c), _mm_unpacklo_epi32(b, d),
                            _mm_unpackhi_epi32(b, d)};
  uint8_t turned[64];
  for (int k = 0; k < 4; ++k) _mm_storeu_si128(reinterpret_cast<__m128i*>(turned + 16 * k), pairs[k]);
  if (count == 8) {
    for (int r = 0; r < rows; ++r) std::memcpy(out + r * row_stride, turned + 8 * r, 8);
  } else {
    for (int r = 0; r < rows; ++r) std::memcpy(out + r * row_stride, turned + 8 * r, count);
  }
}

void horizontal_block(const ResizeBlock& block, int bits, const RowFilter& filter, int channels, int64_t width,
                      uint8_t* out, int64_t out_stride) {
  for (int r = 0; r < block_rows; r += 8)
    for (int64_t x = 0; x < block.values; x += 8)
      turn_words(block.rows + r * block.row_stride + x, block.row_stride, block.turned + x * block_rows + r);

  const int down_by = filter.shift + bits;
  const Bytes half = set32(1 << (down_by - 1)), none = set32(0);
  const __m128i down = _mm_cvtsi32_si128(down_by);
  for (int64_t x = 0; x < width; ++x) {
    const int16_t* weights = filter.weights + x * filter.stride;
    const int taps = filter.taps[x];
    for (int c = 0; c < channels; ++c) {
      const int16_t* column = block.turned + (static_cast<int64_t>(filter.start[x]) * channels + c) * block_rows;
      Bytes low = none, high = none;
      for (int t = 0; t < taps; t += 2) {
        const Bytes a = load(column), b = load(column + channels * block_rows), weight = set32(pair_at(weights + t));
        low = accumulate(low, low16(a, b), weight);
        high = accumulate(high, high16(a, b), weight);
        column += 2 * channels * block_rows;
      }
      store_pixels(block.results + (x * channels + c) * block_rows,
                   pack(round_shift(low, half, down), round_shift(high, half, down)));
    }
  }

  const int64_t values = width * channels;
  for (int r = 0; r < block.count; r += 8) {
    const int rows = block.count - r < 8 ? block.count - r : 8;
    for (int64_t x = 0; x < values; x += 8)
      turn_bytes(block.results + x * block_rows + r, rows, static_cast<size_t>(values - x < 8 ? values - x : 8),
                 out + r * out_stride + x, out_stride);
  }
}
