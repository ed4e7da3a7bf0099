#pragma once

#include <cstdint>
#include <vector>

namespace entrain {

/// The samples of each worker: shard i has the indices of worker i.
using Shards = std::vector<std::vector<std::int64_t>>;

/// 0 .. samples-1 in a random order that is a pure function of the seed.
std::vector<std::int64_t> random_order(std::int64_t samples, std::uint64_t seed);

/// Sizes that sum to `total` and differ by at most 1, the larger ones first.
std::vector<std::int64_t> equal_sizes(std::int64_t total, int shards);

/// Sizes that sum to `total`, each within 1 of its part by `shares`: the running sum is rounded, up
/// from 1 - `shift` of a sample on. With a random shift in (0, 1) each size is right in the mean.
/// REQUIRES: no share is negative, their sum is positive.
std::vector<std::int64_t> sizes_by_share(std::int64_t total, const std::vector<double>& shares,
                                         double shift = 0.5);

/// Cuts `order` into pieces of `sizes`, one after another.
Shards cut(const std::vector<std::int64_t>& order, const std::vector<std::int64_t>& sizes);

/// Gives each empty shard the last sample of the one that is then largest (of several, the last).
/// REQUIRES: as many samples as shards.
void fill_empty(Shards& shards);

}  // namespace entrain
