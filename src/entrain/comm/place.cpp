#include "entrain/comm/place.h"

#include "entrain/comm/job_place.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

int integer(const Environment& environment, const std::string& name, int low, int high) {
  return integer_of(
      environment, name, low, high,
      fmt::format("{} is not set, but RANK or WORLD_SIZE is: a launcher sets RANK, WORLD_SIZE, "
                  "MASTER_ADDR and MASTER_PORT; unset them all to run alone",
                  name));
}

Place torch_place(const Environment& environment) {
  Place place;
  place.size = integer(environment, "WORLD_SIZE", 1, 1 << 20);
  place.rank = integer(environment, "RANK", 0, place.size - 1);
  if (environment.contains("LOCAL_RANK")) {
    place.local_rank = integer(environment, "LOCAL_RANK", 0, place.size - 1);
  }
  if (environment.contains("LOCAL_WORLD_SIZE")) {
    place.local_size = integer(environment, "LOCAL_WORLD_SIZE", 1, place.size);
  }
  place.port = static_cast<std::uint16_t>(integer(environment, "MASTER_PORT", 1, 65535));
  place.address = text_of(environment, "MASTER_ADDR");
  if (place.address.empty()) {
    throw UsageError("MASTER_ADDR is not set: it is the address at which rank 0 is reached");
  }
  place.store_elsewhere = text_of(environment, "TORCHELASTIC_USE_AGENT_STORE") == "True";
  const auto restarts = environment.find("TORCHELASTIC_RESTART_COUNT");
  if (restarts != environment.end()) place.attempt = restarts->second;
  place.launcher = environment.contains("ENTRAIN_LAUNCH")        ? "entrain launch"
                   : environment.contains("TORCHELASTIC_RUN_ID") ? "torchrun"
                                                                 : "environment";
  return place;
}

// RANK may be inside a job, as when each task of srun starts several ranks: never fewer than the
// job has, and the same rank if as many. Otherwise one of the two was left behind by something
// else.
void require_agreement(const Place& place, const Environment& environment) {
  if (place.launcher != "environment") return;  // it set all of its variables just now
  const std::optional<JobRank> job = job_rank(environment);
  if (!job || place.size > job->size) return;
  if (place.size == job->size && place.rank == job->rank) return;
  throw UsageError(fmt::format(
      "RANK={} of WORLD_SIZE={}, but {}={} of {}={}: unset RANK and WORLD_SIZE if {} starts the "
      "ranks, else {} and {}",
      place.rank, place.size, job->rank_name, job->rank, job->size_name, job->size, job->launcher,
      job->rank_name, job->size_name));
}

}  // namespace

Place place_from(const Environment& environment) {
  if (environment.contains("RANK") || environment.contains("WORLD_SIZE")) {
    const Place place = torch_place(environment);
    require_agreement(place, environment);
    return place;
  }
  const std::optional<JobRank> job = job_rank(environment);
  return job ? job_place(*job, environment) : Place();
}

std::string print(const Place& place) {
  const std::string meeting = place.address.empty()
                                  ? "over MPI"
                                  : fmt::format("meeting at {}:{}", place.address, place.port);
  return fmt::format("rank {} of {} ({}), {}", place.rank, place.size, place.launcher, meeting);
}

}  // namespace entrain
