#include "entrain/data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"
#include "entrain/data/partition.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

using Indices = std::vector<std::int64_t>;

/// All that a worker sees in an epoch, in order.
Indices epoch_of(const Sampler& sampler, std::int64_t epoch, int worker) {
  Indices all;
  for (std::int64_t step = 0; step < sampler.steps_per_epoch(); ++step) {
    const auto batch = sampler.batch(epoch, step, worker);
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

TEST(Sampler, VisitsEverySampleOnceAnEpochForAnyNumberOfWorkers) {
  for (const int workers : {1, 2, 3, 4, 7, 16, 33, 101}) {
    for (const std::int64_t batch : {1, 3, 8, 200}) {
      const Sampler sampler(partition_iid(101, workers, 3), batch, 3);
      for (const std::int64_t epoch : {0, 1}) {
        std::vector<int> seen(101, 0);
        for (int worker = 0; worker < workers; ++worker)
          for (const std::int64_t sample : epoch_of(sampler, epoch, worker)) ++seen.at(sample);
        EXPECT_EQ(seen, std::vector<int>(101, 1)) << workers << " workers, batch " << batch;
      }
    }
  }
}

TEST(Sampler, EveryBatchIsFullButTheLast) {
  for (const int workers : {1, 2, 3, 4, 7, 16, 33, 101}) {
    for (const std::int64_t size : {1, 3, 8, 200}) {
      const Sampler sampler(partition_iid(101, workers, 3), size, 3);
      const std::int64_t smallest = 101 / workers, steps = sampler.steps_per_epoch();
      EXPECT_EQ(steps, (smallest + size - 1) / size);
      for (int worker = 0; worker < workers; ++worker) {
        for (std::int64_t step = 0; step < steps - 1; ++step)
          EXPECT_EQ(sampler.batch(0, step, worker).size(), static_cast<std::size_t>(size));
        const auto last = static_cast<std::int64_t>(sampler.batch(0, steps - 1, worker).size());
        EXPECT_GE(last, 1);
        EXPECT_LE(last, size + 1);
      }
    }
  }
}

TEST(Sampler, AWorkerKeepsToItsShard) {
  const auto shards = partition_iid(50, 3, 9);
  const Sampler sampler(shards, 4, 9);
  for (int worker = 0; worker < 3; ++worker) {
    Indices seen = epoch_of(sampler, 2, worker), shard = shards[worker];
    std::sort(seen.begin(), seen.end());
    std::sort(shard.begin(), shard.end());
    EXPECT_EQ(seen, shard);
  }
}

TEST(Sampler, IsAPureFunctionOfSeedEpochAndWorker) {
  const auto shards = partition_iid(60, 2, 1);
  const Sampler forward(shards, 8, 1), other(shards, 8, 1);
  const Indices first = epoch_of(forward, 0, 1), second = epoch_of(forward, 1, 1);
  EXPECT_EQ(epoch_of(other, 1, 1), second);  // asked for in another order
  EXPECT_EQ(epoch_of(other, 0, 1), first);
  EXPECT_EQ(epoch_of(forward, 0, 1), first);
  const auto middle = other.batch(1, 2, 1);  // and for one batch alone
  EXPECT_EQ(Indices(middle.begin(), middle.end()),
            Indices(second.begin() + 16, second.begin() + 24));
}

TEST(Sampler, EpochsSeedsAndWorkersHaveOrdersOfTheirOwn) {
  const Indices shard{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
  const Sampler sampler({shard, shard}, 5, 1), reseeded({shard, shard}, 5, 2);
  const Indices order = epoch_of(sampler, 0, 0);
  EXPECT_NE(order, shard);
  EXPECT_NE(epoch_of(sampler, 1, 0), order);
  EXPECT_NE(epoch_of(sampler, 0, 1), order);
  EXPECT_NE(epoch_of(reseeded, 0, 0), order);
}

TEST(Sampler, ServesWorkersFromThreadsAtOnce) {
  constexpr int workers = 4;
  const auto shards = partition_iid(400, workers, 1);
  const Sampler shared(shards, 16, 1), alone(shards, 16, 1);
  std::vector<std::vector<Indices>> seen(workers);
  std::vector<std::thread> threads;
  for (int worker = 0; worker < workers; ++worker)
    threads.emplace_back([&, worker] {
      for (int epoch = 0; epoch < 50; ++epoch)
        seen[worker].push_back(epoch_of(shared, epoch, worker));
    });
  for (std::thread& thread : threads) thread.join();
  for (int worker = 0; worker < workers; ++worker)
    for (int epoch = 0; epoch < 50; ++epoch)
      EXPECT_EQ(seen[worker][epoch], epoch_of(alone, epoch, worker));
}

TEST(Sampler, CountsTheSamplesSeen) {
  const Sampler equal(partition_iid(101, 4, 1), 10, 1);  // shards of 26 and 25, 3 steps an epoch
  EXPECT_EQ(equal.samples_seen(0), 0);
  EXPECT_EQ(equal.samples_seen(2), 80);
  EXPECT_EQ(equal.samples_seen(3), 101);
  EXPECT_EQ(equal.samples_seen(7), 242);
  const Sampler unequal({{0, 1, 2}, {3}}, 2, 1);
  EXPECT_EQ(unequal.samples_seen(7), 28);
}

/// The first `count` samples of passes over a shard, one after another: the slow twin.
Indices passes(const Indices& shard, std::size_t count, std::uint64_t seed, int worker) {
  Indices all;
  for (int number = 0; all.size() < count; ++number) {
    Indices order = shard;
    Stream(seed, Purpose::shuffle, number, worker).shuffle(order);
    all.insert(all.end(), order.begin(), order.end());
  }
  all.resize(count);
  return all;
}

const Shards unequal_shards{{0, 1, 2}, {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {16}};

TEST(UnequalSampler, GoesThroughTheShardAgainAndAgainInFullBatches) {
  for (const std::int64_t batch : {1, 2, 3, 4, 13, 17}) {
    const Sampler sampler(unequal_shards, batch, 5);
    EXPECT_EQ(sampler.steps_per_epoch(), (17 + 3 * batch - 1) / (3 * batch));
    for (int worker = 0; worker < 3; ++worker) {
      Indices seen;
      for (std::int64_t epoch = 0; epoch < 6; ++epoch) {
        const Indices more = epoch_of(sampler, epoch, worker);
        seen.insert(seen.end(), more.begin(), more.end());
      }
      EXPECT_EQ(static_cast<std::int64_t>(seen.size()), 6 * sampler.steps_per_epoch() * batch);
      EXPECT_EQ(seen, passes(unequal_shards[worker], seen.size(), 5, worker)) << batch;
    }
  }
}

TEST(UnequalSampler, IsAPureFunctionOfTheStep) {
  constexpr std::size_t batch = 4;
  const Sampler sampler(unequal_shards, batch, 5);
  const std::int64_t steps = sampler.steps_per_epoch();
  Stream stream(1, Purpose::sample);
  for (int round = 0; round < 200; ++round) {
    const auto step = static_cast<std::int64_t>(stream.below(40));
    const auto worker = static_cast<int>(stream.below(3));
    const auto seen = sampler.batch(step / steps, step % steps, worker);
    const Indices expected = passes(unequal_shards[worker], (step + 1) * batch, 5, worker);
    EXPECT_EQ(Indices(seen.begin(), seen.end()), Indices(expected.end() - batch, expected.end()));
  }
}

TEST(UnequalSampler, RefusesABatchOfMoreThanAllSamples) {
  expect_mentions(message_of<UsageError>([] { Sampler(unequal_shards, 18, 1); }),
                  {"batch = 18", "all 17 samples"});
}

TEST(Sampler, RefusesWhatItCannotServe) {
  expect_mentions(message_of<UsageError>([] { Sampler({{0, 1}}, 0, 1); }), {"batch = 0"});
  EXPECT_THROW(Sampler({{0}, {}}, 1, 1), std::logic_error);
  const Sampler sampler({{0, 1}, {2, 3}}, 2, 1);
  EXPECT_THROW(sampler.batch(0, 1, 0), std::logic_error);
  EXPECT_THROW(sampler.batch(0, 0, 2), std::logic_error);
}

}  // namespace
}  // namespace entrain
