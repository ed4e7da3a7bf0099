#pragma once

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>
#include <optional>
#include <set>

#include "entrain/comm/place.h"

namespace entrain {

/// The place where processes meet before they talk: a small table of keys, held by rank 0 or by the
/// launcher. Every call that fails ends in CommunicationError with the address and what to do.
class Store {
 public:
  /// Hosts a store for others at `port` (0: any free one) of this machine. Throws
  /// CommunicationError if the port is taken.
  static Store host(std::uint16_t port);

  /// Joins the store of a run, hosting it if this is rank 0 and nobody else does; waits until every
  /// rank of it has arrived, at most `timeout`, and then names the ranks that have not.
  static Store join(const Place& place, std::chrono::milliseconds timeout);

  std::uint16_t port() const { return tcp_->getPort(); }
  c10::intrusive_ptr<c10d::Store> table(const std::string& prefix) const;

  /// Seconds to the store and back: the shortest of a few, or the first that is not over `enough`.
  double round_trip(double enough);

  /// Tells the others that this rank gave up in exchange `number`.
  void report_failure(int rank, std::int64_t number);
  bool failure_reported();

  /// Tells the others what this rank takes exchange `number` to be, as text.
  void declare(int rank, std::int64_t number, const std::string& form);
  /// Whether any rank has declared exchange `number`.
  bool declared(std::int64_t number);
  /// The first rank of `size` that has declared another form for exchange `number`, and that form.
  std::optional<std::pair<int, std::string>> other_form(int size, std::int64_t number,
                                                        const std::string& form);

  /// Says that this rank knows who is silent, and, where it hosts the store, waits until all but
  /// `silent` know it too, at most `patience`: with the host the store goes.
  void part(const Place& place, const std::set<int>& silent, std::chrono::milliseconds patience);

  /// Once all who live have reported, or after `patience`: the ranks that have not.
  std::set<int> silent_ranks(int size, std::chrono::milliseconds patience);

 private:
  explicit Store(c10::intrusive_ptr<c10d::TCPStore> tcp) : tcp_(std::move(tcp)) {}
  std::set<int> absent(const std::string& key, int size);

  c10::intrusive_ptr<c10d::TCPStore> tcp_;
  c10::intrusive_ptr<c10d::Store> keys_;
};

/// "rank 3" or "ranks 1, 3".
std::string print_ranks(const std::set<int>& ranks);

}  // namespace entrain
