#include "entrain/train/attach.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <sstream>

#include "entrain/comm/local.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

struct NetImpl : torch::nn::Module {
  NetImpl() : layers(torch::nn::Linear(6, 8), torch::nn::BatchNorm1d(8), torch::nn::Linear(8, 3)) {
    register_module("layers", layers);
    to(torch::kDouble);
  }
  torch::nn::Sequential layers;
};
TORCH_MODULE(Net);

Net seeded_net() {
  torch::manual_seed(3);
  return Net();
}

std::vector<at::Tensor> values(Net& net) {
  std::vector<at::Tensor> all;
  for (const at::Tensor& tensor : net->parameters()) all.push_back(tensor.detach().clone());
  for (const at::Tensor& tensor : net->buffers()) all.push_back(tensor.detach().clone());
  return all;
}

at::Tensor loss_of(Net& net, int t) {
  torch::manual_seed(100 + t);
  const at::Tensor x = torch::randn({16, 6}, torch::kDouble), y = torch::randint(3, {16});
  return at::cross_entropy_loss(net->layers->forward(x), y);
}

torch::optim::SGD optimizer_of(Net& net) {
  return torch::optim::SGD(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
}

// Alone every strategy is plain SGD: the loop without entrain.
std::vector<at::Tensor> plain_run() {
  Net net = seeded_net();
  torch::optim::SGD optimizer = optimizer_of(net);
  for (int t = 0; t < 12; ++t) {
    optimizer.zero_grad();
    loss_of(net, t).backward();
    optimizer.step();
  }
  return values(net);
}

template <class Zero>
void steps(Net& net, Attached& sync, torch::optim::SGD& optimizer, int first, int last, Zero zero) {
  for (int t = first; t < last; ++t) {
    zero();
    const at::Tensor loss = loss_of(net, t);
    loss.backward();
    sync.reduce_gradients();
    optimizer.step();
    sync.advance(loss.detach(), 0.1);
  }
}

void expect_equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(a[i].equal(b[i])) << "tensor " << i;
}

TEST(Attach, AnOptimizerBuiltBeforeOrAfterStaysValid) {
  for (const char* strategy : {"synchronous", "local_sgd(4)"}) {
    for (const bool before : {true, false}) {
      Net net = seeded_net();
      const auto comm = local_communicator(1);
      std::optional<torch::optim::SGD> optimizer;
      if (before) optimizer.emplace(optimizer_of(net));
      Attached sync = synchronize(*net, *comm, strategy);
      if (!before) optimizer.emplace(optimizer_of(net));
      steps(net, sync, *optimizer, 0, 12, [&] { optimizer->zero_grad(); });
      expect_equal(values(net), plain_run());
    }
  }
}

TEST(Attach, GradientsSetToNoneAreCopiedBack) {
  for (const char* strategy : {"synchronous", "local_sgd(4)"}) {
    Net net = seeded_net();
    const auto comm = local_communicator(1);
    Attached sync = synchronize(*net, *comm, strategy);
    torch::optim::SGD optimizer = optimizer_of(net);
    steps(net, sync, optimizer, 0, 12, [&] {
      for (const at::Tensor& parameter : net->parameters()) parameter.mutable_grad() = at::Tensor();
    });
    expect_equal(values(net), plain_run());
  }
}

TEST(Attach, AParameterThatMovedIsAnErrorThatNamesTheLikelyCall) {
  const auto refusal_after = [](auto change) {
    Net net = seeded_net();
    const auto comm = local_communicator(1);
    Attached sync = synchronize(*net, *comm, "local_sgd(4)");
    torch::optim::SGD optimizer = optimizer_of(net);
    steps(net, sync, optimizer, 0, 4, [&] { optimizer.zero_grad(); });
    change(net);
    try {
      steps(net, sync, optimizer, 4, 12, [&] { optimizer.zero_grad(); });
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  const std::string moved = refusal_after([](Net& net) {
    net->to(torch::kFloat);
    net->to(torch::kDouble);
  });
  EXPECT_NE(moved.find("parameter 'layers.0.weight'"), std::string::npos) << moved;
  EXPECT_NE(moved.find("module.to()"), std::string::npos) << moved;
}

// torch::load replaces a tensor's memory or copies into it, as the version has it: right, or an
// error.
TEST(Attach, AfterTorchLoadItIsRightOrAClearError) {
  std::stringstream saved;
  {
    Net net = seeded_net();
    torch::save(net, saved);
  }
  Net net = seeded_net();
  const auto comm = local_communicator(1);
  Attached sync = synchronize(*net, *comm, "local_sgd(4)");
  torch::optim::SGD optimizer = optimizer_of(net);
  torch::load(net, saved);
  try {
    steps(net, sync, optimizer, 0, 12, [&] { optimizer.zero_grad(); });
    expect_equal(values(net), plain_run());
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("torch::load"), std::string::npos);
  }
}

TEST(Attach, AModuleConvertedBeforeIsFine) {
  Net net = seeded_net();
  net->to(torch::kFloat);
  net->to(torch::kDouble);
  const std::vector<at::Tensor> before = values(net);
  const auto comm = local_communicator(1);
  Attached sync = synchronize(*net, *comm, "local_sgd(4)");
  expect_equal(values(net), before);
}

TEST(Attach, ShowPutsTheWorkersOwnModelBackBitForBit) {
  Net net = seeded_net();
  const auto comm = local_communicator(1);
  Attached sync = synchronize(*net, *comm, "local_sgd(4)");
  torch::optim::SGD optimizer = optimizer_of(net);
  steps(net, sync, optimizer, 0, 6, [&] { optimizer.zero_grad(); });
  const std::vector<at::Tensor> own = values(net);
  const double trained = sync.bytes_sent_per_worker();
  {
    const Shown shown = sync.show(average());
    net->parameters()[0].detach().fill_(7);  // what happens to the shown model is not kept
  }
  expect_equal(values(net), own);
  EXPECT_EQ(sync.bytes_sent_per_worker(), trained)
      << "an average to look at is not training traffic";
}

TEST(Attach, StrategiesThatNeedARunAreRefused) {
  Net net = seeded_net();
  const auto comm = local_communicator(1);
  EXPECT_THROW(synchronize(*net, *comm, "local_sgd(1ep)"), UsageError);
  EXPECT_NO_THROW(synchronize(*net, *comm, "local_sgd(1ep)", {.steps_per_epoch = 10}));
}

TEST(Attach, ShowsTheAnchorAndThePolyakRuppertMean) {
  Net net = seeded_net();
  const auto comm = local_communicator(1);
  Attached sync = synchronize(*net, *comm, "slowmo(4)");
  EXPECT_THROW(sync.show(polyak_ruppert()), UsageError) << "it was not kept";
  sync.keep_running_mean();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  at::Tensor start = net->parameters()[0].detach().clone(), sum = at::zeros_like(start);
  for (int t = 0; t < 3; ++t) {
    optimizer.zero_grad();
    const at::Tensor loss = loss_of(net, t);
    loss.backward();
    sync.reduce_gradients();
    optimizer.step();
    sum += net->parameters()[0].detach();
    sync.advance(loss.detach(), 0.1);
  }
  const at::Tensor own = net->parameters()[0].detach().clone();
  {
    auto shown = sync.show(anchor());
    EXPECT_TRUE(net->parameters()[0].equal(start)) << "before the first slow step";
  }
  {
    auto shown = sync.show(polyak_ruppert());
    EXPECT_LE((net->parameters()[0] - sum / 3).abs().max().item<double>(), 1e-15);
  }
  EXPECT_TRUE(net->parameters()[0].equal(own));
  Net other = seeded_net();
  Attached plain = synchronize(*other, *comm, "local_sgd(4)");
  EXPECT_THROW(plain.show(anchor()), UsageError) << "local SGD keeps none";
}

TEST(Attach, BuffersOfAnOptimizerOfOnesOwnStayLocal) {
  Net net = seeded_net();
  const auto comm = local_communicator(1);
  try {
    synchronize(*net, *comm, "parameters(when=every(8), state=average)");
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("state=average needs an optimizer of entrain's"),
              std::string::npos)
        << error.what();
  }
}

// Each fragment has an anchor of its own, of its own columns.
TEST(Attach, TheAnchorsOfFragmentsAreOneModel) {
  Net net = seeded_net();
  const auto comm = local_communicator(1);
  Attached sync =
      synchronize(*net, *comm, "streaming_diloco(4, fragments=2, tau=0, alpha=1, codec=exact)");
  const std::vector<at::Tensor> start = values(net);
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  optimizer.zero_grad();
  const at::Tensor loss = loss_of(net, 0);
  loss.backward();
  sync.reduce_gradients();
  optimizer.step();
  sync.advance(loss.detach(), 0.1);
  auto shown = sync.show(anchor());
  const auto parameters = net->parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_TRUE(parameters[i].equal(start[i])) << i << ": no fragment has been sent yet";
  }
}

}  // namespace
}  // namespace entrain
