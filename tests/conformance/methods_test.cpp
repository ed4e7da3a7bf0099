// Every method with a name against a plain loop that was written from its equations alone.

#include "conformance/methods.h"

#include "conformance/coded_texts.h"

#include <gtest/gtest.h>

#include <set>

#include "conformance/engine.h"
#include "entrain/comm/test_ranks.h"
#include "entrain/core/seeds.h"
#include "entrain/strategy/catalogue.h"
#include "entrain/strategy/cost.h"

namespace methods_test {
namespace {

using entrain::across;
using entrain::catalogue;
using entrain::Engine;
using entrain::Preset;
using entrain::RankPlay;

LrFactor factor_of(const Method& method) { return method.falling_lr ? falling : constant_lr; }

// The largest deviation of each method over all problems.
void expect_conformance(const std::vector<Method>& methods) {
  std::map<std::string, double> largest;
  for (const Method& method : methods) {
    double& worst = largest[method.text];
    for (int workers : method.workers) {
      for (const Sgd& sgd : kSgds) {
        const Problem problem{workers, 21};
        const LrFactor factor = factor_of(method);
        Engine engine(problem, sgd, method.text);
        engine.lr_factor = factor;
        const double deviation = engine.run(kRun).deviation(method.loop(problem, sgd, factor));
        EXPECT_LE(deviation, 1e-12) << method.text << ", n = " << workers << ", momentum "
                                    << sgd.momentum << ", weight decay " << sgd.weight_decay;
        worst = std::max(worst, deviation);
      }
    }
  }
  for (const auto& [text, deviation] : largest) fmt::print("{:<60}{:10.1e}\n", text, deviation);
}

TEST(Methods, LocalSgdOnEverySchedule) { expect_conformance(scheduled_methods()); }
TEST(Methods, WithAnAnchor) { expect_conformance(anchored_methods()); }
TEST(Methods, WithNeighbours) { expect_conformance(neighbour_methods()); }

// One text of each method, in real processes: 4 of one worker, and 2 of two.
class MethodsOnC10d : public testing::TestWithParam<int> {};

TEST_P(MethodsOnC10d, AreTheLoopsAndADelayChangesNoBit) {
  across(
      GetParam(),
      [](RankPlay& play) {
        const Sgd sgd = kSgds[3];
        const Problem problem{4, 21};
        const auto comm = play.join(entrain::Sums::fast, 4 / play.size());
        std::set<std::string> seen;
        for (const auto& methods : {scheduled_methods(), anchored_methods(), neighbour_methods()}) {
          for (const Method& method : methods) {
            const std::string name = method.text.substr(0, method.text.find_first_of("(,", 18));
            if (!method.defined_for(4) || !seen.insert(name).second) continue;
            Engine calm(problem, sgd, method.text, comm.get());
            calm.lr_factor = factor_of(method);
            const double deviation =
                calm.run(kRun).deviation(method.loop(problem, sgd, factor_of(method)));
            EXPECT_LE(deviation, 1e-12) << method.text;
            Engine late(problem, sgd, method.text, comm.get());
            late.lr_factor = factor_of(method);
            entrain::Stream random(play.rank(), entrain::Purpose::shuffle);
            late.fault = [&](std::int64_t) {
              return entrain::Fault{.delay = std::chrono::microseconds(random.below(1500))};
            };
            EXPECT_EQ(late.run(kRun).deviation(calm), 0) << method.text;
            if (play.rank() == 0) fmt::print("{:<60}{:10.1e}\n", method.text, deviation);
          }
        }
        EXPECT_GE(seen.size(), 25u);
      },
      entrain::StoreAt::test, std::chrono::minutes(4));
}

INSTANTIATE_TEST_SUITE_P(Processes, MethodsOnC10d, testing::Values(2, 4));

// With the steps at which a round that reads the loss was due, as the run recorded them.
entrain::Strategy as_it_went(const Engine& engine) {
  entrain::Strategy strategy = engine.sync().strategy();
  for (std::size_t i = 0; i < strategy.parameters.size(); ++i) {
    entrain::Schedule& when = strategy.parameters[i].when;
    if (!when.needs_loss) continue;
    when.next = entrain::at_steps(engine.sync().due_steps(i)).next;
  }
  return strategy;
}

TEST(Methods, CostWhatIsPredicted) {
  for (const auto& methods : {scheduled_methods(), anchored_methods(), neighbour_methods()}) {
    for (const Method& method : methods) {
      for (int workers : {1, 2, 3, 8}) {
        if (!method.defined_for(workers)) continue;
        const Sgd sgd{0.05, 0.9, 0, false};
        Engine engine({workers, 21}, sgd, method.text);
        engine.lr_factor = factor_of(method);
        engine.run(kRun).sync().finish();
        const double row = static_cast<double>(engine.rows().gradients().size(1)) * sizeof(double);
        const entrain::Cost cost = entrain::predict_cost(
            as_it_went(engine), workers, kRun,
            {.parameters = row, .state = row, .item = sizeof(double)},
            [&](std::int64_t step) { return sgd.lr * factor_of(method)(static_cast<int>(step)); });
        EXPECT_EQ(cost.rounds, engine.sync().rounds()) << method.text << ", n = " << workers;
        EXPECT_NEAR(cost.bytes_sent_per_worker, engine.metered().bytes_sent_per_worker(),
                    1e-9 * cost.bytes_sent_per_worker)
            << method.text << ", n = " << workers;
      }
    }
  }
}

// One number a worker, and none where nobody asks.
TEST(Methods, OnlyAScheduleThatAsksPaysForTheLoss) {
  const auto bytes = [](const char* text) {
    Engine engine({2, 21}, {}, text);
    engine.run(8);
    EXPECT_EQ(engine.sync().rounds().everyone, 2) << text;
    return engine.metered().bytes_sent_per_worker();
  };
  EXPECT_EQ(bytes("ada_lupa_sgd(4, cap=4)") - bytes("local_sgd(4)"), 2 * sizeof(double));
}

// No method with a name is left out.
TEST(Methods, AllOfTheCatalogueAreHere) {
  std::string all;
  const auto add = [&](const std::string& text) { all += text.substr(0, text.find('(')) + " "; };
  for (const auto& methods : {scheduled_methods(), anchored_methods(), neighbour_methods()}) {
    for (const Method& method : methods) add(method.text);
  }
  for (const std::string& text : coded_texts()) add(text);
  for (const Preset& preset : catalogue()) {
    EXPECT_NE((" " + all).find(" " + preset.choice.name + " "), std::string::npos)
        << preset.choice.name;
  }
}

}  // namespace
}  // namespace methods_test
