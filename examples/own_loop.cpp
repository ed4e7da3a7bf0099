// A loop of plain libtorch with its own module, optimizer and data set, and what makes it train
// with others (the lines marked +). Alone: build/release/examples/own_loop. With 4 processes:
// ./entrain launch -n 4 -- build/release/examples/own_loop
#include <torch/torch.h>

#include <iostream>

#include "entrain/entrain.h"  // +

struct NetImpl : torch::nn::Module {
  NetImpl()
      : layers(torch::nn::Linear(2, 32), torch::nn::BatchNorm1d(32), torch::nn::ReLU(),
               torch::nn::Linear(32, 2)) {
    register_module("layers", layers);
  }
  torch::Tensor forward(const torch::Tensor& x) { return layers->forward(x); }
  torch::nn::Sequential layers;
};
TORCH_MODULE(Net);

// Two spirals, 1,000 points of each rank's own.
struct Spirals : torch::data::Dataset<Spirals> {
  explicit Spirals(int rank) : generator(at::make_generator<at::CPUGeneratorImpl>(100 + rank)) {}
  torch::data::Example<> get(size_t index) override {
    const double radius = torch::rand({1}, generator).item<double>();
    const double angle = 5 * radius + M_PI * static_cast<double>(index % 2);
    return {torch::tensor({radius * std::cos(angle), radius * std::sin(angle)}),
            torch::tensor(long(index % 2))};
  }
  torch::optional<size_t> size() const override { return 1000; }
  at::Generator generator;
};

int main() try {
  auto comm = entrain::join();  // +
  torch::manual_seed(1);
  Net model;
  torch::optim::SGD optimizer(model->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  auto sync = entrain::synchronize(*model, *comm, "local_sgd(8)");  // +
  auto loader =
      torch::data::make_data_loader(Spirals(comm->rank()).map(torch::data::transforms::Stack<>()),
                                    torch::data::DataLoaderOptions(50));
  for (int epoch = 0; epoch < 20; ++epoch) {
    for (auto& batch : *loader) {
      optimizer.zero_grad();
      auto loss = torch::cross_entropy_loss(model(batch.data), batch.target);
      loss.backward();
      sync.reduce_gradients();  // +
      optimizer.step();
      sync.advance(loss.detach(), 0.1);  // +
    }
  }
  auto shown = sync.show(entrain::average());  // + evaluates the average of all workers
  model->eval();
  auto test =
      torch::data::make_data_loader(Spirals(-1).map(torch::data::transforms::Stack<>()), 1000);
  for (auto& batch : *test) {
    const double right =
        model(batch.data).argmax(1).eq(batch.target).to(torch::kFloat).mean().item<double>();
    if (comm->rank() == 0)
      std::cout << comm->size() << " workers, test accuracy " << right << std::endl;
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << std::endl;
  return 1;
}
