// A loop of plain libtorch with its own module, optimizer and data; the lines marked + make it
// train with others. Alone: build/release/examples/own_loop; with four: ./entrain launch -n 4 --
// build/release/examples/own_loop
#include <torch/torch.h>

#include <iostream>

#include "entrain/entrain.h"  // +

struct NetImpl : torch::nn::Module {
  torch::nn::Sequential layers{torch::nn::Linear(2, 32), torch::nn::BatchNorm1d(32),
                               torch::nn::ReLU(), torch::nn::Linear(32, 2)};
  NetImpl() { register_module("layers", layers); }
};
TORCH_MODULE(Net);

// Points on two spirals, of each rank's own.
struct Spirals : torch::data::Dataset<Spirals> {
  torch::Tensor radius;
  explicit Spirals(int seed) {
    radius = torch::rand({1000}, at::make_generator<at::CPUGeneratorImpl>(seed));
  }
  torch::data::Example<> get(size_t i) override {
    const torch::Tensor r = radius[i], angle = 5 * r + M_PI * double(i % 2);
    return {torch::stack({r * angle.cos(), r * angle.sin()}), torch::tensor(int64_t(i % 2))};
  }
  torch::optional<size_t> size() const override { return radius.numel(); }
};

auto loader(int seed, size_t batch) {
  const torch::data::transforms::Stack<> stack;
  return torch::data::make_data_loader(Spirals(seed).map(stack), batch);
}

int main() {
  auto comm = entrain::join();  // +
  torch::manual_seed(1);
  Net net;
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  auto sync = entrain::synchronize(*net, *comm, "local_sgd(8)");  // +
  auto batches = loader(2 + comm->rank(), 50);
  for (int epoch = 0; epoch < 20; ++epoch) {
    for (auto& batch : *batches) {
      optimizer.zero_grad();
      auto loss = torch::cross_entropy_loss(net->layers->forward(batch.data), batch.target);
      loss.backward();
      sync.reduce_gradients();  // +
      optimizer.step();
      sync.advance(loss.detach(), 0.1);  // +
    }
  }
  auto shown = sync.show(entrain::average());  // + evaluates the average of all workers
  net->eval();
  auto tests = loader(1, 1000);
  for (auto& test : *tests) {
    const auto right = net->layers->forward(test.data).argmax(1).eq(test.target).sum();
    if (comm->rank() == 0) std::cout << right.item<int64_t>() << " of 1000 right" << std::endl;
  }
}
