#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entrain/data/shards.h"

namespace entrain {

/// Which samples a worker sees at a step. Each worker goes through its shard again and again, in
/// every pass in a new random order that is a pure function of (seed, pass, worker). All workers
/// make the same number of steps.
///
/// Where the sizes of the shards differ by at most one, an epoch is a pass of every worker. Each
/// batch has `batch` samples but the last one of the epoch, which takes what is left: 1 to
/// batch + 1.
///
/// Where they differ by more, every batch has `batch` samples: at step t, from 0, samples
/// t * batch, t * batch + 1, ... of the worker's passes joined, so that a batch may cross from one
/// pass to the next. An epoch then is a pass in the mean over workers.
///
/// Different workers may be asked for from different threads at once, one worker from one thread
/// at a time.
class Sampler {
 public:
  /// `shards[i]` has the samples of worker i, as from a Partition. REQUIRES: no shard is empty.
  /// Throws UsageError for batch < 1 and, for shards of unequal sizes, for a batch of more than all
  /// samples together.
  Sampler(Shards shards, std::int64_t batch, std::uint64_t seed);

  int workers() const { return static_cast<int>(shards_.size()); }

  /// The same for every worker: ceil(smallest shard / batch), or ceil(mean shard / batch) where
  /// their sizes differ by more than one.
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }

  /// How many samples all workers together have seen after `steps` steps.
  std::int64_t samples_seen(std::int64_t steps) const;

  /// The samples of `worker` at `step` (0 .. steps_per_epoch() - 1) of `epoch` (from 0). Valid
  /// until the same worker is asked again. Cheap but for the first call of a pass, which shuffles
  /// the shard.
  std::span<const std::int64_t> batch(std::int64_t epoch, std::int64_t step, int worker) const;

 private:
  // On cache lines of its own, as each worker's thread writes it.
  struct alignas(64) Order {
    std::int64_t pass = -1;              // the one that was asked for last
    std::vector<std::int64_t> samples;   // its order
    std::vector<std::int64_t> crossing;  // a batch that begins in one pass and ends in another
  };

  std::span<const std::int64_t> pass(std::int64_t number, int worker) const;
  std::span<const std::int64_t> joined(std::int64_t begin, int worker) const;

  Shards shards_;
  std::int64_t batch_;
  std::uint64_t seed_;
  std::int64_t samples_ = 0;  // of all shards
  bool equal_;                // the sizes differ by at most 1
  std::int64_t steps_per_epoch_;
  mutable std::vector<Order> orders_;
};

}  // namespace entrain
