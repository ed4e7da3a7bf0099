#include "entrain/data/partition.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "entrain/core/errors.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

TEST(PartitionIid, GivesEverySampleToOneWorkerInNearlyEqualShards) {
  for (const int workers : {1, 2, 3, 7, 100}) {
    std::vector<int> seen(100, 0);
    std::vector<std::size_t> sizes;
    for (const auto& shard : partition_iid(100, workers, 5)) {
      sizes.push_back(shard.size());
      for (const std::int64_t sample : shard) ++seen.at(sample);
    }
    EXPECT_EQ(sizes.size(), static_cast<std::size_t>(workers));
    EXPECT_EQ(seen, std::vector<int>(100, 1)) << workers << " workers";
    EXPECT_LE(*std::max_element(sizes.begin(), sizes.end()),
              *std::min_element(sizes.begin(), sizes.end()) + 1);
    EXPECT_TRUE(std::is_sorted(sizes.rbegin(), sizes.rend()));
  }
}

TEST(PartitionIid, DependsOnTheSeedAndOnNothingElse) {
  EXPECT_EQ(partition_iid(50, 4, 1), partition_iid(50, 4, 1));
  EXPECT_NE(partition_iid(50, 4, 1), partition_iid(50, 4, 2));
}

// 10,000 samples with labels i % 10: a random shard of 2,500 has 250 +- 13 of each label, one of
// consecutive or strided samples has exactly 250 or none.
TEST(PartitionIid, IsRandom) {
  for (const auto& shard : partition_iid(10'000, 4, 1)) {
    std::vector<int> label(10, 0);
    double mean = 0;
    for (const std::int64_t sample : shard) {
      ++label[sample % 10];
      mean += static_cast<double>(sample) / 2'500;
    }
    for (const int count : label) EXPECT_NEAR(count, 250, 65);
    EXPECT_NE(label, std::vector<int>(10, 250));
    EXPECT_NEAR(mean, 5'000, 300);
  }
}

TEST(PartitionIid, RefusesFewerSamplesThanWorkers) {
  expect_mentions(message_of<UsageError>([] { partition_iid(3, 4, 1); }),
                  {"3 samples", "4 workers"});
  expect_mentions(message_of<UsageError>([] { partition_iid(3, 0, 1); }), {"workers = 0"});
}

const std::vector<std::string> every_partition{
    "iid",          "unequal(1)", "unequal(10)", "unequal(1e300)", "dirichlet(0.01)",
    "dirichlet(1)", "skew(0.64)", "skew(0)",     "skew(1)",        "by_feature(0)"};

/// Labels of 7 classes, some rare, and two features: i / 10 rounded down, and -i.
PartitionInput labelled(std::int64_t samples) {
  PartitionInput input{samples, at::arange(samples, at::kLong), 2, {}};
  input.labels = (input.labels * input.labels).remainder(11).remainder(7);
  input.feature = [](std::int64_t sample, std::int64_t column) {
    return column == 0 ? std::floor(static_cast<double>(sample) / 10)
                       : static_cast<double>(-sample);
  };
  return input;
}

Shards deal(const std::string& text, std::int64_t samples, int workers, std::uint64_t seed = 1) {
  return build_partition(text)(labelled(samples), workers, seed);
}

TEST(Partition, GivesEverySampleToOneWorkerAndEachWorkerASample) {
  for (const std::string& text : every_partition)
    for (const int workers : {1, 2, 3, 16, 100, 101})
      for (const std::uint64_t seed : {1, 2, 3}) {
        std::vector<int> seen(101, 0);
        const Shards shards = deal(text, 101, workers, seed);
        EXPECT_EQ(shards.size(), static_cast<std::size_t>(workers));
        for (const auto& shard : shards) {
          EXPECT_FALSE(shard.empty()) << text << " " << workers;
          for (const std::int64_t sample : shard) ++seen.at(sample);
        }
        EXPECT_EQ(seen, std::vector<int>(101, 1)) << text << " " << workers;
      }
}

TEST(Partition, DependsOnTheSeedAndOnNothingElse) {
  for (const std::string& text : every_partition) {
    EXPECT_EQ(deal(text, 101, 5, 1), deal(text, 101, 5, 1)) << text;
    EXPECT_NE(deal(text, 101, 5, 1), deal(text, 101, 5, 2)) << text;
  }
}

TEST(Partition, IidIsAsEver) {
  EXPECT_EQ(deal("iid", 101, 5, 7), partition_iid(101, 5, 7));
  EXPECT_EQ(partition_iid(10, 3, 1), (Shards{{7, 2, 5, 4}, {6, 1, 9}, {8, 3, 0}}));
}

TEST(Partition, OfEqualNumbersHasSizesThatDifferByOne) {
  for (const char* text : {"iid", "skew(0.64)", "skew(1)", "by_feature(1)"}) {
    std::vector<std::size_t> sizes;
    for (const auto& shard : deal(text, 101, 7)) sizes.push_back(shard.size());
    EXPECT_EQ(sizes, (std::vector<std::size_t>{15, 15, 15, 14, 14, 14, 14})) << text;
  }
}

TEST(Partition, UnequalSizesGrowByAFactor) {
  std::vector<std::size_t> sizes;
  for (const auto& shard : deal("unequal(8)", 1500, 4)) sizes.push_back(shard.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{100, 200, 400, 800}));
  for (const auto& shard : deal("unequal(8)", 15'000, 4)) {  // and are dealt at random
    double mean = 0;
    for (const std::int64_t sample : shard) mean += static_cast<double>(sample) / shard.size();
    EXPECT_NEAR(mean, 7500, 700);
  }
}

TEST(Partition, ByFeatureCutsTheOrderAndDealsTiesAtRandom) {
  const Shards shards = deal("by_feature(0)", 100, 4);
  for (int worker = 0; worker < 4; ++worker) {
    const auto [first, last] = std::minmax_element(shards[worker].begin(), shards[worker].end());
    EXPECT_GE(*first / 10, 25 * worker / 10);
    EXPECT_LE(*last / 10, (25 * worker + 24) / 10);
  }
  // Samples 20 to 29 are alike: not the first five of them go to worker 0.
  EXPECT_NE(std::count_if(shards[0].begin(), shards[0].end(), [](auto i) { return i >= 25; }), 0);
  const Shards falling = deal("by_feature(1)", 100, 4);
  EXPECT_EQ(*std::min_element(falling[0].begin(), falling[0].end()), 75);
}

TEST(Partition, RefusesValuesThatCannotBeMeant) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> wrong = {
      {"dirichlet(0)", {"dirichlet(0)", "alpha must be > 0"}},
      {"dirichlet(-0.5)", {"dirichlet(-0.5)", "alpha must be > 0"}},
      {"dirichlet", {"alpha is required"}},
      {"skew(1.5)", {"skew(1.5)", "share must be in [0, 1]"}},
      {"skew(-0.1)", {"skew(-0.1)", "share must be in [0, 1]"}},
      {"unequal(0.5)", {"unequal(0.5)", "ratio must be >= 1"}},
      {"by_feature(-1)", {"by_feature(-1)", "count from 0"}},
      {"by_feature(0.5)", {"column must be an integer"}},
      {"idd", {"unknown partition 'idd'", "did you mean 'iid'?"}}};
  for (const auto& [text, parts] : wrong)
    expect_mentions(message_of<UsageError>([&, t = text] { build_partition(t); }), parts);
}

TEST(Partition, RefusesSamplesThatItCannotDeal) {
  for (const std::string& text : every_partition) {
    expect_mentions(message_of<UsageError>([&] { deal(text, 3, 4); }), {"3 samples", "4 workers"});
    expect_mentions(message_of<UsageError>([&] { deal(text, 3, 0); }), {"workers = 0"});
  }
  expect_mentions(message_of<UsageError>([] { deal("by_feature(2)", 9, 3); }),
                  {"by_feature(2)", "0 to 1"});
  expect_mentions(
      message_of<UsageError>([] { build_partition("by_feature(0)")({.samples = 9}, 3, 1); }),
      {"by_feature", "no features"});
}

}  // namespace
}  // namespace entrain
