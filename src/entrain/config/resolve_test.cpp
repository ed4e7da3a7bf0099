#include "entrain/config/resolve.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "entrain/core/seeds.h"

namespace entrain {
namespace {

using Environment = std::map<std::string, std::string>;

/// Writes files and calls theirs "x.toml" in the messages it compares.
class Resolve : public testing::Test {
 protected:
  std::string written(const std::string& content) const {
    std::ofstream(path_, std::ios::binary) << content;
    return path_;
  }

  Resolved from_file(const std::string& content, const std::vector<std::string>& overrides = {},
                     const Environment& environment = {}) const {
    return resolve(written(content), overrides, environment);
  }

  template <class Run>
  std::string refusal(Run run) const {
    try {
      run();
    } catch (const UsageError& error) {
      std::string message = error.what();
      for (std::size_t at; (at = message.find(path_)) != std::string::npos;) {
        message.replace(at, path_.size(), "x.toml");
      }
      return message;
    }
    return "";
  }

  std::string file_refusal(const std::string& content) const {
    return refusal([&] { from_file(content); });
  }

  std::string override_refusal(const std::string& text) const {
    return refusal([&] { resolve({}, {text}, {}); });
  }

  std::string variable_refusal(const std::string& name, const std::string& value) const {
    return refusal([&] { resolve({}, {}, {{name, value}}); });
  }

  void TearDown() override { std::filesystem::remove(path_); }

  const std::string path_ =
      fmt::format("{}entrain_{}_{}.toml", testing::TempDir(), ::getpid(),
                  testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(Resolve, DefaultsAlone) {
  const Resolved resolved = resolve({}, {}, {});
  Settings expected;
  expected.strategy.preset = "local_sgd(8)";
  EXPECT_EQ(resolved.values, expected);
  EXPECT_EQ(resolved.origin("train.batch"), "default");
  EXPECT_EQ(from_file("").values, expected);
}

TEST_F(Resolve, EverySettingFromAFile) {
  const std::string content =
      "name = 'mnist-overlap'\n"
      "seed = 9223372036854775807\n"
      "workers = 4\n"
      "[data]\n"
      "name = 'mnist'\n"
      "root = 'D:\\data'\n"
      "partition = 'iid'\n"
      "[model]\n"
      "name = 'mlp'\n"
      "[train]\n"
      "epochs = 2.5\n"
      "steps = 200\n"
      "batch = 32\n"
      "optimizer = 'sgd(lr=0.1)'\n"
      "lr_schedule = 'warmup(5ep) * cosine'\n"
      "dtype = 'float64'\n"
      "[strategy]\n"
      "preset = 'local_sgd(4)'\n"
      "[comm]\n"
      "sums = 'reproducible'\n"
      "join_timeout = '5 s'\n"
      "[threads]\n"
      "intra = 1\n"
      "workers = 2\n"
      "[evaluation]\n"
      "every = '100'\n"
      "model = 'average'\n"
      "[report]\n"
      "every = 5\n";
  const Settings values = from_file(content).values;
  EXPECT_EQ(values.name, "mnist-overlap");
  EXPECT_EQ(values.seed, 9223372036854775807u);
  EXPECT_EQ(values.workers, 4);
  EXPECT_EQ(values.data.name, "mnist");
  EXPECT_EQ(values.data.root, "D:\\data");
  EXPECT_EQ(values.data.partition, "iid");
  EXPECT_EQ(values.model.name, "mlp");
  EXPECT_EQ(values.train.epochs, 2.5);
  EXPECT_EQ(values.train.steps, 200);
  EXPECT_EQ(values.train.batch, 32);
  EXPECT_EQ(values.train.optimizer, "sgd(lr=0.1)");
  EXPECT_EQ(values.train.lr_schedule, "warmup(5ep) * cosine");
  EXPECT_EQ(values.train.dtype, "float64");
  EXPECT_EQ(values.strategy.preset, "local_sgd(4)");
  EXPECT_EQ(values.comm.sums, "reproducible");
  EXPECT_EQ(values.comm.join_timeout, "5 s");
  EXPECT_EQ(values.threads.intra, 1);
  EXPECT_EQ(values.threads.workers, 2);
  EXPECT_EQ(values.evaluation.every, "100");
  EXPECT_EQ(values.report.every, 5);
}

TEST_F(Resolve, CommandLineOverEnvironmentOverFileOverDefault) {
  const std::string file = "[train]\nbatch = 2\n[data]\nroot = 'file'\nname = 'file'\n";
  const Environment environment{{"ENTRAIN_TRAIN__BATCH", "3"}, {"ENTRAIN_DATA__ROOT", "variable"}};
  const Resolved resolved = from_file(file, {"train.batch=4"}, environment);
  EXPECT_EQ(resolved.values.train.batch, 4);
  EXPECT_EQ(resolved.origin("train.batch"), "command line");
  EXPECT_EQ(resolved.values.data.root, "variable");
  EXPECT_EQ(resolved.origin("data.root"), "ENTRAIN_DATA__ROOT");
  EXPECT_EQ(resolved.values.data.name, "file");
  EXPECT_EQ(resolved.origin("data.name"), path_ + ":5");
  EXPECT_EQ(resolved.origin("data.partition"), "default");
}

TEST_F(Resolve, TextsInTomlMayBeBareIntegers) {
  EXPECT_EQ(from_file("[evaluation]\nevery = 500").values.evaluation.every, "500");
  EXPECT_EQ(from_file("[train]\nepochs = 3").values.train.epochs, 3.0);
}

TEST_F(Resolve, OverridesAreRawText) {
  const auto preset = [](const std::string& text) {
    return resolve({}, {"strategy.preset=" + text}, {}).values.strategy.preset;
  };
  EXPECT_EQ(preset("overlap_local_sgd(h=2, alpha=0.6)"), "overlap_local_sgd(h=2, alpha=0.6)");
  EXPECT_EQ(preset("\"local_sgd(8)\""), "local_sgd(8)");
  EXPECT_EQ(preset("'local_sgd(8)'"), "local_sgd(8)");
  EXPECT_EQ(preset("'a\""), "'a\"");
  EXPECT_EQ(preset("\""), "\"");
  EXPECT_EQ(resolve({}, {"train.epochs=1e-2"}, {}).values.train.epochs, 0.01);
}

TEST_F(Resolve, UnknownKeys) {
  EXPECT_EQ(file_refusal("seed = 1\n[train]\nbacth = 3"),
            "x.toml:3: unknown key 'train.bacth'; did you mean 'train.batch'?");
  EXPECT_EQ(file_refusal("[trian]\nbatch = 3"),
            "x.toml:1: unknown key 'trian'; did you mean 'train'?");
  EXPECT_EQ(file_refusal("[trian]"), "x.toml:1: unknown key 'trian'; did you mean 'train'?");
  EXPECT_EQ(file_refusal("epochs = 3"),
            "x.toml:1: unknown key 'epochs'; did you mean 'train.epochs'?");
  EXPECT_EQ(file_refusal("[report]\nsomething = 3"),
            "x.toml:2: unknown key 'report.something'; known: report.every, report.rounds, "
            "report.trace");
  EXPECT_EQ(file_refusal("\"train.batch\" = 3"),
            "x.toml:1: unknown key '\"train.batch\"'; did you mean 'train.batch'?");
  EXPECT_NE(file_refusal("\"strategy.round[0].of\" = 'deltas'"), "");
  EXPECT_NE(file_refusal("[train.batch.more]\nx = 1"), "");
  EXPECT_NE(file_refusal("[[train]]\nbatch = 1"), "");
  EXPECT_EQ(override_refusal("train.bacth=3"),
            "command line: unknown key 'train.bacth'; did you mean 'train.batch'?");
  EXPECT_NE(override_refusal("=3"), "");
}

TEST_F(Resolve, TheFirstMistakeOfAFileIsTheOneReported) {
  EXPECT_EQ(file_refusal("[train]\nsteps = -1\nbatch = 0").substr(0, 9), "x.toml:2:");
}

TEST_F(Resolve, Variables) {
  EXPECT_EQ(resolve({}, {}, {{"ENTRAIN_SEED", "7"}}).values.seed, 7u);
  EXPECT_EQ(variable_refusal("ENTRAIN_TEST_DATA", "here"), "");
  EXPECT_EQ(variable_refusal("HOME__X", "here"), "");
  EXPECT_EQ(variable_refusal("ENTRAIN_DATA__ROTO", "here"),
            "ENTRAIN_DATA__ROTO: no setting is called so; did you mean 'ENTRAIN_DATA__ROOT'?");
  EXPECT_EQ(variable_refusal("ENTRAIN_SEED", "many"),
            "ENTRAIN_SEED: seed = 'many': must be a whole number");
  EXPECT_NE(variable_refusal("ENTRAIN_data__root", "here"), "");
}

TEST_F(Resolve, WrongTypes) {
  EXPECT_EQ(file_refusal("[train]\nbatch = \"64\""),
            "x.toml:2: train.batch = '64': must be a whole number");
  EXPECT_EQ(file_refusal("[train]\nbatch = 6.5"),
            "x.toml:2: train.batch = 6.5: must be a whole number");
  EXPECT_EQ(file_refusal("[train]\nepochs = \"2\""),
            "x.toml:2: train.epochs = '2': must be a number");
  EXPECT_EQ(file_refusal("[data]\nname = true"), "x.toml:2: data.name = true: must be text");
  EXPECT_EQ(file_refusal("[data]\nname = 2.5"), "x.toml:2: data.name = 2.5: must be text");
  EXPECT_EQ(file_refusal("[data]\nname = 1979-05-27"),
            "x.toml:2: data.name = 1979-05-27: must be text");
  EXPECT_EQ(file_refusal("seed = [ 1, 2 ]"), "x.toml:1: seed = [1, 2]: must be a whole number");
  EXPECT_EQ(file_refusal("[seed]"), "x.toml:1: seed = a table: must be a whole number");
  EXPECT_EQ(file_refusal("train = 3"), "x.toml:1: train = 3: this is a table, as in [train]");
  EXPECT_EQ(override_refusal("train.batch=64x"),
            "command line: train.batch = '64x': must be a whole number");
  EXPECT_EQ(override_refusal("train.batch="),
            "command line: train.batch = '': must be a whole number");
  EXPECT_EQ(override_refusal("train.batch=99999999999999999999"),
            "command line: train.batch = '99999999999999999999': must be a whole number");
}

TEST_F(Resolve, Bounds) {
  EXPECT_EQ(override_refusal("workers=0"), "command line: workers = 0: must be at least 1");
  EXPECT_EQ(file_refusal("workers = 0"), "x.toml:1: workers = 0: must be at least 1");
  EXPECT_EQ(override_refusal("workers=3000000000"),
            "command line: workers = '3000000000': must be at most 2147483647");
  EXPECT_EQ(override_refusal("workers=1000001"),
            "command line: workers = 1000001: must be at most 1000000");
  EXPECT_EQ(override_refusal("train.batch=0"), "command line: train.batch = 0: must be at least 1");
  EXPECT_EQ(override_refusal("train.steps=-1"),
            "command line: train.steps = -1: must be at least 0");
  EXPECT_EQ(override_refusal("train.epochs=-1"),
            "command line: train.epochs = -1: must be more than 0");
  EXPECT_EQ(override_refusal("train.epochs=0"),
            "command line: train.epochs = 0: must be more than 0");
  EXPECT_EQ(override_refusal("train.epochs=inf"),
            "command line: train.epochs = inf: must be a finite number");
  EXPECT_EQ(file_refusal("[train]\nepochs = nan"),
            "x.toml:2: train.epochs = nan: must be a finite number");
  EXPECT_EQ(override_refusal("seed=-1"), "command line: seed = '-1': must be at least 0");
  EXPECT_EQ(override_refusal("threads.intra=-1"),
            "command line: threads.intra = -1: must be at least 0");
  EXPECT_EQ(override_refusal("report.every=0"),
            "command line: report.every = 0: must be at least 1");
}

TEST_F(Resolve, Words) {
  EXPECT_EQ(override_refusal("comm.sums=fats"),
            "command line: comm.sums = \"fats\": must be fast or reproducible; did you mean "
            "'fast'?");
  EXPECT_EQ(override_refusal("train.dtype=bf16"),
            "command line: train.dtype = \"bf16\": must be float32 or float64");
  EXPECT_NE(override_refusal("evaluation.model=best"), "");
  for (const char* name : {"", "a/b", "..", "a b", "a\nb"}) {
    EXPECT_NE(override_refusal(std::string("name=") + name), "") << name;
  }
  EXPECT_EQ(override_refusal("name=mnist_2.5-x"), "");
  EXPECT_EQ(override_refusal("data.root=\xff"),
            "command line: data.root = \"\xff\": must be UTF-8 without zero bytes");
}

TEST_F(Resolve, OverridesNeedAKeyAndAreGivenOnce) {
  EXPECT_EQ(override_refusal("train.steps"), "'train.steps': an override is key=value");
  EXPECT_EQ(refusal([] {
              resolve({}, {"seed=1", "seed=2"}, {});
            }),
            "command line: seed is given twice");
}

TEST_F(Resolve, FilesThatAreNotToml) {
  EXPECT_EQ(file_refusal("seed = 1\nseed = 2").substr(0, 10), "x.toml:2: ");
  EXPECT_EQ(file_refusal("seed = 1\n\n[train\n").substr(0, 10), "x.toml:3: ");
  EXPECT_NE(file_refusal("seed = 99999999999999999999"), "");
  EXPECT_NE(file_refusal("name = \"\xff\""), "");
  EXPECT_NE(file_refusal(std::string("\0\0", 2)), "");
}

TEST_F(Resolve, FilesThatCannotBeRead) {
  EXPECT_EQ(refusal([] { resolve("x.toml.missing", {}, {}); }),
            "cannot read 'x.toml.missing': No such file or directory");
  EXPECT_EQ(refusal([] { resolve("/", {}, {}); }), "cannot read '/': Is a directory");
}

TEST_F(Resolve, FilesThatAttack) {
  EXPECT_EQ(file_refusal(std::string(1024 * 1024, '#')), "");
  EXPECT_EQ(file_refusal(std::string(1024 * 1024 + 1, '#')),
            "x.toml: over 1 MiB; is this a configuration?");
  std::string dotted = "a";
  for (int i = 0; i < 1024; ++i) dotted += ".a";
  EXPECT_NE(file_refusal(dotted + " = 1"), "");
  EXPECT_NE(file_refusal(dotted + ".a = 1").find("over 1024 dots"), std::string::npos);
  EXPECT_NE(file_refusal("a = " + std::string(500000, '[')), "");
  EXPECT_NE(file_refusal("a = " + std::string(500000, '{')), "");
}

TEST_F(Resolve, DamagedFilesEndInSettingsOrAMessage) {
  const std::string whole =
      "name = \"a\"\nseed = 3\n[train]\nbatch = 32 # c\nepochs = 1e-3\n[data]\nroot = '''x'''\n"
      "[[strategy.round]]\nof = \"deltas\"\nwhen = 8\n[[strategy.round]]\nof = 'gradients'\n";
  const std::string_view bytes = "[]{}=.\"'\n#,a0-_\\u \xff\xc3\xa9";
  for (std::uint64_t trial = 0; trial < 2000; ++trial) {
    Stream draws(1, Purpose::partition, trial);
    std::string content = whole;
    for (std::uint64_t n = 1 + draws.below(4); n > 0; --n) {
      const std::uint64_t at = draws.below(content.size());
      if (draws.below(2)) content.erase(at, draws.below(6));
      content.insert(std::min<std::size_t>(at, content.size()), 1,
                     bytes[draws.below(bytes.size())]);
    }
    file_refusal(content);
  }
  EXPECT_NE(file_refusal("[[="), "");
}

TEST_F(Resolve, LayersTakeANetworkPresetToo) {
  const Resolved resolved = resolve({{{"network.preset", "base", Given::Kind::text, "wireless"}},
                                     {{"network.latency", "variant", Given::Kind::text, "9 ms"}}});
  EXPECT_EQ(resolved.values.network.bandwidth, "20 Mbit/s");
  EXPECT_EQ(resolved.origin("network.bandwidth"), "network.preset = wireless (base)");
  EXPECT_EQ(resolved.values.network.medium, "shared");
  EXPECT_EQ(resolved.values.network.latency, "9 ms");
}

TEST_F(Resolve, Rounds) {
  const Resolved resolved = from_file(
      "[[strategy.round]]\nof = 'parameters'\nwhom = 'ring'\n\n"
      "[[strategy.round]]\nof = 'deltas'\nwhen = 'every(8)'\n");
  const std::vector<RoundText> expected{{{"of", "parameters"}, {"whom", "ring"}},
                                        {{"of", "deltas"}, {"when", "every(8)"}}};
  EXPECT_EQ(resolved.values.strategy.rounds, expected);
  EXPECT_EQ(resolved.values.strategy.preset, "");
  EXPECT_EQ(resolved.origin("strategy.round[0]"), path_ + ":1");
  EXPECT_EQ(resolved.origin("strategy.round[1]"), path_ + ":5");
  EXPECT_EQ(resolved.origin("strategy.round[1].when"), path_ + ":7");
  const std::string inline_tables =
      "strategy.round = [\n {of = 'parameters', whom = 'ring'},\n"
      " {of = 'deltas', when = 'every(8)'}]";
  EXPECT_EQ(from_file(inline_tables).values.strategy.rounds, expected);
}

TEST_F(Resolve, ManyRoundsKeepTheirOrder) {
  std::string content;
  for (int i = 0; i < 12; ++i) {
    content += "[[strategy.round]]\nof = 'deltas'\nwhen = " + std::to_string(i) + "\n";
  }
  const auto rounds = from_file(content).values.strategy.rounds;
  ASSERT_EQ(rounds.size(), 12u);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(rounds[i].at("when"), std::to_string(i));
}

TEST_F(Resolve, RoundsThatCannotBeMeant) {
  const std::string round = "[[strategy.round]]\n";
  EXPECT_EQ(file_refusal(round + "when = 'every(8)'"),
            "x.toml:1: strategy.round[0]: of is required: gradients, parameters, deltas");
  EXPECT_EQ(file_refusal(round + "of = 'gradient'"),
            "x.toml:2: strategy.round[0].of = \"gradient\": must be gradients or parameters or "
            "deltas; did you mean 'gradients'?");
  EXPECT_EQ(file_refusal(round + "of = 'deltas'\nwen = 'every(8)'"),
            "x.toml:3: unknown key 'strategy.round[0].wen'; did you mean 'when'?");
  EXPECT_EQ(file_refusal(round + "of = true"),
            "x.toml:2: strategy.round[0].of = true: must be text");
  EXPECT_EQ(file_refusal("[strategy.round]\nof = 'deltas'"),
            "x.toml:1: strategy.round: rounds are given as [[strategy.round]] in the file");
  EXPECT_NE(file_refusal("strategy.round = 3"), "");
  EXPECT_NE(file_refusal("strategy.round = [3]"), "");
  EXPECT_NE(file_refusal("strategy.round = [{of = 'deltas'}, 3]"), "");
  EXPECT_NE(file_refusal("[[strategy.rounds]]\nof = 'deltas'"), "");
  EXPECT_NE(file_refusal(round + "[strategy.round.when]\nx = 1"), "");
  EXPECT_NE(file_refusal(round + "[[strategy.round.when]]\nx = 1"), "");
  EXPECT_EQ(override_refusal("strategy.round[0].of=deltas"),
            "command line: strategy.round[0].of: rounds are given as [[strategy.round]] in the "
            "file");
}

TEST_F(Resolve, PresetOrRounds) {
  const std::string rounds = "[[strategy.round]]\nof = 'deltas'\n";
  EXPECT_EQ(file_refusal("[strategy]\npreset = 'local_sgd(8)'\n" + rounds),
            "x.toml:2: strategy.preset and [[strategy.round]] (x.toml:3) are both given; leave one "
            "of them out");
  EXPECT_EQ(file_refusal("[strategy]\npreset = ''\n" + rounds), "");
  const Resolved replaced = from_file(rounds, {"strategy.preset=sync_sgd"});
  EXPECT_EQ(replaced.values.strategy.preset, "sync_sgd");
  EXPECT_TRUE(replaced.values.strategy.rounds.empty());
  EXPECT_EQ(replaced.origin("strategy.round[0]"), "default");
}

TEST_F(Resolve, LocatedPutsTheOriginInFront) {
  const Resolved resolved = resolve({}, {"train.optimizer=sdg(lr=1)"}, {});
  const auto refuse = []() -> int { throw UsageError("unknown optimizer 'sdg(lr=1)'"); };
  EXPECT_EQ(refusal([&] { located(resolved, "train.optimizer", refuse); }),
            "command line: train.optimizer: unknown optimizer 'sdg(lr=1)'");
  EXPECT_EQ(located(resolved, "seed", [] { return 3; }), 3);
  EXPECT_THROW(located(resolved, "seed", [] { throw DataError("other errors pass"); }), DataError);
}

TEST_F(Resolve, LettersOutsideOfTextsAreRefused) {
  for (const char* letter : {"\u00e9", "\u0369", "\u3041", "\ufb26", "\U0001f600"}) {
    for (const char* place : {"seed = {}", "seed {}", "seed = 1 {}", "{} = 1", "[{}]"}) {
      EXPECT_TRUE(file_refusal(fmt::format(fmt::runtime(place), letter)).starts_with("x.toml:"))
          << place << letter;
    }
  }
}

}  // namespace
}  // namespace entrain
