#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <vector>

#include "entrain/comm/place.h"

namespace entrain {

using Gloo = c10::intrusive_ptr<c10d::ProcessGroupGloo>;
using GlooWork = c10::intrusive_ptr<c10d::Work>;

/// Waits for an exchange for at most a slice of time: true once it is over. Rethrows its failure.
using Wait = std::function<bool(std::chrono::milliseconds)>;

/// Waits for a collective of Gloo; not for its sends and receives.
Wait waiter(const GlooWork& work);

/// Calls `then` once a collective of Gloo is over, well or not: on Gloo's thread, before anybody
/// who waits for it goes on, or at once. It must not throw.
void when_over(const GlooWork& work, std::function<void()> then);

/// How a group's processes are connected.
struct GlooLinks {
  std::string own_address;  ///< Of the network interface that the peers reach.
  int connections = 1;      ///< Between each two processes; tag t uses number t mod connections.
  std::chrono::milliseconds timeout{60'000};
};

/// Connects each process with each other one; they find each other in `table`. Blocks. Throws
/// CommunicationError if that takes longer than the timeout, Interrupted upon Ctrl-C.
Gloo connect_gloo(const Place& place, const c10::intrusive_ptr<c10d::Store>& table,
                  const GlooLinks& links);

/// Keeps groups to the end of the process: those whose exchange failed or never landed may have
/// threads inside Gloo that wait for a peer, and their destructor would wait for them.
void park(const std::vector<Gloo>& groups);

}  // namespace entrain
