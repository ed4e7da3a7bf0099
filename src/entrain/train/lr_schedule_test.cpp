#include "entrain/train/lr_schedule.h"

#include <gtest/gtest.h>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

const RunFacts kRun = {.workers = 4, .steps = 100, .steps_per_epoch = 10, .batch = 64};

double factor(const char* text, std::int64_t completed) {
  return parse_lr_schedule(text, kRun).factor(completed);
}

TEST(LrSchedule, StepFallsAtItsMilestones) {
  EXPECT_DOUBLE_EQ(factor("step(0.1, at=[50, 80])", 49), 1);
  EXPECT_DOUBLE_EQ(factor("step(0.1, at=[50, 80])", 50), 0.1);
  EXPECT_DOUBLE_EQ(factor("step(0.1, at=[5ep, 8ep])", 79), 0.1);
  EXPECT_NEAR(factor("step(0.1, at=[5ep, 8ep])", 80), 0.01, 1e-15);
}

TEST(LrSchedule, WarmupIsAStraightLine) {
  EXPECT_DOUBLE_EQ(factor("warmup(10, from=0.1)", 0), 0.1);
  EXPECT_DOUBLE_EQ(factor("warmup(10, from=0.1)", 5), 0.55);
  EXPECT_DOUBLE_EQ(factor("warmup(1ep, from=0.1)", 10), 1);
  EXPECT_DOUBLE_EQ(factor("warmup(10)", 0), 0);
}

TEST(LrSchedule, CosineEndsAtTo) {
  EXPECT_DOUBLE_EQ(factor("cosine", 0), 1);
  EXPECT_DOUBLE_EQ(factor("cosine", 50), 0.5);
  EXPECT_DOUBLE_EQ(factor("cosine(to=0.2)", 100), 0.2);
  EXPECT_DOUBLE_EQ(factor("cosine(to=0.2)", 1000), 0.2);
}

TEST(LrSchedule, AProductMultiplies) {
  EXPECT_DOUBLE_EQ(factor("constant", 7), 1);
  EXPECT_DOUBLE_EQ(factor("warmup(10, from=0.1) * step(0.5, at=[3])", 5), 0.275);
}

TEST(LrSchedule, RefusesNonsense) {
  for (const char* text :
       {"stp(0.1, at=[1])", "step(0.1)", "warmup(0)", "step(-1, at=[1])", "constant *", ""}) {
    EXPECT_THROW(parse_lr_schedule(text, kRun), UsageError) << text;
  }
  EXPECT_THROW(parse_lr_schedule("cosine", {}), UsageError);
  EXPECT_THROW(parse_lr_schedule("warmup(1ep)", {}), UsageError);
}

}  // namespace
}  // namespace entrain
