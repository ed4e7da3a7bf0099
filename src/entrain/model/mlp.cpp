#include "entrain/model/mlp.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "entrain/model/module_model.h"

namespace entrain {
namespace {

class MlpImpl : public torch::nn::Module {
 public:
  MlpImpl(const Task& task, std::vector<std::int64_t> widths) {
    std::int64_t width = task.channels * task.height * task.width;
    widths.push_back(task.classes);
    for (std::size_t i = 0; i < widths.size(); ++i) {
      layers_.push_back(
          register_module(fmt::format("linear{}", i + 1), torch::nn::Linear(width, widths[i])));
      width = widths[i];
    }
  }

  at::Tensor forward(const at::Tensor& inputs) {
    at::Tensor x = inputs.flatten(1);
    for (std::size_t i = 0; i + 1 < layers_.size(); ++i) x = at::relu(layers_[i](x));
    return layers_.back()(x);
  }

 private:
  std::vector<torch::nn::Linear> layers_;
};
TORCH_MODULE(Mlp);

}  // namespace

std::unique_ptr<Model> mlp(const Task& task, at::ScalarType type,
                           const std::vector<std::int64_t>& hidden) {
  return model_of(Mlp(task, hidden), type);
}

}  // namespace entrain
