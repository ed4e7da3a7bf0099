#include "entrain/strategy/cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "entrain/comm/metered.h"
#include "entrain/strategy/coder.h"

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
    all.push_back(mixings_of(round.whom, n));
  }
  return all;
}

}  // namespace

Agenda gradient_agenda(const Strategy& strategy) { return agenda_of(strategy.gradients); }

std::vector<SliceAgenda> parameter_agendas(const Strategy& strategy) {
  std::map<std::int64_t, std::vector<std::size_t>> by_slice;
  for (std::size_t i = 0; i < strategy.parameters.size(); ++i) {
    by_slice[strategy.parameters[i].slice.index].push_back(i);
  }
  std::vector<SliceAgenda> agendas;
  for (const auto& [index, rounds] : by_slice) {
    std::vector<Schedule> schedules;
    for (const std::size_t i : rounds) schedules.push_back(strategy.parameters[i].when);
    agendas.push_back({rounds, Agenda(std::move(schedules))});
  }
  return agendas;
}

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

bool needs_shapes(const Strategy& strategy) {
  const auto low_rank = [](const auto& round) { return round.codec.rank > 0; };
  const auto fragment = [](const ParameterRound& round) { return !round.slice.whole(); };
  return std::any_of(strategy.gradients.begin(), strategy.gradients.end(), low_rank) ||
         std::any_of(strategy.parameters.begin(), strategy.parameters.end(), low_rank) ||
         std::any_of(strategy.parameters.begin(), strategy.parameters.end(), fragment);
}

bool equalises(const ParameterRound& round) {
  return round.merge.adopts && round.whom.kind == Topology::Kind::everyone && round.slice.whole();
}

bool stays_near(const ParameterRound& round) {
  return round.what == What::parameters && round.codec.exact() &&
         round.whom.kind == Topology::Kind::everyone;
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

namespace {

// What a round's message of parameters or gradients costs a worker.
template <class Round>
double message_cost(const Round& round, const Slice& slice, const Mixings& mixings, int n,
                    std::int64_t turn, const RowBytes& row) {
  const double messages = messages_of(round.whom, mixings, n, turn);
  const auto item = static_cast<std::int64_t>(row.item);
  double bytes = row.parameters / static_cast<double>(slice.of);
  MessageTensors tensors;
  if (row.layout) {
    tensors = tensors_of(*row.layout, columns_of(slice, *row.layout));
    bytes = static_cast<double>(tensors.columns * item);
  } else if (!round.codec.exact()) {
    tensors = square_tensor(static_cast<std::int64_t>(bytes / row.item));
  }
  if (round.codec.exact()) return messages * bytes;
  return coded_bytes(round.codec, tensors, item, n,
                     mixings.empty() ? std::nullopt : std::optional(messages));
}

}  // namespace

Cost predict_cost(const Strategy& strategy, int n, std::int64_t steps, RowBytes row,
                  const LrOfStep& lr) {
  Cost cost;
  Agenda gradients = gradient_agenda(strategy);
  std::vector<SliceAgenda> slices = parameter_agendas(strategy);
  const std::vector<Mixings> gradient_mixings = mixings_of(strategy.gradients, n);
  const std::vector<Mixings> parameter_mixings = mixings_of(strategy.parameters, n);
  const bool masses = std::any_of(strategy.parameters.begin(), strategy.parameters.end(),
                                  [](const ParameterRound& round) { return round.whom.push_sum; });
  Agreement agreement;
  // Steps at which nothing can happen are passed over.
  const auto next_event = [&](std::int64_t step) {
    std::int64_t next = gradients.next();
    for (const SliceAgenda& slice : slices) next = std::min(next, slice.agenda.next());
    for (const ParameterRound& round : strategy.parameters) {
      if (round.when.start > step) next = std::min(next, round.when.start);
    }
    if (next > step + 1) agreement.stepped(false);
    return std::max(next, step + 1);
  };
  for (std::int64_t step = 0; (step = next_event(step)) <= steps;) {
    const int averaged = gradients.fire(step, lr(step));
    if (averaged >= 0) {
      cost.bytes_sent_per_worker +=
          message_cost(strategy.gradients[averaged], {}, gradient_mixings[averaged], n,
                       gradients.due_times(averaged) - 1, row);
      ++cost.rounds.gradients;
    }
    gradients.plan();
    agreement.stepped(averaged >= 0 &&
                      strategy.gradients[averaged].whom.kind == Topology::Kind::everyone);
    for (SliceAgenda& slice : slices) {
      const int firing = slice.agenda.fire(step, lr(step));
      if (firing >= 0) {
        const ParameterRound& round = strategy.parameters[slice.rounds[firing]];
        const Mixings& mixings = parameter_mixings[slice.rounds[firing]];
        const std::int64_t turn = slice.agenda.due_times(firing) - 1;
        const double beside = (equalises(round) ? row.buffers : 0) +
                              (round.when.needs_loss ? row.item : 0) + (masses ? row.item : 0) +
                              (round.state.kind == StatePolicy::Kind::average ? row.state : 0);
        cost.bytes_sent_per_worker += message_cost(round, round.slice, mixings, n, turn, row) +
                                      beside * messages_of(round.whom, mixings, n, turn);
        ++cost.rounds.of(round.whom.kind);
        if (round.delay.steps == 0 && equalises(round)) agreement.adopted();
      }
      slice.agenda.plan(std::vector<double>(slice.rounds.size(), 1.0));
    }
    for (std::size_t i = 0; i < strategy.parameters.size(); ++i) {
      ParameterRound round = strategy.parameters[i];
      if (round.when.start != step || !needs_anchor(round) || agreement.equal()) continue;
      round.codec = {};  // the anchor is the average, exact
      cost.bytes_sent_per_worker +=
          message_cost(round, round.slice, parameter_mixings[i], n, 0, row);
      ++cost.rounds.of(round.whom.kind);
    }
  }
  return cost;
}

}  // namespace entrain
