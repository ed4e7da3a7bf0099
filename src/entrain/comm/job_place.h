#pragma once

#include <optional>

#include "entrain/comm/place.h"
#include "entrain/comm/variables.h"

namespace entrain {

/// What a launcher that is not made for us says of this process.
struct JobRank {
  std::string launcher;              ///< mpirun, mpiexec or srun.
  std::string rank_name, size_name;  ///< The variables that say it.
  int rank = 0, size = 1;
};

/// The innermost of Open MPI's mpirun (OMPI_COMM_WORLD_*), MPICH's mpiexec (PMI_*) and srun
/// (SLURM_PROCID of a step) that started this process; none of them: nullopt. A batch script of
/// Slurm is no step. Throws UsageError that names the variable that is missing or out of range.
std::optional<JobRank> job_rank(const Environment& environment);

/// The place of a process that `job` describes. They meet at MASTER_ADDR and MASTER_PORT where
/// these are set; else at 127.0.0.1 if all are on one host, at the first host of Slurm's list if
/// not, and at a port that all derive from the number of the job (MPICH has none: 29500). Throws
/// UsageError where that leaves no address: MPI gives none for several hosts.
Place job_place(const JobRank& job, const Environment& environment);

/// The place of a process that joins the others over MPI, which needs no address. Throws UsageError
/// that says how to start it, if nothing that MPI can ask started it.
Place mpi_place(const Environment& environment);

}  // namespace entrain
