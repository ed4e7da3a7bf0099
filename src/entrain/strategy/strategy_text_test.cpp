#include "entrain/strategy/strategy_text.h"

#include <gtest/gtest.h>

#include "entrain/core/errors.h"
#include "entrain/core/test_folder.h"
#include "entrain/strategy/algorithms.h"
#include "entrain/strategy/catalogue.h"
#include "entrain/strategy/random_strategy.h"
#include "entrain/strategy/schedule_report.h"

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
  for (const char* codec :
       {"top_k(0.1)", "random_k(0.1)", "sign", "low_rank(2)", "qsgd", "error_feedback(sign)"}) {
    expect_refused(fmt::format("parameters(codec={})", codec), "is for gradients and deltas");
  }
  for (const char* codec : {"top_k(0.1)", "sign", "low_rank(2)"}) {
    expect_refused(fmt::format("gradients(whom=ring, codec={})", codec),
                   "is for rounds over everyone");
    expect_refused(fmt::format("deltas(whom=groups(2), codec={})", codec),
                   "is for rounds over everyone");
  }
  expect_refused("parameters(slice=fragment(0, of=2)) + parameters(when=every(8))",
                 "slices must be equal or disjoint");
  expect_refused("parameters(slice=fragment(0, of=2)) + parameters(slice=fragment(1, of=3))",
                 "slices must be equal or disjoint");
  expect_refused("parameters(slice=fragment(0, of=2), state=average)", "slice=all");
  expect_refused("gradients(whom=push_sum(ring))", "push-sum is for parameters");
  expect_refused("parameters(whom=push_sum(ring), delay=steps(1))", "goes not with push-sum");
  expect_refused("parameters(whom=push_sum(ring)) + deltas(when=every(8))",
                 "goes not with push-sum");
  expect_refused("sgp(everyone)", "push-sum is for neighbours");
  expect_refused("parameters(outer=slow_momentum(0, 0.5))", "alpha must be above 0");
  expect_refused("slowmo(8, 1, 1)", "beta must be from 0 to below 1");
  expect_refused("parameters(merge=pull(1.5))", "pull(1.5)");
  expect_refused("ada_lupa_sgd(8, cap=4)", "cap at least tau0");
  expect_refused("gossip(rnig)", "did you mean 'ring'");
  expect_refused("easgd(4, 0.1)", "n of the run is not known here");
  expect_refused("ada_lupa_linear(8, steps=100)", "give alpha or rounds");
  expect_refused("post_local_sgd(first_decay, 8)", "train.lr_schedule first falls");
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
  EXPECT_NE(refusal("ada_lupa_linear(1, rounds=1, exact=true, steps=10)")
                .find("rounds=1: must be at least 2"),
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
  EXPECT_NE(refusal("gossip(matrix(\"/dev/zero\"))").find("cannot be read"), std::string::npos);
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

/// Whatever of a strategy can be compared.
std::vector<std::string> described(const Strategy& strategy) {
  std::vector<std::string> all = {print_rounds(strategy)};
  const auto add = [&](const auto& round) {
    const Schedule& when = round.when;
    all.push_back(fmt::format("due {} start {} loss {} lr {}",
                              fmt::join(due_steps(when, 700, 0.05), " "), when.start,
                              when.needs_loss, when.needs_lr));
    all.push_back(fmt::format("whom {}", static_cast<int>(round.whom.kind)));
    if (!round.whom.mixings) return;
    for (const auto& mixing : round.whom.mixings(kRandomRun.workers)) {
      for (const auto& row : mixing->rows) {
        for (const auto& term : row) all.push_back(fmt::format("{} {}", term.worker, term.weight));
      }
    }
  };
  for (const GradientRound& round : strategy.gradients) add(round);
  for (const ParameterRound& round : strategy.parameters) {
    add(round);
    all.push_back(fmt::format("what {} outer {} {} merge {} {} delay {} {} state {}",
                              static_cast<int>(round.what), round.outer.has_velocity,
                              round.outer.keeps_anchor, round.merge.needs_launched,
                              round.merge.adopts, round.delay.steps, round.delay.first_anchor,
                              static_cast<int>(round.state.kind)));
  }
  return all;
}

template <class T>
std::string never_written(const RandomStrategy& random, const std::string& axis,
                          const std::vector<Choice<T>>& choices) {
  std::string missing;
  for (const Choice<T>& choice : choices) {
    if (!random.written().contains(axis + " " + choice.name)) missing += choice.name + " ";
  }
  return missing;
}

TEST(StrategyText, AThousandRandomStrategiesReadBack) {
  const TestFolder folder;
  RandomStrategy random(7, folder.path());
  for (int i = 0; i < 1000; ++i) {
    const std::string text = random.chance(3) ? random.preset() : random.joined(random.rounds());
    SCOPED_TRACE(text);
    const Strategy strategy = parse_strategy(text, kRandomRun);
    const Strategy again = parse_strategy(print(strategy), kRandomRun);
    ASSERT_EQ(print(again), print(strategy));
    ASSERT_EQ(described(again), described(strategy));
    ASSERT_EQ(described(parse_strategy(print_rounds(strategy), kRandomRun)), described(strategy));
  }
  EXPECT_EQ(never_written(random, "schedule", schedule_choices()), "");
  EXPECT_EQ(never_written(random, "topology", topology_choices()), "");
  EXPECT_EQ(never_written(random, "codec", codec_choices()), "");
  EXPECT_EQ(never_written(random, "outer", outer_choices()), "");
  EXPECT_EQ(never_written(random, "merge", merge_choices()), "");
  EXPECT_EQ(never_written(random, "delay", delay_choices()), "");
  EXPECT_EQ(never_written(random, "slice", slice_choices()), "");
  EXPECT_EQ(never_written(random, "state policy", state_choices()), "");
  std::vector<Choice<Strategy>> presets;
  for (const Preset& preset : catalogue()) presets.push_back(preset.choice);
  EXPECT_EQ(never_written(random, "preset", presets), "");
  EXPECT_TRUE(random.written().contains("parameters") && random.written().contains("deltas"));
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
