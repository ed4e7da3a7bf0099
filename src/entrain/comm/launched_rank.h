#pragma once

#include <sys/types.h>

#include "entrain/comm/hosts.h"
#include "entrain/comm/order.h"
#include "entrain/comm/relay.h"
#include "entrain/comm/spawn.h"

namespace entrain {

/// A rank under way: a process of this machine, or one that a guard (guard.h) runs elsewhere and
/// that we reach through the standard input of ssh. Whoever drops it kills it.
class LaunchedRank {
 public:
  enum class Reach { direct, guarded };

  /// Starts `command`: the rank itself, or what leads to its guard. `prefixed`: lines of output
  /// begin with "[rank] ", but for those of rank 0's standard output. Throws RunError.
  LaunchedRank(const Seat& seat, const Command& command, Reach reach, bool prefixed);
  ~LaunchedRank();
  LaunchedRank(const LaunchedRank&) = delete;
  LaunchedRank& operator=(const LaunchedRank&) = delete;

  /// Tells the guard what to run. REQUIRES: guarded, and not yet called.
  void give(const Order& order);
  /// Tells a guard that nobody needs the store any more that it hosts.
  void release_store();
  /// Sends a signal to the rank and what it started.
  void send(int signal);
  /// Ends what we started here: the rank, or the connection, at which its guard ends it.
  void cut();
  /// Waits for it no more, though it has not ended.
  void leave();
  /// Hands to the guard what it has not taken yet, without waiting for it.
  void flush();
  /// Whether it has ended since the last call.
  bool ends();

  const Seat& seat() const { return seat_; }
  bool running() const { return running_; }
  bool guarded() const { return guarded_; }
  bool ordered() const { return ordered_; }
  Relay& out() { return out_; }
  Relay& err() { return err_; }
  /// Whether there may be more output.
  bool speaks() const { return out_.descriptor() >= 0 || err_.descriptor() >= 0; }

  /// Of a rank that has ended: whether it failed, and as which exit code that counts for us.
  bool failed() const { return status_ != 0; }
  bool lost_a_peer() const;  ///< By its own account, so that another one may be the cause.
  int exit_code() const;
  /// "exit code 3" or "signal 9 (Killed)".
  std::string how_it_ended() const;

 private:
  void hang_up();

  Seat seat_;
  pid_t pid_ = -1;
  int status_ = 0, in_ = -1;
  bool guarded_, running_ = true, ordered_ = false, released_ = false;
  std::string unsent_;
  Relay out_, err_;
};

}  // namespace entrain
