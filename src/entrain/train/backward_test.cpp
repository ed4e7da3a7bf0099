#include "entrain/train/backward.h"

#include <torch/torch.h>

#include "entrain/comm/test_ranks.h"
#include "entrain/train/attach.h"

namespace entrain {
namespace {

// 13 MB in layers of 4.2 MB, so that three buckets leave before backward ends; and an output that
// loss_of may leave out.
struct DeepImpl : torch::nn::Module {
  DeepImpl() {
    for (int i = 0; i < 3; ++i) {
      hidden.push_back(
          register_module("hidden" + std::to_string(i), torch::nn::Linear(1024, 1024)));
    }
    output = register_module("output", torch::nn::Linear(1024, 4));
  }
  at::Tensor forward(at::Tensor x) {
    for (auto& layer : hidden) x = at::relu(layer(x));
    return x;
  }
  std::vector<torch::nn::Linear> hidden;
  torch::nn::Linear output{nullptr};
};
TORCH_MODULE(Deep);

at::Tensor loss_of(Deep& net, int seed, bool with_output = true) {
  torch::manual_seed(seed);
  const at::Tensor x = net->forward(torch::randn({4, 1024}));
  return with_output ? at::cross_entropy_loss(net->output(x), torch::randint(4, {4}))
                     : x.square().mean();
}

struct Stepping {
  Deep net;
  Attached sync;
  torch::optim::SGD optimizer;

  explicit Stepping(Communicator& comm, const std::string& strategy = "synchronous")
      : net((torch::manual_seed(1), Deep())),
        sync(synchronize(*net, comm, strategy)),
        optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9)) {}

  void end(const at::Tensor& loss) {
    sync.reduce_gradients();
    optimizer.step();
    sync.advance(loss.detach(), 0.1);
  }

  void lose_gradients() {
    for (const at::Tensor& tensor : net->parameters()) tensor.mutable_grad() = at::Tensor();
  }

  std::string values() {
    std::string all;
    for (const at::Tensor& tensor : net->parameters()) all += fingerprint(tensor) + " ";
    return all;
  }
};

TEST(Backward, TellsFromWhichColumnOnGradientsAreFinal) {
  torch::manual_seed(1);
  Deep net;
  std::vector<NamedTensor> tensors;
  for (const auto& item : net->named_parameters()) tensors.push_back({item.key(), item.value()});
  const Layout layout = Layout::of(tensors);
  std::vector<std::int64_t> told;
  Backward backward(tensors, [&](std::int64_t column) { told.push_back(column); });
  backward(loss_of(net, 2));
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(std::ranges::is_sorted(told, std::greater<>()));
  EXPECT_EQ(told.back(), 0);
  EXPECT_GE(told.size(), 4u) << "as each layer's are";
  told.clear();
  loss_of(net, 3).backward();
  EXPECT_TRUE(told.empty()) << "a plain backward() tells nothing";
  backward(loss_of(net, 4, false));
  EXPECT_TRUE(told.empty()) << "the last tensors got no gradient";
}

TEST(Backward, TellsAColumnOnce) {
  std::vector<NamedTensor> tensors;
  for (const std::int64_t size : {3, 0, 5, 0}) {
    tensors.push_back({std::to_string(tensors.size()), torch::randn({size}, torch::kFloat)});
    tensors.back().tensor.set_requires_grad(true);
  }
  std::vector<std::int64_t> told;
  Backward backward(tensors, [&](std::int64_t column) { told.push_back(column); });
  at::Tensor loss = torch::zeros({});
  for (const NamedTensor& one : tensors) loss = loss + one.tensor.square().sum();
  backward(loss);
  EXPECT_TRUE(std::ranges::is_sorted(told, std::greater_equal<>())) << "no two are equal";
  EXPECT_EQ(told.back(), 0);
}

// Whatever way the gradients come about, they are those of plain backward(), bit for bit.
TEST(Backward, ExchangesTheSameGradients) {
  across(3, [](RankPlay& play) {
    const auto comm = play.join(Sums::reproducible);
    const auto run = [&](bool early, bool output, int batches, bool none) {
      Stepping one(*comm);
      EXPECT_TRUE(one.sync.synchronizer().sends_early());
      for (int t = 0; t < 3; ++t) {
        one.optimizer.zero_grad();
        if (none) one.lose_gradients();
        at::Tensor loss;
        for (int batch = 0; batch < batches; ++batch) {
          loss = loss_of(one.net, 100 * play.rank() + 10 * t + batch, output);
          early&& batch + 1 == batches ? one.sync.backward(loss) : loss.backward();
        }
        one.end(loss);
      }
      return one.values();
    };
    for (bool output : {true, false})
      for (int batches : {1, 2})
        for (bool none : {false, true}) {
          const std::string expected = run(false, output, batches, none);
          EXPECT_EQ(run(true, output, batches, none), expected)
              << output << batches << none << " on rank " << play.rank();
          EXPECT_EQ(comm->gather(expected), std::vector<std::string>(3, expected));
        }
  });
}

TEST(Backward, TwiceInAStepIsRefusedOnceGradientsHaveLeft) {
  across(2, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast);
    Stepping one(*comm);
    one.sync.backward(loss_of(one.net, play.rank()));
    try {
      one.sync.backward(loss_of(one.net, play.rank()));
      ADD_FAILURE() << "nothing was thrown";
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("a second backward()"), std::string::npos)
          << error.what();
    }
    play.signal("refused-" + std::to_string(play.rank()));
    for (int rank = 0; rank < 2; ++rank) play.await("refused-" + std::to_string(rank));
  });
}

TEST(Backward, IsPlainWhereNothingIsToBeExchanged) {
  across(2, [](RankPlay& play) {
    const auto comm = play.join(Sums::reproducible);
    const auto run = [&](bool early, const char* strategy) {
      Stepping one(*comm, strategy);
      EXPECT_FALSE(one.sync.synchronizer().sends_early());
      for (int t = 0; t < 4; ++t) {
        one.optimizer.zero_grad();
        const at::Tensor loss = loss_of(one.net, 10 * t + play.rank());
        early ? one.sync.backward(loss) : loss.backward();
        one.end(loss);
      }
      return one.values();
    };
    for (const char* strategy : {"local_sgd(2)", "gradients(codec=int8)"}) {
      EXPECT_EQ(run(true, strategy), run(false, strategy)) << strategy;
    }
  });
}

// The steps at which no gradient round is due send nothing early either.
TEST(Backward, FollowsTheSchedule) {
  across(2, [](RankPlay& play) {
    const auto comm = play.join(Sums::reproducible);
    const auto run = [&](bool early) {
      Stepping one(*comm, "gradients(when=every(2))");
      for (int t = 0; t < 5; ++t) {
        one.optimizer.zero_grad();
        const at::Tensor loss = loss_of(one.net, 10 * t + play.rank());
        early ? one.sync.backward(loss) : loss.backward();
        one.end(loss);
      }
      EXPECT_EQ(one.sync.synchronizer().rounds().gradients, 2);
      return one.values();
    };
    EXPECT_EQ(run(true), run(false));
  });
}

}  // namespace
}  // namespace entrain
