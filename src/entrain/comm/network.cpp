#include "entrain/comm/network.h"

#include <algorithm>
#include <cmath>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

double in_units(const std::string& text, const std::map<std::string, double>& units,
                const char* wanted) {
  const Value value = parse_value(text);
  const auto unit = units.find(value.name);
  if (value.kind == Value::Kind::number && unit != units.end() && value.number > 0) {
    return value.number * unit->second;
  }
  throw UsageError(fmt::format("'{}': must be {} above 0", excerpt(text), wanted));
}

// The longest latency and the least bandwidth among links.
Link slowest(const Link& a, const Link& b) {
  return {std::max(a.latency, b.latency), std::min(a.bandwidth, b.bandwidth)};
}

}  // namespace

const Link& Network::from_to(int from, int to) const {
  const auto found = between.find({from, to});
  return found == between.end() ? link : found->second;
}

double Network::mean_seconds(int first, int n, double d) const {
  if (n <= 1) return 0;
  Link least = from_to(first, first + 1);
  for (int i = 0; i < n && !between.empty(); ++i) {
    if (collective == Collective::ring) {
      least = slowest(least, from_to(first + i, first + (i + 1) % n));
      continue;
    }
    for (int j = 0; j < n; ++j) {
      if (i != j) least = slowest(least, from_to(first + i, first + j));
    }
  }
  const double members = n, depth = std::ceil(std::log2(members));
  switch (collective) {
    case Collective::ring:
      return 2 * (members - 1) * (least.latency + d / members / least.bandwidth);
    case Collective::halving_doubling:
      return 2 * depth * least.latency + 2 * (members - 1) / members * d / least.bandwidth;
    case Collective::tree:
      return 2 * depth * (least.latency + d / least.bandwidth);
  }
  return 0;
}

double Network::neighbour_seconds(int from, int to, int messages, double d) const {
  const Link& way = from_to(from, to);
  return way.latency + messages * d / way.bandwidth;
}

double parse_seconds(const std::string& text) {
  return in_units(text, {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"min", 60}},
                  "a time with its unit, as in 20 ms,");
}

double parse_bandwidth(const std::string& text) {
  return in_units(text,
                  {{"bit/s", 1 / 8.0},
                   {"kbit/s", 1e3 / 8},
                   {"Mbit/s", 1e6 / 8},
                   {"Gbit/s", 1e9 / 8},
                   {"kB/s", 1e3},
                   {"MB/s", 1e6},
                   {"GB/s", 1e9}},
                  "a rate with its unit, as in 100 Mbit/s,");
}

}  // namespace entrain
