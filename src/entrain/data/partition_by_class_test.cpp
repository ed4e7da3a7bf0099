#include "entrain/data/partition_by_class.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "entrain/core/errors.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

PartitionInput with_labels(const at::Tensor& labels) {
  return {.samples = labels.numel(), .labels = labels.contiguous()};
}

/// `each` samples of every one of `classes` classes, in turn.
PartitionInput balanced(int classes, std::int64_t each) {
  return with_labels(at::arange(classes * each, at::kLong).remainder(classes));
}

/// [worker][class]: how many samples.
std::vector<std::vector<int>> counts_of(const PartitionInput& input, const Shards& shards) {
  const auto classes = input.labels.max().item<std::int64_t>() + 1;
  std::vector<std::vector<int>> counts;
  for (const auto& shard : shards) {
    auto& count = counts.emplace_back(classes);
    for (const std::int64_t sample : shard) ++count[input.labels.data_ptr<std::int64_t>()[sample]];
  }
  return counts;
}

TEST(DealByDirichlet, GivesTheSharesOfEachClassTheirMeanAndVariance) {
  constexpr int workers = 4, seeds = 1500;
  constexpr double each = 500, alpha = 0.5, mean = 1.0 / workers;
  const PartitionInput input = balanced(2, each);
  std::vector<std::vector<double>> sums(2, std::vector<double>(workers)), squares = sums;
  double together = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const auto counts = counts_of(input, deal_by_dirichlet(input, workers, seed, alpha));
    for (int worker = 0; worker < workers; ++worker) {
      const double first = counts[worker][0] / each - mean,
                   second = counts[worker][1] / each - mean;
      sums[0][worker] += first, sums[1][worker] += second;
      squares[0][worker] += first * first, squares[1][worker] += second * second;
      together += first * second;
    }
  }
  const double variance = mean * (1 - mean) / (workers * alpha + 1);
  for (int c = 0; c < 2; ++c)
    for (int worker = 0; worker < workers; ++worker) {
      EXPECT_NEAR(sums[c][worker] / seeds, 0, 4 * std::sqrt(variance / seeds));
      EXPECT_NEAR(squares[c][worker] / seeds / variance, 1, 0.12);
    }
  EXPECT_NEAR(together / seeds / workers / variance, 0, 0.06);  // the classes are independent
}

TEST(DealByDirichlet, WithALargeAlphaIsNearlyEqualAndWithASmallOneNot) {
  const PartitionInput input = balanced(10, 100);
  for (const auto& worker : counts_of(input, deal_by_dirichlet(input, 5, 1, 1e6)))
    for (const int count : worker) EXPECT_NEAR(count, 20, 2);
  for (const auto& worker : counts_of(input, deal_by_dirichlet(input, 5, 1, 1e-3)))
    EXPECT_LE(std::count_if(worker.begin(), worker.end(), [](int n) { return n > 3 && n < 97; }),
              1);
}

TEST(DealByDirichlet, LeavesNoWorkerWithoutASample) {
  for (const int workers : {7, 50, 100})
    for (int seed = 0; seed < 20; ++seed)
      for (const auto& shard : deal_by_dirichlet(balanced(4, 25), workers, seed, 0.01))
        EXPECT_GE(shard.size(), 1u);
}

// 16 workers, 50,000 images of 10 classes: 2,000 of 3,125 from the worker's class.
TEST(DealSkewed, IsTheSkewOfOverlapLocalSgd) {
  const PartitionInput input = balanced(10, 5000);
  const auto counts = counts_of(input, deal_skewed(input, 16, 1, 0.64));
  for (int worker = 0; worker < 16; ++worker) {
    // Two workers ask for each of the classes 0 to 5: 1,000 of 18,000 are left, else 3,000; a
    // worker gets 1,125 more.
    const double more = worker % 10 < 6 ? 1125 / 18.0 : 1125 / 6.0;
    EXPECT_GE(counts[worker][worker % 10], 2000);
    EXPECT_NEAR(counts[worker][worker % 10], 2000 + more, 5 * std::sqrt(more));
    for (int other = 1; other < 10; ++other) EXPECT_LT(counts[worker][(worker + other) % 10], 300);
  }
}

TEST(DealSkewed, GivesEachWorkerItsShareOfBalancedClasses) {
  const PartitionInput input = balanced(5, 2000);
  for (const double share : {0.0, 0.3, 0.9, 1.0})
    for (const int workers : {5, 10, 20}) {
      const auto counts = counts_of(input, deal_skewed(input, workers, 2, share));
      const double size = 10'000.0 / workers, expected = size * (share + (1 - share) / 5);
      for (int worker = 0; worker < workers; ++worker) {
        EXPECT_GE(counts[worker][worker % 5], std::floor(size * share));
        EXPECT_NEAR(counts[worker][worker % 5], expected, share == 1 ? 0 : 80) << share;
      }
    }
}

TEST(DealSkewed, SharesAClassOfWhichThereIsTooLittle) {
  const PartitionInput input = with_labels(at::cat({at::zeros({10}, at::kLong),  //
                                                    at::ones({80}, at::kLong)}));
  const Shards shards = deal_skewed(input, 3, 1, 1);
  EXPECT_EQ(counts_of(input, shards), (std::vector<std::vector<int>>{{5, 25}, {0, 30}, {5, 25}}));
}

TEST(DealSkewed, ToFewerWorkersThanClassesGivesThemAllOfTheirs) {
  const PartitionInput input = balanced(10, 100);
  const auto counts = counts_of(input, deal_skewed(input, 2, 1, 0.64));
  EXPECT_EQ(counts[0][0], 100);
  EXPECT_EQ(counts[1][1], 100);
}

TEST(DealByClass, RefusesSamplesWithoutClasses) {
  const PartitionInput none{.samples = 10};
  expect_mentions(message_of<UsageError>([&] { deal_by_dirichlet(none, 2, 1, 0.5); }),
                  {"dirichlet", "class", "use iid"});
  expect_mentions(message_of<UsageError>([&] { deal_skewed(none, 2, 1, 0.5); }), {"skew", "class"});
}

}  // namespace
}  // namespace entrain
