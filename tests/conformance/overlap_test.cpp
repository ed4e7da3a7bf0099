#include <gtest/gtest.h>

#include "conformance/engine.h"

// What is known of Overlap-Local-SGD (Wang, Liang, Joshi 2020), each fact by itself.
namespace entrain {
namespace {

using reference::Problem;
using reference::Sgd;

constexpr double kTight = 1e-12;
constexpr int kSize = 21;

double spread(const Engine& engine, int workers) {
  double squares = 0;
  for (int i = 0; i < workers; ++i)
    squares += (engine.row(i) - engine.mean_row()).pow(2).sum().item<double>();
  return std::sqrt(squares);
}

// y = (1 - alpha) mean x + alpha z with the z that is pulled to; afterwards mean x = the z in
// flight = y.
TEST(Overlap, ASyncKeepsYAndContractsTheSpread_3_6_1) {
  const double alpha = 0.6;
  Engine engine({4, kSize}, {0.05, 0, 0, false}, "overlap_local_sgd(8, 0.6, 0)");
  engine.lr_factor = [](int t) {
    return t % 8 == 0 ? 0.0 : 1.0;
  };  // at a sync only the sync moves x
  for (int sync = 1; sync <= 6; ++sync) {
    engine.run(7);
    const double before = spread(engine, 4);
    const at::Tensor mean = engine.mean_row().clone();
    ASSERT_GT(before, 1e-3);
    engine.step();
    const at::Tensor z = engine.sync().anchor(0)[0].narrow(0, 0, kSize);
    const at::Tensor y = mean * (1 - alpha) + z * alpha;
    EXPECT_LE((engine.mean_row() - y).abs().max().item<double>(), kTight) << "sync " << sync;
    EXPECT_NEAR(spread(engine, 4) / before, 1 - alpha, kTight) << "sync " << sync;
  }
}

TEST(Overlap, EffectiveStepIsOneMinusAlpha_3_6_1) {
  // A linear loss: constant gradient 1, so every local step moves by lr, and every round the mean
  // by (1 - alpha) h lr.
  const double lr = 0.01, alpha = 0.6;
  for (const double beta : {0.0, 0.7}) {
    std::vector<ModelTensors> models(3);
    for (auto& model : models)
      model.parameters = {{"x", at::zeros({4}, at::kDouble).set_requires_grad(true)}};
    Rows rows(models);
    Team team(1);
    const auto comm = local_communicator(3);
    Synchronizer sync(rows, *comm,
                      parse_strategy(fmt::format("overlap_local_sgd(4, {}, {})", alpha, beta)));
    const auto optimizer = sgd(rows, team, {.lr = lr});
    const auto rounds = [&](int count) {
      for (int t = 0; t < 4 * count; ++t) {
        rows.gradients().fill_(1);
        optimizer->step();
        sync.advance(at::zeros({3}), lr);
      }
      return rows.parameters()[0][0].item<double>();
    };
    const double start = rounds(400);
    const double moved = start - rounds(50);
    EXPECT_NEAR(moved / (50 * 4 * lr), (1 - alpha) / (1 - alpha * beta), 1e-9) << "beta = " << beta;
  }
}

TEST(Overlap, AlphaOneFreezesAndAlphaZeroDecouples_3_6_1) {
  const Problem problem{3, kSize};
  Engine frozen(problem, {}, "overlap_local_sgd(2, 1, 0)");
  frozen.run(40);
  for (int j = 0; j < kSize; ++j)
    EXPECT_NEAR(frozen.row(0)[j].item<double>(), problem.start(j), kTight);
  Engine free(problem, {}, "overlap_local_sgd(2, 0, 0.7)"), alone(problem, {}, "local_sgd(1000)");
  EXPECT_LE(free.run(40).deviation(alone.run(40)), 0);
}

TEST(Overlap, OneExchangeARoundAfterThePullBack_3_6_2) {
  Engine engine({3, kSize}, {}, "overlap_local_sgd(8)");
  engine.run(7);
  EXPECT_EQ(engine.metered().exchanges(), 0);
  engine.step();
  EXPECT_EQ(engine.metered().exchanges(), 1);
  EXPECT_TRUE(engine.sync().take_landed().empty()) << "the first sync waits for nothing";
  engine.run(8);
  EXPECT_EQ(engine.metered().exchanges(), 2);
  const auto landed = engine.sync().take_landed();
  ASSERT_EQ(landed.size(), 1u);
  EXPECT_EQ(landed[0].launched, 8);
  EXPECT_EQ(landed[0].landed, 16);
}

TEST(Overlap, OnTheSameDataWithTauOneItIsOneNodeWithAShorterStep_3_6_7) {
  const double alpha = 0.6;
  const Problem same{4, kSize, true};
  Engine overlap(same, {0.05, 0, 0, false}, "overlap_local_sgd(1, 0.6, 0)");
  Engine single({1, kSize, true}, {0.05 * (1 - alpha), 0, 0, false}, "local_sgd(1000)");
  for (int t = 0; t < 60; ++t) {
    overlap.step();
    single.step();
    ASSERT_LE((overlap.row(0) - single.row(0)).abs().max().item<double>(), kTight)
        << "after step " << t + 1;
  }
}

}  // namespace
}  // namespace entrain
