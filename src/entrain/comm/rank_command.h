#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "entrain/comm/hosts.h"
#include "entrain/comm/launch.h"
#include "entrain/comm/order.h"
#include "entrain/comm/spawn.h"

namespace entrain {

/// The ranks of a launch and what each of them runs, with which variables.
class RankCommands {
 public:
  /// Throws UsageError if the hosts have too few slots or no address that all can use. `options`
  /// must outlive this.
  explicit RankCommands(const LaunchOptions& options);

  const std::vector<Seat>& seats() const { return seats_; }

  /// What to start on this machine for a rank of this machine, whose store is at `port`.
  Command here(const Seat& seat, std::uint16_t port) const;

  /// What to start on this machine to reach the guard of a rank: ssh, or for localhost the guard.
  Command to_guard(const Seat& seat) const;

  /// What that guard is asked to run. Rank 0's (`port` = nullopt) hosts the store; the store of the
  /// others is at `port`.
  Order order(const Seat& seat, std::optional<int> port) const;

 private:
  std::map<std::string, std::string> variables(const Seat& seat, int port) const;
  std::vector<std::string> program() const;

  const LaunchOptions& options_;
  std::vector<Seat> seats_;
  std::string address_;
};

}  // namespace entrain
