#include "entrain/strategy/schedule.h"

#include <gtest/gtest.h>

#include "entrain/core/errors.h"
#include "entrain/strategy/agenda.h"

namespace entrain {
namespace {

std::vector<std::int64_t> due_steps(const Schedule& schedule, std::int64_t last) {
  std::vector<std::int64_t> steps;
  for (Progress at;; at.last_due = steps.back(), ++at.round) {
    const std::int64_t next = schedule.next(at);
    if (next > last) return steps;
    steps.push_back(next);
  }
}

using Steps = std::vector<std::int64_t>;

TEST(Schedule, EveryIsDueAtMultiples) {
  EXPECT_EQ(due_steps(every(3), 10), (Steps{3, 6, 9}));
  EXPECT_EQ(due_steps(every(1), 3), (Steps{1, 2, 3}));
  EXPECT_EQ(every(3).start, 0);
}

TEST(Schedule, UntilKeepsTheDueStepsUpToItsStep) {
  EXPECT_EQ(due_steps(until(7, every(3)), 100), (Steps{3, 6}));
  EXPECT_EQ(due_steps(until(6, every(3)), 100), (Steps{3, 6}));
  EXPECT_EQ(due_steps(until(5, every(3)), 100), (Steps{3}));
  EXPECT_EQ(due_steps(until(0, every(1)), 100), (Steps{}));
}

TEST(Schedule, AfterStartsTheClock) {
  EXPECT_EQ(due_steps(after(5, every(3)), 15), (Steps{8, 11, 14}));
  EXPECT_EQ(after(5, every(3)).start, 5);
  EXPECT_EQ(due_steps(after(0, every(3)), 7), (Steps{3, 6}));
  EXPECT_EQ(due_steps(after(5, until(4, every(2))), 100), (Steps{7, 9}));
  EXPECT_EQ(due_steps(until(12, after(5, every(3))), 100), (Steps{8, 11}));
  EXPECT_EQ(after(5, after(2, every(3))).start, 7);
  EXPECT_EQ(due_steps(after(5, after(2, every(3))), 14), (Steps{10, 13}));
}

TEST(Schedule, RefusesNonsenseWithTheValue) {
  const auto message = [](auto make) -> std::string {
    try {
      make();
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message([] { every(0); }), "every(0): steps must be >= 1");
  EXPECT_NE(message([] { until(-1, every(2)); }).find("until(-1, every(2))"), std::string::npos);
  EXPECT_NE(message([] { build_schedule(parse_value("evry(2)"), {}); }).find("'every'"),
            std::string::npos);
}

TEST(Schedule, ReadsAndPrintsItsText) {
  for (const char* text : {"every(8)", "until(step=100, schedule=every(1))",
                           "after(step=100, schedule=until(step=20, schedule=every(4)))"}) {
    EXPECT_EQ(print(build_schedule(parse_value(text), {}).text), text);
  }
  EXPECT_EQ(print(build_schedule(parse_value("until(3, every(1))"), {}).text),
            "until(step=3, schedule=every(1))");
  RunFacts facts;
  facts.steps_per_epoch = 40;
  EXPECT_EQ(print(build_schedule(parse_value("every(0.5ep)"), facts).text), "every(20)");
  EXPECT_THROW(build_schedule(parse_value("every(1ep)"), {}), UsageError);
}

TEST(Agenda, TheLastDueRoundFiresAndTheOthersCount) {
  Agenda agenda({every(2), every(4)});
  Steps firing;
  for (std::int64_t step = 1; step <= 8; ++step) {
    firing.push_back(agenda.fire(step, 0.1));
    agenda.plan();
  }
  EXPECT_EQ(firing, (Steps{-1, 0, -1, 1, -1, 0, -1, 1}));
}

TEST(Agenda, KnowsTheNextStep) {
  Agenda agenda({until(3, every(3)), after(4, every(5))});
  const auto fire = [&](std::int64_t step) {
    const int firing = agenda.fire(step, 0.1);
    agenda.plan();
    return firing;
  };
  EXPECT_EQ(agenda.next(), 1) << "the first takes up its schedule";
  EXPECT_EQ(fire(1), -1);
  EXPECT_EQ(agenda.next(), 3);
  EXPECT_EQ(fire(3), 0);
  EXPECT_EQ(agenda.next(), 5) << "the second takes up its schedule";
  EXPECT_EQ(fire(5), -1);
  EXPECT_EQ(agenda.next(), 9);
  EXPECT_EQ(fire(9), 1);
  EXPECT_EQ(agenda.next(), 14);
}

}  // namespace
}  // namespace entrain
