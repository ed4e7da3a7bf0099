// Settings and words that cannot be meant end in exit code 2 and a message that says what is wrong,
// before anything is touched.

#include "process/command.h"

namespace entrain {
namespace {

// What is given, and the parts of the message.
struct Refused {
  Words words, message;
};

class BadSettings : public ProcessTest {
 protected:
  void expect_refused(const std::vector<Refused>& all, const Words& more = {}) {
    std::vector<Words> commands;
    for (const Refused& one : all) commands.push_back(join(one.words, more));
    const std::vector<Outcome> outcomes = run_all(commands);
    for (std::size_t i = 0; i < all.size(); ++i) expect_exit(outcomes[i], 2, all[i].message);
    EXPECT_FALSE(std::filesystem::exists(*this / "out"));
    EXPECT_FALSE(std::filesystem::exists(*this / "runs"));
  }

  // Expects that `train` refuses a file of that content.
  void expect_refused(const std::string& name, const std::string& content, const Words& message) {
    write_file(*this / name, content);
    expect_refused({{{"train", name, "--out", "out"}, message}});
  }
};

TEST_F(BadSettings, UnknownKeyOfAFile) {
  expect_refused("key.toml", "seed = 1\n[train]\nbatch = 8\nbacth = 3\n",
                 {"key.toml:4: unknown key 'train.bacth'; did you mean 'train.batch'?"});
  expect_refused("table.toml", "[trian]\nbatch = 8\n", {"table.toml:1:", "'trian'", "'train'?"});
  expect_refused("round.toml", "[[strategy.round]]\nof = 'parameters'\nwhne = 'every(8)'\n",
                 {"round.toml:3:", "whne", "did you mean 'when'?"});
}

TEST_F(BadSettings, UnknownKeyOfACommandLine) {
  expect_refused({{{"train", "train.bacth=3"},
                   {"command line: unknown key 'train.bacth'; did you mean 'train.batch'?"}},
                  {{"train", "batch=3"}, {"'batch'", "did you mean 'train.batch'?"}}},
                 {"--out", "out"});
}

TEST_F(BadSettings, UnknownKeyOfTheEnvironment) {
  expect_exit(run({"train", "--out", "out"}, {{"ENTRAIN_TRAIN__BACTH", "3"}}), 2,
              {"ENTRAIN_TRAIN__BACTH", "did you mean 'ENTRAIN_TRAIN__BATCH'?"});
}

TEST_F(BadSettings, UnknownFlagOrVerb) {
  expect_refused({{{"train", "--otu", "out"}, {"'--otu'", "did you mean '--out'?", "train --help"}},
                  {{"tarin"}, {"'tarin'", "did you mean 'train'?", "entrain --help"}},
                  {{"data", "lits"}, {"'lits'", "did you mean 'list'?"}},
                  {{"strategy", "show"}, {"strategy", "required"}},
                  {{}, {"subcommand", "required"}}});
}

TEST_F(BadSettings, ValuesOutOfRange) {
  expect_refused({{{"train", "strategy.preset=local_sgd(0)"},
                   {"command line: strategy.preset:", "every(0): steps must be >= 1"}},
                  {{"train", "workers=0"}, {"command line: workers = 0: must be at least 1"}},
                  {{"train", "workers=20000"}, {"workers", "10000 samples", "20000 workers"}},
                  {{"train", "train.epochs=0"}, {"train.epochs = 0", "more than 0"}},
                  {{"train", "train.optimizer=sgd(lr=-1)"}, {"train.optimizer:", "lr", "-1"}},
                  {{"train", "evaluation.every=0"}, {"evaluation.every:", "at least 1"}},
                  {{"train", "name=a/b"}, {"name = ", "a/b"}}},
                 {"--out", "out"});
}

TEST_F(BadSettings, ValuesOfTheWrongKind) {
  expect_refused({{{"train", "train.batch=many"}, {"train.batch = 'many': must be a whole number"}},
                  {{"train", "train.batch=8", "train.batch=9"}, {"train.batch is given twice"}},
                  {{"train", "comm.join_timeout=5"}, {"comm.join_timeout:", "'5'", "60 s"}},
                  {{"train", "strategy.preset=local_sgd(8"}, {"strategy.preset:", "local_sgd(8"}},
                  {{"train", "workers=2", "seed"}, {"'seed'", "key=value"}}},
                 {"--out", "out"});
}

TEST_F(BadSettings, NamesThatNothingHas) {
  expect_refused(
      {{{"train", "strategy.preset=lcoal_sgd(8)"}, {"strategy.preset:", "'local_sgd'?"}},
       {{"train", "data.name=mnsit"}, {"data.name:", "did you mean 'mnist'?"}},
       {{"train", "data.partition=nonsense"}, {"data.partition:", "'nonsense'", "dirichlet"}},
       {{"train", "data.partition=dirichlet(0)"}, {"data.partition:", "dirichlet(0)", "> 0"}},
       {{"train", "data.partition=by_feature(3)"}, {"data.partition:", "no features"}},
       {{"train", "model.name=cmn"}, {"model.name:", "did you mean 'cnn'?"}},
       {{"train", "train.optimizer=sdg(lr=1)"}, {"train.optimizer:", "did you mean 'sgd'?"}}},
      {"--out", "out"});
  expect_refused({{{"strategy", "show", "lcoal_sgd"}, {"did you mean 'local_sgd'?"}},
                  {{"data", "prepare", "mnsit", "--download"}, {"did you mean 'mnist'?"}}});
}

TEST_F(BadSettings, WorkersMustBeDivisibleByTheProcesses) {
  expect_refused(
      {{{"launch", "-n", "3", "--", "train", "workers=8", "--out", "out"},
        {"workers = 8: must be divisible by the 3 processes", "ended first, with exit code 2"}}});
}

TEST_F(BadSettings, LaunchOfNothing) {
  expect_refused({{{"launch", "-n", "0", "--", "train"}, {"-n 0", "at least 1"}},
                  {{"launch", "-n", "2"}, {"command", "required"}},
                  {{"launch", "train"}, {"-n", "required"}}});
}

TEST_F(BadSettings, FileThatIsNoConfiguration) {
  expect_refused("cut.toml", "[train]\nbatch = ", {"cut.toml:2:"});
  expect_refused("open.toml", "name = \"abc\nseed = 2\n", {"open.toml:1:"});
  expect_refused("bytes.toml", std::string("\0\1\2\xff", 4), {"bytes.toml"});
  expect_refused("large.toml", std::string(1024 * 1024 + 1, '#'), {"large.toml: over 1 MiB"});
  expect_refused({{{"train", "none.toml"}, {"cannot read 'none.toml'", "No such file"}},
                  {{"train", "."}, {"cannot read '.'"}}},
                 {"--out", "out"});
}

TEST_F(BadSettings, PresetBesideRounds) {
  expect_refused("both.toml",
                 "[strategy]\npreset = 'synchronous'\n[[strategy.round]]\nof = 'gradients'\n",
                 {"both.toml:2:", "strategy.preset", "[[strategy.round]]"});
}

TEST_F(BadSettings, ARoundThatIsWrongIsNamed) {
  write_file(*this / "run.toml",
             "[[strategy.round]]\nof = \"gradients\"\n\n[[strategy.round]]\nof = \"parameters\"\n"
             "when = \"every(0)\"\n");
  expect_exit(run({"train", "run.toml", "--out", "out"}), 2,
              {"run.toml:4", "every(0): steps must be >= 1"});
}

TEST_F(BadSettings, ANetworkThatCannotBe) {
  write_file(*this / "short.txt", "1 1\n1 1\n");
  const std::vector<std::pair<Words, Words>> cases = {
      {{"network.latency=1 ms"}, {"network.latency: ", "needs network.bandwidth"}},
      {{"network.preset=wirless"}, {"network.preset", "did you mean 'wireless'?"}},
      {{"network.preset=wireless", "workers=4", "network.links=[link(0, 4)]"},
       {"command line: network.links: ", "no worker 4 among 4"}},
      {{"network.bandwidth=-1 Gbit/s"}, {"network.bandwidth", "'-1 Gbit/s'"}},
      {{"network.bandwidth=1 Gbit/s", "network.compute=gamma(1 s)"}, {"network.compute", "gamma"}},
      {{"network.bandwidth=1 Gbit/s", "network.compute=trace(\"none.txt\")"},
       {"network.compute", "none.txt"}},
      {{"network.bandwidth=1 Gbit/s", "workers=2", "train.steps=20",
        "network.compute=trace(\"short.txt\")"},
       {"network.compute: short.txt: ends after step 2, where the run has 20 steps"}},
      {{"network.bandwidth=1 Gbit/s", "network.straggler=slow(2, 5)"},
       {"network.straggler", "probability"}}};
  for (const auto& [settings, message] : cases) {
    expect_exit(run(join({"train", "--out", "out"}, settings)), 2, message);
  }
}

}  // namespace
}  // namespace entrain
