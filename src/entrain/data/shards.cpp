#include "entrain/data/shards.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <utility>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {

std::vector<std::int64_t> random_order(std::int64_t samples, std::uint64_t seed) {
  std::vector<std::int64_t> order(samples);
  std::iota(order.begin(), order.end(), 0);
  Stream(seed, Purpose::partition).shuffle(order);
  return order;
}

std::vector<std::int64_t> equal_sizes(std::int64_t total, int shards) {
  std::vector<std::int64_t> sizes(shards, total / shards);
  for (std::int64_t i = 0; i < total % shards; ++i) ++sizes[i];
  return sizes;
}

std::vector<std::int64_t> sizes_by_share(std::int64_t total, const std::vector<double>& shares,
                                         double shift) {
  const double whole = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<std::int64_t> sizes;
  double sum = 0;
  std::int64_t begin = 0;
  for (const double share : shares) {
    sum += share;
    const double rounded = std::floor(static_cast<double>(total) * (sum / whole) + shift);
    const auto end = std::min(total, static_cast<std::int64_t>(rounded));
    sizes.push_back(end - begin);
    begin = end;
  }
  ENTRAIN_CHECK(begin == total);
  return sizes;
}

Shards cut(const std::vector<std::int64_t>& order, const std::vector<std::int64_t>& sizes) {
  Shards shards;
  auto next = order.begin();
  for (const std::int64_t size : sizes) {
    shards.emplace_back(next, next + size);
    next += size;
  }
  return shards;
}

void fill_empty(Shards& shards) {
  std::priority_queue<std::pair<std::size_t, std::size_t>> largest;  // size, then index
  for (std::size_t i = 0; i < shards.size(); ++i) largest.push({shards[i].size(), i});
  for (auto& shard : shards) {
    if (!shard.empty()) continue;
    const auto [size, from] = largest.top();
    ENTRAIN_CHECK(size > 1);
    largest.pop();
    shard.push_back(shards[from].back());
    shards[from].pop_back();
    largest.push({size - 1, from});
  }
}

}  // namespace entrain
