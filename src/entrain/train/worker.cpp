#include "entrain/train/worker.h"

#include <ATen/ATen.h>

#include <chrono>

namespace entrain {
namespace {

std::vector<std::unique_ptr<Model>> make_models(const Training& training, int count) {
  std::vector<std::unique_ptr<Model>> models;
  for (int i = 0; i < count; ++i) {
    models.push_back(
        seeded_model(training.make_model, training.task, training.type, training.seed));
  }
  return models;
}

Rows rows_of(const std::vector<std::unique_ptr<Model>>& models) {
  std::vector<ModelTensors> tensors;
  for (const auto& model : models) tensors.push_back(tensors_of(*model));
  return Rows(tensors);
}

}  // namespace

ModelTensors tensors_of(Model& model) {
  ModelTensors tensors;
  for (const auto& [name, tensor] : model.parameters())
    tensors.parameters.push_back({name, tensor});
  for (const auto& [name, tensor] : model.buffers()) tensors.buffers.push_back({name, tensor});
  return tensors;
}

Workers::Workers(const Training& training, Sampler sampler, Communicator& comm, Team& team)
    : training_(training),
      sampler_(std::move(sampler)),
      team_(team),
      first_worker_(comm.first_worker()),
      models_(make_models(training, comm.local_workers())),
      rows_(rows_of(models_)),
      sync_(rows_, comm, training.strategy),
      optimizer_(training.make_optimizer(rows_, team)),
      base_lr_(optimizer_->lr()),
      losses_(at::zeros({comm.local_workers()}, at::kDouble)),
      seconds_(comm.local_workers()) {
  sync_.attach_state(optimizer_->state());
}

at::Tensor Workers::step() {
  optimizer_->set_lr(base_lr_ * training_.lr_schedule.factor(sync_.step()));
  team_.each(static_cast<int>(models_.size()), [&](int i) {
    const auto begin = std::chrono::steady_clock::now();
    const Batch batch = next_batch(i);
    const at::Tensor loss = models_[i]->loss(batch.inputs, batch.labels);
    loss.backward();
    losses_[i] = loss.detach();
    seconds_[i] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  });
  if (training_.computed) training_.computed(sync_.step() + 1, seconds_);
  sync_.reduce_gradients();
  optimizer_->step();
  sync_.advance(losses_, optimizer_->lr());
  return losses_;
}

Batch Workers::next_batch(int worker) const {
  const std::int64_t epoch = sync_.step() / sampler_.steps_per_epoch();
  const std::int64_t step = sync_.step() % sampler_.steps_per_epoch();
  return gather(*training_.data, training_.data->train,
                sampler_.batch(epoch, step, first_worker_ + worker), training_.type);
}

double Workers::epoch() const {
  return static_cast<double>(sync_.step()) / static_cast<double>(sampler_.steps_per_epoch());
}

std::int64_t Workers::samples_seen() const { return sampler_.samples_seen(sync_.step()); }

}  // namespace entrain
