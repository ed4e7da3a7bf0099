#include "entrain/strategy/strategy_text.h"

#include <gtest/gtest.h>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"
#include "entrain/core/test_folder.h"
#include "entrain/strategy/algorithms.h"
#include "entrain/strategy/catalogue.h"

namespace entrain {
namespace {

std::string refusal(const std::string& text) {
  try {
    parse_strategy(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(StrategyText, APresetPrintsAsItself) {
  EXPECT_EQ(print(parse_strategy("local_sgd(8)")), "local_sgd(8)");
  EXPECT_EQ(print(parse_strategy("local_sgd(h=8)")), "local_sgd(8)");
  EXPECT_EQ(print(parse_strategy("post_local_sgd(100, 16)")), "post_local_sgd(switch=100, h=16)");
  EXPECT_EQ(print(parse_strategy("synchronous")), "synchronous");
}

TEST(StrategyText, SpellsOutRoundsWithoutTheirDefaults) {
  EXPECT_EQ(print_rounds(parse_strategy("synchronous")), "gradients");
  EXPECT_EQ(print_rounds(parse_strategy("local_sgd(8)")), "parameters(when=every(8))");
  EXPECT_EQ(print_rounds(parse_strategy("post_local_sgd(100, 16)")),
            "gradients(when=until(step=100, schedule=every(1))) + "
            "parameters(when=after(step=100, schedule=every(16)))");
  EXPECT_EQ(print(local_sgd(4)), "parameters(when=every(4))");
}

TEST(StrategyText, EpochsAreStepsOfTheRun) {
  RunFacts facts;
  facts.steps_per_epoch = 50;
  const Strategy strategy = parse_strategy("post_local_sgd(2ep, 8)", facts);
  EXPECT_EQ(strategy.parameters[0].when.start, 100);
  EXPECT_EQ(print(strategy), "post_local_sgd(switch=2ep, h=8)");
}

TEST(StrategyText, RefusesNonsenseWithTheValue) {
  EXPECT_NE(refusal("local_sgd(0)").find("every(0): steps must be >= 1"), std::string::npos);
  EXPECT_NE(refusal("local_sdg(8)").find("did you mean 'local_sgd'"), std::string::npos);
  EXPECT_NE(refusal("local_sgd").find("h is required"), std::string::npos);
  EXPECT_NE(refusal("parameters(when=every(2), codec=int3)").find("int3"), std::string::npos);
  EXPECT_NE(refusal("parameters(delay=steps(-1))").find("steps(-1)"), std::string::npos);
  EXPECT_NE(refusal("gradients(merge=adopt)").find("merge"), std::string::npos);
  EXPECT_NE(refusal("gradients() + local_sgd(8)").find("local_sgd"), std::string::npos);
  EXPECT_NE(refusal("").size(), 0u);
  EXPECT_EQ(refusal("local_sgd(h=-5)"), "local_sgd(h=-5): every(-5): steps must be >= 1");
  EXPECT_EQ(refusal("gossip(ring(5))"), "gossip(ring(5)): ring(5): ring takes no arguments");
  EXPECT_EQ(refusal("qsr(h=0, c=1)"), "qsr(h=0, c=1): h must be >= 1, and c above 0");
}

TEST(StrategyText, RefusesWhatNoEngineCanRun) {
  const auto expect_refused = [](const std::string& text, const std::string& why) {
    const std::string message = refusal(text);
    EXPECT_NE(message.find(why), std::string::npos) << text << ": " << message;
  };
  expect_refused("deltas(whom=ring)", "deltas(whom=ring): deltas are from a common anchor");
  expect_refused("parameters(whom=ring, outer=nesterov(0.7, 0.9))", "no common anchor to move");
  expect_refused("parameters(whom=ring, delay=period(first=anchor))", "no common anchor");
  expect_refused("parameters(when=every(8)) + parameters(whom=ring)",
                 "parameters(whom=ring): stands behind parameters(when=every(8)); list rounds from "
                 "narrow to wide");
  expect_refused("parameters(whom=groups(2)) + parameters(whom=ring)", "narrow to wide");
  expect_refused("parameters(whom=ring, when=ada_loss(4, 8))", "travels with rounds over everyone");
  expect_refused("gradients(when=ada_loss(4, 8))", "gradients");
  expect_refused("gradients(when=qsr(4, 0.1))", "gradients");
  expect_refused("parameters(state=average, delay=steps(2))", "buffers are averaged where");
  expect_refused("parameters(outer=slow_momentum(0, 0.5))", "alpha must be above 0");
  expect_refused("slowmo(8, 1, 1)", "beta must be from 0 to below 1");
  expect_refused("parameters(merge=pull(1.5))", "pull(1.5)");
  expect_refused("ada_lupa_sgd(8, cap=4)", "cap at least tau0");
  expect_refused("gossip(rnig)", "did you mean 'ring'");
  expect_refused("easgd(4, 0.1)", "n of the run is not known here");
  expect_refused("ada_lupa_linear(8, steps=100)", "give alpha or rounds");
  expect_refused("post_local_sgd(first_decay, 8)", "no learning rate that falls");
  EXPECT_THROW(parse_strategy("easgd(4, 0.3)", {.workers = 8}), UsageError);
  EXPECT_THROW(parse_strategy("hierarchical(2, 3, 8)", {.workers = 8}), UsageError);
}

TEST(StrategyText, TheRunsOwnNumbersAreLeftOut) {
  const RunFacts facts{.workers = 8, .steps = 1000, .batch = 1, .first_decay = 70};
  const Strategy strategy = parse_strategy("lupa_sgd", facts);
  EXPECT_EQ(print(strategy), "lupa_sgd(1)");
  EXPECT_EQ(print_rounds(strategy), "parameters(when=lupa(c=1, steps=1000, n=8, batch=1))");
  EXPECT_EQ(print(parse_strategy("overlap_local_sgd(8)")),
            "overlap_local_sgd(h=8, alpha=0.6, beta=0.7)");
  const Strategy switched = parse_strategy("post_local_sgd(first_decay, 8)", facts);
  EXPECT_EQ(print(switched), "post_local_sgd(switch=first_decay, h=8)");
  EXPECT_EQ(switched.parameters[0].when.start, 70);
}

TEST(StrategyText, RefusesNumbersThatNoIntegerHolds) {
  EXPECT_NE(refusal("easgd(h=4, alpha=0.1, n=1e300)").find("not '1e300'"), std::string::npos);
  EXPECT_NE(refusal("easgd(h=4, alpha=0.1, n=2.5)").find("not '2.5'"), std::string::npos);
  EXPECT_NE(refusal("easgd(h=4, alpha=0.1, n=-3)").find("n=-3"), std::string::npos);
  EXPECT_NE(refusal("one_shot(1e300)").find("not '1e300'"), std::string::npos);
  EXPECT_NE(refusal("ada_lupa_linear(2, alpha=0.1, steps=1e300)").find("1e300"), std::string::npos);
  EXPECT_EQ(refusal("easgd(h=4, alpha=1e-12, n=2147483647)"), "");
}

TEST(StrategyText, DerivedArgumentsAreSuchThatATextMaySay) {
  EXPECT_NE(refusal("ada_lupa_linear(1, rounds=1, exact=true, steps=10)").find("alpha=inf"),
            std::string::npos);
  const std::string rounds =
      print_rounds(parse_strategy("parameters(when=aga(h=9007199254740992, warmup=0))"));
  EXPECT_EQ(refusal(rounds), "") << rounds;
}

TEST(StrategyText, RefusesArgumentsThatMeanNothing) {
  const auto refused = [](const std::string& when) {
    return refusal(fmt::format("parameters(when={})", when));
  };
  EXPECT_NE(refused("smooth_rule(1, 1, 1, sigma=-3, n=2)").find("sigma=-3"), std::string::npos);
  EXPECT_NE(refused("warm_up(3 linear, 4, 16, unit=10)").find("3 linear"), std::string::npos);
  EXPECT_NE(refused("warm_up(\"linear\", 4, 16, unit=10)").find("\"linear\""), std::string::npos);
  const TestFolder folder;
  EXPECT_NE(refusal(fmt::format("gossip(matrix(\"{}\"))", folder.path().string())).find("read"),
            std::string::npos);
}

TEST(StrategyText, AdaLossKeepsToItsCapWhateverTheLoss) {
  const Schedule schedule = build_schedule(parse_value("ada_loss(tau0=6, cap=20)"), {});
  Progress progress{.loss = 1e200};
  EXPECT_EQ(schedule.next(progress), 6);
  progress.last_due = 6;
  progress.loss = 1e-200;
  EXPECT_EQ(schedule.next(progress), 26);
}

TEST(StrategyText, TablesOfRoundsAreTheSameStrategy) {
  const Strategy strategy = strategy_from_rounds(
      {{{"of", "gradients"}, {"when", "until(100, every(1))"}},
       {{"of", "deltas"}, {"when", "after(100, every(8))"}, {"delay", "steps(2)"}}});
  EXPECT_EQ(print(strategy),
            "gradients(when=until(step=100, schedule=every(1))) + "
            "deltas(when=after(step=100, schedule=every(8)), delay=steps(2))");
  EXPECT_THROW(strategy_from_rounds({{{"when", "every(1)"}}}), UsageError);
  EXPECT_THROW(strategy_from_rounds({}), UsageError);
}

Schedule random_schedule(Stream& random, int depth) {
  const auto steps = static_cast<std::int64_t>(random.below(1000));
  const auto kind = depth > 2 ? 0 : random.below(3);
  if (kind == 1) return until(steps, random_schedule(random, depth + 1));
  if (kind == 2) return after(steps, random_schedule(random, depth + 1));
  return every(steps + 1);
}

TEST(StrategyText, AThousandRandomStrategiesReadBack) {
  Stream random(7, Purpose::shuffle);
  for (int i = 0; i < 1000; ++i) {
    Strategy strategy;
    for (auto rounds = 1 + random.below(3); rounds > 0; --rounds) {
      if (random.below(2) == 0) {
        strategy.gradients.push_back({.when = random_schedule(random, 0)});
      } else {
        ParameterRound round{.when = random_schedule(random, 0)};
        if (random.below(2) == 0) round.what = What::deltas;
        const auto k = static_cast<std::int64_t>(random.below(4));
        round.delay = k == 3 ? period(random.below(2) == 0) : steps(k);
        if (random.below(2) == 0)
          round.merge = random.below(2) == 0 ? rebase() : pull(random.uniform());
        if (random.below(2) == 0) round.outer = momentum(random.uniform(), random.below(2) == 0);
        strategy.parameters.push_back(round);
      }
    }
    const std::string text = print(strategy);
    const Strategy again = parse_strategy(text);
    ASSERT_EQ(print(again), text);
    ASSERT_EQ(again.gradients.size(), strategy.gradients.size());
    ASSERT_EQ(again.parameters.size(), strategy.parameters.size());
    for (std::size_t r = 0; r < again.parameters.size(); ++r) {
      EXPECT_EQ(again.parameters[r].what, strategy.parameters[r].what);
      EXPECT_EQ(again.parameters[r].delay.steps, strategy.parameters[r].delay.steps);
      for (std::int64_t due : {0, 17, 900}) {
        Progress one = {.last_due = due}, other = one;
        EXPECT_EQ(again.parameters[r].when.next(one), strategy.parameters[r].when.next(other));
      }
    }
  }
}

TEST(Catalogue, EveryMethodHasItsPaperAndEquations) {
  EXPECT_GE(catalogue().size(), 3u);
  for (const Preset& preset : catalogue()) {
    EXPECT_FALSE(preset.paper.empty()) << preset.choice.name;
    EXPECT_FALSE(preset.equations.empty()) << preset.choice.name;
    EXPECT_FALSE(preset.choice.meaning.empty()) << preset.choice.name;
  }
}

}  // namespace
}  // namespace entrain
