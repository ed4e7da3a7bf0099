#include "entrain/core/seeds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <vector>

namespace entrain {
namespace {

using Words = std::array<std::uint32_t, 4>;

Words words_of(Stream stream) {
  return {stream.next(), stream.next(), stream.next(), stream.next()};
}

// Pearson's statistic of counts that should be alike. Its mean is the number of counts less one,
// and its variance twice that.
double chi_square(const std::vector<std::int64_t>& counts) {
  const double expected =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})) /
      static_cast<double>(counts.size());
  double sum = 0;
  for (const std::int64_t count : counts)
    sum += (static_cast<double>(count) - expected) * (static_cast<double>(count) - expected);
  return sum / expected;
}

// The seeds are fixed, so that this holds always or never.
void expect_alike(const std::vector<std::int64_t>& counts) {
  const double freedom = static_cast<double>(counts.size()) - 1, spread = std::sqrt(2 * freedom);
  const double statistic = chi_square(counts);
  EXPECT_LT(statistic, freedom + 5 * spread) << "not uniform";
  if (freedom > 50) {
    EXPECT_GT(statistic, freedom - 5 * spread) << "too regular to be random";
  }
}

// kat_vectors of Random123, the authors' own implementation.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox(0, {0, 0, 0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox(~std::uint64_t{0}, {ones, ones, ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0'a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Stream, DependsOnlyOnWhatItWasMadeFrom) {
  Stream one(7, Purpose::shuffle, 3, 5);
  Stream other(8, Purpose::shuffle, 3, 5);
  std::vector<std::uint32_t> drawn;
  for (int i = 0; i < 1000; ++i) {
    drawn.push_back(one.next());
    other.next();
  }
  Stream again(7, Purpose::shuffle, 3, 5);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(again.next(), drawn[i]) << i;
}

TEST(Stream, ACopyGoesOnByItself) {
  Stream one(1, Purpose::glyphs);
  one.next();
  Stream copy = one;
  const Words ahead = words_of(one);
  EXPECT_EQ(words_of(copy), ahead);
}

// Made once by a Philox of its own in another language; a change here changes every result.
TEST(Stream, FirstWordsStayAsTheyAre) {
  EXPECT_EQ(words_of(Stream(0, Purpose::initial_model)),
            (Words{0x0b8d96ce, 0xf6b77098, 0xbffb770f, 0xf25120be}));
  EXPECT_EQ(words_of(Stream(0x123456789abcdef0, Purpose::shuffle, 0x1'00000002, 0x3'00000004)),
            (Words{0x6724ed56, 0xc6c19acd, 0xcce8fa64, 0x22a9a9a3}));
  Stream later(1, Purpose::codec, 2, 3);
  for (int i = 0; i < 1001; ++i) later.next();
  EXPECT_EQ(words_of(later), (Words{0x00234d6f, 0x7f56af15, 0x27c61f12, 0xab23513c}));
}

TEST(Stream, NoTwoAreAlike) {
  std::set<Words> seen;
  std::size_t made = 0;
  const std::vector<std::uint64_t> numbers = {0,       1,       2,          255,
                                              1 << 16, 1 << 24, 1ull << 32, 1ull << 63};
  for (std::uint64_t seed : numbers)
    for (auto purpose : {Purpose::initial_model, Purpose::partition, Purpose::shuffle,
                         Purpose::glyphs, Purpose::augment, Purpose::codec})
      for (std::uint64_t a : numbers)
        for (std::uint64_t b : numbers) {
          seen.insert(words_of(Stream(seed, purpose, a, b)));
          ++made;
        }
  EXPECT_EQ(seen.size(), made);
}

// Streams of neighbours (the next epoch, worker, purpose or seed) agree in half of their bits.
TEST(Stream, NeighboursAreUnrelated) {
  const std::vector<Stream> neighbours = {
      Stream(1, Purpose::shuffle, 4, 7), Stream(1, Purpose::shuffle, 5, 7),
      Stream(1, Purpose::shuffle, 4, 8), Stream(1, Purpose::shuffle, 7, 4),
      Stream(1, Purpose::glyphs, 4, 7),  Stream(2, Purpose::shuffle, 4, 7)};
  constexpr int words = 20'000;
  for (std::size_t i = 0; i < neighbours.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      Stream one = neighbours[i], other = neighbours[j];
      double differing = 0;
      for (int k = 0; k < words; ++k) differing += std::popcount(one.next() ^ other.next());
      EXPECT_NEAR(differing / (32.0 * words), 0.5, 5 * 0.5 / std::sqrt(32.0 * words));
    }
}

TEST(Stream, EveryBitIsFair) {
  Stream draws(3, Purpose::augment);
  std::vector<std::int64_t> ones(32);
  constexpr int words = 100'000;
  for (int i = 0; i < words; ++i)
    for (std::uint32_t bit = 0, word = draws.next(); bit < 32; ++bit) ones[bit] += word >> bit & 1;
  for (int bit = 0; bit < 32; ++bit)
    EXPECT_NEAR(static_cast<double>(ones[bit]) / words, 0.5, 5 * 0.5 / std::sqrt(words)) << bit;
}

TEST(Stream, BelowIsUniform) {
  for (std::uint64_t bound : {2, 3, 7, 10, 64, 100, 1000}) {
    SCOPED_TRACE(bound);
    Stream draws(11, Purpose::partition, bound);
    std::vector<std::int64_t> counts(bound);
    for (std::uint64_t i = 0; i < 200 * bound + 10'000; ++i) {
      const std::uint64_t draw = draws.below(bound);
      ASSERT_LT(draw, bound);
      ++counts[draw];
    }
    expect_alike(counts);
  }
}

// Taking the remainder of 64 random bits would favour the lower third of 3 x 2^62 two to one.
TEST(Stream, BelowIsUniformForLargeBounds) {
  for (std::uint64_t bound : {std::uint64_t{1} << 32, 3 * (std::uint64_t{1} << 62),
                              (std::uint64_t{1} << 63) + 1, ~std::uint64_t{0}}) {
    SCOPED_TRACE(bound);
    Stream draws(12, Purpose::partition, bound);
    std::vector<std::int64_t> counts(96);
    for (int i = 0; i < 50'000; ++i) {
      const std::uint64_t draw = draws.below(bound);
      ASSERT_LT(draw, bound);
      ++counts[static_cast<std::size_t>(std::ldexp(static_cast<double>(draw), -1) /
                                        std::ldexp(static_cast<double>(bound), -1) * 96)];
    }
    expect_alike(counts);
  }
}

TEST(Stream, BelowOneIsZero) {
  Stream draws(1, Purpose::shuffle);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(draws.below(1), 0u);
}

TEST(Stream, UniformLiesStrictlyBetweenZeroAndOne) {
  Stream draws(5, Purpose::augment), twin = draws;
  double sum = 0, squares = 0;
  std::vector<std::int64_t> counts(100);
  constexpr int n = 200'000;
  for (int i = 0; i < n; ++i) {
    const double u = draws.uniform();
    ASSERT_EQ(u, (twin.next() + 0.5) / 4294967296.0);  // so at least 2^-33, at most 1 - 2^-33
    sum += u;
    squares += u * u;
    ++counts[static_cast<std::size_t>(u * 100)];
  }
  EXPECT_NEAR(sum / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(squares / n, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / n));
  expect_alike(counts);
}

TEST(Stream, NormalHasTheMomentsOfANormal) {
  Stream draws(6, Purpose::initial_model);
  constexpr int n = 1'000'000;
  double power[5] = {}, neighbours = 0, before = 0;
  int beyond_two = 0;
  for (int i = 0; i < n; ++i) {
    const double x = draws.normal();
    ASSERT_TRUE(std::isfinite(x));
    double product = 1;
    for (double& sum : power) {
      sum += product / n;
      product *= x;
    }
    neighbours += x * before / n;
    beyond_two += std::abs(x) > 2;
    before = x;
  }
  // The k-th moment of a normal is 0, 1, 0, 3; its mean over n draws has variance (m_2k - m_k^2)/n.
  const double spread = 5 / std::sqrt(static_cast<double>(n));
  EXPECT_NEAR(power[1], 0, spread);
  EXPECT_NEAR(power[2], 1, spread * std::sqrt(2));
  EXPECT_NEAR(power[3], 0, spread * std::sqrt(15));
  EXPECT_NEAR(power[4], 3, spread * std::sqrt(96));
  EXPECT_NEAR(neighbours, 0, spread);
  EXPECT_NEAR(beyond_two / static_cast<double>(n), std::erfc(std::sqrt(2)), spread * 0.21);
}

TEST(Stream, ShuffleIsAPermutation) {
  for (std::size_t size : {0, 1, 1000}) {
    std::vector<std::int64_t> values(size);
    std::iota(values.begin(), values.end(), 100);
    const std::vector<std::int64_t> sorted = values;
    Stream draws(9, Purpose::shuffle, size);
    draws.shuffle(values);
    EXPECT_EQ(values == sorted, size < 1000) << size;
    std::sort(values.begin(), values.end());
    EXPECT_EQ(values, sorted);
  }
}

TEST(Stream, EveryPermutationIsAsLikely) {
  Stream draws(10, Purpose::shuffle);
  std::map<std::vector<std::int64_t>, std::int64_t> seen;
  for (int i = 0; i < 60'000; ++i) {
    std::vector<std::int64_t> values = {0, 1, 2, 3, 4};
    draws.shuffle(values);
    ++seen[values];
  }
  ASSERT_EQ(seen.size(), 120u);
  std::vector<std::int64_t> counts;
  for (const auto& [values, count] : seen) counts.push_back(count);
  expect_alike(counts);
}

}  // namespace
}  // namespace entrain
