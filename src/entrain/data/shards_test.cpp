#include "entrain/data/shards.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "entrain/core/seeds.h"

namespace entrain {
namespace {

using Sizes = std::vector<std::int64_t>;

TEST(ShardSizes, ByShareSumToAllAndAreWithinOneOfTheirPart) {
  Stream stream(1, Purpose::sample);
  for (int round = 0; round < 500; ++round) {
    std::vector<double> shares(1 + stream.below(20));
    for (double& share : shares) share = stream.below(4) == 0 ? 0 : stream.uniform();
    shares[stream.below(shares.size())] = 1;
    const double whole = std::accumulate(shares.begin(), shares.end(), 0.0);
    const auto total = static_cast<std::int64_t>(stream.below(10'000));
    const Sizes sizes = sizes_by_share(total, shares, stream.uniform());
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}), total);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      EXPECT_GE(sizes[i], 0);
      EXPECT_LT(std::abs(sizes[i] - total * shares[i] / whole), 1 + 1e-9);
    }
  }
}

TEST(ShardSizes, ByShareNeverSumToMoreThanAllBecauseOfTheShift) {
  const double last = 1 - 0x1p-33;  // the largest number that a Stream gives
  for (const std::int64_t total : {std::int64_t{1}, std::int64_t{1} << 22, std::int64_t{1} << 40})
    EXPECT_EQ(sizes_by_share(total, {0, 1}, last), (Sizes{0, total}));
}

// Three samples for four shards: without a random shift the same one would always go without.
TEST(ShardSizes, WithARandomShiftAreRightInTheMean) {
  Stream stream(1, Purpose::sample);
  std::vector<double> sums(4);
  constexpr int rounds = 20'000;
  for (int round = 0; round < rounds; ++round) {
    const Sizes sizes = sizes_by_share(3, {0.4, 0.3, 0.2, 0.1}, stream.uniform());
    for (int i = 0; i < 4; ++i) sums[i] += static_cast<double>(sizes[i]) / rounds;
  }
  EXPECT_NEAR(sums[0], 1.2, 0.015);
  EXPECT_NEAR(sums[1], 0.9, 0.015);
  EXPECT_NEAR(sums[2], 0.6, 0.015);
  EXPECT_NEAR(sums[3], 0.3, 0.015);
}

TEST(ShardSizes, EmptyShardsAreFilledFromTheLargest) {
  Shards shards{{}, {1, 2, 3}, {}, {4, 5, 6}, {7}};
  fill_empty(shards);
  EXPECT_EQ(shards, (Shards{{6}, {1, 2}, {3}, {4, 5}, {7}}));
}

}  // namespace
}  // namespace entrain
