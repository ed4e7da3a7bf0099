#pragma once

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>
#include <future>
#include <optional>
#include <set>

#include "entrain/comm/bounded_calls.h"
#include "entrain/comm/place.h"

namespace entrain {

/// What a rank that waits in an exchange reads of the others.
struct Signs {
  bool failure = false;  ///< One has given up.
  /// A rank that takes the exchange for something else, and for what.
  std::optional<std::pair<int, std::string>> other_form;
  std::vector<std::string> beats;  ///< Of each rank (watch.h); none if they were not asked for.
};

/// The place where processes meet before they talk: a small table of keys, held by rank 0 or by the
/// launcher. What fails before the ranks have met ends in CommunicationError with the address and
/// what to do; later calls throw std::exception if the store is gone, NoAnswer if it is silent.
class Store {
 public:
  /// How long a call waits for the answer.
  static constexpr std::chrono::milliseconds kPatience{60'000};

  /// Hosts a store for others at `port` (0: any free one) of this machine. Throws
  /// CommunicationError if the port is taken.
  static Store host(std::uint16_t port);

  /// Joins the store of a run, hosting it if this is rank 0 and nobody else does; waits until every
  /// rank of it has arrived, at most `timeout`, and then names the ranks that have not.
  static Store join(const Place& place, std::chrono::milliseconds timeout);

  std::uint16_t port() const { return tcp_->getPort(); }
  c10::intrusive_ptr<c10d::Store> table(const std::string& prefix) const;

  /// Lets later calls wait so long for the answer.
  void wait_at_most(std::chrono::milliseconds limit) { limit_ = limit; }
  /// Lets all calls fail, those under way too.
  void give_up() { calls_->give_up(); }

  /// Seconds to the store and back: the shortest of a few, or the first that is not over `enough`.
  double round_trip(double enough);

  /// Tells the others that this rank gave up in exchange `number`. Blocks for two seconds at most.
  void report_failure(int rank, std::int64_t number);

  /// Begins to tell the others that this rank lives (watch.h); returns at once.
  void beat(int rank, const std::string& text);
  /// The last beats of all ranks.
  std::vector<std::string> beats(int size);

  /// Begins to ask what a rank that waits in exchange `number` wants to know, and returns at once:
  /// whether others take it for something else than `form`, if that is not empty; and their beats.
  std::future<void> ask_for_signs(const Place& place, std::int64_t number, const std::string& form,
                                  bool beats, std::shared_ptr<Signs> answer);

  /// Tells the others what this rank takes exchange `number` to be, as text.
  void declare(int rank, std::int64_t number, const std::string& form);
  /// The first rank of `size` that has declared another form for exchange `number`, and that form.
  std::optional<std::pair<int, std::string>> other_form(int size, std::int64_t number,
                                                        const std::string& form);

  /// Says that this rank knows who is silent, and, where it hosts the store, waits until all but
  /// `silent` know it too, at most `patience`: with the host the store goes.
  void part(const Place& place, const std::set<int>& silent, std::chrono::milliseconds patience);

  /// The ranks that have not reported a failure.
  std::set<int> unreported(int size);

  /// Says that this rank has landed all its exchanges, and waits until all `size` have or one gave
  /// up, at most `patience`.
  void landed(int size, std::chrono::milliseconds patience);

 private:
  explicit Store(c10::intrusive_ptr<c10d::TCPStore> tcp) : tcp_(std::move(tcp)) {}
  template <class Question>
  auto ask(Question question, std::chrono::milliseconds limit);
  template <class Question>
  auto ask(Question question) {
    return ask(std::move(question), limit_);
  }

  c10::intrusive_ptr<c10d::TCPStore> tcp_;
  c10::intrusive_ptr<c10d::Store> keys_;
  std::chrono::milliseconds limit_ = kPatience;
  std::shared_ptr<BoundedCalls> calls_ = std::make_shared<BoundedCalls>();
};

}  // namespace entrain
