#include "entrain/comm/lossless_code.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

template <class T>
std::vector<std::uint8_t> encoded(const std::vector<T>& values, const std::vector<T>& expected) {
  const auto count = static_cast<std::int64_t>(values.size());
  const std::int64_t most = most_lossless_bytes(count, sizeof(T));
  std::vector<std::uint8_t> code(most);
  code.resize(encode_lossless(values.data(), expected.data(), count, code.data()));
  EXPECT_LE(static_cast<std::int64_t>(code.size()), most);
  return code;
}

template <class T>
std::vector<T> decoded(const std::vector<std::uint8_t>& code, const std::vector<T>& expected) {
  std::vector<T> values(expected.size());
  decode_lossless(code.data(), static_cast<std::int64_t>(code.size()), expected.data(),
                  static_cast<std::int64_t>(expected.size()), values.data());
  return values;
}

// By their bits, as NaN is not equal to itself and -0 is equal to 0. The bytes of the code.
template <class T>
std::size_t expect_all_bits(const std::vector<T>& values, const std::vector<T>& expected) {
  const auto code = encoded(values, expected);
  const auto back = decoded(code, expected);
  EXPECT_TRUE(values.empty() ||
              std::memcmp(back.data(), values.data(), values.size() * sizeof(T)) == 0)
      << values.size() << " numbers of " << sizeof(T) << " bytes";
  return code.size();
}

template <class T>
std::vector<T> normal(std::size_t count, std::uint64_t seed, double deviation) {
  std::mt19937_64 draws(seed);
  std::normal_distribution<double> number(0, deviation);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(number(draws));
  return values;
}

template <class T>
std::vector<T> moved(std::vector<T> values, double deviation) {
  const std::vector<T> steps = normal<T>(values.size(), 7, deviation);
  for (std::size_t j = 0; j < values.size(); ++j) values[j] += steps[j];
  return values;
}

template <class T>
void expect_every_bit_back() {
  std::mt19937_64 draws(3);
  for (const std::size_t count : {0, 1, 2, 63, 64, 65, 127, 128, 1000}) {
    const auto values = normal<T>(count, 5, 0.05);
    expect_all_bits(values, values);
    expect_all_bits(values, std::vector<T>(count));
    for (const double step : {1e-9, 1e-4, 1e-2, 10.0}) expect_all_bits(moved(values, step), values);
    std::vector<T> any(count), other(count);  // all bit patterns are numbers of some kind
    for (std::size_t j = 0; j < count; ++j) {
      const std::uint64_t a = draws(), b = draws();
      std::memcpy(&any[j], &a, sizeof(T));
      std::memcpy(&other[j], &b, sizeof(T));
    }
    expect_all_bits(any, other);
    expect_all_bits(any, values);
    expect_all_bits(values, any);
  }
}

TEST(LosslessCode, EveryBitComesBack) {
  expect_every_bit_back<float>();
  expect_every_bit_back<double>();
}

template <class T>
void expect_extremes_back() {
  using Limits = std::numeric_limits<T>;
  const std::vector<T> extremes = {0,
                                   -T{0},
                                   Limits::denorm_min(),
                                   -Limits::denorm_min(),
                                   Limits::min(),
                                   Limits::max(),
                                   Limits::lowest(),
                                   Limits::infinity(),
                                   -Limits::infinity(),
                                   Limits::quiet_NaN(),
                                   -Limits::quiet_NaN(),
                                   Limits::signaling_NaN(),
                                   1,
                                   -1};
  std::vector<T> values, expected;
  for (const T a : extremes) {
    for (const T b : extremes) {
      values.push_back(a);
      expected.push_back(b);
      expect_all_bits<T>({a}, {b});
    }
  }
  expect_all_bits(values, expected);
}

TEST(LosslessCode, SoDoTheExtremes) {
  expect_extremes_back<float>();
  expect_extremes_back<double>();
}

// Large differences, as many of a group as there may be, at any place, and of any size.
template <class T>
void expect_far_moves_back() {
  const auto expected = normal<T>(128, 11, 1);
  for (int large = 0; large <= 64; large += 7) {
    for (const double factor : {1.5, 4.0, 30.0, 1e6}) {
      auto values = moved(expected, 1e-3);
      for (int k = 0; k < large; ++k) values[k * 37 % 64] *= static_cast<T>(factor);
      expect_all_bits(values, expected);
    }
  }
}

TEST(LosslessCode, SoDoTheFewThatMovedFar) {
  expect_far_moves_back<float>();
  expect_far_moves_back<double>();
}

template <class T>
void expect_few_bits() {
  constexpr std::size_t count = 64'000;
  const auto expected = normal<T>(count, 13, 1);
  const auto bits = [&](const std::vector<T>& values) {
    return 8.0 * static_cast<double>(expect_all_bits(values, expected)) / count;
  };
  constexpr double whole = 8 * sizeof(T), heads = 24.0 / 64;
  EXPECT_EQ(bits(expected), heads);
  // A step of a thousandth leaves some 10 bits of mantissa, sign and exponent unsaid.
  EXPECT_LT(bits(moved(expected, 1e-3)), whole - 12);
  EXPECT_LT(bits(moved(expected, 1e-5)), whole - 18);
  EXPECT_LE(bits(normal<T>(count, 17, 1)), whole + heads);
}

TEST(LosslessCode, WhatMovedLittleTakesFewBits) {
  expect_few_bits<float>();
  expect_few_bits<double>();
}

template <class T>
void expect_refusals() {
  const auto expected = normal<T>(200, 19, 1);
  const auto code = encoded(moved(expected, 1e-3), expected);
  for (std::size_t bytes = 0; bytes < code.size(); ++bytes) {
    EXPECT_THROW(
        decoded({code.begin(), code.begin() + static_cast<std::ptrdiff_t>(bytes)}, expected),
        CommunicationError)
        << bytes << " of " << code.size() << " bytes";
  }
  auto longer = code;
  longer.push_back(77);
  EXPECT_EQ(decoded(longer, expected), decoded(code, expected));
  std::mt19937_64 draws(23);
  for (int i = 0; i < 20'000; ++i) {  // noise is refused, or some numbers; never read past its end
    auto noise = code;
    for (int k = 0; k < 3; ++k) noise[draws() % noise.size()] = static_cast<std::uint8_t>(draws());
    try {
      decoded(noise, expected);
    } catch (const CommunicationError&) {
    }
  }
}

TEST(LosslessCode, WhatIsNoCodeIsRefused) {
  expect_refusals<float>();
  expect_refusals<double>();
}

}  // namespace
}  // namespace entrain
