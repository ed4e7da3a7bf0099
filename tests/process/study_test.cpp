// `entrain study`: exit codes, files, and that a study goes on where it was killed.

#include <csignal>
#include <nlohmann/json.hpp>

#include "process/command.h"

namespace entrain {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kStudy = R"toml(name = "p"
title = "Softmax on glyphs"
seeds = 4
show = ["test_loss"]
[base]
model.name = "softmax"
workers = 2
train.steps = STEPS
train.batch = 16
evaluation.every = 10
[[variant]]
name = "h={h}"
each = { h = [1, 4] }
strategy.preset = "local_sgd({h})"
[[claim]]
text = "four times the rounds"
holds = "mean(rounds_everyone, 'h=1') / mean(rounds_everyone, 'h=4') in [4, 4]"
[[claim]]
text = "fewer rounds"
holds = "mean(rounds_everyone, 'h=1') < mean(rounds_everyone, 'h=4')"
expect = "EXPECTED"
reason = "it has more"
)toml";

class StudyVerb : public ProcessTest {
 protected:
  void write(const std::string& expected, int steps) {
    std::string text = kStudy;
    text.replace(text.find("EXPECTED"), 8, expected);
    text.replace(text.find("STEPS"), 5, std::to_string(steps));
    write_file(*this / "s.toml", text);
  }

  // The folders in which a run came to its end, and when.
  std::map<std::string, fs::file_time_type> ended(const std::string& out) const {
    std::map<std::string, fs::file_time_type> times;
    if (!fs::exists(*this / out)) return times;
    for (const auto& entry : fs::recursive_directory_iterator(
             *this / out, fs::directory_options::skip_permission_denied)) {
      if (entry.path().filename() != "summary.json") continue;
      times[fs::relative(entry.path(), *this / out)] = fs::last_write_time(entry.path());
    }
    return times;
  }

  // Of each run that ended: the fingerprint of its parameters.
  std::map<std::string, std::string> hashes(const std::string& out) const {
    std::map<std::string, std::string> all;
    for (const auto& [path, time] : ended(out)) {
      const Json summary = Json::parse(file_content(*this / out / path));
      all[path] = summary.at("parameters_hash").get<std::string>();
    }
    return all;
  }
};

TEST_F(StudyVerb, PrintsAndWritesItsClaims) {
  write("fails", 20);
  const Outcome outcome = run({"study", "s.toml", "--jobs", "2"});
  expect_exit(outcome, 0);
  EXPECT_NE(outcome.out.find("Softmax on glyphs"), std::string::npos) << outcome;
  EXPECT_NE(outcome.out.find("2 claims, 0 not as declared"), std::string::npos) << outcome;
  const Json claims = Json::parse(file_content(*this / "runs/study-p/claims.json"));
  ASSERT_EQ(claims.size(), 2u);
  EXPECT_EQ(claims[0].at("study"), "p");
  EXPECT_EQ(claims[0].at("claim"), "four times the rounds");
  EXPECT_EQ(claims[0].at("result"), "holds");
  EXPECT_EQ(claims[0].at("expected"), "holds");
  EXPECT_EQ(claims[0].at("value"), 4);
  EXPECT_EQ(claims[0].at("spread"), 0);
  EXPECT_EQ(claims[0].at("seeds"), 4);
  EXPECT_EQ(claims[1].at("result"), "fails");
  EXPECT_EQ(claims[1].at("reason"), "it has more");
  EXPECT_EQ(claims[1].at("value"), 15);
  expect_whole_files(folder());
  const Outcome json = run({"study", "s.toml", "--json"});
  expect_exit(json, 0);
  EXPECT_EQ(Json::parse(json.out), claims);
}

TEST_F(StudyVerb, AnotherResultThanDeclaredIsExitCodeOne) {
  write("holds", 20);
  const Outcome outcome = run({"study", "s.toml", "--out", "out"});
  expect_exit(outcome, 1);
  EXPECT_NE(outcome.out.find("NOT AS DECLARED: expected that it holds"), std::string::npos);
  EXPECT_NE(outcome.out.find("2 claims, 1 not as declared"), std::string::npos) << outcome;
}

TEST_F(StudyVerb, UnknownVariantsHaveFileAndLine) {
  write("fails", 20);
  std::string text = file_content(*this / "s.toml");
  text.replace(text.rfind("'h=4'"), 5, "'h=5'");
  write_file(*this / "s.toml", text);
  expect_exit(run({"study", "s.toml"}), 2,
              {"s.toml:20: claim 'fewer rounds': unknown variant 'h=5'; did you mean 'h="});
  EXPECT_FALSE(fs::exists(*this / "runs"));
  expect_exit(run({"study", "none.toml"}), 2, {"cannot read 'none.toml'"});
  expect_exit(run({"study", "s.toml", "--jobs", "0"}), 2, {"--jobs"});
}

TEST_F(StudyVerb, GoesOnWhereItWasKilled) {
  write("fails", 400);
  expect_exit(run({"study", "s.toml", "--out", "whole", "--jobs", "2"}), 0);
  Running running = start({"study", "s.toml", "--out", "killed", "--jobs", "2"});
  ASSERT_TRUE(wait_until([&] { return ended("killed").size() >= 2; })) << running.err();
  running.send(SIGKILL);
  EXPECT_EQ(running.wait().signal, SIGKILL);
  const auto before = ended("killed");
  EXPECT_LT(before.size(), 8u) << "killed too late to say anything";
  expect_exit(run({"study", "s.toml", "--out", "killed", "--jobs", "2"}), 0);
  const auto after = ended("killed");
  EXPECT_EQ(after.size(), 8u);
  for (const auto& [path, time] : before) EXPECT_EQ(after.at(path), time) << path << " ran again";
  EXPECT_EQ(hashes("killed"), hashes("whole"));
}

TEST_F(StudyVerb, StopsAtCtrlCAndSaysHowToGoOn) {
  write("fails", 1000000);
  Running running = start({"study", "s.toml", "--out", "out", "--jobs", "2"});
  ASSERT_TRUE(wait_until([&] {
    return fs::exists(*this / "out/runs") && !fs::is_empty(*this / "out/runs");
  })) << running.err();
  expect_exit(run({"study", "s.toml", "--out", "out"}), 2, {"another study is running in 'out'"});
  running.send(SIGINT);
  expect_exit(running.wait(), 130, {"entrain study s.toml --out out"});
  EXPECT_FALSE(fs::exists(*this / "out/claims.json"));
}

}  // namespace
}  // namespace entrain
