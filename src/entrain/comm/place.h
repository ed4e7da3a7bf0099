#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace entrain {

/// Where this process stands among the processes of a run, and where they meet.
struct Place {
  int rank = 0;
  int size = 1;
  int local_rank = 0;   ///< Among the processes of this host.
  int local_size = 1;   ///< Processes on this host.
  std::string address;  ///< Where the store listens.
  std::uint16_t port = 0;
  bool store_elsewhere = false;   ///< The launcher hosts the store; else rank 0 does.
  std::string attempt = "0";      ///< Restarts of torchrun share a store; each has its own keys.
  std::string launcher = "none";  ///< Who set the variables, for the one line that is printed.
};

/// Reads the variables that `entrain launch` and torchrun set (RANK, WORLD_SIZE, LOCAL_RANK,
/// LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, TORCHELASTIC_*). Without RANK and WORLD_SIZE the
/// process is alone. Throws UsageError that names the variable that is missing or out of range.
Place place_from(const std::map<std::string, std::string>& environment);

}  // namespace entrain
