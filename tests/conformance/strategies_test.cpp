#include <gtest/gtest.h>

#include "conformance/engine.h"
#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {
namespace {

using reference::Problem;
using reference::Sgd;

constexpr double kTolerance = 1e-12;
constexpr int kSteps = 100;

const std::vector<Sgd> kOptimizers = {
    {0.05, 0, 0, false}, {0.05, 0.9, 0, false}, {0.05, 0.9, 1e-2, false}, {0.05, 0.9, 1e-2, true}};

// Calls test(problem, optimizer) for several numbers of workers and every optimizer.
template <class Test>
void for_all(Test test) {
  for (int workers : {1, 2, 3, 4, 8}) {
    for (const Sgd& options : kOptimizers) {
      SCOPED_TRACE(fmt::format("n = {}, momentum {}, weight decay {}, nesterov {}", workers,
                               options.momentum, options.weight_decay, options.nesterov));
      test(Problem{workers, 21}, options);
    }
  }
}

TEST(Conformance, Synchronous) {
  for_all([](const Problem& problem, const Sgd& options) {
    EXPECT_LE(Engine(problem, options, "synchronous")
                  .run(kSteps)
                  .deviation(synchronous(problem, options, kSteps)),
              kTolerance);
  });
}

TEST(Conformance, LocalSgd) {
  for_all([](const Problem& problem, const Sgd& options) {
    for (int h : {1, 2, 3, 8, 64, 1000}) {
      EXPECT_LE(Engine(problem, options, fmt::format("local_sgd({})", h))
                    .run(kSteps)
                    .deviation(local_sgd(problem, options, kSteps, h)),
                kTolerance)
          << "h = " << h;
    }
  });
}

TEST(Conformance, PostLocalSgdAtBothEndsAndAtItsBorders) {
  for_all([](const Problem& problem, const Sgd& options) {
    for (int s : {0, 1, 7, 8, 9, 50, 99, 100, 200}) {
      Engine engine(problem, options, fmt::format("post_local_sgd({}, 8)", s));
      EXPECT_LE(engine.run(kSteps).deviation(post_local_sgd(problem, options, kSteps, s, 8)),
                kTolerance)
          << "s = " << s;
    }
  });
}

TEST(Conformance, DelayedRounds) {
  for_all([](const Problem& problem, const Sgd& options) {
    for (int delay : {1, 3, 7}) {
      Engine engine(problem, options,
                    fmt::format("parameters(when=every(8), delay=steps({}))", delay));
      EXPECT_LE(engine.run(kSteps).deviation(delayed_adopt(problem, options, kSteps, 8, delay)),
                kTolerance)
          << "delay = " << delay;
    }
  });
}

TEST(Conformance, Cocod) {
  for_all([](const Problem& problem, const Sgd& options) {
    for (int h : {1, 3, 8}) {
      EXPECT_LE(Engine(problem, options, fmt::format("cocod({})", h))
                    .run(kSteps)
                    .deviation(cocod(problem, options, kSteps, h)),
                kTolerance)
          << "h = " << h;
    }
  });
}

// The anchor's one velocity is the mean of the nodes' buffers, and follows the
// learning rate.
TEST(Conformance, OverlapLocalSgd_3_6_3) {
  const auto constant = [](int) { return 1.0; };
  const auto falling = [](int t) { return t <= 30 ? 1.0 : t <= 60 ? 0.5 : 0.125; };
  for_all([&](const Problem& problem, const Sgd& options) {
    for (int h : {1, 2, 8}) {
      for (const auto& [alpha, beta] : {std::pair{0.6, 0.7}, {0.6, 0.0}, {0.2, 0.9}}) {
        const std::string text = fmt::format("overlap_local_sgd({}, {}, {})", h, alpha, beta);
        EXPECT_LE(
            Engine(problem, options, text)
                .run(kSteps)
                .deviation(overlap_local_sgd(problem, options, kSteps, h, alpha, beta, constant)),
            kTolerance)
            << text;
        Engine scheduled(problem, options, text);
        scheduled.lr_factor = falling;
        EXPECT_LE(scheduled.run(kSteps).deviation(
                      overlap_local_sgd(problem, options, kSteps, h, alpha, beta, falling)),
                  kTolerance)
            << text << " with a falling learning rate";
      }
    }
  });
}

// With local momentum, for any loss.
TEST(Identities, LocalSgdOfOneIsSynchronous_0_5_1) {
  for_all([](const Problem& problem, const Sgd& options) {
    Engine local(problem, options, "local_sgd(1)"), synchronous(problem, options, "synchronous");
    for (int t = 0; t < kSteps; ++t) {
      local.step();
      synchronous.step();
      ASSERT_LE(local.deviation(synchronous), kTolerance) << "after step " << t + 1;
    }
  });
}

//
TEST(Identities, WorkersOnTheSameDataAreOneWorker_0_5_2) {
  for (const Sgd& options : kOptimizers) {
    for (const char* strategy : {"synchronous", "local_sgd(1)", "local_sgd(5)",
                                 "post_local_sgd(10, 5)", "deltas(when=every(5))"}) {
      Engine one({1, 21, true}, options, "local_sgd(1000)");
      one.run(kSteps);
      for (int workers : {2, 3, 8}) {
        Engine many({workers, 21, true}, options, strategy);
        many.run(kSteps);
        for (int i = 0; i < workers; ++i) {
          EXPECT_LE((many.row(i) - one.row(0)).abs().max().item<double>(), kTolerance)
              << strategy << ", worker " << i << " of " << workers;
        }
      }
    }
  }
}

//
TEST(Identities, PostLocalIsSynchronousAtOneEndAndLocalAtTheOther_4_5_2) {
  for_all([](const Problem& problem, const Sgd& options) {
    EXPECT_EQ(Engine(problem, options, "post_local_sgd(100, 8)")
                  .run(kSteps)
                  .deviation(Engine(problem, options, "synchronous").run(kSteps)),
              0);
    EXPECT_EQ(Engine(problem, options, "post_local_sgd(0, 8)")
                  .run(kSteps)
                  .deviation(Engine(problem, options, "local_sgd(8)").run(kSteps)),
              0);
  });
}

// With the plain mean, deltas from the anchor say the same as parameters.
TEST(Identities, DeltasWithMeanAreParameters) {
  for_all([](const Problem& problem, const Sgd& options) {
    EXPECT_LE(Engine(problem, options, "deltas(when=every(8))")
                  .run(kSteps)
                  .deviation(Engine(problem, options, "local_sgd(8)").run(kSteps)),
              kTolerance);
  });
}

TEST(Rules, OfTwoRoundsThatAreDueTheWiderFires) {
  const Problem problem{4, 21};
  Engine both(problem, {}, "parameters(when=every(4)) + parameters(when=every(8))");
  both.run(kSteps);
  EXPECT_EQ(both.sync().rounds().everyone, 25);
  EXPECT_EQ(both.deviation(Engine(problem, {}, "local_sgd(4)").run(kSteps)), 0);
}

TEST(Rules, ALateRoundTakesItsAnchorWhereItStarts) {
  const Problem problem{4, 21};
  Engine engine(problem, {}, "deltas(when=after(10, every(8)))");
  engine.run(9);
  EXPECT_FALSE(engine.sync().anchor(0).defined());
  engine.step();
  ASSERT_TRUE(engine.sync().anchor(0).defined());
  const at::Tensor anchor = engine.sync().anchor(0)[0].narrow(0, 0, 21).clone();
  EXPECT_LE((anchor - engine.mean_row()).abs().max().item<double>(), kTolerance)
      << "the workers differ, so the anchor is their mean";
  EXPECT_GT((engine.row(0) - engine.row(1)).abs().max().item<double>(), 1e-3)
      << "and they keep what they have";
  EXPECT_EQ(engine.sync().rounds().everyone, 1) << "the mean cost a round";
  engine.run(8);
  EXPECT_GT((engine.sync().anchor(0)[0].narrow(0, 0, 21) - anchor).abs().max().item<double>(),
            1e-3);
  EXPECT_LE((engine.row(0) - engine.row(3)).abs().max().item<double>(), 0);
}

TEST(Rules, ALateRoundAfterSynchronousStepsNeedsNoExchangeForItsAnchor) {
  const Problem problem{4, 21};
  const char* text = "gradients(when=until(10, every(1))) + deltas(when=after(10, every(8)))";
  Engine engine(problem, {}, text);
  engine.run(10);
  EXPECT_EQ(engine.sync().rounds().everyone, 0);
  EXPECT_EQ(
      (engine.sync().anchor(0)[0].narrow(0, 0, 21) - engine.row(2)).abs().max().item<double>(), 0);
  EXPECT_LE(engine.run(90).deviation(post_local_sgd(problem, {}, kSteps, 10, 8)), kTolerance);
}

TEST(Rules, AnEarlyAnchorIsTheStart) {
  Engine engine({3, 21}, {}, "deltas(when=every(8))");
  EXPECT_EQ(
      (engine.sync().anchor(0)[0].narrow(0, 0, 21) - engine.row(0)).abs().max().item<double>(), 0);
}

TEST(Rules, FinishLandsWhatIsInFlight) {
  const Problem problem{3, 21};
  Engine engine(problem, {}, "parameters(when=every(8), delay=steps(5))");
  engine.run(8);
  const at::Tensor mean = engine.mean_row().clone();
  engine.sync().finish();
  EXPECT_LE((engine.row(1) - mean).abs().max().item<double>(), kTolerance);
  EXPECT_EQ(engine.sync().take_landed().size(), 1u);
}

// A delayed message is the one of its launch, whatever the rows do meanwhile, and lands before the
// next is due.
TEST(Rules, ADelayBeyondTheNextDueStepLandsThere) {
  const Problem problem{3, 21};
  EXPECT_LE(
      Engine(problem, {}, "parameters(when=every(4), delay=steps(9))")
          .run(kSteps)
          .deviation(Engine(problem, {}, "parameters(when=every(4), delay=steps(4))").run(kSteps)),
      0);
}

TEST(Costs, PredictedAreMeteredForEveryStrategy) {
  for (int workers : {1, 2, 3, 8}) {
    for (const char* text : {"synchronous", "local_sgd(1)", "local_sgd(8)", "post_local_sgd(30, 8)",
                             "deltas(when=every(5))", "deltas(when=after(10, every(8)))",
                             "gradients(when=every(3)) + parameters(when=every(4))",
                             "parameters(when=every(4)) + parameters(when=every(6))",
                             "parameters(when=every(8), delay=steps(3))",
                             "parameters(when=every(10)) + deltas(when=after(20, every(7)))"}) {
      Engine engine({workers, 21}, {}, text);
      engine.run(kSteps).sync().finish();
      const double message = static_cast<double>(engine.rows().layout().columns) * sizeof(double);
      const Cost cost = predict_cost(parse_strategy(text), workers, kSteps, {message});
      EXPECT_EQ(cost.rounds, engine.sync().rounds()) << text;
      EXPECT_DOUBLE_EQ(cost.bytes_sent_per_worker, engine.metered().bytes_sent_per_worker())
          << text << ", n = " << workers;
    }
  }
}

TEST(Rules, AFailedExchangeLeavesTheRowsAsTheyWere) {
  for (const char* text : {"local_sgd(2)", "deltas(when=every(2))", "synchronous", "cocod(2)",
                           "overlap_local_sgd(2)", "parameters(when=every(2), delay=steps(1))"}) {
    const Problem problem{3, 21};
    Engine engine(problem, {}, text);
    engine.fault = [](std::int64_t number) { return Fault{.fails = number == 3}; };
    at::Tensor x, g;
    const auto run_into_the_failure = [&] {
      for (;;) {
        engine.before_exchanges = [&] {
          x = engine.rows().parameters().clone();
          g = engine.rows().gradients().clone();
        };
        engine.step();
      }
    };
    EXPECT_THROW(run_into_the_failure(), CommunicationError) << text;
    const bool gradients = std::string(text) == "synchronous";
    if (gradients) {
      EXPECT_TRUE(engine.rows().gradients().equal(g)) << text;
    } else {
      EXPECT_TRUE(engine.rows().parameters().equal(x)) << text;
    }
  }
}

// A delay changes times and never values.
TEST(Rules, RandomDelaysChangeNoBit_3_6_2) {
  const Problem problem{4, 21};
  for (const char* text :
       {"synchronous", "local_sgd(3)", "post_local_sgd(9, 3)", "overlap_local_sgd(3)", "cocod(3)",
        "parameters(when=every(4), delay=steps(2))", "deltas(when=every(3), delay=period)"}) {
    Engine calm(problem, {0.05, 0.9, 0, false}, text), late(problem, {0.05, 0.9, 0, false}, text);
    Stream random(11, Purpose::shuffle);
    late.fault = [&](std::int64_t) {
      return Fault{.delay = std::chrono::microseconds(random.below(2000))};
    };
    EXPECT_EQ(calm.run(30).deviation(late.run(30)), 0) << text;
  }
}

// A warm-up from 0 and a schedule that ends in 0 leave every method with numbers.
TEST(Rules, ALearningRateOfZeroHarmsNothing) {
  for (const char* text : {"overlap_local_sgd(1)", "overlap_local_sgd(3)", "slowmo(3)", "diloco(3)",
                           "qsr(2, 0.1)", "easgd(3, 0.1)", "bmuf(3, 0.5)"}) {
    Engine engine({4, 21}, {0.05, 0.9, 0, false}, text);
    engine.lr_factor = [](int t) { return t <= 3 || t >= 30 ? 0.0 : t <= 10 ? 0.1 * t : 1.0; };
    engine.run(40).sync().finish();
    EXPECT_TRUE(engine.rows().parameters().isfinite().all().item<bool>()) << text;
    EXPECT_GT(engine.sync().rounds().everyone, 2) << text;
  }
}

// Under a warm-up the interval at the low rate of a period's start is not waited for.
TEST(Rules, AScheduleThatReadsTheLearningRateIsAskedAgainWhenItRises) {
  const auto landings = [](const std::function<double(int)>& factor) {
    Engine engine({2, 21}, {0.1, 0, 0, false}, "qsr(2, 0.2)");
    engine.lr_factor = factor;
    std::vector<std::int64_t> steps;
    for (int t = 1; t <= 30; ++t) {
      engine.step();
      for (const LandedRound& landed : engine.sync().take_landed()) steps.push_back(landed.landed);
    }
    return steps;
  };
  using Steps = std::vector<std::int64_t>;
  EXPECT_EQ(landings([](int) { return 1.0; }), (Steps{4, 8, 12, 16, 20, 24, 28}));
  EXPECT_EQ(landings([](int t) { return t <= 10 ? 0.0 : 1.0; }), (Steps{11, 15, 19, 23, 27}));
  EXPECT_EQ(landings([](int t) { return t <= 10 ? 1.0 : 0.5; }), (Steps{4, 8, 12, 28}))
      << "one that falls counts from the next period on";
}

// What a schedule that ends has in flight lands a period later, not at the end of the run.
TEST(Rules, TheLastFlightOfAScheduleThatEndsLandsAPeriodLater) {
  Engine engine({2, 21}, {}, "parameters(when=until(10, every(5)), delay=period)");
  std::vector<std::int64_t> steps;
  for (int t = 1; t <= 40; ++t) {
    engine.step();
    for (const LandedRound& landed : engine.sync().take_landed()) steps.push_back(landed.landed);
  }
  EXPECT_EQ(steps, (std::vector<std::int64_t>{10, 15}));
}

TEST(Costs, StepsAtWhichNothingHappensArePassedOver) {
  const Cost cost = predict_cost(parse_strategy("local_sgd(1000000)"), 8, 1'000'000'000'000, {8});
  EXPECT_EQ(cost.rounds.everyone, 1'000'000);
}

TEST(Costs, TheEffectiveStepIsOverlapsAlone) {
  EXPECT_NEAR(effective_step(parse_strategy("overlap_local_sgd(8)")), 0.4 / 0.58, 1e-12);
  EXPECT_NEAR(effective_step(parse_strategy("overlap_local_sgd(8, 0.6, 0)")), 0.4, 1e-12);
  EXPECT_EQ(effective_step(parse_strategy("overlap_local_sgd(8, 1, 0)")), 0);
  EXPECT_EQ(effective_step(parse_strategy("easgd(8, 0.1)", {.workers = 8})), 1);
  EXPECT_EQ(effective_step(parse_strategy("local_sgd(8)")), 1);
}

TEST(Rules, WorkersThatStartApartAreRefused) {
  std::vector<ModelTensors> models = {{{{"x", at::zeros({4}).set_requires_grad(true)}}},
                                      {{{"x", at::ones({4}).set_requires_grad(true)}}}};
  Rows rows(models);
  const auto local = local_communicator(2);
  EXPECT_THROW(Synchronizer(rows, *local, parse_strategy("synchronous")), UsageError);
}

}  // namespace
}  // namespace entrain
