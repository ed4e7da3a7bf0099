#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "reference/mixing.h"
#include "reference/problem.h"
#include "reference/schedules.h"

// Codecs: plain loops in double, written from the definitions alone.
namespace reference {

/// A part of a row that is a matrix, row-major from column `offset`.
struct Tensor {
  int offset, rows, cols;
};

/// Q(v, worker, round), decoded. `second_stage`: the mean is coded once more.
struct Codec {
  std::function<Vector(const Vector&, int, int)> decode;
  bool second_stage = false;
};

// Philox4x32-10 (Salmon et al., SC 2011).

inline std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> c,
                                                  std::array<std::uint32_t, 2> key) {
  for (int i = 0; i < 10; ++i) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c[2];
    const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    c = {high(b) ^ c[1] ^ key[0], low(b), high(a) ^ c[3] ^ key[1], low(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return c;
}

/// The random word of (worker, round, column).
inline std::uint32_t random_word(std::uint64_t seed, int worker, int round, int column) {
  const auto word = [](auto x) { return static_cast<std::uint32_t>(x); };
  const auto words = philox4x32_10({word(column / 4), word(worker), word(round), 0},
                                   {word(seed), word(seed >> 32)});
  return words[column % 4];
}

/// In (0, 1).
inline double uniform(std::uint64_t seed, int worker, int round, int column) {
  return (random_word(seed, worker, round, column) + 0.5) * 0x1p-32;
}

// Narrow floating-point numbers, to nearest even.

inline std::uint16_t bf16_bits(float v) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(v);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline double bf16_value(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

/// x / 2^shift to nearest even, 1 <= shift <= 31.
inline std::uint32_t shift_right_even(std::uint32_t x, int shift) {
  const std::uint32_t rest = x & ((std::uint32_t{1} << shift) - 1);
  const std::uint32_t half = std::uint32_t{1} << (shift - 1);
  const std::uint32_t whole = x >> shift;
  return whole + (rest > half || (rest == half && (whole & 1)) ? 1 : 0);
}

inline std::uint16_t fp16_bits(float v) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(v);
  const std::uint32_t sign = bits >> 16 & 0x8000;
  const std::uint32_t fraction = bits & 0x7fffff;
  const int exponent = static_cast<int>(bits >> 23 & 0xff) - 127;
  std::uint32_t half = 0x7c00;
  if (exponent == 128) {
    if (fraction) half = 0x7e00;  // not a number
  } else if (exponent >= -14) {
    // A carry out of the fraction raises the exponent, at the top up to infinity.
    if (exponent <= 15) {
      half = (static_cast<std::uint32_t>(exponent + 14) << 10) +
             shift_right_even(fraction | 0x800000, 13);
    }
  } else {
    // Subnormal: units of 2^-24; the smallest that can still round up is above 2^-25.
    half = exponent < -25 ? 0 : shift_right_even(fraction | 0x800000, -1 - exponent);
  }
  return static_cast<std::uint16_t>(sign | half);
}

inline double fp16_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  double magnitude;
  if (exponent == 0x1f) {
    magnitude = fraction ? std::nan("") : HUGE_VAL;
  } else if (exponent == 0) {
    magnitude = std::ldexp(fraction, -24);
  } else {
    magnitude = std::ldexp(0x400 + fraction, exponent - 25);
  }
  return bits & 0x8000 ? -magnitude : magnitude;
}

/// A codec that works entry by entry.
inline Codec entrywise(std::function<double(double)> one) {
  return {[one = std::move(one)](const Vector& v, int, int) {
    Vector decoded(v.size());
    std::transform(v.begin(), v.end(), decoded.begin(), one);
    return decoded;
  }};
}

inline Codec exact() {
  return entrywise([](double v) { return v; });
}
inline Codec bf16() {
  return entrywise([](double v) { return bf16_value(bf16_bits(static_cast<float>(v))); });
}
inline Codec fp16() {
  return entrywise([](double v) { return fp16_value(fp16_bits(static_cast<float>(v))); });
}

// Quantisers with one scale per block.

/// Calls f(first, last) for consecutive blocks of `length` columns; the last may be shorter.
template <class F>
void each_block(std::size_t columns, std::size_t length, F f) {
  for (std::size_t first = 0; first < columns; first += length) {
    f(first, std::min(columns, first + length));
  }
}

/// decoded = scale * level(v / scale), scale = float(absmax / top) for each 256 columns.
inline Codec block_quantiser(double top, std::function<double(double)> level) {
  const auto decode = [top, level = std::move(level)](const Vector& v, int, int) {
    Vector decoded(v.size());
    each_block(v.size(), 256, [&](std::size_t first, std::size_t last) {
      double largest = 0;
      for (std::size_t c = first; c < last; ++c) largest = std::max(largest, std::abs(v[c]));
      const double scale = static_cast<float>(largest / top);
      if (scale == 0) return;
      for (std::size_t c = first; c < last; ++c) decoded[c] = level(v[c] / scale) * scale;
    });
    return decoded;
  };
  return {decode, true};
}

/// Nearest even integer in [-top, top].
inline Codec integer_quantiser(double top) {
  return block_quantiser(top, [top](double q) { return std::clamp(std::nearbyint(q), -top, top); });
}

inline Codec int8() { return integer_quantiser(127); }
inline Codec int4() { return integer_quantiser(7); }

/// The nearest of 0, 1, 2, 4, ..., 64, ties to the even code.
inline double e3m0_magnitude(double m) {
  const auto value = [](int code) { return code == 0 ? 0.0 : std::ldexp(1.0, code - 1); };
  int best = 0;
  for (int code = 1; code < 8; ++code) {
    const double now = std::abs(m - value(code)), before = std::abs(m - value(best));
    if (now < before || (now == before && code % 2 == 0)) best = code;
  }
  return value(best);
}

inline Codec fp4() {
  return block_quantiser(64,
                         [](double q) { return std::copysign(e3m0_magnitude(std::abs(q)), q); });
}

/// QSGD (NeurIPS 2017) with buckets: norm * sign * level / s, level = l or l + 1 at random.
inline Codec qsgd(std::uint64_t seed, int s = 127, int bucket = 512) {
  const auto decode = [=](const Vector& v, int worker, int round) {
    Vector decoded(v.size());
    each_block(v.size(), bucket, [&](std::size_t first, std::size_t last) {
      double squares = 0;
      for (std::size_t c = first; c < last; ++c) squares += v[c] * v[c];
      const double norm = static_cast<float>(std::sqrt(squares));
      if (norm == 0) return;
      for (std::size_t c = first; c < last; ++c) {
        const double r = s * std::abs(v[c]) / norm;
        double level = std::min<double>(s, std::floor(r));
        const double u = uniform(seed, worker, round, static_cast<int>(c));
        if (level < s && u < r - level) level += 1;
        decoded[c] = (norm * level / s) * (v[c] < 0 ? -1 : 1);
      }
    });
    return decoded;
  };
  return {decode};
}

// Sparse rows.

/// The first k columns in the order `before`; the others become 0.
template <class Before>
Vector keep_first(const Vector& v, int k, Before before) {
  std::vector<int> columns(v.size());
  std::iota(columns.begin(), columns.end(), 0);
  std::stable_sort(columns.begin(), columns.end(), before);
  Vector decoded(v.size());
  for (int i = 0; i < k; ++i) decoded[columns[i]] = v[columns[i]];
  return decoded;
}

inline int kept(double fraction, std::size_t columns) {
  return at_least_one(fraction * static_cast<double>(columns));
}

inline Codec top_k(double fraction) {
  return {[=](const Vector& v, int, int) {
    return keep_first(v, kept(fraction, v.size()),
                      [&](int a, int b) { return std::abs(v[a]) > std::abs(v[b]); });
  }};
}

/// Unscaled.
inline Codec random_k(double fraction, std::uint64_t seed) {
  return {[=](const Vector& v, int worker, int round) {
    std::vector<std::uint32_t> words(v.size());
    for (std::size_t c = 0; c < v.size(); ++c) {
      words[c] = random_word(seed, worker, round, static_cast<int>(c));
    }
    return keep_first(v, kept(fraction, v.size()),
                      [&](int a, int b) { return words[a] < words[b]; });
  }};
}

/// EF-SignSGD (ICML 2019): (||v||_1 / d) sign(v) for each tensor, sign(0) = +1. Without a list the
/// row is one tensor.
inline Codec sign(std::vector<Tensor> tensors = {}) {
  return {[tensors = std::move(tensors)](const Vector& v, int, int) {
    std::vector<Tensor> parts = tensors;
    if (parts.empty()) parts = {{0, 1, static_cast<int>(v.size())}};
    Vector decoded(v.size());
    for (const Tensor& part : parts) {
      const int size = part.rows * part.cols;
      double sum = 0;
      for (int c = 0; c < size; ++c) sum += std::abs(v[part.offset + c]);
      const double scale = sum / size;
      for (int c = 0; c < size; ++c) {
        decoded[part.offset + c] = v[part.offset + c] >= 0 ? scale : -scale;
      }
    }
    return decoded;
  }};
}

}  // namespace reference
