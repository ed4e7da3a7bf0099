#include "entrain/strategy/cost.h"

#include <fmt/format.h>

#include <algorithm>

#include "entrain/comm/metered.h"

namespace entrain {
namespace {

template <class Round>
Agenda agenda_of(const std::vector<Round>& rounds) {
  std::vector<Schedule> schedules;
  for (const Round& round : rounds) schedules.push_back(round.when);
  return Agenda(std::move(schedules));
}

template <class Round>
std::vector<Mixings> mixings_of(const std::vector<Round>& rounds, int n) {
  std::vector<Mixings> all;
  for (const Round& round : rounds) {
    all.push_back(round.whom.mixings ? round.whom.mixings(n) : Mixings());
  }
  return all;
}

}  // namespace

Agenda gradient_agenda(const Strategy& strategy) { return agenda_of(strategy.gradients); }
Agenda parameter_agenda(const Strategy& strategy) { return agenda_of(strategy.parameters); }

std::string print(const RoundCounts& rounds) {
  std::vector<std::string> parts;
  const auto add = [&](std::int64_t count, const char* kind) {
    if (count > 0) parts.push_back(fmt::format("{} {}", count, kind));
  };
  add(rounds.everyone, "everyone");
  add(rounds.groups, "groups");
  add(rounds.neighbours, "neighbours");
  add(rounds.gradients, "gradients");
  return parts.empty() ? "none" : fmt::format("{}", fmt::join(parts, ", "));
}

bool reads_loss(const Strategy& strategy) {
  return std::any_of(strategy.parameters.begin(), strategy.parameters.end(),
                     [](const ParameterRound& round) { return round.when.needs_loss; });
}

bool equalises(const ParameterRound& round) {
  return round.merge.adopts && round.whom.kind == Topology::Kind::everyone;
}

bool needs_anchor(const ParameterRound& round) {
  return round.what == What::deltas || round.outer.keeps_anchor || round.delay.first_anchor;
}

double effective_step(const Strategy& strategy) {
  for (const ParameterRound& round : strategy.parameters) {
    const std::string& outer = round.outer.text.name;
    if (round.merge.text.name != "pull" || !round.delay.first_anchor) continue;
    if (outer != "mean" && outer != "momentum") continue;
    const double alpha = round.merge.text.arguments.at(0).value.number;
    const double beta = outer == "mean" ? 0 : round.outer.text.arguments.at(0).value.number;
    return (1 - alpha) / (1 - alpha * beta);
  }
  return 1;
}

Cost predict_cost(const Strategy& strategy, int n, std::int64_t steps, RowBytes row,
                  const LrOfStep& lr) {
  Cost cost;
  Agenda gradients = gradient_agenda(strategy), parameters = parameter_agenda(strategy);
  const std::vector<Mixings> gradient_mixings = mixings_of(strategy.gradients, n);
  const std::vector<Mixings> parameter_mixings = mixings_of(strategy.parameters, n);
  const std::vector<double> losses(strategy.parameters.size(), 1.0);
  Agreement agreement;
  // Steps at which nothing can happen are passed over.
  const auto next_event = [&](std::int64_t step) {
    std::int64_t next = std::min(gradients.next(), parameters.next());
    for (const ParameterRound& round : strategy.parameters) {
      if (round.when.start > step) next = std::min(next, round.when.start);
    }
    if (next > step + 1) agreement.stepped(false);
    return std::max(next, step + 1);
  };
  for (std::int64_t step = 0; (step = next_event(step)) <= steps;) {
    const int averaged = gradients.fire(step, lr(step));
    if (averaged >= 0) {
      cost.bytes_sent_per_worker += row.parameters * messages_of(strategy.gradients[averaged].whom,
                                                                 gradient_mixings[averaged], n,
                                                                 gradients.due_times(averaged) - 1);
      ++cost.rounds.gradients;
    }
    gradients.plan();
    agreement.stepped(averaged >= 0 &&
                      strategy.gradients[averaged].whom.kind == Topology::Kind::everyone);
    const int firing = parameters.fire(step, lr(step));
    if (firing >= 0) {
      const ParameterRound& round = strategy.parameters[firing];
      const double message = row.parameters + (equalises(round) ? row.buffers : 0) +
                             (round.when.needs_loss ? row.item : 0) +
                             (round.state.kind == StatePolicy::Kind::average ? row.state : 0);
      cost.bytes_sent_per_worker += message * messages_of(round.whom, parameter_mixings[firing], n,
                                                          parameters.due_times(firing) - 1);
      ++cost.rounds.of(round.whom.kind);
      if (round.delay.steps == 0 && equalises(round)) agreement.adopted();
    }
    parameters.plan(losses);
    for (std::size_t i = 0; i < strategy.parameters.size(); ++i) {
      const ParameterRound& round = strategy.parameters[i];
      if (round.when.start != step || !needs_anchor(round) || agreement.equal()) continue;
      cost.bytes_sent_per_worker +=  // the anchor is the average
          row.parameters * messages_of(round.whom, parameter_mixings[i], n, 0);
      ++cost.rounds.of(round.whom.kind);
    }
  }
  return cost;
}

}  // namespace entrain
