// Every launcher starts the same run of four ranks, and the results agree to the bit.

#include "process/netlab_hosts.h"

namespace entrain {
namespace {

const char* const kPython = "/usr/bin/python3";  // Debian's, which has Debian's torch

class Launchers : public ProcessTest {
 protected:
  static inline const Words kRun = {
      "train",     "model.name=softmax", "train.batch=16",         "train.steps=20",
      "workers=4", "threads.intra=1",    "comm.sums=reproducible", "--out",
      "out"};

  // The binary by its path, for launchers that are not ours.
  static Words binary() { return join({std::getenv("ENTRAIN_BINARY")}, kRun); }

  // What a run in this process alone gives.
  const std::string& expected_hash() {
    static const std::string hash = [this] {
      Words words = kRun;
      words.back() = "alone";
      expect_exit(run(words), 0);
      return hash_of_run(*this / "alone");
    }();
    EXPECT_EQ(hash.size(), 16u);
    return hash;
  }

  void expect_run(const Outcome& outcome, const std::string& launcher,
                  const std::string& where = "meeting at ") {
    expect_exit(outcome, 0, {"run: rank 0 of 4 (" + launcher + "), " + where});
    EXPECT_EQ(hash_of_run(*this / "out"), expected_hash()) << outcome;
  }

  void expect_ranks(std::vector<Running> ranks, const std::string& launcher) {
    const std::vector<Outcome> outcomes = wait_all(ranks);
    expect_run(outcomes[0], launcher);
    for (const Outcome& outcome : outcomes) expect_exit(outcome, 0);
  }

  // Python 3.11 hides the zero of torchrun's own enumeration from it: without -r and -t it fails.
  Words torchrun(const std::string& meeting) {
    const Words words = {kPython,
                         "-m",
                         "torch.distributed.run",
                         meeting,
                         "--nproc_per_node=4",
                         "-r",
                         "1",
                         "-t",
                         "1",
                         "--log_dir",
                         "logs",
                         "--no_python"};
    return join(words, binary());
  }

  bool has_torchrun() {
    return access(kPython, X_OK) == 0 &&
           run({kPython, "-c", "import torch.distributed.run"}).code == 0;
  }

  // Before the number of ranks and what they run.
  static Words mpirun() {
    return {program_path("mpirun"),
            "--allow-run-as-root",
            "--oversubscribe",
            "--bind-to",
            "none",
            "-n"};
  }

  bool has_open_mpi() {
    const std::string path = program_path("mpirun");
    return !path.empty() && run({path, "--version"}).out.find("Open MPI") != std::string::npos;
  }
};

TEST_F(Launchers, OurOwn) {
  expect_run(run(join({"launch", "-n", "4", "--"}, kRun)), "entrain launch");
}

TEST_F(Launchers, OurOwnThroughAScriptOfTheUser) {
  expect_run(
      run(join({"launch", "-n", "4", "--", "/bin/sh", "-c", "\"$@\"; exit $?", "sh"}, binary())),
      "entrain launch");
}

TEST_F(Launchers, OurOwnOnHosts) {
  expect_run(run(join({"launch", "--hosts", hosts_file(folder(), "h1 slots=3\nh2\n"), "--ssh",
                       fake_ssh(folder()), "--address", "127.0.0.1", "--"},
                      kRun)),
             "entrain launch");
}

using NetlabHosts = OnNetlab<Launchers, 2>;

TEST_F(NetlabHosts, OurOwn) {
  const Outcome outcome =
      run(join({"launch", "--hosts", hosts_file(folder(), "h0 slots=2\nh1 slots=2\n"), "--ssh",
                netlab_ssh(), "--"},
               kRun));
  expect_run(outcome, "entrain launch");
  expect_exit(outcome, 0, {"meeting at h0:"});
}

TEST_F(Launchers, OurOwnOnThisMachineByItsName) {
  const std::string hosts = hosts_file(folder(), "localhost slots=4\n");
  expect_run(run(join({"launch", "--hosts", hosts, "--"}, kRun)), "entrain launch");
}

TEST_F(Launchers, TorchrunWhoseAgentHostsTheStore) {
  if (!has_torchrun()) FAIL() << "no torchrun: install python3-torch";
  expect_run(run(torchrun("--master_port=" + std::to_string(free_port()))), "torchrun");
}

TEST_F(Launchers, TorchrunWhereRankZeroHostsTheStore) {
  if (!has_torchrun()) FAIL() << "no torchrun: install python3-torch";
  expect_run(run(torchrun("--standalone")), "torchrun");
}

TEST_F(Launchers, Mpirun) {
  if (!has_open_mpi()) FAIL() << "no mpirun: install openmpi-bin";
  expect_run(run(join(join(mpirun(), {"4"}), binary())), "mpirun");
}

// The same, with MPI's own messages.
class OverMpi : public Launchers {
 protected:
  void SetUp() override {
    Launchers::SetUp();
    const Outcome alone = run(join(kRun, {"comm.transport=mpi"}));
    if (alone.err.find("was built without MPI") != alone.err.npos) {
      GTEST_SKIP() << "built without MPI";
    }
    if (!has_open_mpi()) FAIL() << "no mpirun: install openmpi-bin";
  }

  static Words run_over_mpi(const Words& more = {}) {
    return join(binary(), join({"comm.transport=mpi"}, more));
  }

  // Three ranks that run one thing, and a last one that runs another.
  static Words three_and_one(const Words& three, const Words& one) {
    return join(join(join(mpirun(), {"3"}), join(three, {":", "-n", "1"})), one);
  }
};

TEST_F(OverMpi, Mpirun) {
  expect_run(run(join(join(mpirun(), {"4"}), run_over_mpi())), "mpirun", "over MPI");
}

TEST_F(OverMpi, TwoWorkersAProcess) {
  const Outcome outcome = run(join(join(mpirun(), {"2"}), run_over_mpi()));
  expect_exit(outcome, 0, {"run: rank 0 of 2 (mpirun), over MPI"});
  EXPECT_EQ(hash_of_run(*this / "out"), expected_hash()) << outcome;
}

TEST_F(OverMpi, NeedsALauncherOfMpi) {
  const Words words = join(kRun, {"comm.transport=mpi"});
  expect_exit(run(words), 2,
              {"comm.transport = mpi: ", "was not started by mpirun", "mpirun -n 4"});
  expect_exit(run(words, rank_variables(0, 4, free_port())), 2, {"was not started by mpirun"});
  EXPECT_FALSE(std::filesystem::exists(*this / "out"));
}

TEST_F(OverMpi, ProgramsThatDifferAreRefusedWithBothRanks) {
  const Outcome outcome =
      run(three_and_one(run_over_mpi(), run_over_mpi({"train.optimizer=sgd(lr=0.5)"})));
  EXPECT_NE(outcome.code, 0);
  EXPECT_NE(outcome.err.find("rank 0 and rank 3 differ in train.optimizer: "), outcome.err.npos)
      << outcome;
}

// The others are in MPI_Init, or in an exchange, by then.
TEST_F(OverMpi, ARankThatFailsEndsTheJobWithItsCause) {
  const Words wrong = {"train.batch=0", "model.name=nonsense"};
  for (const std::string& setting : wrong) {
    const Outcome outcome = run(three_and_one(run_over_mpi(), run_over_mpi({setting})));
    EXPECT_EQ(outcome.code, 2) << outcome;
    EXPECT_NE(outcome.err.find(setting.substr(0, setting.find('='))), outcome.err.npos) << outcome;
    EXPECT_LT(outcome.seconds, 30);
  }
}

TEST_F(OverMpi, ARankThatHangsIsNamed) {
  const std::string token = "name=" + folder().filename().string();
  const Words endless = {std::getenv("ENTRAIN_BINARY"),
                         "train",
                         "model.name=softmax",
                         "train.steps=1000000000",
                         "threads.intra=1",
                         "comm.transport=mpi",
                         "comm.patience=3 s",
                         token,
                         "--out",
                         "out"};
  Running running = start(join(join(mpirun(), {"4"}), endless));
  ASSERT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << running.err();
  const pid_t stopped = process_of_rank(token, 2, "OMPI_COMM_WORLD_RANK");
  ASSERT_GT(stopped, 0);
  kill(stopped, SIGSTOP);
  const Outcome outcome = running.wait();
  expect_exit(outcome, 4, {"no word from rank 2: no sign of life for 3 s"});
  EXPECT_LT(outcome.seconds, 30) << outcome;
  EXPECT_TRUE(wait_until([&] { return processes_with(token).empty(); }, 10));
}

TEST_F(Launchers, MpiexecByItsVariables) {
  std::vector<Running> ranks;
  const std::string port = std::to_string(free_port());
  for (const std::string rank : {"0", "1", "2", "3"}) {
    ranks.push_back(start(kRun, {{"PMI_RANK", rank},
                                 {"PMI_SIZE", "4"},
                                 {"MPI_LOCALRANKID", rank},
                                 {"MPI_LOCALNRANKS", "4"},
                                 {"MASTER_PORT", port}}));
  }
  expect_ranks(std::move(ranks), "mpiexec");
}

TEST_F(Launchers, SrunByItsVariables) {
  std::vector<Running> ranks;
  for (const std::string rank : {"0", "1", "2", "3"}) {
    ranks.push_back(start(kRun, {{"SLURM_JOB_ID", std::to_string(getpid())},
                                 {"SLURM_STEP_ID", "0"},
                                 {"SLURM_PROCID", rank},
                                 {"SLURM_NTASKS", "4"},
                                 {"SLURM_LOCALID", rank},
                                 {"SLURM_NODEID", "0"},
                                 {"SLURM_TASKS_PER_NODE", "4"},
                                 {"SLURM_NODELIST", "node[003]"}}));
  }
  expect_ranks(std::move(ranks), "srun");
}

TEST_F(Launchers, ByHand) {
  std::vector<Running> ranks;
  const int port = free_port();
  for (int rank = 0; rank < 4; ++rank) ranks.push_back(start(kRun, rank_variables(rank, 4, port)));
  expect_ranks(std::move(ranks), "environment");
}

TEST_F(Launchers, VariablesOfTwoThatContradictEachOther) {
  Variables variables = rank_variables(0, 4, 29500);
  variables["OMPI_COMM_WORLD_RANK"] = "1";
  expect_exit(run(kRun, variables), 2, {"OMPI_COMM_WORLD_SIZE is not set"});
  variables["OMPI_COMM_WORLD_SIZE"] = "4";
  expect_exit(run(kRun, variables), 2, {"RANK=0 of WORLD_SIZE=4, but OMPI_COMM_WORLD_RANK=1"});
  EXPECT_FALSE(std::filesystem::exists(*this / "out"));
}

}  // namespace
}  // namespace entrain
