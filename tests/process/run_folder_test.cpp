// The folder of a run: what is in it, that it is never overwritten, and that no file of it is ever
// half-written.

#include <sys/mount.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "entrain/train/safetensors.h"
#include "process/command.h"

namespace entrain {
namespace {

using Json = nlohmann::json;

class RunFolders : public ProcessTest {
 protected:
  static inline const Words kQuick = {"train", "model.name=softmax", "train.batch=16",
                                      "train.steps=20"};

  Json summary(const std::string& out) const {
    return Json::parse(file_content(*this / out / "summary.json"));
  }

  std::vector<Json> metrics(const std::string& out) const {
    std::vector<Json> lines;
    std::istringstream stream(file_content(*this / out / "metrics.jsonl"));
    for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
    return lines;
  }
};

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

// A disk of so many bytes at a path, while this lives.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path path, int bytes) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
    mounted_ =
        mount("none", path_.c_str(), "tmpfs", 0, ("size=" + std::to_string(bytes)).c_str()) == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }

 private:
  std::filesystem::path path_;
  bool mounted_;
};

TEST_F(RunFolders, RunTomlRunsTheSameAgain) {
  write_file(
      *this / "first.toml",
      "name = \"odd\"\nseed = 7\nworkers = 4\n[model]\nname = \"mlp(hidden=[32])\"\n[train]\n"
      "epochs = 0.1\nbatch = 16\noptimizer = \"sgd(lr=0.02, momentum=0.9, nesterov=true, "
      "weight_decay=1e-4)\"\nlr_schedule = \"warmup(5, from=0.1) * cosine\"\n"
      "[[strategy.round]]\nof = \"parameters\"\nwhen = \"every(3)\"\n");
  expect_exit(run({"train", "first.toml", "evaluation.every=5", "--out", "first"},
                  {{"ENTRAIN_REPORT__EVERY", "4"}}),
              0);
  expect_exit(run({"train", "first/run.toml", "--out", "again"}), 0);
  EXPECT_EQ(summary("again").at("parameters_hash"), summary("first").at("parameters_hash"));
  EXPECT_EQ(metrics("again").size(), metrics("first").size());
  EXPECT_EQ(file_content(*this / "again/run.toml"), file_content(*this / "first/run.toml"));
}

TEST_F(RunFolders, RunTomlOfALaunchHoldsItsWorkers) {
  expect_exit(run(join({"launch", "-n", "2", "--"},
                       join(kQuick, {"comm.sums=reproducible", "--out", "two"}))),
              0);
  expect_exit(run({"train", "two/run.toml", "--out", "one"}), 0);
  EXPECT_EQ(summary("one").at("workers"), 2);
  EXPECT_EQ(summary("one").at("processes"), 1);
  EXPECT_EQ(summary("one").at("parameters_hash"), summary("two").at("parameters_hash"));
}

TEST_F(RunFolders, MetricsAreWholeLinesInOrder) {
  expect_exit(run(join(kQuick, {"workers=2", "strategy.preset=post_local_sgd(6, 4)",
                                "evaluation.every=8", "report.every=3", "--out", "out"})),
              0);
  std::map<std::string, int> count;
  std::int64_t step = 0;
  std::map<std::string, std::vector<std::int64_t>> steps;
  for (const Json& line : metrics("out")) {
    const std::string kind = line.at("kind");
    ++count[kind];
    EXPECT_GE(line.at("step"), step) << line;
    step = line.at("step");
    steps[kind].push_back(step);
    for (const char* field : {"epoch", "seconds"}) EXPECT_TRUE(line.at(field).is_number()) << line;
    if (kind == "round") ++count[line.at("round").get<std::string>() + " rounds"];
  }
  const Json rounds = summary("out").at("rounds");
  EXPECT_EQ(rounds, Json({{"everyone", 3}, {"groups", 0}, {"neighbours", 0}, {"gradients", 6}}));
  EXPECT_EQ(count["round"], 9);
  EXPECT_EQ(count["everyone rounds"], 3);
  EXPECT_EQ(count["gradients rounds"], 6);
  EXPECT_EQ(steps["round"], (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 10, 14, 18}));
  EXPECT_EQ(steps["step"], (std::vector<std::int64_t>{3, 6, 9, 12, 15, 18}));
  EXPECT_EQ(steps["evaluation"], (std::vector<std::int64_t>{8, 16, 20}));
  EXPECT_EQ(count["step"] + count["round"] + count["evaluation"] + count["event"],
            static_cast<int>(metrics("out").size()));
  const Json last = metrics("out").back();
  for (const char* same : {"test_loss", "test_accuracy", "consensus_distance", "train_loss"}) {
    EXPECT_EQ(last.at(same), summary("out").at(same)) << same;
  }
  EXPECT_GT(last.at("consensus_distance"), 0);
}

TEST_F(RunFolders, SummaryHasEveryField) {
  expect_exit(run(join(kQuick, {"workers=4", "seed=3", "name=fields", "--out", "out"})), 0);
  const Json s = summary("out");
  const std::vector<std::string> numbers = {"workers",
                                            "steps",
                                            "bytes_sent_per_worker",
                                            "wire_bytes_sent",
                                            "train_loss",
                                            "test_loss",
                                            "test_accuracy",
                                            "wall_seconds",
                                            "consensus_distance",
                                            "compute_seconds",
                                            "seed",
                                            "exposed_communication_seconds",
                                            "samples_per_second",
                                            "total_seconds",
                                            "evaluation_seconds",
                                            "peak_memory_bytes"};
  for (const std::string& field : numbers) {
    ASSERT_TRUE(s.contains(field) && s.at(field).is_number()) << field << " in " << s;
  }
  EXPECT_TRUE(s.at("simulated_seconds").is_null());
  EXPECT_TRUE(s.contains("hidden_communication_seconds"));
  EXPECT_EQ(keys_of(s.at("rounds")),
            (std::vector<std::string>{"everyone", "gradients", "groups", "neighbours"}));
  EXPECT_EQ(s.at("name"), "fields");
  EXPECT_EQ(s.at("version").get<std::string>().find("0."), 0u);
  EXPECT_EQ(s.at("strategy"), "local_sgd(8)");
  EXPECT_EQ(s.at("workers"), 4);
  EXPECT_EQ(s.at("steps"), 20);
  EXPECT_EQ(s.at("seed"), 3);
  EXPECT_EQ(s.at("samples"), 4 * 20 * 16);
  EXPECT_EQ(s.at("interrupted"), false);
  EXPECT_EQ(s.at("parameters_hash").get<std::string>().find_first_not_of("0123456789abcdef"),
            std::string::npos);
  EXPECT_GT(s.at("test_accuracy"), 0.2);  // the classes are ten
  EXPECT_LE(s.at("test_accuracy"), 1);
  EXPECT_GT(s.at("train_loss"), 0);
  EXPECT_NEAR(s.at("wall_seconds").get<double>() + s.at("evaluation_seconds").get<double>(),
              s.at("total_seconds").get<double>(), 1e-9);
  EXPECT_GT(s.at("peak_memory_bytes"), 10'000'000);
}

TEST_F(RunFolders, HoldTheseFiles) {
  expect_exit(run(join(kQuick, {"--out", "a/b/out"})), 0);
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(*this / "a/b/out")) {
    names.insert(entry.path().filename());
  }
  for (const char* name :
       {"run.toml", "env.json", "metrics.jsonl", "summary.json", "model.safetensors"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  const Json machine = Json::parse(file_content(*this / "a/b/out/env.json"));
  for (const char* field :
       {"entrain", "revision", "libtorch", "host", "processor", "cores", "threads", "blas"}) {
    EXPECT_TRUE(machine.contains(field)) << field;
  }
  expect_whole_files(folder());
}

TEST_F(RunFolders, ModelIsTheCnn) {
  expect_exit(run({"train", "workers=2", "train.batch=16", "train.steps=3", "--out", "out"}), 0);
  const TensorFile file = load_tensors(*this / "out/model.safetensors");
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const NamedTensor& one : file.tensors) {
    shapes[one.name] = one.tensor.sizes().vec();
    EXPECT_EQ(one.tensor.scalar_type(), at::kFloat);
    const float* values = one.tensor.data_ptr<float>();
    const auto finite = [](float value) { return std::isfinite(value); };
    EXPECT_TRUE(std::all_of(values, values + one.tensor.numel(), finite)) << one.name;
    const auto zero = [](float value) { return value == 0; };
    EXPECT_FALSE(std::all_of(values, values + one.tensor.numel(), zero)) << one.name;
  }
  const std::map<std::string, std::vector<std::int64_t>> cnn = {
      {"conv1.weight", {16, 1, 3, 3}},  {"conv1.bias", {16}},
      {"conv2.weight", {32, 16, 3, 3}}, {"conv2.bias", {32}},
      {"linear1.bias", {128}},          {"linear1.weight", {128, 1568}},
      {"linear2.weight", {10, 128}},    {"linear2.bias", {10}}};
  EXPECT_EQ(shapes, cnn);
  EXPECT_EQ(file.notes.at("strategy"), "local_sgd(8)");
}

TEST_F(RunFolders, AreMadeAnewUnderRuns) {
  for (int i = 0; i < 2; ++i) expect_exit(run(join(kQuick, {"name=anew"})), 0);
  int folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*this / "runs")) {
    ++folders;
    EXPECT_NE(entry.path().filename().string().find("-anew-"), std::string::npos) << entry.path();
    EXPECT_TRUE(std::filesystem::exists(entry.path() / "summary.json")) << entry.path();
  }
  EXPECT_EQ(folders, 2);
}

TEST_F(RunFolders, AreNeverOverwritten) {
  std::filesystem::create_directory(*this / "full");
  write_file(*this / "full/notes.txt", "mine");
  std::filesystem::create_directory(*this / "empty");
  const std::vector<Outcome> outcomes =
      run_all({join(kQuick, {"--out", "full"}), join(kQuick, {"--out", "empty"})});
  expect_exit(outcomes[0], 2, {"'full' is not empty", "--out"});
  expect_exit(outcomes[1], 0);
  EXPECT_EQ(file_content(*this / "full/notes.txt"), "mine");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(*this / "full"), {}), 1);
  expect_exit(run(join(kQuick, {"--out", "empty"})), 2, {"'empty' is not empty"});
}

TEST_F(RunFolders, ThatCannotBeMade) {
  write_file(*this / "file", "mine");
  write_file(*this / "runs", "mine");
  const std::vector<Outcome> outcomes =
      run_all({join(kQuick, {"--out", "file/out"}), join(kQuick, {"--out", "file"}),
               join(kQuick, {"--out", "/proc/entrain"}), kQuick});
  expect_exit(outcomes[0], 1, {"'file/out'", "Not a directory", "--out"});
  expect_exit(outcomes[1], 1, {"'file'", "--out"});
  expect_exit(outcomes[2], 1, {"'/proc/entrain'", "--out"});
  expect_exit(outcomes[3], 1, {"'runs'", "--out"});
  EXPECT_EQ(file_content(*this / "file"), "mine");
  EXPECT_EQ(file_content(*this / "runs"), "mine");
}

TEST_F(RunFolders, ThatRankZeroCannotMakeEndsAllRanks) {
  write_file(*this / "file", "mine");
  const Words words = {"model.name=softmax", "train.batch=16", "train.steps=20", "--out", "file/o"};
  std::vector<Running> ranks = start_ranks({0, 1}, 2, free_port(), words);
  const std::vector<Outcome> outcomes = wait_all(ranks);
  expect_exit(outcomes[0], 1, {"'file/o'"});
  expect_exit(outcomes[1], 4, {"rank 0"});
  expect_exit(run(join({"launch", "-n", "2", "--", "train"}, words)), 1,
              {"'file/o'", "rank 0 ended first, with exit code 1"});
}

TEST_F(RunFolders, OnAFullDiskTheModelIsNamed) {
  const SmallDisk disk(*this / "disk", 256 * 1024);
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a small disk";
  expect_exit(run({"train", "train.batch=16", "train.steps=3", "--out", "disk/out"}), 1,
              {"cannot write 'disk/out/model.safetensors'", "No space left on device"});
  EXPECT_FALSE(std::filesystem::exists(*this / "disk/out/model.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(*this / "disk/out/summary.json"));
  expect_whole_files(*this / "disk/out");
  const Json last = metrics("disk/out").back();
  EXPECT_EQ(last.at("kind"), "event");
  EXPECT_NE(last.at("event").get<std::string>().find("No space left"), std::string::npos) << last;
}

TEST_F(RunFolders, AFullDiskOfRankZeroEndsAllRanks) {
  const SmallDisk disk(*this / "disk", 64 * 1024);
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a small disk";
  const Outcome outcome = run({"launch", "-n", "2", "--", "train", "model.name=softmax",
                               "train.batch=16", "train.steps=1000000", "report.every=1",
                               "evaluation.every=1000000", "--out", "disk/out"});
  expect_exit(outcome, 1,
              {"[0] entrain: cannot write 'disk/out/metrics.jsonl'", "No space left on device",
               "the cause was rank 0, with exit code 1"});
  EXPECT_FALSE(std::filesystem::exists(*this / "disk/out/summary.json"));
  expect_whole_files(*this / "disk/out");
}

TEST_F(RunFolders, OnAFullDiskTheMetricsStayWhole) {
  const SmallDisk disk(*this / "disk", 64 * 1024);
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a small disk";
  expect_exit(
      run({"train", "model.name=softmax", "workers=2", "train.batch=16", "train.steps=10000",
           "report.every=1", "evaluation.every=10000", "--out", "disk/out"}),
      1, {"cannot write 'disk/out/metrics.jsonl'", "No space left on device"});
  EXPECT_FALSE(std::filesystem::exists(*this / "disk/out/summary.json"));
  expect_whole_files(*this / "disk/out");
  EXPECT_GT(file_content(*this / "disk/out/metrics.jsonl").size(), 30'000u);
}

TEST_F(RunFolders, ADivergingRunSaysWhatToDo) {
  const Words diverging = {"train.batch=16", "train.steps=200", "train.optimizer=sgd(lr=1e6)",
                           "--out"};
  expect_exit(run(join(join({"train"}, diverging), {"one"})), 1,
              {"the loss is", "diverged", "lower the learning rate", "step"});
  EXPECT_FALSE(std::filesystem::exists(*this / "one/summary.json"));
  const Json last = metrics("one").back();
  EXPECT_EQ(last.at("kind"), "event");
  EXPECT_NE(last.at("event").get<std::string>().find("diverged"), std::string::npos) << last;
  expect_exit(run(join(join({"launch", "-n", "2", "--", "train"}, diverging), {"two"})), 1,
              {"the loss is", "ended first, with exit code 1"});
  expect_whole_files(folder());
}

}  // namespace
}  // namespace entrain
