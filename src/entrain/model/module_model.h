#pragma once

#include "entrain/model/batch_norm.h"
#include "entrain/model/model.h"

namespace entrain {

/// A torch module (a holder such as torch::nn::Linear) as a Model.
template <class Module>
class ModuleModel : public Model {
 public:
  ModuleModel(Module module, at::ScalarType type) : module_(std::move(module)) {
    module_->to(type);
  }

  at::Tensor forward(const at::Tensor& inputs) override { return module_->forward(inputs); }
  void train(bool on) override { module_->train(on); }

  std::vector<std::pair<std::string, at::Tensor>> parameters() override {
    return list(module_->named_parameters());
  }
  std::vector<std::pair<std::string, at::Tensor>> buffers() override {
    return list(module_->named_buffers());
  }

  void recalibrate(const std::vector<at::Tensor>& batches) override {
    recalibrate_batch_norm(*module_, batches, [this](const at::Tensor& batch) { forward(batch); });
  }

 private:
  template <class Named>
  static std::vector<std::pair<std::string, at::Tensor>> list(const Named& named) {
    std::vector<std::pair<std::string, at::Tensor>> all;
    for (const auto& item : named) all.emplace_back(item.key(), item.value());
    return all;
  }

  Module module_;
};

template <class Module>
std::unique_ptr<Model> model_of(Module module, at::ScalarType type) {
  return std::make_unique<ModuleModel<Module>>(std::move(module), type);
}

}  // namespace entrain
