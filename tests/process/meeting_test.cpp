// How processes find each other, and what they say if they do not.

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/command.h"

namespace entrain {
namespace {

class Meeting : public ProcessTest {
 protected:
  static inline const Words kQuick = {"model.name=softmax", "train.batch=16", "train.steps=20"};
  static inline const Words kImpatient = {"comm.join_timeout=3 s", "--out", "out"};
  static inline const Words kHasty = {"comm.join_timeout=2 s", "--out", "out"};
  static constexpr double kSoon = 20;  // on a busy machine; a join has 60 s by default

  void expect_no_folder() { EXPECT_FALSE(std::filesystem::exists(*this / "out")); }

  std::vector<Outcome> meet(const std::vector<int>& ranks, int size, const Words& words) {
    std::vector<Running> running = start_ranks(ranks, size, free_port(), words);
    std::vector<Outcome> outcomes = wait_all(running);
    for (const Outcome& outcome : outcomes) EXPECT_LT(outcome.seconds, kSoon) << outcome;
    return outcomes;
  }
};

// Another program at a port: it takes connections and never answers.
class SilentProgram {
 public:
  SilentProgram() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket_, any, size) != 0 || listen(socket_, 8) != 0 ||
        getsockname(socket_, any, &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
  }
  ~SilentProgram() { close(socket_); }
  SilentProgram(const SilentProgram&) = delete;
  int port() const { return port_; }

 private:
  int socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port_ = 0;
};

TEST_F(Meeting, VariablesThatCannotBeMeant) {
  const struct {
    Variables changes;  // empty: the variable is not set
    Words message;
  } cases[] = {
      {{{"WORLD_SIZE", ""}}, {"WORLD_SIZE is not set"}},
      {{{"RANK", ""}}, {"RANK is not set"}},
      {{{"MASTER_ADDR", ""}}, {"MASTER_ADDR is not set"}},
      {{{"MASTER_PORT", ""}}, {"MASTER_PORT is not set"}},
      {{{"RANK", "2"}}, {"RANK=2: must be an integer from 0 to 1"}},
      {{{"RANK", "-1"}}, {"RANK=-1:"}},
      {{{"RANK", "one"}}, {"RANK=one:"}},
      {{{"WORLD_SIZE", "0"}}, {"WORLD_SIZE=0:"}},
      {{{"MASTER_PORT", "70000"}}, {"MASTER_PORT=70000: must be an integer from 1 to 65535"}},
  };
  std::vector<Running> running;
  for (const auto& one : cases) {
    Variables variables = rank_variables(1, 2, 29500);
    for (const auto& [name, value] : one.changes) {
      variables[name] = value;
      if (value.empty()) variables.erase(name);
    }
    running.push_back(start(join({"train", "--out", "out"}, kQuick), variables));
  }
  const std::vector<Outcome> outcomes = wait_all(running);
  for (std::size_t i = 0; i < outcomes.size(); ++i) expect_exit(outcomes[i], 2, cases[i].message);
  expect_no_folder();
}

TEST_F(Meeting, PortThatIsInUse) {
  const SilentProgram other;
  const std::string where = "127.0.0.1:" + std::to_string(other.port());
  std::vector<Running> ranks = start_ranks({0, 1}, 2, other.port(), join(kQuick, kHasty));
  const std::vector<Outcome> outcomes = wait_all(ranks);
  for (const Outcome& outcome : outcomes) EXPECT_LT(outcome.seconds, kSoon) << outcome;
  expect_exit(outcomes[0], 4, {"rank 0", where, "in use", "MASTER_PORT"});
  expect_exit(outcomes[1], 4, {"rank 1", where, "2 s", "MASTER_PORT"});
  expect_no_folder();
}

TEST_F(Meeting, NobodyAtThePort) {
  for (const Outcome& outcome : meet({1, 2}, 3, join(kQuick, kHasty))) {
    expect_exit(outcome, 4, {"no store at 127.0.0.1:", "within 2 s", "is rank 0 running"});
  }
  expect_no_folder();
}

TEST_F(Meeting, ARankThatNeverArrivesIsNamedByAll) {
  for (const Outcome& outcome : meet({0, 1, 2}, 4, join(kQuick, kImpatient))) {
    expect_exit(outcome, 4, {"rank 3", "arrive"});
  }
  expect_no_folder();
}

TEST_F(Meeting, ARankThatFailsEarlyIsNamedWithTheAbsent) {
  const int port = free_port();
  std::vector<Running> ranks = start_ranks({0, 2}, 4, port, join(kQuick, kImpatient));
  const Outcome early = run({"train", "workers=7"}, rank_variables(3, 4, port));
  expect_exit(early, 2, {"workers = 7: must be divisible by the 4 processes"});
  for (const Outcome& outcome : wait_all(ranks)) expect_exit(outcome, 4, {"ranks 1, 3"});
  expect_no_folder();
}

TEST_F(Meeting, RanksWithDifferentSettingsAreRefused) {
  const struct {
    int size;
    Words first, other;  // rank 1 has the others
    Words message;
  } cases[] = {
      {3, {"train.batch=16"}, {"train.batch=8"}, {"train.batch", "'16' and '8'"}},
      {2,
       {"strategy.preset=local_sgd(8)"},
       {"strategy.preset=local_sgd(4)"},
       {"strategy", "'local_sgd(8)' and 'local_sgd(4)'"}},
      {2,
       {"train.steps=9", "workers=2"},
       {"train.steps=9", "workers=4"},
       {"workers", "'2' and '4'"}},
      {2, {"train.steps=20"}, {"train.steps=21"}, {"steps", "'20' and '21'"}},
      {2, {"comm.sums=fast"}, {"comm.sums=reproducible"}, {"'fast' and 'reproducible'"}},
      {2, {"comm.compression=none"}, {"comm.compression=lossless"}, {"'none' and 'lossless'"}},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.other.back());
    const int port = free_port();
    std::vector<Running> ranks;
    for (int rank = 0; rank < one.size; ++rank) {
      ranks.push_back(start(
          join({"train", "model.name=softmax", "--out", "out"}, rank == 1 ? one.other : one.first),
          rank_variables(rank, one.size, port)));
    }
    for (const Outcome& outcome : wait_all(ranks)) {
      expect_exit(outcome, 4, join({"rank 0 and rank 1 differ in"}, one.message));
    }
  }
  expect_no_folder();
}

TEST_F(Meeting, RanksWithDifferentDataAreRefused) {
  write_tiny_mnist(*this / "whole/mnist");
  write_tiny_mnist(*this / "other/mnist", 11);
  write_tiny_mnist(*this / "more/mnist");
  write_file(*this / "more/mnist/t10k-images-idx3-ubyte", idx_images(6, 7));
  write_file(*this / "more/mnist/t10k-labels-idx1-ubyte", idx_labels(6));
  write_tiny_mnist(*this / "fewer/mnist");
  write_file(*this / "fewer/mnist/train-images-idx3-ubyte", idx_images(11, 7));
  write_file(*this / "fewer/mnist/train-labels-idx1-ubyte", idx_labels(11));
  const struct {
    std::string root, setting;
    Words message;
  } cases[] = {
      {"fewer", "seed=1", {"differ in the number of training samples: '12' and '11'"}},
      {"more", "seed=1", {"differ in the number of test samples: '5' and '6'"}},
      {"other", "seed=1", {"differ in the content of the training samples: '"}},
      {"whole", "data.partition=unequal(2)", {"differ in data.partition: 'iid' and 'unequal(2)'"}},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.message.front());
    const int port = free_port();
    std::vector<Running> ranks;
    for (int rank = 0; rank < 2; ++rank) {
      const Words differ = {"data.root=" + (rank == 1 ? one.root : "whole"),
                            rank == 1 ? one.setting : "seed=1"};
      ranks.push_back(start(
          join({"train", "data.name=mnist", "model.name=softmax", "train.batch=2", "--out", "out"},
               differ),
          rank_variables(rank, 2, port)));
    }
    for (const Outcome& outcome : wait_all(ranks)) {
      EXPECT_LT(outcome.seconds, kSoon) << outcome;
      expect_exit(outcome, 4, join({"rank 0 and rank 1"}, one.message));
    }
  }
  expect_no_folder();
}

// GLOO_SOCKET_IFNAME counts where nothing else is said, and the command line most.
TEST_F(Meeting, AtTheInterfaceThatIsAskedFor) {
  const Words launch = {"launch", "-n", "2"};
  const Words train = join({"--", "train"}, join(kQuick, {"--out", "out"}));
  const struct {
    Words flags, settings;
    int code;
    Words parts;
  } cases[] = {
      {{"--interface", "lo"}, {}, 0, {"(entrain launch, at 127.0.0.1)"}},
      {{"--interface", "none8"}, {"comm.interface=127.0.0.1"}, 0, {"at 127.0.0.1)"}},
      {{"--interface", "none8"}, {"--interface", "lo"}, 0, {"at 127.0.0.1)"}},
      {{"--interface", "none8"},
       {},
       2,
       {"comm.interface: interface none8: no interface", "lo (127.0.0.1)"}},
      {{},
       {"comm.interface=192.0.2.9"},
       2,
       {"comm.interface: interface 192.0.2.9: no", "lo (127.0.0.1)"}},
      {{}, {}, 2, {"GLOO_SOCKET_IFNAME=none7: no interface", "lo (127.0.0.1)"}},
  };
  for (const auto& one : cases) {
    std::filesystem::remove_all(*this / "out");
    const Outcome outcome = run(join(join(launch, one.flags), join(train, one.settings)),
                                {{"GLOO_SOCKET_IFNAME", "none7"}});
    expect_exit(outcome, one.code, one.parts);
  }
  expect_exit(run({"train", "--interface", "lo", "comm.interface=lo"}), 2,
              {"comm.interface is given twice"});
}

TEST_F(Meeting, SettingsOfAHostMayDiffer) {
  const int port = free_port();
  std::vector<Running> ranks;
  for (const std::string rank : {"0", "1"}) {
    ranks.push_back(start(join(join({"train"}, kQuick), {"workers=4", "threads.workers=" + rank,
                                                         "data.root=" + rank, "--out", "out"}),
                          rank_variables(std::stoi(rank), 2, port)));
  }
  for (const Outcome& outcome : wait_all(ranks)) expect_exit(outcome, 0);
}

TEST_F(Meeting, LaunchPrefixesTheOutputOfRanks) {
  const Outcome outcome = run(join({"launch", "-n", "2", "--", "train"}, join(kQuick, kImpatient)));
  expect_exit(outcome, 0, {"[0] run: softmax on glyphs, local_sgd(8); 2 workers in 2 processes"});
  EXPECT_EQ(outcome.err.find("[1] "), std::string::npos) << "only rank 0 speaks\n" << outcome;
  EXPECT_NE(outcome.out.find("\nparameters_hash "), std::string::npos) << outcome;
}

}  // namespace
}  // namespace entrain
