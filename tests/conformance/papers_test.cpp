// What the five papers say of their methods and can be shown exactly, each fact by itself. The
// names say where it comes from: Lupa (Haddadpour et al. 2019), SlowMo (Wang et al. 2020; Ortiz et
// al. 2021), Gossip (Chen et al. 2021); Patel & Dieuleveut and Overlap have files of their own.

#include "conformance/papers.h"

namespace entrain {
namespace {

TEST(Identity, WorkersOnTheSameDataAreOneWorker_0_5_2) {
  const Sgd sgd{0.05, 0.9, 1e-2, true};
  Engine one({1, 21, true}, sgd, "local_sgd(1000)");
  one.run(kLength);
  for (const char* text :
       {"local_sgd(5)", "slowmo(5, 1, 0)", "cocod(5)", "gossip(ring)", "gossip_pga(ring, 5)",
        "gossip(one_peer_exponential)", "hierarchical(2, 2, 6)"}) {
    for (int n : {2, 4, 8}) {
      Engine many({n, 21, true}, sgd, text);
      many.run(kLength);
      for (int i = 0; i < n; ++i) EXPECT_LE(distance(many.row(i), one.row(0)), kExact) << text;
    }
  }
}

TEST(Identity, OnQuadraticsTheMeanDoesNotDependOnTheSchedule_0_5_3) {
  Quadratic quadratic(kSpectrum, 1);
  Engine reference({4, 20}, {0.3, 0, 0, false}, "local_sgd(1)");
  quadratic.attach(reference);
  reference.sync().keep_running_mean();
  reference.run(kLength);
  for (const char* text : {"local_sgd(12)", "local_sgd(1000)", "growing_local_sgd(2, 0.5)",
                           "gossip(ring)", "gossip_pga(ring, 8)", "hierarchical(3, 2, 12)"}) {
    Engine other({4, 20}, {0.3, 0, 0, false}, text);
    quadratic.attach(other);
    other.sync().keep_running_mean();
    other.run(kLength);
    EXPECT_LE(distance(other.mean_row(), reference.mean_row()), kExact) << text;
    EXPECT_LE(
        distance(other.sync().running_mean().mean(0), reference.sync().running_mean().mean(0)),
        kExact)
        << text;
  }
}

TEST(Identity, OneWorker_0_5_4) {
  for (const char* text : {"gossip(ring)", "gossip_pga(ring, 4)", "local_sgd(4)", "synchronous"}) {
    expect_equal(text, "local_sgd(1000)", {1});
  }
  const Problem problem{1, 21};
  for (const Sgd& sgd : {Sgd{0.05, 0, 0, false}, Sgd{0.05, 0.9, 0, false}}) {
    EXPECT_LE(Engine(problem, sgd, "slowmo(5, 0.5, 0)")
                  .run(kLength)
                  .deviation(reference::lookahead(problem, sgd, kLength, 5, 0.5)),
              kExact);
  }
}

TEST(Identity, MixingKeepsTheMean_0_5_5) {
  for (const char* text : {"gossip(ring)", "gossip(directed_ring)", "gossip(grid)", "gossip(star)",
                           "gossip(static_exponential)", "gossip(one_peer_exponential)",
                           "gossip(geometric(0.9, 2))", "gossip_pga(ring, 4)", "local_sgd(1)"}) {
    Engine engine({8, 21}, {0.05, 0, 0, false}, text);
    Stream random(5, Purpose::shuffle);
    auto x = engine.rows().parameters().accessor<double, 2>();
    for (int i = 0; i < 8; ++i) {
      for (int j = 0; j < 21; ++j) x[i][j] = random.normal();
    }
    engine.gradient = [](int, int, int, double) { return 0.0; };
    const at::Tensor mean = engine.mean_row().clone();
    engine.run(20);
    EXPECT_LE(distance(engine.mean_row(), mean), kExact) << text;
  }
}

TEST(Lupa, TauOneIsSynchronousAndTauTIsOneShot_1_6_1) {
  expect_equal("parameters(when=every(1))", "synchronous");
  expect_equal(fmt::format("local_sgd({})", kLength), "one_shot");
}

TEST(SlowMo, WithoutMomentumItIsLocalSgd_4_5_1) {
  for (int h : {1, 3, 8}) {
    expect_equal(fmt::format("slowmo({}, 1, 0)", h), fmt::format("local_sgd({})", h));
  }
}

// The slow step is written in units of the inner learning rate, which must drop out.
TEST(SlowMo, WithoutMomentumTheLearningRateDropsOut_4_5_1) {
  const Problem problem{4, 21};
  for (double alpha : {1.0, 0.5}) {
    Engine falling(problem, {0.05, 0.9, 0, false}, fmt::format("slowmo(5, {}, 0)", alpha));
    Engine plain(problem, {0.05, 0.9, 0, false},
                 fmt::format("parameters(when=every(5), outer=sgd({}))", alpha));
    falling.lr_factor = plain.lr_factor = [](int t) {
      return t % 5 == 0 ? 0.0 : t < 50 ? 1.0 : 0.1;  // even where it is 0 at the slow step
    };
    EXPECT_LE(falling.run(kLength).deviation(plain.run(kLength)), kExact);
  }
}

TEST(SlowMo, OneWorkerIsLookahead_4_5_1) {
  const Problem problem{1, 21};
  for (double alpha : {0.3, 0.8}) {
    const Sgd sgd{0.05, 0.9, 0, false};
    EXPECT_LE(Engine(problem, sgd, fmt::format("slowmo(6, {}, 0)", alpha))
                  .run(kLength)
                  .deviation(reference::lookahead(problem, sgd, kLength, 6, alpha)),
              kExact);
  }
}

TEST(SlowMo, AtOneLearningRateItIsBlockMomentum_4_5_1) {
  expect_equal("slowmo(4, 1, 0.5)", "bmuf(4, 0.5)", {2, 4});
  expect_equal("slowmo(4, 0.8, 0.6)", "bmuf(4, 0.6, 0.8)", {2, 4});
}

TEST(SlowMo, EveryStepOnPlainSgdItIsHeavyBall_4_5_1) {
  for (int n : {1, 4}) {
    const Problem problem{n, 21};
    EXPECT_LE(Engine(problem, {0.05, 0, 0, false}, "slowmo(1, 1, 0.6)")
                  .run(kLength)
                  .deviation(Engine(problem, {0.05, 0.6, 0, false}, "synchronous").run(kLength)),
              kExact);
  }
}

TEST(SlowMo, TheSwitchLeavesWorkersEqualAndBuffersAlone_4_5_2) {
  const Problem problem{4, 21};
  const Sgd sgd{0.05, 0.9, 0, false};
  for (const char* text : {"post_local_sgd(30, 8)", "post_local_slowmo(30, 8)"}) {
    Engine engine(problem, sgd, text), synchronous(problem, sgd, "synchronous");
    engine.run(30);
    synchronous.run(30);
    EXPECT_EQ(engine.deviation(synchronous), 0) << text;
    for (int i = 1; i < 4; ++i) EXPECT_EQ(distance(engine.row(i), engine.row(0)), 0) << text;
    engine.run(7);  // local steps with the buffers that they had, to the next average
    reference::State state(problem);
    for (int t = 1; t <= 37; ++t) {
      t <= 30 ? reference::synchronous_step(problem, sgd, t, state)
              : reference::local_step(problem, sgd, t, state);
    }
    EXPECT_LE(engine.deviation(state), kExact) << text;
  }
}

TEST(SlowMo, PyTorchsFirstAverageComesRightAfterTheWarmUp_4_5_7) {
  const auto averages = [](const char* text) {
    Engine engine({4, 21}, {}, text);
    std::vector<std::int64_t> steps;
    for (int t = 1; t <= 30; ++t) {
      engine.step();
      for (const LandedRound& landed : engine.sync().take_landed()) {
        if (landed.kind == "everyone") steps.push_back(t);
      }
    }
    return steps;
  };
  EXPECT_EQ(averages("post_local_sgd(10, 8, first=1)"), (std::vector<std::int64_t>{11, 19, 27}));
  EXPECT_EQ(averages("post_local_sgd(10, 8)"), (std::vector<std::int64_t>{18, 26}));
}

TEST(Gossip, SpecialCases_5_7_2) {
  expect_equal("gossip(fully_connected)", "local_sgd(1)");
  expect_equal("gossip_pga(fully_connected, 8)", "local_sgd(1)");
  expect_equal("gossip(fully_connected)", "synchronous");
  expect_equal("gossip_pga(groups(1), 8)", "local_sgd(8)");  // W = I
  expect_equal("gossip_pga(ring, 1)", "local_sgd(1)");
  expect_equal("gossip_pga(ring, 1000)", "gossip(ring)");
  expect_equal("gossip(one_peer_exponential)", "gossip(directed_ring)", {2});
}

// After each step the mean has moved by -lr times the mean gradient, whoever mixed with whom.
TEST(Gossip, TheMeanMovesByTheMeanGradient_5_7_2) {
  for (const char* text : {"gossip(ring)", "gossip(star)", "gossip_pga(grid, 4)", "local_sgd(4)",
                           "gossip(one_peer_exponential)", "synchronous", "cocod(4)"}) {
    const Problem problem{6, 21};
    Engine engine(problem, {0.05, 0, 0, false}, text);
    for (int t = 1; t <= 40; ++t) {
      at::Tensor expected = engine.mean_row().clone();
      for (int i = 0; i < 6; ++i) {
        const at::Tensor row = engine.row(i);
        for (int j = 0; j < 21; ++j) {
          expected[j] -= 0.05 / 6 * problem.gradient(i, t, j, row[j].item<double>());
        }
      }
      engine.step();
      // CoCoD puts own progress on the mean of the launch before: the mean is kept as well.
      EXPECT_LE(distance(engine.mean_row(), expected), kExact) << text << ", step " << t;
    }
  }
}

double deviation_from_mean(const Engine& engine) {
  const at::Tensor& x = engine.rows().parameters();
  return (x - x.mean(0, true)).norm().item<double>();
}

// ||e_{k+1}|| <= beta (||e_k|| + lr ||G_k (I - J)||), and 0 right after a global average.
TEST(Gossip, ConsensusBounds_5_7_3) {
  const int n = 8, h = 8;
  const double lr = 0.05, beta = 0.804738;  // of the ring
  const Problem problem{n, 21};
  Engine engine(problem, {lr, 0, 0, false}, fmt::format("gossip_pga(ring, {})", h));
  double largest = 0;
  for (int t = 1; t <= 80; ++t) {
    const double before = deviation_from_mean(engine);
    at::Tensor gradients = at::empty({n, 21}, at::kDouble);
    for (int i = 0; i < n; ++i) {
      const at::Tensor row = engine.row(i);
      for (int j = 0; j < 21; ++j) {
        gradients[i][j] = problem.gradient(i, t, j, row[j].item<double>());
      }
    }
    const double spread = (gradients - gradients.mean(0, true)).norm().item<double>();
    largest = std::max(largest, spread);
    engine.step();
    const double after = deviation_from_mean(engine);
    if (t % h == 0) {
      EXPECT_LE(after, kExact) << "right after a global average";
      continue;
    }
    const int r = t % h;
    EXPECT_LE(after, beta * (before + lr * spread) * (1 + 1e-6)) << "step " << t;
    EXPECT_LE(after, lr * largest * beta * (1 - std::pow(beta, r)) / (1 - beta) * (1 + 1e-6));
  }
}

TEST(Gossip, WithoutGradientsDisagreementFallsByBeta_5_7_3) {
  Engine engine({8, 21}, {0.05, 0, 0, false}, "gossip(ring)");
  engine.rows().parameters().narrow(1, 0, 21).normal_();
  engine.gradient = [](int, int, int, double) { return 0.0; };
  const double start = deviation_from_mean(engine);
  for (int r = 1; r <= 30; ++r) {
    engine.step();
    EXPECT_LE(deviation_from_mean(engine), std::pow(0.804738 * (1 + 1e-6), r) * start);
  }
}

// A global average replaces the gossip step: h - 1 of h steps cost a message to each neighbour, one
// the mean over everyone.
TEST(Gossip, CostOfPga_5_7_7) {
  const double message = 1000;
  for (int n : {4, 8}) {
    for (int h : {2, 8}) {
      const Cost cost = predict_cost(parse_strategy(fmt::format("gossip_pga(ring, {})", h)), n, 80,
                                     {.parameters = message});
      EXPECT_EQ(cost.rounds.everyone, 80 / h);
      EXPECT_EQ(cost.rounds.neighbours, 80 - 80 / h);
      EXPECT_DOUBLE_EQ(cost.bytes_sent_per_worker,
                       message * (2.0 * (80 - 80 / h) + 2.0 * (n - 1) / n * 80 / h));
    }
  }
}

// Methods that are each other under another name.
TEST(Identity, BetweenMethods_10) {
  // SlowMo is heavy ball on the mean delta, with alpha for the rate.
  expect_equal("slowmo(4, 0.8, 0.6)", "deltas(when=every(4), outer=sgd(0.8, momentum=0.6))",
               {1, 4});
  expect_equal("deltas(when=every(4), outer=sgd(1))", "local_sgd(4)");
  expect_equal("deltas(when=every(4), outer=nesterov(0.7, 0))",
               "deltas(when=every(4), outer=sgd(0.7))", {1, 4});
  expect_equal("bmuf(4, 0)", "local_sgd(4)");
  // The whole pull is adoption.
  expect_equal("parameters(when=every(4), merge=pull(1))", "local_sgd(4)");
  expect_equal("parameters(when=every(4), merge=pull(1), delay=steps(2))",
               "parameters(when=every(4), delay=steps(2))");
  // A group of all is everyone, and groups inside everyone's rounds are not seen.
  expect_equal("parameters(whom=groups(4), when=every(3))", "local_sgd(3)", {4});
  expect_equal("hierarchical(6, 2, 3)", "local_sgd(3)", {2, 4});
  expect_equal("hierarchical(6, 2, 6)", "local_sgd(6)", {2, 4});
  expect_equal("gossip_slowmo(ring, 6, 1, 0)", "gossip_pga(ring, 6)", {1, 4});
  expect_equal("gossip_slowmo(groups(1), 6, 1, 0.5)", "slowmo(6, 1, 0.5)", {1, 4});
  expect_equal("post_local_slowmo(0, 6, 1, 0.5)", "slowmo(6, 1, 0.5)", {1, 4});
  // Rebasing without a delay is adoption of the mean.
  expect_equal("parameters(when=every(4), merge=rebase)", "local_sgd(4)");
  // AWC gossip's first step needs no mixing, and a fully connected graph mixes what was.
  expect_equal("gossip_awc(groups(1))", "local_sgd(1000)");
}

}  // namespace
}  // namespace entrain
