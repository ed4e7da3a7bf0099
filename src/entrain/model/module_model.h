#pragma once

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

  std::vector<std::pair<std::string, at::Tensor>> parameters() override {
    std::vector<std::pair<std::string, at::Tensor>> named;
    for (auto& item : module_->named_parameters()) named.emplace_back(item.key(), item.value());
    return named;
  }

 private:
  Module module_;
};

template <class Module>
std::unique_ptr<Model> model_of(Module module, at::ScalarType type) {
  return std::make_unique<ModuleModel<Module>>(std::move(module), type);
}

}  // namespace entrain
