#pragma once

#include <vector>

#include "entrain/comm/mixing.h"
#include "entrain/comm/network.h"
#include "entrain/comm/repeats.h"
#include "entrain/comm/reservations.h"

namespace entrain {

/// When exchanges arrive on a modelled network. A worker's link serves one exchange after the
/// other; a shared medium does what Medium says. A function of the calls and the seed.
///
/// Loss makes a mean later by the repeats of the worker that has most of them, or on a shared
/// medium of all; a message between neighbours by its own.
class Traffic {
 public:
  Traffic(Network network, int workers, std::uint64_t seed);

  /// Of each worker in an exchange: when it began to travel and when it was there, in seconds.
  struct Times {
    std::vector<double> begins, ends;
  };

  /// Means of messages of `bytes` over groups of consecutive workers; each begins when the last
  /// member is there (`clocks`, [n]) and its link is free.
  Times mean(const std::vector<double>& clocks, int group, double bytes);

  /// Messages of `bytes` between neighbours: they reach a worker when those that it takes from are
  /// there. REQUIRES: `mixing` has a row for each worker.
  Times mix(const std::vector<double>& clocks, const Mixing& mixing, double bytes);

 private:
  struct Message {
    double ready, late;  // seconds; by how much its repeats make it later
    int from, to;
  };

  double mean_end(int first, int n, double begin, double bytes);
  std::vector<double> begins(const std::vector<double>& clocks);
  void mix_alike(const Mixing& mixing, double bytes, Times& times) const;
  std::vector<Message> messages_of(const Mixing& mixing, double bytes, const Times& times);
  void mix_apart(const std::vector<Message>& messages, double bytes, Times& times) const;
  void pass_medium(std::vector<Message> messages, double bytes, Times& times);
  void occupy(const Times& times);

  Network network_;
  std::vector<double> links_free_;  // [n]
  Repeats repeats_;
  Reservations medium_;
};

}  // namespace entrain
