#include "entrain/data/partition.h"

#include <numeric>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {

std::vector<std::vector<std::int64_t>> partition_iid(std::int64_t samples, int workers,
                                                     std::uint64_t seed) {
  if (workers < 1) throw UsageError(fmt::format("workers = {}: must be at least 1", workers));
  if (samples < workers)
    throw UsageError(fmt::format(
        "{} samples are too few for {} workers: each needs one of its own; use fewer workers",
        samples, workers));
  std::vector<std::int64_t> order(samples);
  std::iota(order.begin(), order.end(), 0);
  Stream(seed, Purpose::partition).shuffle(order);
  std::vector<std::vector<std::int64_t>> shards(workers);
  auto next = order.begin();
  for (int worker = 0; worker < workers; ++worker) {
    const std::int64_t size = samples / workers + (worker < samples % workers ? 1 : 0);
    shards[worker].assign(next, next + size);
    next += size;
  }
  return shards;
}

}  // namespace entrain
