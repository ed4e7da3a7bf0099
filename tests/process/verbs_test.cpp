// Every verb answers --help, and what it prints as JSON is JSON.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "entrain/report/table.h"
#include "process/command.h"

namespace entrain {
namespace {

using Json = nlohmann::json;

class Verbs : public ProcessTest {
 protected:
  Json json_of(const Words& words) {
    const Outcome outcome = run(words);
    expect_exit(outcome, 0);
    EXPECT_TRUE(Json::accept(outcome.out)) << outcome;
    return Json::parse(outcome.out, nullptr, false);
  }

  void expect_untouched() { EXPECT_TRUE(std::filesystem::is_empty(folder())) << "a file was made"; }
};

Words names_of(const Json& list) {
  Words names;
  for (const Json& one : list) names.push_back(one.at("name"));
  return names;
}

TEST_F(Verbs, EachHasHelp) {
  const std::vector<Words> verbs = {{},
                                    {"quickstart"},
                                    {"train"},
                                    {"launch"},
                                    {"data"},
                                    {"data", "list"},
                                    {"data", "prepare"},
                                    {"strategy"},
                                    {"strategy", "list"},
                                    {"strategy", "show"},
                                    {"topology"},
                                    {"topology", "list"},
                                    {"topology", "show"},
                                    {"bench"},
                                    {"bench", "step"},
                                    {"bench", "codec"},
                                    {"bench", "comm"},
                                    {"bench", "strategy"},
                                    {"bench", "simulate"},
                                    {"bench", "clock"},
                                    {"study"},
                                    {"docs"},
                                    {"docs", "settings"},
                                    {"docs", "strategies"}};
  std::vector<Words> commands;
  for (const Words& verb : verbs) commands.push_back(join(verb, {"--help"}));
  const std::vector<Outcome> outcomes = run_all(commands);
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    expect_exit(outcomes[i], 0);
    EXPECT_NE(outcomes[i].out.find("Usage:"), std::string::npos) << outcomes[i];
    const std::string name = verbs[i].empty() ? "entrain" : verbs[i].back();
    EXPECT_NE(outcomes[i].out.find(name), std::string::npos) << outcomes[i];
    EXPECT_EQ(outcomes[i].err, "") << outcomes[i];
  }
  expect_untouched();
}

TEST_F(Verbs, PagesThatComeFromTheProgram) {
  const std::vector<Outcome> outcomes =
      run_all({{"--version"}, {"train", "--help"}, {"docs", "settings"}});
  for (const Outcome& outcome : outcomes) expect_exit(outcome, 0);
  EXPECT_EQ(outcomes[0].out.find("entrain 0."), 0u) << outcomes[0];
  for (const char* setting : {"train.batch=64", "strategy.preset", "comm.sums", "data.root"}) {
    EXPECT_NE(outcomes[1].out.find(setting), std::string::npos) << setting;
  }
  EXPECT_EQ(outcomes[2].out.find("# Settings"), 0u);
  EXPECT_NE(outcomes[2].out.find("| `comm.join_timeout` | `\"60 s\"` |"), std::string::npos);
}

TEST_F(Verbs, DataList) {
  const Json list = json_of({"data", "list", "--json"});
  ASSERT_GE(list.size(), 2u);
  EXPECT_EQ(list[0].at("name"), "glyphs");
  EXPECT_EQ(list[0].at("state"), "always there");
  EXPECT_EQ(list[1].at("name"), "mnist");
  EXPECT_EQ(list[1].at("state"), "not in data/mnist");
  write_tiny_mnist(*this / "data/mnist");
  EXPECT_EQ(json_of({"data", "list", "--json"})[1].at("state"), "in data/mnist");
  const Outcome text = run({"data", "list"});
  expect_exit(text, 0);
  EXPECT_NE(text.out.find("glyphs"), std::string::npos) << text;
}

TEST_F(Verbs, StrategyList) {
  const Json list = json_of({"strategy", "list", "--json"});
  const Words names = names_of(list);
  for (const char* name : {"synchronous", "local_sgd", "post_local_sgd"}) {
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
  }
  const Outcome text = run({"strategy", "list"});
  expect_exit(text, 0);
  for (const Json& one : list) {
    EXPECT_NE(text.out.find(one.at("signature").get<std::string>()), std::string::npos) << text;
  }
  expect_untouched();
}

TEST_F(Verbs, StrategyShowOfAName) {
  const Json whole = json_of({"strategy", "list", "--json"});
  const std::vector<Json> list(whole.begin(), whole.begin() + 3);
  std::vector<Words> texts, jsons;
  for (const Json& one : list) {
    texts.push_back({"strategy", "show", one.at("name")});
    jsons.push_back(join(texts.back(), {"--json"}));
  }
  const std::vector<Outcome> shown = run_all(texts), as_json = run_all(jsons);
  for (std::size_t i = 0; i < list.size(); ++i) {
    expect_exit(shown[i], 0);
    for (const char* part : {"signature", "meaning", "paper"}) {
      EXPECT_NE(shown[i].out.find(list[i].at(part).get<std::string>()), std::string::npos)
          << part << " in\n"
          << shown[i];
    }
    expect_exit(as_json[i], 0);
    EXPECT_TRUE(Json::accept(as_json[i].out)) << as_json[i];
  }
}

TEST_F(Verbs, StrategyShow) {
  const Json shown = json_of({"strategy", "show", "post_local_sgd(100, 8)", "--workers", "4",
                              "--steps", "200", "--megabytes", "2", "--json"});
  EXPECT_EQ(shown.at("rounds").at("gradients"), 100);
  EXPECT_EQ(shown.at("rounds").at("everyone"), 12);
  EXPECT_EQ(shown.at("bytes_sent_per_worker"), 112 * 1.5 * 2e6);
  const Outcome rounds = run({"strategy", "show", "post_local_sgd(100, 8)", "--rounds"});
  EXPECT_EQ(rounds.out, shown.at("rounds_text").get<std::string>() + "\n");
  std::string text = rounds.out;
  text.pop_back();
  EXPECT_EQ(json_of({"strategy", "show", text, "--workers", "4", "--steps", "200", "--megabytes",
                     "2", "--json"})
                .at("rounds"),
            shown.at("rounds"));
}

TEST_F(Verbs, StrategyShowSaysWhatTheoryAsks) {
  const Outcome lupa = run(
      {"strategy", "show", "local_sgd(91)", "--workers", "4", "--steps", "5469", "--batch", "128"});
  expect_exit(lupa, 0);
  for (const char* part :
       {"60 rounds in 5469 steps", "5460 of 5469", "lupa 39, stich 4, wang_joshi 10, yu 4"}) {
    EXPECT_NE(lupa.out.find(part), std::string::npos) << part << " in\n" << lupa;
  }
  const Outcome overlap = run({"strategy", "show", "overlap_local_sgd(8)"});
  EXPECT_NE(overlap.out.find("effective step: 0.6897 of the learning rate"), std::string::npos)
      << overlap;
}

TEST_F(Verbs, TopologyListAndShow) {
  const Words names = names_of(json_of({"topology", "list", "--json"}));
  EXPECT_EQ(names.front(), "everyone");
  EXPECT_GE(names.size(), 11u);
  const Json ring = json_of(
      {"topology", "show", "ring", "-n", "8", "--period", "16", "--svg", "ring.svg", "--json"});
  EXPECT_NEAR(ring.at("beta").get<double>(), 0.804738, 1e-6);
  EXPECT_EQ(ring.at("degree"), 2);
  EXPECT_NEAR(ring.at("c_beta").get<double>(), 4.96288, 1e-4);
  EXPECT_NEAR(ring.at("d_beta").get<double>(), 5.12132, 1e-4);
  EXPECT_EQ(ring.at("matrices").size(), 1u);
  EXPECT_EQ(ring.at("matrices")[0][0][7], 1.0 / 3);
  const std::string svg = file_content(*this / "ring.svg");
  const auto count = [&](const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = svg.find(what); at != svg.npos; at = svg.find(what, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("<line "), 8u);
  EXPECT_EQ(count("<circle "), 8u);
  EXPECT_EQ(count("</svg>"), 1u);
  write_file(*this / "w.txt", "0.5 0.5\n0.5 0.6\n");
  expect_exit(run({"topology", "show", "matrix(\"w.txt\")", "-n", "2"}), 2,
              {"w.txt: row 1 sums to 1.1, not 1"});
  expect_exit(run({"topology", "show", "groups(3)", "-n", "8"}), 2, {"groups(3)", "8 workers"});
}

TEST_F(Verbs, TrainPrintsItsSummaryAsJson) {
  const Words quick = {"train", "model.name=softmax", "train.steps=9", "--json", "--out"};
  const Json one = json_of(join(quick, {"one"}));
  EXPECT_EQ(one, Json::parse(file_content(*this / "one/summary.json")));
  const Json two = json_of(join({"launch", "-n", "2", "--"}, join(quick, {"two"})));
  EXPECT_EQ(two, Json::parse(file_content(*this / "two/summary.json")));
}

TEST_F(Verbs, DryRunSaysWhereEachSettingIsFrom) {
  write_file(*this / "run.toml", "workers = 8\n\n[train]\nbatch = 32\nsteps = 80\nepochs = 2\n");
  const Outcome outcome = run({"train", "run.toml", "train.steps=16", "--dry-run", "--out", "out"},
                              {{"ENTRAIN_SEED", "5"}, {"ENTRAIN_TRAIN__BATCH", "24"}});
  expect_exit(outcome, 0);
  const auto expect_line = [&](const std::string& setting, const std::string& origin) {
    const std::size_t begin = outcome.out.find(setting + " ");
    ASSERT_NE(begin, std::string::npos) << setting << " in\n" << outcome;
    const std::string line = outcome.out.substr(begin, outcome.out.find('\n', begin) - begin);
    EXPECT_TRUE(line.ends_with("# " + origin)) << line;
  };
  expect_line("workers = 8", "run.toml:1");
  expect_line("train.epochs = 2", "run.toml:6");
  expect_line("train.batch = 24", "ENTRAIN_TRAIN__BATCH");
  expect_line("seed = 5", "ENTRAIN_SEED");
  expect_line("train.steps = 16", "command line");
  expect_line("model.name = \"cnn\"", "default");
  for (const char* figure : {"206922", "rounds         2 everyone\n", "8 workers in 1 process"}) {
    EXPECT_NE(outcome.out.find(figure), std::string::npos) << figure << " in\n" << outcome;
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder()), {}), 1) << "made a folder";
}

// What a dry run says is sent, with the model at hand, is what the run then sends.
TEST_F(Verbs, DryRunPredictsTheBytes) {
  const Words mlp = {"train", "model.name=mlp(hidden=[64, 48])", "workers=4", "train.steps=24"};
  int number = 0;
  for (const char* strategy :
       {"local_sgd(8)", "powersgd(2)", "qsgd", "ef_sign", "diloco(6, 0.7, 0.9, int4)",
        "streaming_diloco(6, 3, 1, 0.5)", "parameters(when=every(6), state=average)",
        "deltas(when=every(8), codec=top_k(0.1), slice=fragment(0, of=2))"}) {
    SCOPED_TRACE(strategy);
    const Words words = join(mlp, {std::string("strategy.preset=") + strategy});
    const Outcome dry = run(join(words, {"--dry-run"}));
    expect_exit(dry, 0);
    const std::string out = "run" + std::to_string(++number);
    expect_exit(run(join(words, {"--out", out})), 0);
    const Json summary = Json::parse(file_content(*this / out / "summary.json"));
    const std::string line =
        "bytes sent     " + print_bytes(summary.at("bytes_sent_per_worker")) + " a worker";
    EXPECT_NE(dry.out.find(line), std::string::npos) << line << " not in\n" << dry;
  }
  expect_exit(run(join(mlp, {"strategy.preset=streaming_diloco(8, 8, 1, 0.5)", "--dry-run"})), 2,
              {"strategy.preset", "the model has only 3 layers"});
}

}  // namespace
}  // namespace entrain
