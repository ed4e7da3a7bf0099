#include "entrain/data/partition_by_class.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"
#include "entrain/data/dirichlet.h"

namespace entrain {
namespace {

// Streams of random numbers apart from that of random_order().
constexpr std::uint64_t share_draws = 1, rest_order = 2;

using Classes = std::span<const std::int64_t>;  // of each sample

Classes classes_for(const PartitionInput& input, const char* partition) {
  if (!input.labels.defined())
    throw UsageError(fmt::format(
        "{} deals by class, and these samples have none; use iid or unequal", partition));
  ENTRAIN_CHECK(input.labels.is_contiguous() && input.labels.numel() == input.samples);
  return {input.labels.data_ptr<std::int64_t>(), static_cast<std::size_t>(input.samples)};
}

/// The samples of each class, in the order of `order`.
Shards by_class(Classes classes, const std::vector<std::int64_t>& order) {
  Shards members(*std::max_element(classes.begin(), classes.end()) + 1);
  for (const std::int64_t sample : order) members.at(classes[sample]).push_back(sample);
  return members;
}

bool holds(const std::vector<std::int64_t>& shard, std::int64_t count) {
  return static_cast<std::int64_t>(shard.size()) >= count;
}

/// How many samples of its class each worker is to have first.
std::vector<std::int64_t> class_quotas(const Shards& members,
                                       const std::vector<std::int64_t>& sizes, double share) {
  const std::size_t classes = members.size();
  std::vector<std::int64_t> quotas(sizes.size());
  for (std::size_t c = 0; c < classes; ++c) {
    std::int64_t wanted = 0;
    int workers = 0;
    for (std::size_t i = c; i < sizes.size(); i += classes, ++workers) {
      quotas[i] = std::llround(share * static_cast<double>(sizes[i]));
      wanted += quotas[i];
    }
    if (holds(members[c], wanted)) continue;
    const auto parts = equal_sizes(static_cast<std::int64_t>(members[c].size()), workers);
    for (std::size_t j = 0; j < parts.size(); ++j) quotas[c + j * classes] = parts[j];
  }
  return quotas;
}

/// Deals to each worker its quota of its class; returns the samples that are left.
std::vector<std::int64_t> deal_quotas(Classes classes, std::size_t number_of_classes,
                                      const std::vector<std::int64_t>& order,
                                      const std::vector<std::int64_t>& quotas, Shards& shards) {
  std::vector<std::size_t> served(number_of_classes);  // the worker that each class goes to now
  std::iota(served.begin(), served.end(), 0);
  std::vector<std::int64_t> rest;
  for (const std::int64_t sample : order) {
    std::size_t& i = served[classes[sample]];
    while (i < shards.size() && holds(shards[i], quotas[i])) i += number_of_classes;
    (i < shards.size() ? shards[i] : rest).push_back(sample);
  }
  return rest;
}

}  // namespace

Shards deal_by_dirichlet(const PartitionInput& input, int workers, std::uint64_t seed,
                         double alpha) {
  const Classes classes = classes_for(input, "dirichlet");
  Stream stream(seed, Purpose::partition, share_draws);
  Shards shards(workers);
  for (const auto& members : by_class(classes, random_order(input.samples, seed))) {
    const std::vector<double> shares = dirichlet(stream, alpha, workers);
    const auto count = static_cast<std::int64_t>(members.size());
    const Shards parts = cut(members, sizes_by_share(count, shares, stream.uniform()));
    for (std::size_t i = 0; i < shards.size(); ++i)
      shards[i].insert(shards[i].end(), parts[i].begin(), parts[i].end());
  }
  fill_empty(shards);
  return shards;
}

Shards deal_skewed(const PartitionInput& input, int workers, std::uint64_t seed, double share) {
  const Classes classes = classes_for(input, "skew");
  const auto order = random_order(input.samples, seed);
  const auto sizes = equal_sizes(input.samples, workers);
  const Shards members = by_class(classes, order);
  Shards shards(workers);
  const auto quotas = class_quotas(members, sizes, share);
  auto rest = deal_quotas(classes, members.size(), order, quotas, shards);
  // Samples of a class that few ask for were left over first.
  Stream(seed, Purpose::partition, rest_order).shuffle(rest);
  std::size_t i = 0;
  for (const std::int64_t sample : rest) {
    while (holds(shards[i], sizes[i])) ++i;
    shards[i].push_back(sample);
  }
  return shards;
}

}  // namespace entrain
