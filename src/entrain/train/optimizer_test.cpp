#include "entrain/train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

// Both step on the same gradients, which depend on the parameters.
void expect_as_torch(const SgdOptions& options) {
  torch::manual_seed(1);
  const at::Tensor start = torch::randn({37}, torch::kDouble);
  at::Tensor theirs = start.clone().set_requires_grad(true);
  at::Tensor ours = start.clone().set_requires_grad(true);
  Rows rows({{{{"x", ours}}}});
  Team team(1);
  const auto optimizer = sgd(rows, team, options);
  torch::optim::SGD torch_sgd({theirs}, torch::optim::SGDOptions(options.lr)
                                            .momentum(options.momentum)
                                            .dampening(options.dampening)
                                            .weight_decay(options.weight_decay)
                                            .nesterov(options.nesterov));
  for (int t = 0; t < 50; ++t) {
    const double lr = options.lr / (1 + 0.1 * t);
    static_cast<torch::optim::SGDOptions&>(torch_sgd.param_groups()[0].options()).lr(lr);
    optimizer->set_lr(lr);
    torch_sgd.zero_grad();
    (theirs.pow(2) * 0.5 + torch::sin(theirs * 3 + t)).sum().backward();
    (ours.pow(2) * 0.5 + torch::sin(ours * 3 + t)).sum().backward();
    torch_sgd.step();
    optimizer->step();
    ASSERT_LE((theirs - ours).abs().max().item<double>(), 1e-13) << "after step " << t + 1;
    ASSERT_EQ(rows.gradients().abs().max().item<double>(), 0) << "the gradients are left zero";
  }
}

TEST(Sgd, IsTorchsStepByStep) {
  expect_as_torch({.lr = 0.05});
  expect_as_torch({.lr = 0.05, .weight_decay = 0.1});
  expect_as_torch({.lr = 0.05, .momentum = 0.9});
  expect_as_torch({.lr = 0.05, .momentum = 0.9, .weight_decay = 0.1});
  expect_as_torch({.lr = 0.05, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
  expect_as_torch({.lr = 0.05, .momentum = 0.9, .dampening = 0.5, .weight_decay = 0.1});
}

TEST(Sgd, StepsEveryWorkerWithItsOwnBuffer) {
  torch::manual_seed(2);
  const at::Tensor a = torch::randn({300}), b = torch::randn({300});
  const auto run = [&](std::vector<at::Tensor> starts, int threads) {
    std::vector<ModelTensors> models;
    for (const at::Tensor& start : starts)
      models.push_back({{{"x", start.clone().set_requires_grad(true)}}});
    Rows rows(models);
    Team team(threads);
    const auto optimizer = sgd(rows, team, {.lr = 0.1, .momentum = 0.9, .nesterov = true});
    for (int t = 0; t < 5; ++t) {
      for (const auto& model : models) torch::cos(model.parameters[0].tensor).sum().backward();
      optimizer->step();
    }
    return rows.parameters().clone();
  };
  const at::Tensor both = run({a, b}, 2);
  EXPECT_TRUE(both[0].equal(run({a}, 1)[0]));
  EXPECT_TRUE(both[1].equal(run({b}, 1)[0]));
}

TEST(Sgd, TakesAGradientThatMoved) {
  at::Tensor x = torch::zeros({3}).set_requires_grad(true);
  Rows rows({{{{"x", x}}}});
  Team team(1);
  const auto optimizer = sgd(rows, team, {.lr = 1});
  x.mutable_grad() = at::Tensor();
  x.sum().backward();
  optimizer->step();
  EXPECT_EQ(x.sum().item<float>(), -3);
}

TEST(Sgd, RefusesNonsenseWithTheValue) {
  const auto refused = [](const char* text) {
    at::Tensor x = torch::zeros({3}).set_requires_grad(true);
    Rows rows({{{{"x", x}}}});
    Team team(1);
    try {
      build_optimizer(parse_value(text))(rows, team);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refused("sgd(lr=0.1)"), "");
  EXPECT_NE(refused("sgd(lr=-1)").find("lr = -1"), std::string::npos);
  EXPECT_NE(refused("sgd(lr=0.1, momentum=-0.5)").find("momentum = -0.5"), std::string::npos);
  EXPECT_NE(refused("sgd(lr=0.1, nesterov=true)").find("nesterov"), std::string::npos);
  EXPECT_NE(refused("sgd").find("lr"), std::string::npos);
  EXPECT_NE(refused("adam(lr=0.1)").find("adam"), std::string::npos);
}

}  // namespace
}  // namespace entrain
