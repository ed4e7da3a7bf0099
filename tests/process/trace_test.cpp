// trace.json of real runs, and that summary.json's seconds are its sums.

#include <algorithm>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>

#include "process/command.h"

namespace entrain {
namespace {

using Json = nlohmann::json;

struct Slice {
  double begin, end;  // seconds
};
using Slices = std::vector<Slice>;

double length_of(const Slices& slices) {
  double sum = 0;
  for (const Slice& slice : slices) sum += slice.end - slice.begin;
  return sum;
}

Slices by_begin(Slices slices) {
  std::sort(slices.begin(), slices.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
  return slices;
}

// Their union, as slices that do not touch.
Slices merged(const Slices& slices) {
  Slices merged;
  for (const Slice& slice : by_begin(slices)) {
    if (!merged.empty() && slice.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, slice.end);
    } else {
      merged.push_back(slice);
    }
  }
  return merged;
}

double common_length(const Slices& first, const Slices& second) {
  double sum = 0;
  for (const Slice& a : merged(first)) {
    for (const Slice& b : merged(second)) {
      sum += std::max(0.0, std::min(a.end, b.end) - std::max(a.begin, b.begin));
    }
  }
  return sum;
}

class Traces : public ProcessTest {
 protected:
  // The slices of a process by name; expects that each stands on a track of its name, where none
  // overlaps another.
  std::map<std::string, Slices> slices_of(const Json& trace, int process) {
    std::map<int, std::string> tracks;
    std::map<int, Slices> by_track;
    std::map<std::string, Slices> by_name;
    for (const Json& event : trace.at("traceEvents")) {
      if (event.at("pid") != process) continue;
      if (event.at("name") == "thread_name") tracks[event.at("tid")] = event["args"]["name"];
      if (event.at("ph") != "X") continue;
      const double begin = event.at("ts").get<double>(), length = event.at("dur").get<double>();
      const Slice slice = {begin / 1e6, (begin + length) / 1e6};
      by_track[event.at("tid")].push_back(slice);
      by_name[event.at("name")].push_back(slice);
    }
    for (const auto& [track, slices] : by_track) {
      const Slices sorted = by_begin(slices);
      for (std::size_t i = 1; i < sorted.size(); ++i) {
        EXPECT_GE(sorted[i].begin, sorted[i - 1].end - 1e-9) << tracks[track];
      }
    }
    for (const auto& [name, slices] : by_name) {
      const auto named = [&](const auto& track) { return track.second == name; };
      EXPECT_TRUE(std::any_of(tracks.begin(), tracks.end(), named)) << name;
    }
    return by_name;
  }

  Json read(const std::string& file) const { return Json::parse(file_content(*this / file)); }
};

TEST_F(Traces, HaveATrackForEachActivityAndTheSumsOfTheSummary) {
  expect_exit(run({"launch", "-n", "4", "--", "train", "train.batch=16", "train.steps=24",
                   "strategy.preset=overlap_local_sgd(4)", "report.trace=all", "--out", "out"}),
              0);
  const Json trace = read("out/trace.json"), summary = read("out/summary.json");
  EXPECT_EQ(trace.at("otherData").at("spans_left_out"), 0);
  EXPECT_GE(trace.at("otherData").at("clocks_agree_within_seconds"), 0);
  EXPECT_LT(trace.at("otherData").at("clocks_agree_within_seconds"), 0.1);
  // Durations on rank 0's clock are right within what the clocks were read wrong, twice.
  const double slack =
      1e-6 + 2 * trace.at("otherData").at("clocks_agree_within_seconds").get<double>();
  std::map<std::string, double> means;
  for (int rank = 0; rank < 4; ++rank) {
    SCOPED_TRACE(rank);
    auto slices = slices_of(trace, rank);
    EXPECT_EQ(slices.size(), 6u);
    EXPECT_EQ(slices["transfer"].size(), 6u);  // a message every four steps
    EXPECT_EQ(slices["wait"].size(), 6u);
    EXPECT_GE(slices["compute"].size(), 24u);
    for (const char* name : {"compute", "launch", "wait", "land"}) {
      means[name] += length_of(slices[name]) / 4;
    }
    const double hidden =
        length_of(merged(slices["transfer"])) - common_length(slices["transfer"], slices["wait"]);
    EXPECT_GT(hidden, 0);
    means["hidden"] += hidden / 4;
  }
  for (const auto& [field, name] :
       std::map<std::string, std::string>{{"compute_seconds", "compute"},
                                          {"exposed_communication_seconds", "wait"},
                                          {"hidden_communication_seconds", "hidden"},
                                          {"launch_seconds", "launch"},
                                          {"land_seconds", "land"}}) {
    EXPECT_NEAR(summary.at(field).get<double>(), means[name], slack) << field;
  }
}

TEST_F(Traces, WhatIsCountedAddsUpToTheTimeOfTraining) {
  const Outcome outcome = run({"train", "workers=2", "threads.workers=1", "train.batch=32",
                               "train.steps=40", "strategy.preset=local_sgd(4)", "--out", "out"});
  expect_exit(outcome, 0);
  const Json s = read("out/summary.json");
  double sum = 0;
  for (const char* field :
       {"compute_seconds", "exposed_communication_seconds", "launch_seconds", "land_seconds"}) {
    EXPECT_GE(s.at(field), 0) << field;
    sum += s.at(field).get<double>();
  }
  const double wall = s.at("wall_seconds");
  EXPECT_LE(sum, wall * 1.001);
  EXPECT_GE(sum, wall * 0.9);
  EXPECT_EQ(s.at("hidden_communication_seconds"), 0);  // nothing travels within a process
  const Json& cpu = s.at("cpu_seconds");
  double used = 0;
  for (const char* part : {"compute", "launch_and_land", "transport"}) {
    EXPECT_GE(cpu.at(part), 0) << part;
    used += cpu.at(part).get<double>();
  }
  EXPECT_LE(used, wall * 1.01);  // one thread computes
  EXPECT_GT(cpu.at("compute"), 0.8 * used);
  EXPECT_FALSE(std::filesystem::exists(*this / "out/trace.json"));  // nobody asked
}

TEST_F(Traces, CpuSecondsTellTransportFromComputing) {
  expect_exit(
      run({"launch", "-n", "2", "--", "train", "model.name=mlp(hidden=[1024, 1024])",
           "train.batch=1", "train.steps=40", "strategy.preset=local_sgd(1)", "--out", "out"}),
      0);
  const Json s = read("out/summary.json"), cpu = s.at("cpu_seconds");
  EXPECT_GT(cpu.at("transport"), 40 * 7e6 / 20e9);  // 7 MB a round were added up and passed on
  EXPECT_GT(cpu.at("compute"), 0);
  EXPECT_LT(cpu.at("transport").get<double>() + cpu.at("compute").get<double>(),
            8 * s.at("total_seconds").get<double>());
}

TEST_F(Traces, OfASimulatedRunAreOnVirtualTime) {
  expect_exit(
      run({"train", "workers=3", "train.batch=8", "train.steps=8", "network.bandwidth=1 Gbit/s",
           "network.compute=constant(10 ms)", "strategy.preset=local_sgd(4)", "--out", "out"}),
      0);
  const Json trace = read("out/trace.json"), summary = read("out/summary.json");
  for (int worker = 0; worker < 3; ++worker) {
    auto slices = slices_of(trace, worker);
    EXPECT_NEAR(length_of(slices["compute"]), 0.08, 1e-9);
    EXPECT_NEAR(length_of(slices["wait"]),
                summary.at("exposed_communication_seconds").get<double>(), 1e-6);
    EXPECT_EQ(slices["transfer"].size(), 2u);
  }
  EXPECT_TRUE(summary.at("cpu_seconds").is_null());
}

// The others are gone: what rank 0 knows itself is written, without an exchange.
TEST_F(Traces, OfARunThatLostARankHaveRankZeroAlone) {
  std::vector<Running> ranks =
      start_ranks({0, 1}, 2, free_port(),
                  {"model.name=softmax", "train.batch=16", "train.steps=1000000000",
                   "threads.intra=1", "report.trace=all", "--out", "out"});
  ASSERT_TRUE(wait_until([&] { return has_landed(*this / "out"); })) << ranks[0].err();
  ranks[1].send(SIGKILL);
  const std::vector<Outcome> outcomes = wait_all(ranks);
  expect_exit(outcomes[0], 4, {"rank 1"});
  const Json trace = read("out/trace.json");
  EXPECT_FALSE(slices_of(trace, 0)["compute"].empty());
  EXPECT_TRUE(slices_of(trace, 1).empty());
  EXPECT_TRUE(trace.at("otherData").at("clocks_agree_within_seconds").is_null());
}

TEST_F(Traces, TwoOpinionsWhetherToTraceAreRefused) {
  const int port = free_port();
  std::vector<Running> ranks;
  for (const int rank : {0, 1}) {
    const Words words = {"report.trace=" + std::string(rank == 0 ? "all" : "none"), "train.steps=2",
                         "--out", "out"};
    ranks.push_back(std::move(start_ranks({rank}, 2, port, words).front()));
  }
  for (const Outcome& outcome : wait_all(ranks)) EXPECT_NE(outcome.code, 0) << outcome;
  EXPECT_NE(ranks[0].err().find("report.trace"), std::string::npos) << ranks[0].err();
}

}  // namespace
}  // namespace entrain
