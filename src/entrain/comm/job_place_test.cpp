#include "entrain/comm/job_place.h"

#include <gtest/gtest.h>

#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

const Environment kMpirun = {{"OMPI_COMM_WORLD_RANK", "2"},
                             {"OMPI_COMM_WORLD_SIZE", "4"},
                             {"OMPI_COMM_WORLD_LOCAL_RANK", "2"},
                             {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"},
                             {"PMIX_NAMESPACE", "1099694081"}};
const Environment kMpiexec = {
    {"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}};
const Environment kSrun = {{"SLURM_JOB_ID", "77"},          {"SLURM_STEP_ID", "0"},
                           {"SLURM_PROCID", "5"},           {"SLURM_NTASKS", "6"},
                           {"SLURM_LOCALID", "1"},          {"SLURM_NODEID", "1"},
                           {"SLURM_TASKS_PER_NODE", "4,2"}, {"SLURM_NODELIST", "node[003,012]"}};

Environment changed(Environment environment, const Environment& changes) {
  for (const auto& [name, value] : changes) environment[name] = value;
  return environment;
}

Environment lacking(Environment environment, const std::string& name) {
  environment.erase(name);
  return environment;
}

std::string job_refusal(const Environment& environment) {
  return refusal_of([&] { place_from(environment); });
}

TEST(JobPlace, OfMpirun) {
  const Place place = place_from(kMpirun);
  EXPECT_EQ(place.launcher, "mpirun");
  EXPECT_EQ(place.rank, 2);
  EXPECT_EQ(place.size, 4);
  EXPECT_EQ(place.local_rank, 2);
  EXPECT_EQ(place.local_size, 4);
  EXPECT_EQ(place.address, "127.0.0.1");
  EXPECT_GE(place.port, 20'000);
  EXPECT_LT(place.port, 30'000);
  EXPECT_FALSE(place.store_elsewhere);
  EXPECT_EQ(place.attempt, "1099694081");
  EXPECT_EQ(print(place), fmt::format("rank 2 of 4 (mpirun), meeting at 127.0.0.1:{}", place.port));
}

TEST(JobPlace, OfMpiexec) {
  const Place place = place_from(kMpiexec);
  EXPECT_EQ(print(place), "rank 1 of 2 (mpiexec), meeting at 127.0.0.1:29500");
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.local_size, 2);
}

TEST(JobPlace, OfSrun) {
  const Place place = place_from(kSrun);
  EXPECT_EQ(print(place), fmt::format("rank 5 of 6 (srun), meeting at node003:{}", place.port));
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.local_size, 2);
  EXPECT_EQ(place.attempt, "77.0");
  const Place rank_0 = place_from(
      changed(kSrun, {{"SLURM_PROCID", "0"}, {"SLURM_NODEID", "0"}, {"SLURM_LOCALID", "0"}}));
  EXPECT_EQ(rank_0.port, place.port) << "all derive the same";
  EXPECT_EQ(rank_0.local_size, 4);
  EXPECT_NE(place_from(changed(kSrun, {{"SLURM_STEP_ID", "1"}})).port, place.port);
  EXPECT_NE(place_from(changed(kSrun, {{"SLURM_JOB_ID", "78"}})).port, place.port);
  EXPECT_EQ(place_from(changed(kSrun, {{"SLURM_NODELIST", "node7"}})).address, "127.0.0.1");
}

TEST(JobPlace, TheStepComesBeforeTheJob) {
  const Place place = place_from(changed(kSrun, {{"SLURM_STEP_NODELIST", "b[2-3]"},
                                                 {"SLURM_STEP_NUM_TASKS", "8"},
                                                 {"SLURM_STEP_TASKS_PER_NODE", "3,5"}}));
  EXPECT_EQ(place.address, "b2");
  EXPECT_EQ(place.size, 8);
  EXPECT_EQ(place.local_size, 5);
}

TEST(JobPlace, ABatchScriptIsAlone) {
  EXPECT_EQ(place_from(lacking(kSrun, "SLURM_STEP_ID")).size, 1);
  EXPECT_EQ(place_from(changed(kSrun, {{"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_PROCID", "0"}})).size,
            1);
}

TEST(JobPlace, TheUserMaySayWhere) {
  const Environment where = {{"MASTER_ADDR", "10.0.0.9"}, {"MASTER_PORT", "1234"}};
  for (const Environment& environment : {kMpirun, kMpiexec, kSrun}) {
    const Place place = place_from(changed(environment, where));
    EXPECT_EQ(place.address, "10.0.0.9");
    EXPECT_EQ(place.port, 1234);
  }
  EXPECT_EQ(place_from(lacking(changed(kSrun, where), "SLURM_NODELIST")).address, "10.0.0.9");
}

TEST(JobPlace, MpiOnSeveralHostsNeedsAnAddress) {
  for (const Environment& environment : {changed(kMpirun, {{"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}}),
                                         lacking(kMpiexec, "MPI_LOCALNRANKS")}) {
    const std::string refusal = job_refusal(environment);
    EXPECT_TRUE(refusal.starts_with("MASTER_ADDR is not set, and mpi")) << refusal;
  }
}

TEST(JobPlace, TheInnermostLauncherCounts) {
  EXPECT_EQ(place_from(changed(kSrun, kMpirun)).launcher, "mpirun");
  EXPECT_EQ(place_from(changed(kSrun, kMpiexec)).launcher, "mpiexec");
  EXPECT_EQ(place_from(changed(kSrun, {{"PMI_RANK", "5"}, {"PMI_SIZE", "6"}})).launcher, "srun");
  const Environment torch = {{"RANK", "0"},
                             {"WORLD_SIZE", "2"},
                             {"MASTER_ADDR", "a"},
                             {"MASTER_PORT", "1"},
                             {"TORCHELASTIC_RUN_ID", "none"}};
  EXPECT_EQ(place_from(changed(kSrun, torch)).launcher, "torchrun");
  EXPECT_EQ(place_from(changed(kMpirun, torch)).size, 2);
}

TEST(JobPlace, NamesWhatIsMissing) {
  const std::tuple<Environment, std::string, std::string> cases[] = {
      {kMpirun, "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
      {kMpirun, "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
      {kMpiexec, "PMI_SIZE", "PMI_RANK"},
      {kMpiexec, "PMI_RANK", "PMI_SIZE"},
      {kSrun, "SLURM_NTASKS", "SLURM_PROCID"},
      {kSrun, "SLURM_NODELIST", "SLURM_PROCID"},
      {kSrun, "SLURM_JOB_ID", "SLURM_STEP_ID"},
  };
  for (const auto& [environment, missing, other] : cases) {
    const std::string refusal = job_refusal(lacking(environment, missing));
    EXPECT_TRUE(refusal.starts_with(missing + " is not set, but " + other + " is:")) << refusal;
  }
}

TEST(JobPlace, QuotesWhatIsOutOfRange) {
  const std::tuple<Environment, std::string, std::string, std::string> cases[] = {
      {kMpirun, "OMPI_COMM_WORLD_RANK", "4", "0 to 3"},
      {kMpirun, "OMPI_COMM_WORLD_LOCAL_SIZE", "5", "1 to 4"},
      {kMpiexec, "PMI_SIZE", "0", "1 to 1048576"},
      {kMpiexec, "PMI_RANK", "x", "0 to 1"},
      {kSrun, "SLURM_PROCID", "6", "0 to 5"},
      {kSrun, "SLURM_NTASKS", "", "1 to 1048576"},
      {kSrun, "SLURM_LOCALID", "-1", "0 to 5"},
      {kSrun, "MASTER_PORT", "70000", "1 to 65535"},
  };
  for (const auto& [environment, name, text, range] : cases) {
    EXPECT_EQ(job_refusal(changed(environment, {{name, text}})),
              name + "=" + text + ": must be an integer from " + range);
  }
  EXPECT_NE(job_refusal(changed(kSrun, {{"SLURM_NODELIST", "a[1"}})).find("'a[1': brackets"),
            std::string::npos);
  EXPECT_NE(job_refusal(changed(kSrun, {{"SLURM_TASKS_PER_NODE", "4"}})).find("'4': has no tasks"),
            std::string::npos);
}

TEST(JobPlace, RanksThatContradictEachOther) {
  const Environment by_hand = {
      {"RANK", "0"}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "1"}};
  EXPECT_EQ(job_refusal(changed(kMpirun, by_hand)),
            "RANK=0 of WORLD_SIZE=4, but OMPI_COMM_WORLD_RANK=2 of OMPI_COMM_WORLD_SIZE=4: unset "
            "RANK and WORLD_SIZE if mpirun starts the ranks, else OMPI_COMM_WORLD_RANK and "
            "OMPI_COMM_WORLD_SIZE");
  EXPECT_TRUE(
      job_refusal(changed(kSrun, by_hand)).starts_with("RANK=0 of WORLD_SIZE=4, but SLURM"));
  EXPECT_EQ(place_from(changed(kMpirun, changed(by_hand, {{"RANK", "2"}}))).rank, 2);
  // Each task of srun may start several ranks.
  EXPECT_EQ(place_from(changed(kSrun, changed(by_hand, {{"WORLD_SIZE", "48"}}))).size, 48);
}

}  // namespace
}  // namespace entrain
