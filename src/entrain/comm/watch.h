#pragma once

#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "entrain/comm/place.h"
#include "entrain/comm/store.h"

namespace entrain {

/// Shows the others that this rank lives, by a beat in the store, whatever it computes and however
/// long; and sees, while this rank waits, which of them do not. So nobody who is slow is taken for
/// dead, no time has to be guessed from the rounds of a run, and who is gone without a word is
/// named.
class Watch {
 public:
  /// `patience`: how long a rank, or the store, may give no sign of life.
  Watch(Store& store, const Place& place, std::chrono::milliseconds patience);
  ~Watch();

  /// A wait in exchange `number` begins, which all ranks should take for `form`; empty: no matter.
  void begin_wait(std::int64_t number, const std::string& form);
  void end_wait();

  /// Why a wait must be given up.
  struct Loss {
    std::string why;
    std::set<int> silent;  ///< The ranks that gave no sign of life.
  };

  /// To be called often during a wait; does not block. Throws CommunicationError that names a rank
  /// that waits in the same exchange and takes it for something else, NoAnswer if the store was
  /// silent for `patience`, std::exception if it has been gone for some seconds.
  std::optional<Loss> look();

  /// After an exchange has failed: throws CommunicationError that names a rank that took it for
  /// something else, if there is one. Blocks for a second at most.
  void explain_failure();

  /// After this rank has reported its failure: blocks until all but `known` have reported theirs,
  /// for some seconds at most. Gives the ranks that have not, and do not live.
  std::set<int> silent_ranks(const std::set<int>& known);

  std::chrono::milliseconds patience() const { return patience_; }

 private:
  using Clock = std::chrono::steady_clock;

  void beat_on();
  std::string beat() const;  // REQUIRES: lock_ is held
  void ask();
  std::optional<Loss> take_answer();
  void refuse_other_form(const Signs& signs) const;
  void compare(const std::vector<std::string>& beats) const;
  std::set<int> silent(const std::vector<std::string>& beats);

  Store& store_;
  Place place_;
  std::chrono::milliseconds patience_, interval_;

  std::mutex lock_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::int64_t count_ = 0, number_ = 0;  // beats so far; the exchange that is waited for, 0: none
  std::string form_;

  struct Seen {
    std::string beat;
    Clock::time_point since;
  };
  std::vector<Seen> seen_;  // of each rank, in this wait; empty: nothing yet
  Clock::time_point next_look_, next_beats_;
  struct Question {
    std::shared_ptr<Signs> answer;
    std::future<void> over;
    Clock::time_point asked;
  };
  std::optional<Question> question_;  // under way
  std::optional<Clock::time_point> store_lost_;

  std::thread thread_;  // the last member, so that it ends before what it uses
};

}  // namespace entrain
