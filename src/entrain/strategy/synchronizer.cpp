#include "entrain/strategy/synchronizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "entrain/core/errors.h"
#include "entrain/strategy/facts.h"
#include "entrain/strategy/round_exchange.h"

namespace entrain {
namespace {

Strategy validated(Strategy strategy, int workers) {
  validate(strategy, workers);
  return strategy;
}

}  // namespace

Synchronizer::Synchronizer(Rows& rows, Communicator& comm, Strategy strategy)
    : rows_(rows),
      comm_(&comm),
      timeline_(comm),
      strategy_(validated(std::move(strategy), comm.workers())),
      gradients_(strategy_, rows, comm, timeline_),
      slices_(parameter_agendas(strategy_)) {
  ENTRAIN_CHECK(rows.workers() == comm.local_workers());
  for (const ParameterRound& spec : strategy_.parameters) {
    Round& round = rounds_.emplace_back();
    round.spec = spec;
    round.mixings = mixings_of(spec.whom, comm.workers());
    round.columns = columns_of(spec.slice, rows.layout());
    for (const Span& span : round.columns) round.items += span.count;
    round.coder = coder_for(spec.codec, rows, round.columns);
    if (stays_near(spec)) round.lossless = comm.lossless_mean();
    if (spec.whom.push_sum) masses_ = at::ones({rows.workers()}, at::kDouble);
    if (spec.when.needs_loss) round.loss_sum = at::zeros({rows.workers()}, at::kDouble);
  }
  agree();
  for (Round& round : rounds_) {
    if (round.spec.when.start == 0) start(round);
  }
  find_next_event();
}

void Synchronizer::agree() {
  std::vector<Mixings> all_mixings = gradients_.mixings();
  for (const Round& round : rounds_) all_mixings.push_back(round.mixings);
  check_agreement(*comm_, facts_of(strategy_, rows_, all_mixings));
}

void Synchronizer::reduce_gradients() {
  if (masses_.defined()) scale_rows(true);
  std::optional<GradientRounds::Landed> landed;
  try {
    landed = gradients_.reduce(step_ + 1);
  } catch (...) {
    if (masses_.defined()) scale_rows(false);
    throw;
  }
  if (!landed) return;
  gradients_averaged_ = landed->everyone;
  ++counts_.gradients;
  landed_.push_back({"gradients", step_ + 1, step_ + 1, landed->blocked_seconds});
}

void Synchronizer::advance(const at::Tensor& losses, double lr) {
  ++step_;
  agreement_.stepped(std::exchange(gradients_averaged_, false));
  if (running_mean_.defined()) add_to_running_mean();
  add_loss(losses);
  try {
    if (step_ >= next_event_) take_step(lr);
  } catch (...) {
    if (masses_.defined()) scale_rows(false);
    throw;
  }
  if (masses_.defined()) scale_rows(false);
}

void Synchronizer::add_to_running_mean() {
  const double share = 1 / static_cast<double>(++running_steps_);
  const at::Tensor& x = rows_.parameters();
  running_mean_.lerp_(masses_.defined() ? x / masses_.to(x.scalar_type()).view({-1, 1}) : x, share);
}

// The model of a worker is its row over its mass; the optimizer's step is added to the row itself.
void Synchronizer::scale_rows(bool by_mass) {
  const double* masses = masses_.data_ptr<double>();
  for (std::int64_t i = 0; i < rows_.workers(); ++i) {
    if (masses[i] == 1) continue;
    const at::Tensor row = rows_.parameters()[i];
    by_mass ? row.mul_(masses[i]) : row.div_(masses[i]);
  }
}

void Synchronizer::add_loss(const at::Tensor& losses) {
  for (Round& round : rounds_) {
    if (!round.loss_sum.defined() || step_ <= round.spec.when.start) continue;
    round.loss_sum.add_(losses.detach().to(at::kCPU, at::kDouble).view({-1}));
    ++round.loss_steps;
  }
}

// In the order of the list: land what is due; of the rounds that are due the last fires, after what
// it and those before it have in flight has landed; then the rounds that begin here take their
// anchors.
void Synchronizer::take_step(double lr) {
  rows_.verify();
  for (Round& round : rounds_) {
    if (round.flight && round.flight->lands <= step_) land(round);
  }
  for (SliceAgenda& slice : slices_) fire(slice, lr);
  for (Round& round : rounds_) {
    if (round.spec.when.start == step_) start(round);
  }
  find_next_event();
}

void Synchronizer::fire(SliceAgenda& slice, double lr) {
  const int firing = slice.agenda.fire(step_, lr);
  if (firing >= 0) {
    for (int i = 0; i <= firing; ++i) {
      if (rounds_[slice.rounds[i]].flight) land(rounds_[slice.rounds[i]]);
    }
    Round& round = rounds_[slice.rounds[firing]];
    if (round.spec.delay.first_anchor && round.launches == 0) meet_start(round);
    launch(round, slice.agenda.due_times(firing) - 1, lr);
    if (round.spec.delay.steps == 0) land(round);
  }
  plan(slice);
}

// After the landing, so that a schedule reads the loss of the period that has just ended.
void Synchronizer::plan(SliceAgenda& slice) {
  std::vector<double> losses;
  for (std::size_t i = 0; i < slice.rounds.size(); ++i) {
    Round& round = rounds_[slice.rounds[i]];
    losses.push_back(round.landed_loss);
    if (!slice.agenda.was_due(i)) continue;
    round.landed_loss = std::nan("");
    if (round.spec.when.needs_loss) round.due_steps.push_back(step_);
    round.loss_steps = 0;
    if (round.loss_sum.defined()) round.loss_sum.zero_();
  }
  slice.agenda.plan(losses);
  // What is in flight when a schedule ends lands after a period as long as the last one.
  for (std::size_t i = 0; i < slice.rounds.size(); ++i) {
    Round& round = rounds_[slice.rounds[i]];
    if (!round.flight || round.flight->launched != step_) continue;
    if (round.flight->lands == kNever && slice.agenda.due(i) == kNever) {
      const std::int64_t before = std::max(round.last_launch, round.spec.when.start);
      round.flight->lands = step_ + (step_ - before);
    }
    round.last_launch = step_;
  }
}

// A round's columns of the parameters: themselves, or a fragment's copied together.
at::Tensor Synchronizer::columns_in(const Round& round, const at::Tensor& row) const {
  if (round.spec.slice.whole()) return row;
  std::vector<at::Tensor> pieces;
  for (const Span& span : round.columns) pieces.push_back(row.narrow(1, span.begin, span.count));
  return at::cat(pieces, 1);
}

// The anchor is the model at the step where the round's first period begins, not at step 0 of the
// run: with that one a late outer momentum diverges.
void Synchronizer::start(Round& round) {
  if (!needs_anchor(round.spec)) return;
  const at::Tensor x = columns_in(round, rows_.parameters());
  if (agreement_.equal()) {
    const std::int64_t rows = round.mixings.empty() ? 1 : x.size(0);
    round.anchor = x.narrow(0, 0, rows).clone();
    return;
  }
  const auto launched = exchange(round.mixings, 0, x, round.anchor);
  const double blocked = wait(*launched);
  ++counts_.of(round.spec.whom.kind);
  landed_.push_back({name_of(round.spec.whom.kind), step_, step_, blocked});
}

// Nothing has been launched yet, so there is nothing to wait for: the anchor is that of the start.
void Synchronizer::meet_start(Round& round) {
  const at::Tensor x = columns_in(round, rows_.parameters());
  meet(round, round.anchor, round.spec.merge.needs_launched ? x.clone() : at::Tensor());
}

void Synchronizer::meet(const Round& round, const at::Tensor& anchor, const at::Tensor& launched) {
  const auto landing = timeline_.during(Activity::land);
  const at::Tensor x = columns_in(round, rows_.parameters());
  round.spec.merge.meet(x, anchor, launched);
  if (round.spec.slice.whole()) return;
  std::int64_t at = 0;
  for (const Span& span : round.columns) {
    rows_.parameters().narrow(1, span.begin, span.count).copy_(x.narrow(1, at, span.count));
    at += span.count;
  }
}

std::unique_ptr<Exchange> Synchronizer::exchange(const Mixings& mixings, std::int64_t turn,
                                                 const at::Tensor& rows, at::Tensor& result,
                                                 Coder* coder, LosslessMean* lossless) {
  const auto launching = timeline_.during(Activity::launch);
  resize_result(mixings, rows, result);
  return timeline_.under_way(
      [&] { return launch_exchange(*comm_, mixings, turn, rows, result, coder, lossless); });
}

// BatchNorm's statistics travel with a round that makes all workers equal, and with no other: they
// belong to the parameters.
at::Tensor Synchronizer::message_of(Round& round) {
  const at::Tensor x =
      equalises(round.spec) ? rows_.everything() : columns_in(round, rows_.parameters());
  const bool deltas = round.spec.what == What::deltas, loss = round.spec.when.needs_loss;
  const bool move_on = round.spec.delay.steps > 0 || round.spec.merge.needs_launched;
  const bool mass = masses_.defined();
  if (!deltas && !loss && !move_on && !mass) return x;
  if (!round.copy.defined()) {
    round.copy = at::empty({x.size(0), x.size(1) + mass + loss}, x.options());
  }
  round.copy.narrow(1, 0, x.size(1)).copy_(x);
  if (mass) round.copy.select(1, x.size(1)).copy_(masses_);
  if (loss) {
    round.copy.select(1, x.size(1) + mass)
        .copy_(round.loss_sum / static_cast<double>(round.loss_steps));
  }
  if (!deltas) return round.copy;
  if (!round.message.defined()) round.message = at::empty_like(round.copy);
  round.message.copy_(round.copy);
  parameters_of(round, round.message).neg_().add_(round.anchor);
  return round.message;
}

// A learning rate of 0 says nothing of the next: the velocity stays as it is.
void Synchronizer::launch(Round& round, std::int64_t turn, double lr) {
  const auto launching = timeline_.during(Activity::launch);
  round.message = message_of(round);
  const std::int64_t delay = round.spec.delay.steps;
  const double ratio = lr != 0 && round.launch_lr != 0 ? lr / round.launch_lr : 1;
  round.flight.emplace(Flight{exchange(round.mixings, turn, round.message, round.mixed,
                                       round.coder.get(), round.lossless.get()),
                              {},
                              step_,
                              delay == kNever ? kNever : step_ + delay,
                              lr,
                              ratio});
  ++round.launches;
  if (lr != 0) round.launch_lr = lr;
  if (round.spec.state.kind == StatePolicy::Kind::average) launch_state(round, turn);
}

// The anchor moves, then the workers meet it. Whatever is waited for has come before anything
// moves.
void Synchronizer::land(Round& round) {
  const auto landing = timeline_.during(Activity::land);
  double blocked = wait(*round.flight->exchange);
  for (const auto& exchange : round.flight->state_exchanges) blocked += wait(*exchange);
  if (round.coder) round.coder->landed();
  const at::Tensor mixed = parameters_of(round, round.mixed);
  if (masses_.defined()) land_masses(round);
  at::Tensor anchor = mixed;
  if (needs_anchor(round.spec)) {
    const bool deltas = round.spec.what == What::deltas;
    anchor = round.anchor;
    if (round.spec.outer.has_velocity && !round.velocity.defined()) {
      round.velocity = at::zeros_like(anchor);
    }
    round.spec.outer.move({anchor, deltas ? at::Tensor() : mixed, deltas ? mixed : at::Tensor(),
                           round.velocity, round.flight->lr, round.flight->lr_ratio});
  }
  if (!take_over(round)) {
    meet(round, anchor, round.copy.defined() ? parameters_of(round, round.copy) : at::Tensor());
    if (equalises(round.spec)) {
      rows_.buffers().copy_(round.mixed.narrow(1, anchor.size(1), rows_.buffers().size(1)));
    }
  }
  if (equalises(round.spec) && round.flight->launched == step_) agreement_.adopted();
  if (round.spec.when.needs_loss) {
    round.landed_loss = round.mixed.select(1, round.mixed.size(1) - 1)[0].item<double>();
  }
  land_state(round);
  const Topology::Kind kind = round.spec.whom.kind;
  ++counts_.of(kind);
  landed_.push_back({name_of(kind), round.flight->launched, step_, blocked});
  round.flight.reset();
}

// Where workers become what came, a copy of a whole model can be spared.
bool Synchronizer::take_over(Round& round) {
  return round.spec.merge.adopts && !needs_anchor(round.spec) && rows_.swap(round.mixed);
}

// Neighbours' masses are mixed as their rows are. A mean over everyone is sum x / sum mass, and all
// masses are 1 again.
void Synchronizer::land_masses(Round& round) {
  const bool everyone = round.spec.whom.kind == Topology::Kind::everyone;
  const std::int64_t at = round.items + (equalises(round.spec) ? rows_.buffers().size(1) : 0);
  const at::Tensor mass = round.mixed.select(1, at).to(at::kDouble);
  if (everyone) {
    parameters_of(round, round.mixed).div_(mass[0].item<double>());
    masses_.fill_(1);
  } else {
    masses_.copy_(mass);
  }
}

void Synchronizer::launch_state(Round& round, std::int64_t turn) {
  ENTRAIN_CHECK(state_.reset);
  round.mixed_state.resize(state_.buffers.size());
  for (std::size_t i = 0; i < state_.buffers.size(); ++i) {
    round.flight->state_exchanges.push_back(
        exchange(round.mixings, turn, state_.buffers[i], round.mixed_state[i]));
  }
}

void Synchronizer::land_state(Round& round) {
  if (round.spec.state.kind == StatePolicy::Kind::reset) {
    ENTRAIN_CHECK(state_.reset);
    state_.reset();
  }
  for (std::size_t i = 0; i < round.mixed_state.size(); ++i) {
    state_.buffers[i].copy_(round.mixed_state[i]);
  }
}

void Synchronizer::keep_running_mean() {
  if (!running_mean_.defined()) running_mean_ = at::zeros_like(rows_.gradients());
}

at::Tensor Synchronizer::parameters_of(const Round& round, const at::Tensor& message) {
  return message.narrow(1, 0, round.items);
}

double Synchronizer::wait(Exchange& exchange) { return seconds_waited(*comm_, exchange); }

void Synchronizer::find_next_event() {
  next_event_ = kNever;
  for (const SliceAgenda& slice : slices_) {
    next_event_ = std::min(next_event_, slice.agenda.next());
  }
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
  validate(strategy_, comm.workers());
  gradients_.rebind(comm);
  for (Round& round : rounds_) {
    ENTRAIN_CHECK(!round.flight);
    round.mixings = mixings_of(round.spec.whom, comm.workers());
    if (stays_near(round.spec)) round.lossless = comm.lossless_mean();
  }
  comm_ = &comm;
  timeline_.rebind(comm);
}

std::vector<LandedRound> Synchronizer::take_landed() { return std::exchange(landed_, {}); }

}  // namespace entrain
