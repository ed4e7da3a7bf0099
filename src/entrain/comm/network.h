#pragma once

#include <map>

#include "entrain/core/text.h"

namespace entrain {

/// A link from one worker to another.
struct Link {
  double latency = 0;    ///< Seconds, one way.
  double bandwidth = 0;  ///< Bytes a second; a worker sends and receives at that rate at once.
};

/// The network that a simulated run pretends: each worker alone on its host, links that differ
/// where `between` says so, and the alpha-beta model of what an exchange of d bytes takes.
struct Network {
  enum class Collective { ring, halving_doubling, tree };
  Link link;
  std::map<std::pair<int, int>, Link> between = {};  ///< (from, to).
  Collective collective = Collective::ring;

  const Link& from_to(int from, int to) const;

  /// The mean of d bytes over the workers `members` (n of them, numbered so), once all are there:
  ///   ring               2 (n-1) (latency + d / (n bandwidth)), of the slowest link of the ring
  ///   halving_doubling   2 ceil(log2 n) latency + 2 (n-1)/n d / bandwidth, of the slowest link
  ///   tree               2 ceil(log2 n) (latency + d / bandwidth), of the slowest link
  double mean_seconds(int first, int n, double d) const;

  /// What a message of d bytes from `from` takes to arrive at `to`, which takes `messages` such
  /// ones over its link: latency + messages d / bandwidth.
  double neighbour_seconds(int from, int to, int messages, double d) const;
};

/// "1 ms", "2 s": seconds. Throws UsageError that quotes the text.
double parse_seconds(const std::string& text);
/// "1 Gbit/s", "100 Mbit/s", "25 MB/s": bytes a second. Throws UsageError that quotes the text.
double parse_bandwidth(const std::string& text);

}  // namespace entrain
