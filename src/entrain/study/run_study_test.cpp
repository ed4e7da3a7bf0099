#include "entrain/study/run_study.h"

#include <gtest/gtest.h>

#include <fstream>

#include "entrain/core/files.h"
#include "entrain/core/test_folder.h"
#include "entrain/core/test_refusal.h"
#include "entrain/study/study_report.h"

namespace entrain {
namespace {

namespace fs = std::filesystem;

constexpr const char* small = R"toml(name = "small"
seeds = 3
show = ["test_loss", "rounds_everyone"]
[base]
data.name = "glyphs"
model.name = "softmax"
workers = 2
train.steps = 40
train.batch = 16
train.optimizer = "sgd(lr={lr})"
evaluation.every = 4
[tune]
lr = [0.0001, 0.1, 1e39]
metric = "test_loss"
seeds = 1
[[variant]]
name = "h={h}"
each = { h = [1, 4] }
strategy.preset = "local_sgd({h})"
[[variant]]
name = "too fast"
tune = false
train.optimizer = "sgd(lr=1e39)"
[[claim]]
text = "rounds"
holds = "mean(rounds_everyone, 'h=1') / mean(rounds_everyone, 'h=4') in [4, 4]"
[[claim]]
text = "learns"
holds = "mean(test_loss, 'h=4') < mean(test_loss, 'h=4', at=4)"
[[claim]]
text = "too fast to say"
holds = "mean(test_loss, 'too fast') > mean(test_loss, 'h=1')"
expect = "inconclusive"
reason = "it diverges"
)toml";

class RunStudy : public testing::Test {
 protected:
  Study read(const std::string& text = small) {
    write_whole(folder_ / "s.toml", text);
    return read_study(folder_ / "s.toml");
  }

  StudyResult run(const Study& study, int jobs, const std::string& out = "out",
                  const std::string& only = "") {
    return run_study(study, {.out = folder_ / out, .jobs = jobs, .only = only, .progress = false},
                     {});
  }

  // All that does not depend on the clock.
  static std::string lasting(const Study& study, StudyResult result) {
    for (auto& [variant, runs] : result.results) {
      for (RunFigures& run : runs) {
        std::erase_if(run.last, [](const auto& figure) {
          return figure.first.find("seconds") != std::string::npos ||
                 figure.first == "samples_per_second" || figure.first == "peak_memory_bytes";
        });
        for (EvaluationPoint& point : run.evaluations) {
          std::erase_if(point.figures, [](const auto& figure) {
            return figure.first.find("seconds") != std::string::npos;
          });
        }
      }
    }
    return results_json(study, result);
  }

  std::vector<fs::path> run_folders(const std::string& out = "out") {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / out)) {
      if (entry.path().filename() == "run.toml") folders.push_back(entry.path().parent_path());
    }
    return folders;
  }

  TestFolder folder_;
};

TEST_F(RunStudy, TunesRunsAndJudges) {
  const Study study = read();
  const StudyResult result = run(study, 3);
  EXPECT_EQ(result.tuned.at("h=1").value, "0.1");
  EXPECT_EQ(result.tuned.at("h=4").doubt, "");
  EXPECT_EQ(result.tuned.at("h=4").means[2], unbounded);  // 1e39 diverges
  EXPECT_FALSE(result.tuned.contains("too fast"));
  ASSERT_EQ(result.findings.size(), 3u);
  EXPECT_EQ(result.findings[0].verdict, Verdict::holds);
  EXPECT_EQ(result.findings[1].verdict, Verdict::holds);
  EXPECT_EQ(result.findings[2].verdict, Verdict::inconclusive);
  EXPECT_EQ(result.findings[2].why, "3 of 3 runs of 'too fast' diverged");
  EXPECT_TRUE(result.as_expected());
  EXPECT_NE(print_results(study, result).find("3 of 3 diverged"), std::string::npos);
  EXPECT_NE(claims_json(study, result).find("\"result\": \"inconclusive\""), std::string::npos);
  EXPECT_EQ(run_folders().size(), 2u * 3 * 1 + 3 * 3);
}

TEST_F(RunStudy, SideBySideAsOneByOne) {
  const Study study = read();
  EXPECT_EQ(lasting(study, run(study, 1, "one")), lasting(study, run(study, 4, "four")));
}

TEST_F(RunStudy, WhatIsThereIsNotRunAgain) {
  const Study study = read();
  const std::string first = results_json(study, run(study, 2));  // seconds and all
  EXPECT_EQ(results_json(study, run(study, 2)), first);
}

TEST_F(RunStudy, WhatIsHalfThereIsRunAgain) {
  const Study study = read();
  const std::string first = lasting(study, run(study, 2));
  const std::vector<fs::path> folders = run_folders();
  int removed = 0;
  for (const fs::path& folder : folders) {
    if (!fs::exists(folder / "summary.json")) continue;
    if (removed % 3 == 0) fs::remove(folder / "summary.json");
    if (removed % 3 == 1) std::ofstream(folder / "summary.json") << "{\"name\": ";
    ++removed;
  }
  EXPECT_GT(removed, 6);
  EXPECT_EQ(lasting(study, run(study, 2)), first);
}

TEST_F(RunStudy, OtherSettingsAreOtherRuns) {
  const Study study = read();
  run(study, 2);
  const std::size_t before = run_folders().size();
  std::string text = small;
  text.replace(text.find("train.steps = 40"), 16, "train.steps = 16");
  const Study longer = read(text);
  EXPECT_EQ(run(longer, 2).results.at("h=1")[0].value("steps"), 16);
  EXPECT_EQ(run_folders().size(), 2 * before);
}

TEST_F(RunStudy, OnlySomeVariants) {
  const Study study = read();
  const StudyResult result = run(study, 2, "out", "h=4");
  EXPECT_EQ(result.results.size(), 1u);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].claim->text, "learns");
  EXPECT_EQ(result.not_judged.size(), 2u);
  EXPECT_NE(print_findings(result).find("not judged    rounds"), std::string::npos);
  EXPECT_NE(refusal_of([&] { run(study, 2, "out", "h=5"); }).find("no variant has this"),
            std::string::npos);
}

TEST_F(RunStudy, UnknownMetricsComeOutWithTheFirstRun) {
  std::string text = small;
  text.replace(text.find("mean(test_loss, 'h=4', at"), 14, "mean(tast_loss");
  const Study study = read(text);
  const std::string message = refusal_of([&] { run(study, 1); });
  EXPECT_NE(message.find("s.toml:28: claim 'learns': the evaluations of 'h=4' have no metric "
                         "'tast_loss'; did you mean 'test_loss'?"),
            std::string::npos)
      << message;
  EXPECT_LE(run_folders().size(), 2u);
  text = small;
  text.replace(text.find("show = [\"test"), 13, "show = [\"tist");
  EXPECT_NE(refusal_of([&] {
              run(read(text), 1, "other");
            }).find("s.toml:3: show: no variant has the metric 'tist_loss'"),
            std::string::npos);
}

TEST_F(RunStudy, ARunThatCannotBeNamesItsVariant) {
  std::string text = small;
  text.replace(text.find("local_sgd({h})"), 14, "local_sdg({h})");
  const std::string message = refusal_of<Error>([&] { run(read(text), 1); });
  EXPECT_NE(message.find("s.toml:19: strategy.preset: unknown strategy 'local_sdg(1)'"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("(variant 'h=1', seed 1000001)"), std::string::npos) << message;
}

TEST_F(RunStudy, NotUnderALauncher) {
  const Study study = read();
  EXPECT_NE(refusal_of([&] {
              run_study(study, {.out = folder_ / "out"},
                        {{"RANK", "0"},
                         {"WORLD_SIZE", "2"},
                         {"MASTER_ADDR", "127.0.0.1"},
                         {"MASTER_PORT", "29500"}});
            }).find("start it without a launcher"),
            std::string::npos);
}

}  // namespace
}  // namespace entrain
