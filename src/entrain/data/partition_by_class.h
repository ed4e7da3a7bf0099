#pragma once

#include <cstdint>

#include "entrain/data/partition_input.h"
#include "entrain/data/shards.h"

namespace entrain {

/// Each class apart: its samples go to the workers in shares drawn from a symmetric Dirichlet
/// distribution (Hsu, Qi, Brown, "Measuring the effects of non-identical data distribution for
/// federated visual classification", 2019). The sizes of the shards follow; one that is empty then
/// gets a sample of the largest one. Throws UsageError if the samples have no classes.
/// REQUIRES: alpha >= 1e-100; as many samples as workers, here and below.
Shards deal_by_dirichlet(const PartitionInput& input, int workers, std::uint64_t seed,
                         double alpha);

/// In sizes that differ by at most 1, the larger ones first. Worker i first gets `share` of its
/// samples from class i mod k of the k classes, then the rest at random from what is left of all
/// classes, its own among them. Where a class has less than its workers ask for, they get equal
/// parts of all of it, and the more of the rest. With share = 0.64 and 16 workers on CIFAR-10 it is
/// the skew of Wang, Liang, Joshi, "Overlap local-SGD", ICASSP 2020. Throws as above.
/// REQUIRES: share in [0, 1].
Shards deal_skewed(const PartitionInput& input, int workers, std::uint64_t seed, double share);

}  // namespace entrain
