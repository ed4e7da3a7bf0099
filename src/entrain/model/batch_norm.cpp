#include "entrain/model/batch_norm.h"

#include <torch/torch.h>

namespace entrain {
namespace {

// With momentum unset torch keeps the plain average over the batches since the last reset.
template <class Norm>
void collect(torch::nn::Module& module, std::vector<std::function<void()>>& restore) {
  for (const auto& child : module.modules()) {
    auto* norm = child->as<Norm>();
    if (norm == nullptr || !norm->options.track_running_stats()) continue;
    const auto momentum = norm->options.momentum();
    norm->running_mean.zero_();
    norm->running_var.fill_(1);
    norm->num_batches_tracked.zero_();
    norm->options.momentum(c10::nullopt);
    restore.push_back([norm, momentum] { norm->options.momentum(momentum); });
  }
}

}  // namespace

void recalibrate_batch_norm(torch::nn::Module& module, const std::vector<at::Tensor>& batches,
                            const std::function<void(const at::Tensor&)>& forward) {
  const torch::NoGradGuard no_grad;
  std::vector<std::function<void()>> restore;
  collect<torch::nn::BatchNorm1dImpl>(module, restore);
  collect<torch::nn::BatchNorm2dImpl>(module, restore);
  collect<torch::nn::BatchNorm3dImpl>(module, restore);
  if (restore.empty()) return;
  const bool training = module.is_training();
  module.train();
  for (const at::Tensor& batch : batches) forward(batch);
  module.train(training);
  for (const auto& undo : restore) undo();
}

}  // namespace entrain
