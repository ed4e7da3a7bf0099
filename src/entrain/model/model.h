#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "entrain/core/text.h"

namespace entrain {

/// What a model is built for.
struct Task {
  std::int64_t channels = 1, height = 28, width = 28;  ///< Of an input.
  std::int64_t classes = 10;
};

/// A torch module behind a header that costs nothing to include.
class Model {
 public:
  virtual ~Model() = default;

  /// Scores [b, classes] for inputs [b, channels, height, width].
  virtual at::Tensor forward(const at::Tensor& inputs) = 0;

  /// The trained tensors with their names, as in "conv1.weight"; each call gives the same tensors.
  virtual std::vector<std::pair<std::string, at::Tensor>> parameters() = 0;

  /// The tensors that are not trained, as BatchNorm's statistics, likewise.
  virtual std::vector<std::pair<std::string, at::Tensor>> buffers() = 0;

  /// Whether forward() trains (BatchNorm then uses and updates the batch's statistics) or
  /// evaluates.
  virtual void train(bool on) = 0;

  /// Sets BatchNorm's statistics to the averages over `batches`, in the present parameters
  /// (Izmailov et al. 2018 do so after averaging weights). Nothing to do for a model without.
  virtual void recalibrate(const std::vector<at::Tensor>& batches) = 0;

  /// Mean cross-entropy over the batch; a scalar.
  at::Tensor loss(const at::Tensor& inputs, const at::Tensor& labels);
};

using MakeModel = std::function<std::unique_ptr<Model>(const Task&, at::ScalarType)>;

/// The models that texts may name, as in `mlp(hidden=[320, 128])`.
const std::vector<Choice<MakeModel>>& model_choices();
MakeModel build_model(const Value& value, const RunFacts& facts = {});

/// A model with the initial parameters of `seed`: the same for every worker of a run.
std::unique_ptr<Model> seeded_model(const MakeModel& make, const Task& task, at::ScalarType type,
                                    std::uint64_t seed);

}  // namespace entrain
