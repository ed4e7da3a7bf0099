#include "entrain/train/worker.h"

#include <ATen/ATen.h>

namespace entrain {

Workers::Workers(const Training& training, Communicator& comm, Team& team)
    : training_(training),
      source_(gradients_of(training.objective, comm.first_worker(), comm.local_workers(),
                           comm.workers(), team)),
      sync_(source_.rows, comm, training.strategy),
      optimizer_(training.make_optimizer(source_.rows, team)),
      base_lr_(optimizer_->lr()),
      losses_(at::zeros({comm.local_workers()}, at::kDouble)),
      seconds_(comm.local_workers()) {
  sync_.attach_state(optimizer_->state());
  if (sync_.sends_early()) {
    source_.gradients->tell_final([this](std::int64_t column) { sync_.gradients_final(column); });
  }
}

at::Tensor Workers::step() {
  const auto computing = sync_.timeline().during(Activity::compute);
  optimizer_->set_lr(base_lr_ * training_.lr_schedule.factor(sync_.step()));
  source_.gradients->compute(sync_.step(), source_.rows, losses_, seconds_);
  if (training_.computed) training_.computed(sync_.step() + 1, seconds_);
  sync_.reduce_gradients();
  optimizer_->step();
  sync_.advance(losses_, optimizer_->lr());
  return losses_;
}

}  // namespace entrain
