#include "entrain/comm/job_place.h"

#include <algorithm>

#include "entrain/comm/node_list.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr int kMostRanks = 1 << 20;

std::optional<JobRank> rank_said_by(const Environment& environment, const std::string& launcher,
                                    const std::string& rank, const std::string& size) {
  if (!environment.contains(rank) && !environment.contains(size)) return std::nullopt;
  const auto missing = [&](const std::string& name, const std::string& other) {
    return fmt::format("{} is not set, but {} is: {} sets both; unset it to run alone", name, other,
                       launcher);
  };
  JobRank job = {launcher, rank, size};
  job.size = integer_of(environment, size, 1, kMostRanks, missing(size, rank));
  job.rank = integer_of(environment, rank, 0, job.size - 1, missing(rank, size));
  return job;
}

// The script of sbatch has SLURM_PROCID too, but is no task of a step.
std::optional<JobRank> slurm_rank(const Environment& environment) {
  if (!environment.contains("SLURM_STEP_ID") || !environment.contains("SLURM_PROCID")) {
    return std::nullopt;
  }
  const bool has_own = environment.contains("SLURM_STEP_NUM_TASKS");
  return rank_said_by(environment, "srun", "SLURM_PROCID",
                      has_own ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS");
}

int optional_integer(const Environment& environment, const std::string& name, int low, int high,
                     int fallback) {
  return environment.contains(name) ? integer_of(environment, name, low, high, "") : fallback;
}

// Below the ports that Linux gives to outgoing connections.
std::uint16_t port_of_job(const std::string& job) {
  std::uint32_t hash = 2166136261;  // FNV-1a
  for (const char c : job) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  return static_cast<std::uint16_t>(20'000 + hash % 10'000);
}

// Where nothing says otherwise: all on this host.
std::string address_of_mpi(const Place& place) {
  if (place.local_size == place.size) return "127.0.0.1";
  throw UsageError(fmt::format(
      "MASTER_ADDR is not set, and {} starts ranks on several hosts without saying where rank 0 "
      "is: set MASTER_ADDR to the address of rank 0's host for all of them",
      place.launcher));
}

int tasks_of_slurm(const Environment& environment) {
  const std::string tasks =
      text_of(environment, "SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE");
  const int node = optional_integer(environment, "SLURM_NODEID", 0, kMostRanks, 0);
  return tasks.empty() ? 1 : tasks_on_node(tasks, node);
}

Place place_among(const JobRank& job, const Environment& environment) {
  Place place;
  place.launcher = job.launcher;
  place.rank = job.rank;
  place.size = job.size;
  if (place.size == 1) return place;
  const bool slurm = job.launcher == "srun", open_mpi = job.launcher == "mpirun";
  const char* const rank = slurm      ? "SLURM_LOCALID"
                           : open_mpi ? "OMPI_COMM_WORLD_LOCAL_RANK"
                                      : "MPI_LOCALRANKID";
  const char* const size = open_mpi ? "OMPI_COMM_WORLD_LOCAL_SIZE" : "MPI_LOCALNRANKS";
  place.local_rank = optional_integer(environment, rank, 0, place.size - 1, 0);
  place.local_size = slurm ? std::clamp(tasks_of_slurm(environment), 1, place.size)
                           : optional_integer(environment, size, 1, place.size, 1);
  return place;
}

void meet_under_mpi(const Environment& environment, const std::string& job, Place& place) {
  place.address = text_of(environment, "MASTER_ADDR");
  if (place.address.empty()) place.address = address_of_mpi(place);
  place.port = job.empty() ? 29500 : port_of_job(job);
  if (!job.empty()) place.attempt = job;
}

void meet_under_srun(const Environment& environment, Place& place) {
  const std::string job = text_of(environment, "SLURM_JOB_ID", "SLURM_JOBID");
  if (job.empty()) {
    throw UsageError("SLURM_JOB_ID is not set, but SLURM_STEP_ID is: srun sets both");
  }
  const std::string step = job + "." + text_of(environment, "SLURM_STEP_ID");
  std::string nodes = text_of(environment, "SLURM_STEP_NODELIST");
  if (nodes.empty()) nodes = text_of(environment, "SLURM_NODELIST", "SLURM_JOB_NODELIST");
  place.address = text_of(environment, "MASTER_ADDR");
  place.port = port_of_job(step);
  place.attempt = step;
  if (!place.address.empty()) return;
  if (nodes.empty()) {
    throw UsageError(
        "SLURM_NODELIST is not set, but SLURM_PROCID is: srun sets both; set "
        "MASTER_ADDR to the host of rank 0 in its place");
  }
  const std::vector<std::string> hosts = hosts_in(nodes);
  place.address = hosts.size() == 1 ? "127.0.0.1" : hosts.front();
}

}  // namespace

std::optional<JobRank> job_rank(const Environment& environment) {
  const auto open_mpi =
      rank_said_by(environment, "mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE");
  if (open_mpi) return open_mpi;
  const auto mpich = rank_said_by(environment, "mpiexec", "PMI_RANK", "PMI_SIZE");
  const auto slurm = slurm_rank(environment);
  // srun --mpi=pmi2 sets both alike, and Slurm's variables say where rank 0 is.
  const bool same = mpich && slurm && mpich->rank == slurm->rank && mpich->size == slurm->size;
  return mpich && !same ? mpich : slurm;
}

Place job_place(const JobRank& job, const Environment& environment) {
  Place place = place_among(job, environment);
  if (place.size == 1) return place;
  if (job.launcher == "srun") {
    meet_under_srun(environment, place);
  } else {
    const bool open_mpi = job.launcher == "mpirun";
    meet_under_mpi(environment, open_mpi ? text_of(environment, "PMIX_NAMESPACE") : "", place);
  }
  place.port = static_cast<std::uint16_t>(
      optional_integer(environment, "MASTER_PORT", 1, 65535, place.port));
  return place;
}

Place mpi_place(const Environment& environment) {
  const std::optional<JobRank> job = job_rank(environment);
  const bool known_to_mpi = environment.contains("PMIX_RANK") || environment.contains("PMI_RANK");
  if (job && (job->launcher != "srun" || known_to_mpi)) return place_among(*job, environment);
  throw UsageError(fmt::format(
      "comm.transport = mpi: {}; start the ranks by MPI's own launcher, as in `mpirun -n 4 PROGRAM "
      "...`{}",
      job ? "srun did not tell MPI of this process" : "this process was not started by mpirun",
      job ? " or `srun --mpi=pmix -n 4 PROGRAM ...`" : ""));
}

}  // namespace entrain
