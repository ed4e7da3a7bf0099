#include "entrain/model/linear.h"

#include <torch/torch.h>

#include "entrain/model/module_model.h"

namespace entrain {
namespace {

class SoftmaxImpl : public torch::nn::Module {
 public:
  explicit SoftmaxImpl(const Task& task)
      : linear_(task.channels * task.height * task.width, task.classes) {
    register_module("linear", linear_);
    const torch::NoGradGuard no_grad;
    linear_->weight.zero_();
    linear_->bias.zero_();
  }

  at::Tensor forward(const at::Tensor& inputs) { return linear_(inputs.flatten(1)); }

 private:
  torch::nn::Linear linear_;
};
TORCH_MODULE(Softmax);

}  // namespace

std::unique_ptr<Model> softmax(const Task& task, at::ScalarType type) {
  return model_of(Softmax(task), type);
}

}  // namespace entrain
