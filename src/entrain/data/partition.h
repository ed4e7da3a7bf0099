#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "entrain/core/text.h"
#include "entrain/data/partition_input.h"
#include "entrain/data/shards.h"

namespace entrain {

/// Deals samples to workers: every sample to one, every worker at least one. A pure function of its
/// arguments. Throws UsageError if there are fewer samples than workers, or no worker, and where
/// the input lacks what is dealt by.
using Partition =
    std::function<Shards(const PartitionInput& input, int workers, std::uint64_t seed)>;

/// The partitions that texts may name:
///   iid                  at random; sizes differ by at most 1, the larger ones first
///   unequal(ratio)       at random; sizes in geometric progression, from 1 part for the first
///                        worker to `ratio` parts for the last (rounded, at least one sample)
///   dirichlet(alpha)     deal_by_dirichlet()
///   skew(share)          deal_skewed()
///   by_feature(column)   in the order of a feature, ties at random, then cut; sizes as iid
const std::vector<Choice<Partition>>& partition_choices();

/// Throws UsageError that quotes the value that is wrong.
Partition build_partition(const std::string& text);

/// The partition `iid` by itself.
Shards partition_iid(std::int64_t samples, int workers, std::uint64_t seed);

/// Throws UsageError if there are fewer samples than workers, or no worker.
void require_enough_samples(std::int64_t samples, int workers);

}  // namespace entrain
