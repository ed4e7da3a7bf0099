#include "entrain/report/trace.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace entrain {
namespace {

TEST(Trace, SpansStandOnTheTracksOfTheirWorker) {
  const auto trace = nlohmann::json::parse(
      trace_json({{"compute", 0, 0, 0.5}, {"transfer", 0, 0.5, 0.75}, {"wait", 1, 0.25, 0.75}}));
  std::vector<nlohmann::json> spans;
  for (const auto& event : trace.at("traceEvents")) {
    if (event.at("ph") == "X") spans.push_back(event);
  }
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[0], (nlohmann::json{{"name", "compute"},
                                      {"ph", "X"},
                                      {"pid", 0},
                                      {"tid", 0},
                                      {"ts", 0.0},
                                      {"dur", 500000.0}}));
  EXPECT_EQ(spans[1].at("tid"), 1);
  EXPECT_EQ(spans[2].at("pid"), 1);
  EXPECT_EQ(spans[2].at("ts"), 250000.0);
}

}  // namespace
}  // namespace entrain
