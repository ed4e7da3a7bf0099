#include "entrain/comm/compute_time.h"

#include <gtest/gtest.h>

#include <fstream>

#include "entrain/comm/test_simulated.h"
#include "entrain/core/test_folder.h"
#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

TEST(ComputeTime, DistributionsHaveTheirMeans) {
  const auto mean = [](const std::string& text) {
    const ComputeTime time = compute_named(text);
    double sum = 0;
    for (std::int64_t step = 1; step <= 40'000; ++step) sum += time.seconds(1, 3, step);
    return sum / 40'000;
  };
  EXPECT_NEAR(mean("constant(20 ms)"), 0.02, 1e-12);
  EXPECT_NEAR(mean("exponential(20 ms)"), 0.02, 0.0005);
  EXPECT_NEAR(mean("shifted_exponential(10 ms, 5 ms)"), 0.015, 0.0005);
  EXPECT_NEAR(mean("pareto(10 ms, 3)"), 0.015, 0.0005);
  const Straggler slow = straggler_named("slow(probability=0.1, factor=5)");
  double factors = 0;
  for (std::int64_t step = 1; step <= 40'000; ++step) factors += slow.factor(1, 3, step);
  EXPECT_NEAR(factors / 40'000, 1.4, 0.05);
}

// A file of that content, as the text of a compute time.
struct TraceFile {
  TestFolder folder;
  std::string path = (folder / "trace.txt").string();
  std::string text = fmt::format("trace(\"{}\")", path);

  explicit TraceFile(const std::string& content) { std::ofstream(path) << content; }
};

TEST(ComputeTime, ATraceHasALineAStepAndANumberAWorker) {
  const TraceFile trace("1 2.5\n\n3e-1 4\n");
  const ComputeTime time = compute_named(trace.text, {.workers = 2, .steps = 2});
  EXPECT_EQ(time.seconds(1, 0, 1), 1);
  EXPECT_EQ(time.seconds(1, 1, 1), 2.5);
  EXPECT_EQ(time.seconds(1, 0, 2), 0.3);
  EXPECT_EQ(time.seconds(1, 1, 2), 4);
}

TEST(ComputeTime, ATraceThatIsTooShortIsRefusedAtTheStart) {
  const TraceFile trace("1 1\n1 1\n");
  EXPECT_EQ(refusal_of([&] { compute_named(trace.text, {.workers = 2, .steps = 3}); }),
            trace.path + ": ends after step 2, where the run has 3 steps");
  EXPECT_EQ(refusal_of([&] { compute_named(trace.text, {.workers = 4, .steps = 2}); }),
            trace.path + ": has times for 2 workers, where the run has 4");
  const ComputeTime time = compute_named(trace.text);  // of a run that is not known
  EXPECT_EQ(refusal_of([&] { time.seconds(1, 0, 3); }),
            trace.path + ": ends after step 2, where the run has 3 steps");
  EXPECT_EQ(refusal_of([&] { time.seconds(1, 2, 1); }),
            trace.path + ": has times for 2 workers, where the run has 3");
}

TEST(ComputeTime, ATraceThatIsBrokenIsRefusedWithItsLine) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1 1\n1 x\n", ":2: 'x'"}, {"x\n", ":1: 'x'"},           {"1 1\n\n1 -1\n", ":3: '-1'"},
      {"1 nan\n", ":1: 'nan'"},  {"1 1e999\n", ":1: '1e999'"}, {"1 1\n1 1 1\n", ":2: 3 numbers"},
      {"\n\n", ": no numbers"}};
  for (const auto& [content, message] : cases) {
    const TraceFile trace(content);
    const std::string refusal = refusal_of([&] { compute_named(trace.text); });
    EXPECT_NE(refusal.find(trace.path + message), std::string::npos) << refusal;
  }
  EXPECT_NE(refusal_of([] { compute_named("trace(\"/\")"); }).find("cannot be read"),
            std::string::npos);
}

TEST(ComputeTime, RefusesNonsenseWithTheText) {
  EXPECT_NE(refusal_of([] { compute_named("gamma(1 s)"); }).find("gamma"), std::string::npos);
  EXPECT_NE(refusal_of([] { compute_named("expontial(1 s)"); }).find("'exponential'?"),
            std::string::npos);
  EXPECT_NE(refusal_of([] { compute_named("constant(-1 s)"); }).find("'-1 s'"), std::string::npos);
  EXPECT_NE(refusal_of([] { compute_named("pareto(1 s, -2)"); }).find("shape"), std::string::npos);
  EXPECT_NE(refusal_of([] { straggler_named("slow(2, 5)"); }).find("probability"),
            std::string::npos);
}

}  // namespace
}  // namespace entrain
