#include "entrain/model/model.h"

#include <torch/torch.h>

#include <mutex>

#include "entrain/core/errors.h"
#include "entrain/model/cnn.h"
#include "entrain/model/linear.h"
#include "entrain/model/mlp.h"
#include "entrain/model/resnet.h"

namespace entrain {
namespace {

std::vector<std::int64_t> widths_of(const Value& list) {
  std::vector<std::int64_t> widths;
  for (const Argument& item : list.arguments) {
    const double width = item.value.number;
    if (item.value.kind != Value::Kind::number || width < 1 || width != std::floor(width)) {
      throw UsageError(
          fmt::format("mlp: a hidden layer has a width >= 1, not '{}'", print(item.value)));
    }
    widths.push_back(static_cast<std::int64_t>(width));
  }
  if (widths.empty())
    throw UsageError("mlp: hidden is a list of widths, as in mlp(hidden=[320, 128])");
  return widths;
}

}  // namespace

at::Tensor Model::loss(const at::Tensor& inputs, const at::Tensor& labels) {
  return at::cross_entropy_loss(forward(inputs), labels);
}

const std::vector<Choice<MakeModel>>& model_choices() {
  static const std::vector<Choice<MakeModel>> choices = {
      {"softmax",
       {},
       "softmax regression: one linear layer",
       [](const Arguments&) -> MakeModel { return softmax; }},
      {"mlp",
       {{"hidden", "[320, 128]"}},
       "fully connected layers with ReLU",
       [](const Arguments& a) -> MakeModel {
         return [hidden = widths_of(a.value("hidden"))](const Task& task, at::ScalarType type) {
           return mlp(task, type, hidden);
         };
       }},
      {"resnet20",
       {},
       "residual network for 32x32 images, 0.27 M parameters, BatchNorm",
       [](const Arguments&) -> MakeModel { return resnet20; }},
      {"resnet18",
       {},
       "residual network for 32x32 images, 11 M parameters, BatchNorm",
       [](const Arguments&) -> MakeModel { return resnet18; }},
      {"cnn",
       {},
       "two convolutions with pooling, two linear layers",
       [](const Arguments&) -> MakeModel { return cnn; }},
  };
  return choices;
}

MakeModel build_model(const Value& value, const RunFacts& facts) {
  return build(model_choices(), value, "model", facts);
}

std::unique_ptr<Model> seeded_model(const MakeModel& make, const Task& task, at::ScalarType type,
                                    std::uint64_t seed) {
  static std::mutex one_at_a_time;  // torch's layers draw from one generator of the process
  const std::lock_guard lock(one_at_a_time);
  torch::manual_seed(seed);
  return make(task, type);
}

}  // namespace entrain
