#include "entrain/strategy/gradient_rounds.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/core/errors.h"
#include "entrain/strategy/buckets.h"
#include "entrain/strategy/cost.h"
#include "entrain/strategy/round_exchange.h"

namespace entrain {

GradientRounds::GradientRounds(const Strategy& strategy, Rows& rows, Communicator& comm,
                               Timeline& timeline)
    : specs_(strategy.gradients),
      rows_(rows),
      comm_(&comm),
      timeline_(timeline),
      agenda_(gradient_agenda(strategy)) {
  for (const GradientRound& spec : specs_) {
    mixings_.push_back(mixings_of(spec.whom, comm.workers()));
    coders_.push_back(coder_for(spec.codec, rows, {{0, rows.layout().columns}}));
  }
  buckets_ = buckets_of(rows.layout(), can_send_early() ? comm.bucket_bytes() : std::nullopt);
}

bool GradientRounds::can_send_early() const {
  const auto exact = [](const GradientRound& spec) { return spec.codec.exact(); };
  return !specs_.empty() && std::ranges::all_of(specs_, exact) && rows_.workers() == 1;
}

// Whether a round is under way in this step; its schedule is asked once.
bool GradientRounds::begin(std::int64_t step) {
  if (flight_ || step < agenda_.next()) return flight_.has_value();
  const int firing = agenda_.fire(step, 0);
  if (firing >= 0) flight_.emplace(Flight{firing, agenda_.due_times(firing) - 1});
  agenda_.plan();
  return firing >= 0;
}

void GradientRounds::final_from(std::int64_t step, std::int64_t column) {
  if (!sends_early() || !begin(step)) return;
  const std::size_t sent = flight_->exchanges.size();
  if (sent > 0 && column >= buckets_[sent - 1].begin) {
    throw UsageError(
        "a second backward() in this step, after gradients of the first were sent: call "
        "loss.backward() for all but the last batch of a step, sync.backward(loss) for the last");
  }
  send(column);
}

bool GradientRounds::in_place() const {
  return comm_->averages_in_place() && mixings_[flight_->firing].empty() &&
         !coders_[flight_->firing];
}

// Of the buckets that have not left those that lie whole behind `column`.
void GradientRounds::send(std::int64_t column) {
  const Mixings& mixings = mixings_[flight_->firing];
  const bool in_place = this->in_place();
  if (!in_place) resize_result(mixings, rows_.gradients(), mean_);
  for (std::size_t i = flight_->exchanges.size(); i < buckets_.size(); ++i) {
    const auto& [begin, count] = buckets_[i];
    if (begin < column) return;
    const auto launching = timeline_.during(Activity::launch);
    rows_.verify();
    const at::Tensor own = rows_.gradients().narrow(1, begin, count);
    const at::Tensor mean = in_place ? own : mean_.narrow(1, begin, count);
    flight_->exchanges.push_back(timeline_.under_way([&] {
      return launch_exchange(*comm_, mixings, flight_->turn, own, mean,
                             coders_[flight_->firing].get());
    }));
  }
}

std::optional<GradientRounds::Landed> GradientRounds::reduce(std::int64_t step) {
  if (!begin(step)) return {};
  send(0);
  double blocked = 0;
  for (const auto& exchange : flight_->exchanges) blocked += seconds_waited(*comm_, *exchange);
  const auto landing = timeline_.during(Activity::land);
  if (coders_[flight_->firing]) coders_[flight_->firing]->landed();
  if (!in_place()) rows_.gradients().copy_(mean_);
  const bool everyone = mixings_[flight_->firing].empty();
  flight_.reset();
  return Landed{everyone, blocked};
}

void GradientRounds::rebind(Communicator& comm) {
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    mixings_[i] = mixings_of(specs_[i].whom, comm.workers());
  }
  comm_ = &comm;
}

}  // namespace entrain
