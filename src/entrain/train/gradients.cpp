#include "entrain/train/gradients.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/core/stopwatch.h"
#include "entrain/train/backward.h"

namespace entrain {
namespace {

std::vector<std::unique_ptr<Model>> make_models(const Objective& objective, int count) {
  std::vector<std::unique_ptr<Model>> models;
  for (int i = 0; i < count; ++i) {
    models.push_back(
        seeded_model(objective.make_model, objective.task, objective.type, objective.seed));
  }
  return models;
}

Rows rows_of(const std::vector<std::unique_ptr<Model>>& models) {
  std::vector<ModelTensors> tensors;
  for (const auto& model : models) tensors.push_back(tensors_of(*model));
  return Rows(tensors);
}

Rows rows_of(const Objective& objective, int count) {
  return Rows({"x", objective.problem->start().to(objective.type)}, count);
}

// A worker after the other on each thread of the team, by backward.
class ModelGradients : public Gradients {
 public:
  ModelGradients(const Objective& objective, int first, Team& team,
                 std::vector<std::unique_ptr<Model>> models)
      : objective_(objective), first_(first), team_(team), models_(std::move(models)) {}

  void compute(std::int64_t step, Rows&, at::Tensor& losses,
               std::vector<double>& seconds) override {
    team_.each(static_cast<int>(models_.size()), [&](int i) {
      const Stopwatch watch;
      const Batch batch = batch_of(step, first_ + i);
      const at::Tensor loss = models_[i]->loss(batch.inputs, batch.labels);
      backward_ ? (*backward_)(loss) : loss.backward();
      losses[i] = loss.detach();
      seconds[i] = watch.seconds();
    });
  }

  void tell_final(std::function<void(std::int64_t)> final_from) override {
    if (models_.size() != 1) return;
    backward_.emplace(trained_tensors(tensors_of(*models_[0]).parameters), std::move(final_from));
  }

  double epochs(std::int64_t steps) const override {
    return static_cast<double>(steps) / static_cast<double>(objective_.sampler->steps_per_epoch());
  }

  std::int64_t samples(std::int64_t steps) const override {
    return objective_.sampler->samples_seen(steps);
  }

 private:
  Batch batch_of(std::int64_t step, int worker) const {
    const std::int64_t per_epoch = objective_.sampler->steps_per_epoch();
    return gather(*objective_.data, objective_.data->train,
                  objective_.sampler->batch(step / per_epoch, step % per_epoch, worker),
                  objective_.type);
  }

  Objective objective_;
  int first_;
  Team& team_;
  std::vector<std::unique_ptr<Model>> models_;
  std::optional<Backward> backward_;
};

// Blocks of rows on each thread of the team; a worker takes its share of its block's time.
class ProblemGradients : public Gradients {
 public:
  ProblemGradients(const Objective& objective, int first, int workers, Team& team)
      : objective_(objective), first_(first), workers_(workers), team_(team) {}

  void compute(std::int64_t step, Rows& rows, at::Tensor& losses,
               std::vector<double>& seconds) override {
    const std::int64_t count = rows.workers(), items = rows.layout().items;
    const std::int64_t blocks = std::min<std::int64_t>(count, team_.threads());
    team_.each(static_cast<int>(blocks), [&](int block) {
      const Stopwatch watch;
      const std::int64_t from = count * block / blocks, size = count * (block + 1) / blocks - from;
      const auto part = [&](const at::Tensor& matrix) {
        return matrix.narrow(0, from, size).narrow(1, 0, items);
      };
      objective_.problem->gradients(step, first_ + static_cast<int>(from), part(rows.parameters()),
                                    part(rows.gradients()), losses.narrow(0, from, size));
      std::fill_n(seconds.begin() + from, size, watch.seconds() / static_cast<double>(size));
    });
  }

  // They come at once.
  void tell_final(std::function<void(std::int64_t)>) override {}

  double epochs(std::int64_t) const override { return 0; }  // samples are drawn with replacement
  std::int64_t samples(std::int64_t steps) const override {
    return steps * objective_.batch * workers_;
  }

 private:
  Objective objective_;
  int first_, workers_;
  Team& team_;
};

}  // namespace

Source gradients_of(const Objective& objective, int first, int count, int workers, Team& team) {
  if (objective.problem) {
    return {std::make_unique<ProblemGradients>(objective, first, workers, team),
            rows_of(objective, count)};
  }
  auto models = make_models(objective, count);
  Rows rows = rows_of(models);
  return {std::make_unique<ModelGradients>(objective, first, team, std::move(models)),
          std::move(rows)};
}

ModelTensors tensors_of(Model& model) {
  ModelTensors tensors;
  for (const auto& [name, tensor] : model.parameters())
    tensors.parameters.push_back({name, tensor});
  for (const auto& [name, tensor] : model.buffers()) tensors.buffers.push_back({name, tensor});
  return tensors;
}

Rows initial_row(const Objective& objective) {
  return objective.problem ? rows_of(objective, 1) : rows_of(make_models(objective, 1));
}

}  // namespace entrain
