#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace entrain {

/// Which samples a worker sees at a step. In every epoch each worker goes through its shard once,
/// in a new random order that is a pure function of (seed, epoch, worker).
///
/// All workers make the same number of steps. Each batch has `batch` samples but the last one of
/// the epoch, which takes what is left: 1 to batch + 1, as the shards differ by at most one.
///
/// Different workers may be asked for from different threads at once, one worker from one thread
/// at a time.
class Sampler {
 public:
  /// `shards[i]` has the samples of worker i, as from partition_iid().
  /// REQUIRES: no shard is empty; their sizes differ by at most 1. Throws UsageError for batch < 1.
  Sampler(std::vector<std::vector<std::int64_t>> shards, std::int64_t batch, std::uint64_t seed);

  int workers() const { return static_cast<int>(shards_.size()); }

  /// ceil(smallest shard / batch), the same for every worker.
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }

  /// The samples of `worker` at `step` (0 .. steps_per_epoch() - 1) of `epoch` (from 0). Valid
  /// until the same worker is asked for another epoch. Cheap but for the first call of an epoch,
  /// which shuffles the shard.
  std::span<const std::int64_t> batch(std::int64_t epoch, std::int64_t step, int worker) const;

 private:
  // The order of the epoch that was asked for last; on cache lines of its own, as each worker's
  // thread writes it.
  struct alignas(64) Order {
    std::int64_t epoch = -1;
    std::vector<std::int64_t> samples;
  };

  std::vector<std::vector<std::int64_t>> shards_;
  std::int64_t batch_;
  std::uint64_t seed_;
  std::int64_t steps_per_epoch_;
  mutable std::vector<Order> orders_;
};

}  // namespace entrain
