#pragma once

#include <map>
#include <string>
#include <vector>

#include "entrain/comm/hosts.h"

namespace entrain {

/// Processes to start as one run, on this machine or on others.
struct LaunchOptions {
  int processes = 0;                   ///< 0: one for each slot of the hosts, if there are any.
  std::string program;                 ///< The path of the binary, here and on every host.
  std::vector<std::string> arguments;  ///< Without the program's name.
  std::map<std::string, std::string> variables;  ///< For every rank, on top of the environment.
  bool prefixed = true;                          ///< Lines of output begin with the rank.
  int port = 0;                                  ///< Where they meet; 0: any free port.

  std::vector<Host> hosts;  ///< Empty: all on this machine.
  std::string guard;        ///< The path of entrain on every host.
  std::vector<std::string> ssh = {"ssh", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15"};
  std::string address;  ///< Of the first host, for the others; empty: its name in `hosts`.
};

/// Starts the processes, sees to their store, and waits for all.
///
/// On this machine the launcher hosts the store. On others, each rank is started by `ssh HOST
/// COMMAND` in the same directory, and its guard (guard.h) ends it with the connection; the guard
/// of rank 0 hosts the store. Ranks get the variables of torchrun; those elsewhere also ENTRAIN_*,
/// OMP_*, OPENBLAS_*, GLOO_*, NCCL_* and LD_LIBRARY_PATH of this process.
///
/// Rank 0's stdout goes through as it is; every other line of output is prefixed by its rank. If
/// one fails the others are ended (SIGTERM, after 5 s SIGKILL), and the first failure is named with
/// its last lines; one that only lost its peers (exit code 4) is not the first if another fails
/// within 2 s. Ctrl-C is passed on. Returns the exit code of the first failure, 130 if interrupted,
/// else 0. Throws UsageError, CommunicationError or RunError if the processes cannot be started.
int launch(const LaunchOptions& options);

}  // namespace entrain
