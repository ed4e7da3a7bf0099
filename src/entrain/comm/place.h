#pragma once

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
  std::string address;  ///< Where the store listens; empty over MPI.
  std::uint16_t port = 0;
  bool store_elsewhere = false;   ///< The launcher hosts the store; else rank 0 does.
  std::string attempt = "0";      ///< A restart of torchrun, or a job: each has its own keys.
  std::string launcher = "none";  ///< Who set the variables, for the one line that is printed.
};

/// Reads the variables that `entrain launch`, torchrun and scripts set (RANK, WORLD_SIZE,
/// LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, TORCHELASTIC_*), else those of mpirun,
/// mpiexec and srun (job_place.h). Without any of them the process is alone. Throws UsageError that
/// names the variables that are missing, out of range, or contradict each other.
Place place_from(const std::map<std::string, std::string>& environment);

/// "rank 0 of 4 (torchrun), meeting at 10.0.0.1:29500"; over MPI nobody knows an address.
std::string print(const Place& place);

}  // namespace entrain
