#include "entrain/report/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

namespace entrain {
namespace {

using ParsedJson = nlohmann::json;

// Refuses what RFC 8259 does not allow, NaN and Infinity among it.
ParsedJson parsed(const std::string& text) {
  const ParsedJson json = ParsedJson::parse(text, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << text;
  return json;
}

template <class Record>
ParsedJson parsed_line(const Record& record) {
  const std::string line = to_json_line(record);
  EXPECT_EQ(line.find('\n'), line.npos) << line;
  return parsed(line);
}

std::set<std::string> keys_of(const ParsedJson& json) {
  std::set<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.insert(key);
  return keys;
}

TEST(Json, StepRecord) {
  EXPECT_EQ(parsed_line(StepRecord{.step = 40,
                                   .epoch = 0.5,
                                   .seconds = 1.25,
                                   .train_loss = 2.302585092994046,
                                   .learning_rate = 0.1}),
            (ParsedJson{{"kind", "step"},
                        {"step", 40},
                        {"epoch", 0.5},
                        {"seconds", 1.25},
                        {"train_loss", 2.302585092994046},
                        {"learning_rate", 0.1}}));
}

TEST(Json, RoundRecord) {
  EXPECT_EQ(parsed_line(RoundRecord{.step = 16,
                                    .epoch = 0.25,
                                    .seconds = 2,
                                    .round = "everyone",
                                    .launched = 8,
                                    .blocked_seconds = 0.001}),
            (ParsedJson{{"kind", "round"},
                        {"step", 16},
                        {"epoch", 0.25},
                        {"seconds", 2.0},
                        {"round", "everyone"},
                        {"launched", 8},
                        {"blocked_seconds", 0.001}}));
}

TEST(Json, EvaluationRecord) {
  EXPECT_EQ(parsed_line(EvaluationRecord{.step = 100,
                                         .epoch = 1,
                                         .seconds = 3.5,
                                         .model = "average",
                                         .train_loss = 0.5,
                                         .test_loss = 0.75,
                                         .test_accuracy = 0.875,
                                         .batch_norm = "average",
                                         .consensus_distance = 0.0625,
                                         .evaluation_seconds = 0.25}),
            (ParsedJson{{"kind", "evaluation"},
                        {"step", 100},
                        {"epoch", 1.0},
                        {"seconds", 3.5},
                        {"model", "average"},
                        {"train_loss", 0.5},
                        {"test_loss", 0.75},
                        {"test_accuracy", 0.875},
                        {"batch_norm", "average"},
                        {"consensus_distance", 0.0625},
                        {"evaluation_seconds", 0.25}}));
}

TEST(Json, EvaluationSaysNothingOfWhatThereIsNot) {
  EXPECT_EQ(keys_of(parsed_line(EvaluationRecord{})),
            (std::set<std::string>{"kind", "step", "epoch", "seconds", "model", "train_loss",
                                   "consensus_distance", "evaluation_seconds"}));
}

TEST(Json, EvaluationOfAProblemHasItsFigures) {
  const ParsedJson line =
      parsed_line(EvaluationRecord{.simulated_seconds = 2.5,
                                   .problem = ProblemFigures{.objective = 0.5,
                                                             .gradient_norm2 = 2,
                                                             .excess = 0.25,
                                                             .excess_nodes = 1,
                                                             .distance2 = 4,
                                                             .distance2_nodes = 8}});
  const ParsedJson expected = {{"objective", 0.5},        {"gradient_norm2", 2.0},
                               {"excess", 0.25},          {"excess_nodes", 1.0},
                               {"distance2", 4.0},        {"distance2_nodes", 8.0},
                               {"simulated_seconds", 2.5}};
  for (const auto& [key, value] : expected.items()) EXPECT_EQ(line.at(key), value) << key;
  const ParsedJson unknown = parsed_line(EvaluationRecord{.problem = ProblemFigures{}});
  EXPECT_FALSE(unknown.contains("excess"));
  EXPECT_FALSE(unknown.contains("distance2_nodes"));
}

TEST(Json, SummaryOfAProblemHasItsFigures) {
  Summary summary;
  summary.problem = ProblemFigures{.objective = 0.5, .excess = 0.25};
  const ParsedJson json = parsed(to_json(summary));
  EXPECT_EQ(json.at("objective"), 0.5);
  EXPECT_EQ(json.at("excess"), 0.25);
  EXPECT_FALSE(json.contains("distance2"));
}

TEST(Json, EventRecord) {
  const std::string text = "interrupted: \"Ctrl-C\"\nat the \\ of day, \t\x01";
  EXPECT_EQ(
      parsed_line(EventRecord{.step = 7, .epoch = 0.5, .seconds = 1.5, .event = text}),
      (ParsedJson{
          {"kind", "event"}, {"step", 7}, {"epoch", 0.5}, {"seconds", 1.5}, {"event", text}}));
}

TEST(Json, TextThatIsNotUtf8StaysALine) {
  const ParsedJson line = parsed_line(EventRecord{.event = "a file named \xff\xfe"});
  EXPECT_EQ(line.at("event"), "a file named \xef\xbf\xbd\xef\xbf\xbd");
}

// A loss that diverged is not a number, and JSON has none for it.
TEST(Json, WhatIsNoNumberIsNull) {
  for (double none : {std::nan(""), std::numeric_limits<double>::infinity(),
                      -std::numeric_limits<double>::infinity()}) {
    EXPECT_TRUE(parsed_line(StepRecord{.train_loss = none}).at("train_loss").is_null());
    const ParsedJson line = parsed_line(EvaluationRecord{
        .train_loss = none, .test_loss = none, .test_accuracy = 0.5, .consensus_distance = none});
    for (const char* key : {"train_loss", "test_loss", "consensus_distance"})
      EXPECT_TRUE(line.at(key).is_null()) << key;
    EXPECT_EQ(line.at("test_accuracy"), 0.5);
    Summary summary;
    summary.train_loss = none;
    EXPECT_TRUE(parsed(to_json(summary)).at("train_loss").is_null());
  }
}

TEST(Json, NumbersComeBackExactly) {
  for (double number : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0}) {
    const double back = parsed_line(StepRecord{.train_loss = number}).at("train_loss");
    EXPECT_EQ(std::memcmp(&back, &number, sizeof back), 0) << number;
  }
  EXPECT_EQ(parsed_line(StepRecord{.step = 1LL << 62}).at("step"), 1LL << 62);
}

TEST(Json, KeysComeInTheirOrder) {
  EXPECT_EQ(
      to_json_line(StepRecord{.step = 1}),
      R"({"kind":"step","step":1,"epoch":0.0,"seconds":0.0,"train_loss":0.0,"learning_rate":0.0})");
}

// Whoever reads summary.json relies on these names.
TEST(Json, SummaryHasEveryFieldOfTheContract) {
  const ParsedJson json = parsed(to_json(Summary{}));
  for (const char* key : {"version",
                          "strategy",
                          "workers",
                          "steps",
                          "rounds",
                          "bytes_sent_per_worker",
                          "wire_bytes_sent",
                          "train_loss",
                          "test_loss",
                          "test_accuracy",
                          "lowest_worker_accuracy",
                          "consensus_distance",
                          "wall_seconds",
                          "evaluation_seconds",
                          "total_seconds",
                          "simulated_seconds",
                          "compute_seconds",
                          "exposed_communication_seconds",
                          "hidden_communication_seconds",
                          "launch_seconds",
                          "land_seconds",
                          "cpu_seconds",
                          "samples_per_second",
                          "peak_memory_bytes",
                          "seed",
                          "parameters_hash"})
    EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_EQ(keys_of(json.at("rounds")),
            (std::set<std::string>{"everyone", "groups", "neighbours", "gradients"}));
}

Summary full_summary() {
  Summary s;
  s.name = "quick";
  s.version = "0.1.0";
  s.strategy = "local_sgd(8)";
  s.model = "mlp(64)";
  s.data = "glyphs";
  s.workers = 4;
  s.processes = 2;
  s.batch = 32;
  s.steps = 100;
  s.samples = 12'800;
  s.epochs = 2.5;
  s.rounds_everyone = 12;
  s.rounds_groups = 13;
  s.rounds_neighbours = 14;
  s.rounds_gradients = 15;
  s.parameters = 1000;
  s.bytes_sent_per_worker = 6000.5;
  s.evaluation_bytes_sent_per_worker = 600;
  s.wire_bytes_sent = 7000;
  s.evaluated_model = "average";
  s.train_loss = 0.5;
  s.test_loss = 0.625;
  s.test_accuracy = 0.75;
  s.lowest_worker_accuracy = 0.75;
  s.consensus_distance = 0.125;
  s.batch_norm = "recalibrate";
  s.accuracy_averaged_batch_norm = 0.25;
  s.accuracy_recalibrated_batch_norm = 0.375;
  s.wall_seconds = 10;
  s.evaluation_seconds = 1;
  s.total_seconds = 11;
  s.simulated_seconds = 12.5;
  s.compute_seconds = 8;
  s.exposed_communication_seconds = 2;
  s.hidden_communication_seconds = 1.5;
  s.spent = TimeSpent{.launch = 0.25,
                      .land = 0.125,
                      .cpu_compute = 7,
                      .cpu_launch_and_land = 0.375,
                      .cpu_transport = 0.75};
  s.samples_per_second = 1280;
  s.peak_memory_bytes = 1 << 20;
  s.seed = ~std::uint64_t{0};
  s.parameters_hash = "0123456789abcdef";
  s.interrupted = true;
  return s;
}

TEST(Json, SummaryWritesEachFieldUnderItsName) {
  const ParsedJson expected = {
      {"name", "quick"},
      {"version", "0.1.0"},
      {"strategy", "local_sgd(8)"},
      {"model", "mlp(64)"},
      {"data", "glyphs"},
      {"workers", 4},
      {"processes", 2},
      {"batch", 32},
      {"steps", 100},
      {"samples", 12'800},
      {"epochs", 2.5},
      {"rounds", {{"everyone", 12}, {"groups", 13}, {"neighbours", 14}, {"gradients", 15}}},
      {"parameters", 1000},
      {"bytes_sent_per_worker", 6000.5},
      {"evaluation_bytes_sent_per_worker", 600.0},
      {"wire_bytes_sent", 7000},
      {"evaluated_model", "average"},
      {"train_loss", 0.5},
      {"test_loss", 0.625},
      {"test_accuracy", 0.75},
      {"lowest_worker_accuracy", 0.75},
      {"consensus_distance", 0.125},
      {"batch_norm", "recalibrate"},
      {"accuracy_averaged_batch_norm", 0.25},
      {"accuracy_recalibrated_batch_norm", 0.375},
      {"wall_seconds", 10.0},
      {"evaluation_seconds", 1.0},
      {"total_seconds", 11.0},
      {"simulated_seconds", 12.5},
      {"compute_seconds", 8.0},
      {"exposed_communication_seconds", 2.0},
      {"hidden_communication_seconds", 1.5},
      {"launch_seconds", 0.25},
      {"land_seconds", 0.125},
      {"cpu_seconds", {{"compute", 7.0}, {"launch_and_land", 0.375}, {"transport", 0.75}}},
      {"samples_per_second", 1280.0},
      {"peak_memory_bytes", 1 << 20},
      {"seed", ~std::uint64_t{0}},
      {"parameters_hash", "0123456789abcdef"},
      {"interrupted", true},
  };
  const ParsedJson json = parsed(to_json(full_summary()));
  ASSERT_EQ(keys_of(json), keys_of(expected));
  for (const auto& [key, value] : expected.items()) EXPECT_EQ(json.at(key), value) << key;
}

TEST(Json, SummarySaysNullForWhatIsNotKnown) {
  const ParsedJson full = parsed(to_json(full_summary())), empty = parsed(to_json(Summary{}));
  std::set<std::string> unknown;
  for (const auto& [key, value] : empty.items())
    if (value.is_null()) unknown.insert(key);
  EXPECT_EQ(unknown, (std::set<std::string>{
                         "train_loss", "test_loss", "test_accuracy", "lowest_worker_accuracy",
                         "consensus_distance", "batch_norm", "accuracy_averaged_batch_norm",
                         "accuracy_recalibrated_batch_norm", "simulated_seconds", "launch_seconds",
                         "land_seconds", "cpu_seconds", "parameters_hash"}));
  EXPECT_EQ(keys_of(full), keys_of(empty));
}

TEST(Json, SummaryIsIndentedAndEndsItsLastLine) {
  const std::string text = to_json(full_summary());
  EXPECT_EQ(text.find("{\n  \"name\": \"quick\",\n"), 0u) << text;
  EXPECT_EQ(text.substr(text.size() - 3), "\n}\n");
  Summary strange;
  strange.name = "\xff";
  EXPECT_EQ(parsed(to_json(strange)).at("name"), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace entrain
