#include "entrain/strategy/cost.h"

#include "entrain/comm/metered.h"

namespace entrain {
namespace {

template <class Round>
Agenda agenda_of(const std::vector<Round>& rounds) {
  std::vector<Schedule> schedules;
  for (const Round& round : rounds) schedules.push_back(round.when);
  return Agenda(std::move(schedules));
}

}  // namespace

Agenda gradient_agenda(const Strategy& strategy) { return agenda_of(strategy.gradients); }
Agenda parameter_agenda(const Strategy& strategy) { return agenda_of(strategy.parameters); }

bool needs_anchor(const ParameterRound& round) {
  return round.what == What::deltas || round.outer.has_velocity || round.delay.first_anchor;
}

double effective_step(const Strategy& strategy) {
  for (const ParameterRound& round : strategy.parameters) {
    if (round.merge.text.name != "pull" || !round.delay.first_anchor) continue;
    const double alpha = round.merge.text.arguments.at(0).value.number;
    const double beta =
        round.outer.has_velocity ? round.outer.text.arguments.at(0).value.number : 0;
    return (1 - alpha) / (1 - alpha * beta);
  }
  return 1;
}

Cost predict_cost(const Strategy& strategy, int n, std::int64_t steps, RowBytes row) {
  Cost cost;
  Agenda gradients = gradient_agenda(strategy), parameters = parameter_agenda(strategy);
  Agreement agreement;
  double bytes = 0;
  for (std::int64_t step = 1; step <= steps; ++step) {
    const bool averaged = gradients.fire(step) >= 0;
    if (averaged) bytes += row.parameters;
    cost.rounds.gradients += averaged;
    agreement.stepped(averaged);
    const int firing = parameters.fire(step);
    if (firing >= 0) {
      const ParameterRound& round = strategy.parameters[firing];
      bytes += row.parameters + (round.merge.adopts ? row.buffers : 0);
      ++cost.rounds.everyone;
      if (round.delay.steps == 0 && round.merge.adopts) agreement.adopted();
    }
    for (const ParameterRound& round : strategy.parameters) {
      if (round.when.start != step || !needs_anchor(round) || agreement.equal()) continue;
      bytes += row.parameters;  // the anchor is the average
      ++cost.rounds.everyone;
    }
  }
  cost.bytes_sent_per_worker = everyone_bytes(n, bytes);
  return cost;
}

}  // namespace entrain
