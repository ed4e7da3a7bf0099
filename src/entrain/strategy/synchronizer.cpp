#include "entrain/strategy/synchronizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "entrain/comm/agreement.h"
#include "entrain/core/errors.h"
#include "entrain/strategy/parameters_hash.h"
#include "entrain/strategy/strategy_text.h"

namespace entrain {

Synchronizer::Synchronizer(Rows& rows, Communicator& comm, Strategy strategy)
    : rows_(rows),
      comm_(&comm),
      strategy_(std::move(strategy)),
      gradient_agenda_(gradient_agenda(strategy_)),
      parameter_agenda_(parameter_agenda(strategy_)) {
  validate(strategy_);
  ENTRAIN_CHECK(rows.workers() == comm.local_workers());
  agree();
  for (const ParameterRound& spec : strategy_.parameters) rounds_.emplace_back().spec = spec;
  for (Round& round : rounds_) {
    if (round.spec.when.start == 0) start(round);
  }
  find_next_event();
}

// Ranks that differ here would wait for each other forever, or mix numbers that do not belong
// together.
void Synchronizer::agree() {
  const Layout& layout = rows_.layout();
  const std::uint64_t start = row_hash(rows_, 0);
  for (std::int64_t i = 1; i < rows_.workers(); ++i) {
    if (row_hash(rows_, i) != start) {
      throw UsageError(fmt::format("worker rows 0 and {} start from different parameters", i));
    }
  }
  const Facts facts = {{"strategy", print(strategy_)},
                       {"rounds", print_rounds(strategy_)},
                       {"type of the parameters", c10::toString(layout.type)},
                       {"number of parameters", std::to_string(layout.items)},
                       {"names and shapes of the parameters", layout_hash(layout)},
                       {"workers per process", std::to_string(rows_.workers())},
                       {"initial parameters", fmt::format("{:016x}", start)}};
  check_agreement(*comm_, facts);
}

void Synchronizer::reduce_gradients() {
  const std::int64_t step = step_ + 1;
  if (step < gradient_agenda_.next()) return;
  if (gradient_agenda_.fire(step) < 0) return;
  rows_.verify();
  if (!mean_gradient_.defined()) {
    mean_gradient_ = at::empty({1, rows_.layout().columns}, rows_.gradients().options());
  }
  const auto exchange = comm_->launch_mean(rows_.gradients(), mean_gradient_);
  const double blocked = wait(*exchange);
  rows_.gradients().copy_(mean_gradient_);
  gradients_averaged_ = true;
  ++counts_.gradients;
  landed_.push_back({"gradients", step, step, blocked});
}

void Synchronizer::advance(const at::Tensor& /*losses*/, double lr) {
  ++step_;
  agreement_.stepped(std::exchange(gradients_averaged_, false));
  if (step_ >= next_event_) take_step(lr);
}

// In the order of the list: land what is due; of the rounds that are due the last fires, after what
// it and those before it have in flight has landed; then the rounds that begin here take their
// anchors.
void Synchronizer::take_step(double lr) {
  rows_.verify();
  for (Round& round : rounds_) {
    if (round.flight && round.flight->lands <= step_) land(round);
  }
  const int firing = parameter_agenda_.fire(step_);
  if (firing >= 0) {
    for (int i = 0; i <= firing; ++i) {
      if (rounds_[i].flight) land(rounds_[i]);
    }
    Round& round = rounds_[firing];
    if (round.spec.delay.first_anchor && !round.launch_lr) meet_start(round);
    launch(round, lr);
    if (round.spec.delay.steps == 0) land(round);
  }
  for (Round& round : rounds_) {
    if (round.spec.when.start == step_) start(round);
  }
  find_next_event();
}

// The anchor is the model at the step where the round's first period begins, not at step 0 of the
// run: with that one a late outer momentum diverges.
void Synchronizer::start(Round& round) {
  if (!needs_anchor(round.spec)) return;
  const at::Tensor& x = rows_.parameters();
  round.anchor = at::empty({1, x.size(1)}, x.options());
  if (agreement_.equal()) {
    round.anchor.copy_(x.narrow(0, 0, 1));
    return;
  }
  const auto exchange = comm_->launch_mean(x, round.anchor);
  const double blocked = wait(*exchange);
  ++counts_.everyone;
  landed_.push_back({"everyone", step_, step_, blocked});
}

// Nothing has been launched yet, so there is nothing to wait for: the anchor is that of the start.
void Synchronizer::meet_start(Round& round) {
  const at::Tensor& x = rows_.parameters();
  round.spec.merge.meet(x, round.anchor,
                        round.spec.merge.needs_launched ? x.clone() : at::Tensor());
}

// BatchNorm's statistics travel with a round that adopts, and with no other: they belong to the
// parameters.
void Synchronizer::launch(Round& round, double lr) {
  const at::Tensor& x = round.spec.merge.adopts ? rows_.everything() : rows_.parameters();
  if (!round.mixed.defined()) round.mixed = at::empty({1, x.size(1)}, x.options());
  round.message = x;
  if (round.spec.delay.steps > 0 || round.spec.merge.needs_launched) {
    if (!round.launched.defined()) round.launched = at::empty(x.sizes(), x.options());
    round.message = round.launched.copy_(x);  // the rows move on while the message is in flight
  }
  if (round.spec.what == What::deltas) {
    round.message = x.clone();
    parameters_of(round.message).neg_().add_(round.anchor);
  }
  const std::int64_t delay = round.spec.delay.steps;
  round.flight.emplace(Flight{comm_->launch_mean(round.message, round.mixed), step_,
                              delay == kNever ? kNever : step_ + delay,
                              round.launch_lr ? lr / *round.launch_lr : 1});
  round.launch_lr = lr;
}

// The anchor moves, then the workers meet it.
void Synchronizer::land(Round& round) {
  const double blocked = wait(*round.flight->exchange);
  const at::Tensor mixed = parameters_of(round.mixed);
  at::Tensor anchor = mixed;
  if (needs_anchor(round.spec)) {
    const bool deltas = round.spec.what == What::deltas;
    anchor = round.anchor;
    if (round.spec.outer.has_velocity && !round.velocity.defined()) {
      round.velocity = at::zeros_like(anchor);
    }
    round.spec.outer.move({anchor, deltas ? at::Tensor() : mixed, deltas ? mixed : at::Tensor(),
                           round.velocity, round.flight->lr_ratio});
  }
  round.spec.merge.meet(rows_.parameters(), anchor,
                        round.launched.defined() ? parameters_of(round.launched) : at::Tensor());
  if (round.spec.merge.adopts) {
    rows_.buffers().copy_(round.mixed.narrow(1, anchor.size(1), rows_.buffers().size(1)));
    if (round.flight->launched == step_) agreement_.adopted();
  }
  ++counts_.everyone;
  landed_.push_back({"everyone", round.flight->launched, step_, blocked});
  round.flight.reset();
}

at::Tensor Synchronizer::parameters_of(const at::Tensor& message) const {
  return message.narrow(1, 0, rows_.layout().columns);
}

double Synchronizer::wait(Exchange& exchange) {
  const auto begin = std::chrono::steady_clock::now();
  exchange.wait();
  const std::chrono::duration<double> blocked = std::chrono::steady_clock::now() - begin;
  blocked_seconds_ += blocked.count();
  return blocked.count();
}

void Synchronizer::find_next_event() {
  next_event_ = parameter_agenda_.next();
  for (const Round& round : rounds_) {
    if (round.flight) next_event_ = std::min(next_event_, round.flight->lands);
    if (round.spec.when.start > step_) next_event_ = std::min(next_event_, round.spec.when.start);
  }
}

void Synchronizer::finish() {
  for (Round& round : rounds_) {
    if (round.flight) land(round);
  }
  find_next_event();
}

void Synchronizer::rebind(Communicator& comm) {
  ENTRAIN_CHECK(comm.local_workers() == comm_->local_workers());
  for (const Round& round : rounds_) ENTRAIN_CHECK(!round.flight);
  comm_ = &comm;
}

std::vector<LandedRound> Synchronizer::take_landed() { return std::exchange(landed_, {}); }

}  // namespace entrain
