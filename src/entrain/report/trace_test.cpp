#include "entrain/report/trace.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

namespace entrain {
namespace {

using TraceEvent = nlohmann::json;

std::vector<TraceEvent> events_of(const Trace& trace, const std::string& phase) {
  std::vector<TraceEvent> events;
  const TraceEvent json = TraceEvent::parse(trace_json(trace));
  for (const auto& event : json.at("traceEvents")) {
    if (event.at("ph") == phase) events.push_back(event);
  }
  return events;
}

// The name of each track of a process.
std::map<int, std::string> tracks_of(const Trace& trace, int process) {
  std::map<int, std::string> names;
  for (const TraceEvent& event : events_of(trace, "M")) {
    if (event.at("pid") == process && event.at("name") == "thread_name") {
      names[event.at("tid")] = event.at("args").at("name");
    }
  }
  return names;
}

TEST(Trace, ASpanStandsOnTheTrackOfItsName) {
  const Trace trace = {
      .spans = {{"compute", 0, 0, 0.5}, {"transfer", 0, 0.5, 0.75}, {"wait", 1, 0.25, 0.75}}};
  const auto slices = events_of(trace, "X");
  ASSERT_EQ(slices.size(), 3u);
  EXPECT_EQ(slices[0], (TraceEvent{{"name", "compute"},
                                   {"ph", "X"},
                                   {"pid", 0},
                                   {"tid", 0},
                                   {"ts", 0.0},
                                   {"dur", 500000.0}}));
  EXPECT_EQ(slices[1].at("pid"), 1);
  EXPECT_EQ(slices[1].at("ts"), 250000.0);
  for (const TraceEvent& slice : slices) {
    EXPECT_EQ(tracks_of(trace, slice.at("pid")).at(slice.at("tid")), slice.at("name"));
  }
}

TEST(Trace, MessagesUnderWayAtATimeStandBesideEachOther) {
  const Trace trace = {.spans = {{"transfer", 0, 0, 3},
                                 {"transfer", 0, 1, 2},
                                 {"transfer", 0, 2, 4},
                                 {"transfer", 0, 3, 5}}};
  std::map<std::string, std::vector<double>> begins;
  for (const TraceEvent& slice : events_of(trace, "X")) {
    begins[tracks_of(trace, 0).at(slice.at("tid"))].push_back(slice.at("ts").get<double>() / 1e6);
  }
  EXPECT_EQ(begins, (std::map<std::string, std::vector<double>>{{"transfer", {0, 3}},
                                                                {"transfer 2", {1, 2}}}));
}

// Thirds of a microsecond: rounded one by one, an end would lie after the next begin.
TEST(Trace, SpansThatTouchDoNotOverlap) {
  Trace trace;
  for (int i = 0; i < 1000; ++i) {
    trace.spans.push_back({"compute", 0, i / 3e6 + 12345.678, (i + 1) / 3e6 + 12345.678});
  }
  EXPECT_EQ(tracks_of(trace, 0).size(), 1u);
}

TEST(Trace, SaysWhatItIsOfAndWhatItLeftOut) {
  const Trace trace = {
      .who = "rank", .spans = {{"wait", 2, -0.5, 1}}, .left_out = 7, .clock_error = 0.000125};
  const auto json = TraceEvent::parse(trace_json(trace));
  EXPECT_EQ(json.at("otherData"),
            (TraceEvent{{"spans_left_out", 7}, {"clocks_agree_within_seconds", 0.000125}}));
  EXPECT_EQ(events_of(trace, "X").at(0).at("ts"), -500000.0);
  EXPECT_EQ(events_of(trace, "M").at(0).at("args").at("name"), "rank 2");
  const auto empty = TraceEvent::parse(trace_json({}));
  EXPECT_TRUE(empty.at("traceEvents").empty());
  EXPECT_TRUE(empty.at("otherData").at("clocks_agree_within_seconds").is_null());
}

}  // namespace
}  // namespace entrain
