#include "entrain/data/partition.h"

#include <gtest/gtest.h>

#include <algorithm>

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

}  // namespace
}  // namespace entrain
