#include "entrain/data/partition.h"

#include <algorithm>
#include <cmath>

#include "entrain/core/errors.h"
#include "entrain/data/partition_by_class.h"

namespace entrain {
namespace {

Shards deal_unequal(const PartitionInput& input, int workers, std::uint64_t seed, double ratio) {
  // Powers from 1 / ratio to 1: they cannot overflow.
  std::vector<double> shares{1};
  for (int i = workers - 2; i >= 0; --i) shares.push_back(std::pow(ratio, i / (workers - 1.0) - 1));
  std::reverse(shares.begin(), shares.end());
  Shards shards = cut(random_order(input.samples, seed), sizes_by_share(input.samples, shares));
  fill_empty(shards);
  return shards;
}

Shards deal_by_feature(const PartitionInput& input, int workers, std::uint64_t seed,
                       std::int64_t column) {
  if (!input.feature)
    throw UsageError("by_feature: images have no features to deal by; use dirichlet or skew");
  if (column >= input.features)
    throw UsageError(
        fmt::format("by_feature({}): the columns are 0 to {}", column, input.features - 1));
  std::vector<std::int64_t> order = random_order(input.samples, seed);
  std::vector<double> keys;
  for (std::int64_t i = 0; i < input.samples; ++i) keys.push_back(input.feature(i, column));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return keys[a] < keys[b]; });
  return cut(order, equal_sizes(input.samples, workers));
}

/// `deal` with the argument that a text gave it.
template <class Argument>
Partition with(Argument argument,
               Shards (*deal)(const PartitionInput&, int, std::uint64_t, Argument)) {
  return [argument, deal](const PartitionInput& input, int workers, std::uint64_t seed) {
    require_enough_samples(input.samples, workers);
    return deal(input, workers, seed, argument);
  };
}

void require(bool fits, const char* partition, double argument, const char* must) {
  if (!fits) throw UsageError(fmt::format("{}({}): {}", partition, print_number(argument), must));
}

Partition build_iid(const Arguments&) {
  return [](const PartitionInput& input, int workers, std::uint64_t seed) {
    return partition_iid(input.samples, workers, seed);
  };
}

Partition build_unequal(const Arguments& a) {
  const double ratio = a.real("ratio");
  require(ratio >= 1, "unequal", ratio, "ratio must be >= 1");
  return with(ratio, deal_unequal);
}

Partition build_dirichlet(const Arguments& a) {
  const double alpha = a.real("alpha");
  require(alpha >= 1e-100, "dirichlet", alpha, "alpha must be > 0 (and not below 1e-100)");
  return with(alpha, deal_by_dirichlet);
}

Partition build_skew(const Arguments& a) {
  const double share = a.real("share");
  require(share >= 0 && share <= 1, "skew", share, "share must be in [0, 1]");
  return with(share, deal_skewed);
}

Partition build_by_feature(const Arguments& a) {
  const std::int64_t column = a.integer("column");
  require(column >= 0, "by_feature", static_cast<double>(column), "columns count from 0");
  return with(column, deal_by_feature);
}

}  // namespace

const std::vector<Choice<Partition>>& partition_choices() {
  static const std::vector<Choice<Partition>> choices = {
      {"iid", {}, "at random, in equal numbers", build_iid},
      {"unequal",
       {{"ratio"}},
       "at random, in numbers that grow by a factor from worker to worker: the last one has "
       "`ratio` times as many as the first",
       build_unequal},
      {"dirichlet",
       {{"alpha"}},
       "each class in shares drawn from a Dirichlet distribution: the smaller alpha, the more the "
       "workers differ, also in how many samples they have",
       build_dirichlet},
      {"skew",
       {{"share"}},
       "in equal numbers; worker i gets `share` of its samples from class i mod k of the k "
       "classes, as far as they last, and the rest at random from what is left",
       build_skew},
      {"by_feature",
       {{"column"}},
       "in equal numbers, in the order of one feature (columns count from 0); not for images",
       build_by_feature},
  };
  return choices;
}

Partition build_partition(const std::string& text) {
  return build(partition_choices(), parse_value(text), "partition", RunFacts{});
}

Shards partition_iid(std::int64_t samples, int workers, std::uint64_t seed) {
  require_enough_samples(samples, workers);
  return cut(random_order(samples, seed), equal_sizes(samples, workers));
}

void require_enough_samples(std::int64_t samples, int workers) {
  if (workers < 1) throw UsageError(fmt::format("workers = {}: must be at least 1", workers));
  if (samples < workers)
    throw UsageError(fmt::format(
        "{} samples are too few for {} workers: each needs one of its own; use fewer workers",
        samples, workers));
}

}  // namespace entrain
