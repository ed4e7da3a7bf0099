#pragma once

#include <cstdint>
#include <vector>

namespace entrain {

/// Splits the samples 0 .. samples-1 among the workers at random: shard i has the indices of worker
/// i. Every sample is in one shard; the sizes of the shards differ by at most 1, the larger ones
/// first. A pure function of its arguments. Throws UsageError if there are fewer samples than
/// workers, or no worker.
std::vector<std::vector<std::int64_t>> partition_iid(std::int64_t samples, int workers,
                                                     std::uint64_t seed);

}  // namespace entrain
