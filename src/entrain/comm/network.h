#pragma once

#include <map>
#include <utility>

#include "entrain/core/text.h"

namespace entrain {

/// A link from one worker to another.
struct Link {
  double latency = 0;    ///< Seconds, one way.
  double bandwidth = 0;  ///< Bytes a second; a worker sends and receives at that rate at once.
};

/// What the links of the workers share. Messages pass it one after the other, each in the first
/// time that those launched before it left free:
///   switched   nothing
///   uplink     a message of d bytes holds it for d / capacity, and is there when both its link and
///              the uplink are through: an exchange alone takes max(its time switched, its bytes in
///              all / capacity)
///   shared     a message of d bytes holds it for latency + d / bandwidth of its link: an exchange
///              alone takes the sum over its messages
struct Medium {
  enum class Kind { switched, uplink, shared };
  Value text = call("switched");
  Kind kind = Kind::switched;
  double capacity = 0;  ///< Of an uplink, bytes a second.
};

/// Messages that are lost in bursts (Gilbert 1960, Elliott 1963): what a worker sends passes good
/// and bad spells of random lengths, counted in messages, repeats included. In a good one nothing
/// is lost; in a bad one each message is with `probability`, and is sent again after a time-out of
/// 2 latency + d / bandwidth. So q = probability bad / (good + bad) of what is sent is lost, and a
/// message is sent again q / (1 - q) times on average.
struct Loss {
  Value text = call("none");
  double good = 1, bad = 1;  ///< Mean lengths of the spells, >= 1.
  double probability = 0;    ///< From 0 to 1.
};

/// The network that a simulated run pretends: each worker alone on its host, links that differ
/// where `between` says so, and the alpha-beta model of what an exchange of d bytes takes.
struct Network {
  enum class Collective { ring, direct, halving_doubling, tree };
  Link link;
  std::map<std::pair<int, int>, Link> between = {};  ///< (from, to).
  Collective collective = Collective::ring;
  Medium medium = {};
  Loss loss = {};

  const Link& from_to(int from, int to) const;

  /// The mean of d bytes over the workers `first`, ..., first + n - 1, once all are there:
  ///   ring               2 (n-1) (latency + d / (n bandwidth)), of the slowest link of the ring
  ///   direct             3 latency + 2 (n-1)/n d / bandwidth, of the slowest link: chunks to
  ///                      their owners and means back, and one latency in which receivers ask
  ///   halving_doubling   2 ceil(log2 n) latency + 2 (n-1)/n d / bandwidth, of the slowest link
  ///   tree               2 ceil(log2 n) (latency + d / bandwidth), of the slowest link
  double mean_seconds(int first, int n, double d) const;

  /// The same mean as messages. All of them have 2 (n-1) d bytes together, and there are
  ///   ring, direct 2 n (n-1)     halving_doubling 2 n ceil(log2 n)     tree 2 (n-1)
  struct MeanMessages {
    Link slowest;     ///< Of the links that it uses.
    int of_a_worker;  ///< 2 for a tree: one up, one down.
    double count;     ///< In all,
    double bytes;     ///< and of all.
    /// One after the other: messages latency + bytes / bandwidth.
    double serial_seconds() const { return count * slowest.latency + bytes / slowest.bandwidth; }
    /// What a message costs that is lost, a message having the mean number of bytes.
    double again_seconds() const { return 2 * slowest.latency + bytes / count / slowest.bandwidth; }
  };
  MeanMessages mean_messages(int first, int n, double d) const;

  /// Worker i takes a message of d bytes from each of its neighbours, one after the other: once the
  /// last is ready to send, latency + sum of d / bandwidth of these links, which is
  ///   latency + messages d / bandwidth
  /// where they are alike.
  double neighbour_seconds(int messages, double d) const {
    return link.latency + messages * d / link.bandwidth;
  }

 private:
  Link slowest_of(int first, int n) const;
};

/// "1 ms", "2 s": seconds. Throws UsageError that quotes the text.
double parse_seconds(const std::string& text);
/// The same, "0 ms" too.
double parse_latency(const std::string& text);
/// "1 Gbit/s", "100 Mbit/s", "25 MB/s": bytes a second. Throws UsageError that quotes the text.
double parse_bandwidth(const std::string& text);

/// switched, uplink(capacity), shared.
const std::vector<Choice<Medium>>& medium_choices();
/// none, bursty(good, bad, loss).
const std::vector<Choice<Loss>>& loss_choices();

/// A link that differs from the others.
struct OwnLink {
  int from, to;
  Link link;
  bool one_way;
};
/// link(from, to, bandwidth, latency, one_way): what is left out is as in `others`.
std::vector<Choice<OwnLink>> link_choices(const Link& others);

/// "[link(0, 1, 100 Mbit/s, 10 ms), ...]" for Network::between. Throws UsageError that quotes the
/// link for a worker that is not below `workers`, one linked to itself, and a way given twice.
std::map<std::pair<int, int>, Link> parse_links(const std::string& text, const Link& others,
                                                int workers);

}  // namespace entrain
