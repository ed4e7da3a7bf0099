#include "entrain/model/cnn.h"

#include <torch/torch.h>

#include "entrain/model/module_model.h"

namespace entrain {
namespace {

class CnnImpl : public torch::nn::Module {
 public:
  explicit CnnImpl(const Task& task)
      : conv1_(torch::nn::Conv2dOptions(task.channels, 16, 3).padding(1)),
        conv2_(torch::nn::Conv2dOptions(16, 32, 3).padding(1)),
        linear1_(32 * (task.height / 4) * (task.width / 4), 128),
        linear2_(128, task.classes) {
    register_module("conv1", conv1_);
    register_module("conv2", conv2_);
    register_module("linear1", linear1_);
    register_module("linear2", linear2_);
  }

  at::Tensor forward(const at::Tensor& inputs) {
    at::Tensor x = at::max_pool2d(at::relu(conv1_(inputs)), 2);
    x = at::max_pool2d(at::relu(conv2_(x)), 2);
    return linear2_(at::relu(linear1_(x.flatten(1))));
  }

 private:
  torch::nn::Conv2d conv1_, conv2_;
  torch::nn::Linear linear1_, linear2_;
};
TORCH_MODULE(Cnn);

}  // namespace

std::unique_ptr<Model> cnn(const Task& task, at::ScalarType type) {
  return model_of(Cnn(task), type);
}

}  // namespace entrain
