#include "entrain/study/study_file.h"

#include <gtest/gtest.h>

#include "entrain/core/files.h"
#include "entrain/core/seeds.h"
#include "entrain/core/test_folder.h"
#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

constexpr const char* good = R"toml(name = "s"
title = "a title"
seeds = 5
show = ["excess"]
[base]
workers = 20
train.steps = 80
train.optimizer = "sgd(lr={lr})"
strategy.preset = "local_sgd(4)"
[tune]
lr = [0.03, 0.1, 1]
metric = "excess"
seeds = 2
[[variant]]
name = "pga n={n} h={h}"
each = { h = [4, 8], n = [20, 50] }
workers = "{n}"
strategy.preset = "gossip_pga(ring, {h})"
[[variant]]
name = "rounds"
tune = false
train.optimizer = "sgd(lr=0.5)"
[[variant.strategy.round]]
of = "parameters"
[[claim]]
text = "better with n={n}"
each = { n = [20, 50] }
holds = "mean(excess, 'pga n={n} h=4') < mean(excess, 'rounds')"
[[claim]]
text = "known not to"
holds = "mean(excess, 'rounds') < 0"
expect = "fails"
reason = "a square is not negative"
)toml";

class StudyFile : public testing::Test {
 protected:
  Study read(const std::string& text) {
    write_whole(folder_ / "s.toml", text);
    return read_study(folder_ / "s.toml");
  }

  // The message for the file in which the first `part` became `other`, without the folder.
  std::string refusal(const std::string& part, const std::string& other) {
    std::string text = good;
    const std::size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    text.replace(at, part.size(), other);
    std::string message = refusal_of([&] { read(text); });
    const std::string path = folder_.path().string() + "/";
    while (message.find(path) != std::string::npos) message.erase(message.find(path), path.size());
    return message;
  }

  TestFolder folder_;
};

TEST_F(StudyFile, ReadsAll) {
  const Study study = read(good);
  EXPECT_EQ(study.name, "s");
  EXPECT_EQ(study.title, "a title");
  EXPECT_EQ(study.seeds, 5);
  EXPECT_EQ(study.show, std::vector<std::string>{"excess"});
  ASSERT_TRUE(study.tuning);
  EXPECT_EQ(study.tuning->name, "lr");
  EXPECT_EQ(study.tuning->grid, (std::vector<std::string>{"0.03", "0.1", "1"}));
  EXPECT_EQ(study.tuning->seeds, 2);
  std::vector<std::string> names, claims;
  for (const Variant& variant : study.variants) names.push_back(variant.name);
  for (const Claim& claim : study.claims) claims.push_back(claim.text);
  EXPECT_EQ(names, (std::vector<std::string>{"pga n=20 h=4", "pga n=50 h=4", "pga n=20 h=8",
                                             "pga n=50 h=8", "rounds"}));
  EXPECT_EQ(claims,
            (std::vector<std::string>{"better with n=20", "better with n=50", "known not to"}));
  EXPECT_EQ(study.claims[0].expected, Verdict::holds);
  EXPECT_EQ(study.claims[2].expected, Verdict::fails);
  EXPECT_EQ(study.claims[2].reason, "a square is not negative");
}

TEST_F(StudyFile, SettingsOfARun) {
  const Study study = read(good);
  const Resolved pga = settings_of(study, study.variants[3], 7, "0.1", {});
  EXPECT_EQ(pga.values.name, "s");
  EXPECT_EQ(pga.values.seed, 7u);
  EXPECT_EQ(pga.values.workers, 50);
  EXPECT_EQ(pga.values.train.steps, 80);
  EXPECT_EQ(pga.values.train.optimizer, "sgd(lr=0.1)");
  EXPECT_EQ(pga.values.strategy.preset, "gossip_pga(ring, 8)");
  EXPECT_EQ(pga.values.threads.workers, 1);
  EXPECT_EQ(pga.values.threads.intra, 1);
  EXPECT_TRUE(pga.origin("workers").ends_with("s.toml:17")) << pga.origin("workers");
  const Resolved rounds = settings_of(study, study.variants[4], 1, "", {});
  EXPECT_EQ(rounds.values.train.optimizer, "sgd(lr=0.5)");
  EXPECT_EQ(rounds.values.strategy.preset, "");  // that of the base went with its rounds
  ASSERT_EQ(rounds.values.strategy.rounds.size(), 1u);
}

TEST_F(StudyFile, OfTheEnvironmentTheDataRootAlone) {
  const auto given = read_study_environment({{"ENTRAIN_DATA__ROOT", "/d"}, {"HOME", "/h"}});
  const Study study = read(good);
  EXPECT_EQ(settings_of(study, study.variants[4], 1, "", given).values.data.root, "/d");
  EXPECT_NE(refusal_of([] {
              read_study_environment({{"ENTRAIN_TRAIN__STEPS", "3"}});
            }).find("ENTRAIN_TRAIN__STEPS: a study has its settings from its file alone"),
            std::string::npos);
}

TEST_F(StudyFile, RefusalsHaveFileAndLine) {
  const std::vector<std::vector<std::string>> cases = {
      {"name = \"s\"", "", "s.toml: name is missing"},
      {"name = \"s\"", "name = \"a b\"", "s.toml:1: name = 'a b': must be 1 to 100 letters"},
      {"seeds = 5", "seeds = 1", "s.toml:3: seeds = 1: must be a whole number from 2 to 1000"},
      {"seeds = 5", "seeds = \"5\"", "s.toml:3: seeds = '5': must be a whole number"},
      {"show = [\"excess\"]", "show = [1]", "s.toml:4: show[0] = 1: must be a text"},
      {"show = [\"excess\"]", "show = []", "s.toml:4: show = []: must be a list of texts"},
      {"[base]", "[bse]", "s.toml:5: unknown key 'bse'; did you mean 'base'?"},
      {"[base]", "base = 3\n[b]", "s.toml:5: base = 3: must be a table, as in [base]"},
      {"workers = 20", "seed = 20", "s.toml:6: seed: the study sets it for each run"},
      {"lr = [0.03, 0.1, 1]", "lr = [0.1, 1]", "a grid of at least 3 numbers"},
      {"lr = [0.03, 0.1, 1]", "lr = [0.1, 1, 1]",
       "s.toml:11: tune.lr[2] = 1: must be a number above"},
      {"lr = [0.03, 0.1, 1]", "", "s.toml:10: tune: a grid is missing"},
      {"metric = \"excess\"", "", "s.toml:10: metric is missing"},
      {"metric = \"excess\"", "metric = \"excess\"\nbs = [1, 2, 3]", "one name is tuned, "},
      {"name = \"pga n={n} h={h}\"", "name = \"pga n={n}\"",
       "s.toml:15: variant 'pga n=20' is given twice, first at s.toml:15"},
      {"name = \"pga n={n} h={h}\"", "name = \"pga n={n} h={h} {m}\"", "nothing replaces {m}"},
      {"gossip_pga(ring, {h})", "gossip_pga(ring, {hh})", "s.toml:18: 'gossip_pga(ring, {hh})': "},
      {"each = { h = [4, 8]", "each = { lr = [1], h = [4, 8]", "each: lr is tuned"},
      {"h = [4, 8]", "h = [true]",
       "s.toml:16: variant[0].each.h[0] = true: must be numbers or texts"},
      {"train.optimizer = \"sgd(lr=0.5)\"", "", "s.toml:8: 'sgd(lr={lr})': nothing replaces {lr}"},
      {"tune = false", "tune = 3", "s.toml:21: tune = 3: must be true or false"},
      {"tune = false", "", "s.toml:20: variant 'rounds': no setting has {lr}"},
      {"'rounds')", "'round')",
       "s.toml:28: claim 'better with n=20': unknown variant 'round'; did you mean 'rounds'?"},
      {"mean(excess, 'rounds') < 0", "mean(excess 'rounds') < 0",
       "s.toml:31: claim 'known not to'"},
      {"mean(excess, 'rounds') < 0", "1 < 0", "s.toml:31: claim 'known not to' reads no result"},
      {"expect = \"fails\"", "expect = \"fail\"", "s.toml:32: expect = 'fail': must be holds, "},
      {"reason = \"a square is not negative\"", "",
       "s.toml:32: expect = \"fails\" needs its reason"},
      {"text = \"known not to\"", "text = \"better with n=20\"",
       "s.toml:30: claim 'better with n=20' is given twice, first at s.toml:26"},
      {"holds = \"mean(excess, 'rounds') < 0\"", "", "s.toml:29: holds is missing"},
      {"expect = ", "expects = ", "s.toml:32: unknown key 'expects'; did you mean 'expect'?"}};
  for (const auto& one : cases) {
    const std::string message = refusal(one[0], one[1]);
    EXPECT_NE(message.find(one[2]), std::string::npos) << one[1] << "\n" << message;
  }
}

TEST_F(StudyFile, UnknownSettingsAreRefusedBeforeARun) {
  std::string text = good;
  text.replace(text.find("workers = 20"), 12, "wokers = 20");
  const Study study = read(text);
  EXPECT_NE(refusal_of([&] {
              settings_of(study, study.variants[0], 1, "1", {});
            }).find("s.toml:6: unknown key 'wokers'; did you mean 'workers'?"),
            std::string::npos);
}

// A byte changed, a piece cut out or doubled: a study, or a UsageError.
TEST_F(StudyFile, DamagedFiles) {
  Stream random(5, Purpose::sample);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text = good;
    for (std::uint64_t n = 1 + random.below(3); n-- > 0;) {
      const std::size_t at = random.below(text.size()), size = 1 + random.below(30);
      const std::uint64_t how = random.below(3);
      if (how == 0) text[at] = "{}[]='\"\n\\ .a1#-\x80"[random.below(17)];
      if (how == 1) text.erase(at, size);
      if (how == 2) text.insert(at, text.substr(random.below(text.size()), size));
    }
    try {
      const Study study = read(text);
      for (const Variant& variant : study.variants) settings_of(study, variant, 1, "1", {});
    } catch (const UsageError& error) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST_F(StudyFile, TextsThatGrowBeyondReason) {
  std::string text = good;
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "{h}";
  text.replace(text.find("gossip_pga(ring, {h})"), 21, many);
  text.replace(text.find("h = [4, 8]"), 10, "h = [\"" + std::string(1000, 'x') + "\"]");
  EXPECT_NE(refusal_of([&] { read(text); }).find("over 100000 bytes"), std::string::npos);
}

TEST_F(StudyFile, TheExample) {
  const Study study = read_study(std::filesystem::path(ENTRAIN_SOURCE) / "examples/study.toml");
  for (const Variant& variant : study.variants) {
    EXPECT_EQ(settings_of(study, variant, 1, "0.1", {}).values.train.optimizer, "sgd(lr=0.1)");
  }
  EXPECT_EQ(study.claims.size(), 4u);
}

}  // namespace
}  // namespace entrain
