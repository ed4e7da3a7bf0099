#include "entrain/comm/network.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace entrain {
namespace {

// The longest latency and the least bandwidth among links.
Link slowest(const Link& a, const Link& b) {
  return {std::max(a.latency, b.latency), std::min(a.bandwidth, b.bandwidth)};
}

}  // namespace

const Link& Network::from_to(int from, int to) const {
  if (between.empty()) return link;
  const auto found = between.find({from, to});
  return found == between.end() ? link : found->second;
}

// Only links that differ are looked at: `link` counts unless each of the used ones differs.
Link Network::slowest_of(int first, int n) const {
  const bool ring = collective == Collective::ring;
  const std::int64_t used = ring ? n : std::int64_t{n} * (n - 1);
  std::int64_t differing = 0;
  Link least = {0, std::numeric_limits<double>::infinity()};
  const auto end = between.lower_bound({first + n, 0});
  for (auto way = between.lower_bound({first, 0}); way != end; ++way) {
    const auto [from, to] = way->first;
    const bool next = to == first + (from - first + 1) % n;
    if (to < first || to >= first + n || (ring && !next)) continue;
    least = slowest(least, way->second);
    ++differing;
  }
  return differing == used ? least : slowest(least, link);
}

double Network::mean_seconds(int first, int n, double d) const {
  if (n <= 1) return 0;
  const Link least = slowest_of(first, n);
  const double members = n, depth = std::ceil(std::log2(members));
  switch (collective) {
    case Collective::ring:
      return 2 * (members - 1) * (least.latency + d / members / least.bandwidth);
    case Collective::direct:
      return 3 * least.latency + 2 * (members - 1) / members * d / least.bandwidth;
    case Collective::halving_doubling:
      return 2 * depth * least.latency + 2 * (members - 1) / members * d / least.bandwidth;
    case Collective::tree:
      return 2 * depth * (least.latency + d / least.bandwidth);
  }
  return 0;
}

Network::MeanMessages Network::mean_messages(int first, int n, double d) const {
  const bool tree = collective == Collective::tree;
  const bool halving = collective == Collective::halving_doubling;
  const int of_a_worker = tree ? 2 : halving ? 2 * std::bit_width(unsigned(n - 1)) : 2 * (n - 1);
  const double count = tree ? 2.0 * (n - 1) : double(n) * of_a_worker;
  return {slowest_of(first, n), of_a_worker, count, 2.0 * (n - 1) * d};
}

}  // namespace entrain
