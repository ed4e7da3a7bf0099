#include "entrain/strategy/theory_schedules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "entrain/core/test_refusal.h"
#include "entrain/strategy/adaptive_schedules.h"
#include "entrain/strategy/agenda.h"
#include "entrain/strategy/schedule_report.h"

namespace entrain {
namespace {

using Intervals = std::vector<std::int64_t>;

Intervals intervals_of(const Schedule& schedule, std::int64_t T, double lr = 0.1) {
  Intervals intervals;
  std::int64_t last = 0;
  for (const std::int64_t due : due_steps(schedule, T, lr)) {
    intervals.push_back(due - last);
    last = due;
  }
  return intervals;
}

// What a schedule asks for when it is fed these losses, one a period.
Intervals fed(const Schedule& schedule, const std::vector<double>& losses) {
  Progress progress;
  Intervals intervals;
  std::int64_t due = schedule.next(progress);
  for (const double loss : losses) {
    intervals.push_back(due - progress.last_due);
    progress.last_due = due;
    ++progress.round;
    progress.loss = loss;
    due = schedule.next(progress);
  }
  intervals.push_back(due - progress.last_due);
  return intervals;
}

TEST(TheorySchedules, PeriodsOfTheTable_Lupa_1_6_7) {
  EXPECT_EQ(intervals_of(stich(1000, 8, 1), 30)[0], 12);     // sqrt(125) = 11.2
  EXPECT_EQ(intervals_of(lupa(1, 1000, 8, 1), 100)[0], 50);  // 100 / 2
  EXPECT_EQ(intervals_of(lupa(0.5, 1000, 8, 1), 100)[0], 25);
  EXPECT_EQ(intervals_of(lupa(1, 27, 1, 1), 27)[0], 9);       // not 10
  EXPECT_EQ(intervals_of(wang_joshi(10000, 4), 100)[0], 13);  // 100 / 8
  EXPECT_EQ(intervals_of(yu(10000, 4), 100)[0], 4);           // 10 / 2.83
  EXPECT_EQ(intervals_of(yu(10, 64), 10)[0], 1);
  EXPECT_EQ(intervals_of(lupa(1, 19500, 4, 128), 19500)[0], 91);  // the paper's period
}

TEST(TheorySchedules, AdaLinear_Lupa_1_6_2) {
  const double alpha = ada_linear_alpha(91, 10, 5469, false);
  EXPECT_NEAR(alpha, 1.0927, 5e-5);
  double sum = 0;
  for (int i = 0; i < 10; ++i) sum += (1 + i * alpha) * 91;
  EXPECT_NEAR(sum, 5385, 1);
  const Intervals intervals = intervals_of(ada_linear(91, alpha, 5469), 5469);
  ASSERT_EQ(intervals.size(), 11u) << "ten, and the rest up to T";
  EXPECT_EQ(Intervals(intervals.begin(), intervals.begin() + 3), (Intervals{91, 190, 290}));
  std::int64_t ten = 0;
  for (int i = 0; i < 10; ++i) ten += intervals[i];
  EXPECT_NEAR(static_cast<double>(ten), 5385, 1);
  EXPECT_EQ(intervals[10], 5469 - ten);

  const double exact = ada_linear_alpha(91, 10, 5469, true);
  EXPECT_NEAR(exact, 1.113, 5e-4);
  const Intervals ends_there = intervals_of(ada_linear(91, exact, 5469), 5469);
  std::int64_t total = 0;
  for (const std::int64_t interval : ends_there) total += interval;
  EXPECT_EQ(total, 5469);
}

TEST(AdaptiveSchedules, AdaLoss_Lupa_1_6_2) {
  const Schedule schedule = ada_loss(7, 1000);
  EXPECT_TRUE(schedule.needs_loss);
  EXPECT_EQ(fed(schedule, {27, 27, 27.0 / 8, 1}), (Intervals{7, 7, 7, 14, 21}));
  EXPECT_EQ(fed(schedule, {1.01, 1}), (Intervals{7, 7, 14})) << "the ceiling: a ratio of 1.01";
  EXPECT_EQ(fed(schedule, {1, 1e-12}), (Intervals{7, 7, 1000})) << "the cap";
  EXPECT_EQ(fed(schedule, {1, -1}), (Intervals{7, 7, 1000})) << "no ratio below 0";
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(fed(schedule, {8, 1, none}), (Intervals{7, 7, 14, 14})) << "no news, no change";
}

TEST(AdaptiveSchedules, AdaCommShrinksOncePerBlock) {
  EXPECT_EQ(fed(adacomm(16, 32), {4, 4, 1, 0.9, 4, 1}), (Intervals{16, 16, 8, 8, 8, 8, 4}));
}

TEST(AdaptiveSchedules, AgaWarmsUpThenGrows) {
  const Schedule schedule = aga(4, 8, 1, 32, 0);
  EXPECT_EQ(fed(schedule, {2, 4, 1.5, 0.75, 0.001}), (Intervals{4, 4, 4, 8, 16, 32}));
  EXPECT_EQ(fed(schedule, {2, 4, -1}), (Intervals{4, 4, 4, 32}));
  EXPECT_EQ(fed(schedule, {2, 4, 300}), (Intervals{4, 4, 4, 1}));
}

TEST(AdaptiveSchedules, QsrFollowsTheLearningRate) {
  EXPECT_EQ(intervals_of(qsr(2, 0.5), 20, 0.25)[0], 4);
  EXPECT_EQ(intervals_of(qsr(8, 0.5), 20, 0.25)[0], 8);
}

TEST(TheorySchedules, RulesOfPatelAndDieuleveut) {
  EXPECT_EQ(intervals_of(quad_rule(0.5, 4), 100, 0.05)[0], 10);
  EXPECT_EQ(intervals_of(quad_rule(50, 4), 100, 0.05)[0], 1) << "at least 1";
  EXPECT_EQ(intervals_of(smooth_rule(0.5, 2, 1, std::nullopt, 4), 100, 0.05)[0], 2);
  EXPECT_EQ(intervals_of(growing(2, 1), 20), (Intervals{2, 4, 6, 8}));
  EXPECT_EQ(intervals_of(growing(2, 0.5), 15), (Intervals{2, 3, 4, 4}));
}

// As the distance falls, so rises the interval, up to quad_rule's.
TEST(TheorySchedules, SmoothRuleGrowsAsTheDistanceFalls_Patel_2_7_6) {
  const Intervals intervals = intervals_of(smooth_rule(0.1, 1, 10, 0, 2), 4000, 0.05);
  EXPECT_TRUE(std::is_sorted(intervals.begin(), intervals.end()));
  EXPECT_EQ(intervals.front(), 1);
  EXPECT_EQ(intervals.back(), 100) << "1 / (mu lr n)";
}

TEST(TheorySchedules, RoundsAreCounted_Patel_2_7_6) {
  EXPECT_EQ(due_steps(every(1), 1000, 0.1).size(), 1000u) << "mini-batch averaging";
  EXPECT_EQ(due_steps(one_shot(1000), 1000, 0.1), (Intervals{1000}));
  EXPECT_EQ(due_steps(every(50), 1000, 0.1).size(), 20u);
}

TEST(TheorySchedules, WarmUp) {
  EXPECT_EQ(intervals_of(warm_up("constant", 3, 4, 2), 16), (Intervals{1, 1, 1, 1, 1, 1, 4, 4}));
  // i = steps / 4: 0 up to step 4, then 1: 8/4 = 2, then 2: 4, then 3: 6, then 8.
  EXPECT_EQ(intervals_of(warm_up("linear", 4, 8, 4), 34),
            (Intervals{1, 1, 1, 1, 2, 2, 4, 6, 8, 8}));
  // 2^(i log2(4) / 4): 1, 1, 2, 2.
  EXPECT_EQ(intervals_of(warm_up("exponential", 4, 8, 4), 32),
            (Intervals{1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 8, 8}));
}

TEST(ScheduleReport, Conditions_Lupa_1_6_7) {
  const LupaConditions conditions = lupa_conditions({10, 30, 60}, 60, 4, 2);
  EXPECT_EQ(conditions.rounds, 3);
  EXPECT_EQ(conditions.sum, 60);
  EXPECT_NEAR(conditions.pairs, (10 * 9 + 20 * 19 + 30 * 29) / 3600.0, 1e-12);
  EXPECT_NEAR(conditions.longest, 27000 * 8 / 3600.0, 1e-9);
  const std::string text = schedule_report(every(91), 5469, 4, 128, 0.1);
  EXPECT_NE(text.find("60 rounds"), std::string::npos) << text;
  EXPECT_NE(text.find("5460 of 5469"), std::string::npos) << text;
  EXPECT_NE(text.find("lupa 39, stich 4, wang_joshi 10, yu 4"), std::string::npos) << text;
}

TEST(TheorySchedules, RefuseWhatTheyCannotMean) {
  const auto refusal = [](const std::string& text) {
    return refusal_of([&] { build_schedule(parse_value(text), {}); });
  };
  EXPECT_EQ(refusal("one_shot(1e30)"), "one_shot(1e30): steps must be an integer, not '1e30'");
  EXPECT_EQ(refusal("one_shot(10.7)"), "one_shot(10.7): steps must be an integer, not '10.7'");
  EXPECT_EQ(refusal("ada_linear(8, rounds=1, exact=true, steps=100)"),
            "ada_linear: rounds=1: must be at least 2");
  EXPECT_NE(refusal("smooth_rule(1, 1, 1, sigma=-0.3, n=2)").find("sigma >= 0"), std::string::npos);
  EXPECT_NE(refusal("warm_up(3, over=5, h=4, unit=2)").find("kind=3"), std::string::npos);
  EXPECT_EQ(due_steps(one_shot(100), 1000, 0.1), (Intervals{100})) << "once, and never again";
  EXPECT_EQ(fed(ada_loss(3, 1000), {1e60, 1e-60}), (Intervals{3, 3, 1000}));
}

TEST(TheorySchedules, TakeTheRunsOwnNumbers) {
  const RunFacts facts{.workers = 8, .steps = 1000, .batch = 1};
  EXPECT_EQ(print(build_schedule(parse_value("lupa"), facts).text),
            "lupa(c=1, steps=1000, n=8, batch=1)");
  EXPECT_EQ(print(build_schedule(parse_value("one_shot"), facts).text), "one_shot(1000)");
  EXPECT_EQ(refusal_of([] { build_schedule(parse_value("one_shot"), {}); }),
            "one_shot: steps of the run is not known here; give it, as in one_shot(steps=...)");
}

}  // namespace
}  // namespace entrain
