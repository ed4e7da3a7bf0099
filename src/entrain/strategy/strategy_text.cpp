#include "entrain/strategy/strategy_text.h"

#include <algorithm>

#include "entrain/core/errors.h"
#include "entrain/strategy/catalogue.h"

namespace entrain {
namespace {

const std::vector<Parameter> kGradientFields = {
    {"when", "every(1)"}, {"whom", "everyone"}, {"codec", "exact"}};

const std::vector<Parameter> kParameterFields = {
    {"when", "every(1)"}, {"whom", "everyone"},  {"codec", "exact"}, {"outer", "mean"},
    {"merge", "adopt"},   {"delay", "steps(0)"}, {"slice", "all"},   {"state", "local"}};

void add_gradients(Strategy& strategy, const Value& value, const RunFacts& facts) {
  const Arguments a(value, kGradientFields, facts);
  strategy.gradients.push_back({.when = build_schedule(a.value("when"), facts),
                                .whom = build_topology(a.value("whom"), facts),
                                .codec = build_codec(a.value("codec"), facts)});
}

void add_parameters(Strategy& strategy, const Value& value, What what, const RunFacts& facts) {
  const Arguments a(value, kParameterFields, facts);
  strategy.parameters.push_back(
      {.when = build_schedule(a.value("when"), facts),
       .whom = build_topology(a.value("whom"), facts),
       .what = what,
       .codec = build_codec(a.value("codec"), facts),
       .outer = build(outer_choices(), a.value("outer"), "outer", facts),
       .merge = build(merge_choices(), a.value("merge"), "merge", facts),
       .delay = build(delay_choices(), a.value("delay"), "delay", facts),
       .slice = build(slice_choices(), a.value("slice"), "slice", facts),
       .state = build(state_choices(), a.value("state"), "state policy", facts)});
}

bool is_round(const Value& value) {
  return value.name == "gradients" || value.name == "parameters" || value.name == "deltas";
}

void add_round(Strategy& strategy, const Value& value, const RunFacts& facts) {
  static const std::vector<std::string> kinds = {"gradients", "parameters", "deltas"};
  if (value.name == "gradients") {
    add_gradients(strategy, value, facts);
  } else if (value.name == "parameters") {
    add_parameters(strategy, value, What::parameters, facts);
  } else if (value.name == "deltas") {
    add_parameters(strategy, value, What::deltas, facts);
  } else {
    for (const Preset& preset : catalogue()) {
      if (preset.choice.name != value.name) continue;
      throw UsageError(
          fmt::format("{}: a method with a name cannot be added to rounds; spell its rounds out",
                      print(value)));
    }
    refuse_choice(value, "kind of round", kinds);
  }
}

void add_field(Value& round, const std::vector<Parameter>& fields, const char* name,
               const Value& value) {
  for (const Parameter& field : fields) {
    if (field.name == name && print(value) != *field.fallback) {
      round.arguments.push_back({name, value});
    }
  }
}

Value text_of(const GradientRound& round) {
  Value text = call("gradients");
  add_field(text, kGradientFields, "when", round.when.text);
  add_field(text, kGradientFields, "whom", round.whom.text);
  add_field(text, kGradientFields, "codec", round.codec.text);
  return text;
}

Value text_of(const ParameterRound& round) {
  Value text = call(round.what == What::deltas ? "deltas" : "parameters");
  add_field(text, kParameterFields, "when", round.when.text);
  add_field(text, kParameterFields, "whom", round.whom.text);
  add_field(text, kParameterFields, "codec", round.codec.text);
  add_field(text, kParameterFields, "outer", round.outer.text);
  add_field(text, kParameterFields, "merge", round.merge.text);
  add_field(text, kParameterFields, "delay", round.delay.text);
  add_field(text, kParameterFields, "slice", round.slice.text);
  add_field(text, kParameterFields, "state", round.state.text);
  return text;
}

template <class Round>
void refuse(const Round& round, const std::string& why) {
  throw UsageError(fmt::format("{}: {}", print(text_of(round)), why));
}

// Slices are equal or disjoint: fragments of one division, or the whole model.
void require_one_division(const std::vector<ParameterRound>& rounds) {
  for (const ParameterRound& round : rounds) {
    const Slice& first = rounds[0].slice;
    if (round.slice.of == first.of && (first.whole() || round.slice.strided == first.strided)) {
      continue;
    }
    refuse(round,
           fmt::format("its slice overlaps with that of {}; slices must be equal or disjoint",
                       print(text_of(rounds[0]))));
  }
}

template <class Round>
void require_order(const std::vector<Round>& rounds) {
  for (std::size_t i = 1; i < rounds.size(); ++i) {
    if (rounds[i].whom.kind >= rounds[i - 1].whom.kind) continue;
    refuse(rounds[i], fmt::format("stands behind {}; list rounds from narrow to wide (neighbours, "
                                  "groups, everyone)",
                                  print(text_of(rounds[i - 1]))));
  }
}

// What a codec leaves out of parameters is lost to the model; what it leaves out of the messages of
// a walk along a graph differs from worker to worker.
template <class Round>
void validate_codec(const Round& round, bool parameters) {
  const Codec& codec = round.codec;
  if (parameters && !codec.exact() && !codec.of_parameters) {
    refuse(round, fmt::format("{} is for gradients and deltas: of parameters it would leave out a "
                              "part of the model",
                              print(codec.text)));
  }
  if (round.whom.kind != Topology::Kind::everyone && (codec.rows || codec.rank > 0)) {
    refuse(round, fmt::format("{} is for rounds over everyone", print(codec.text)));
  }
}

void validate_round(const GradientRound& round) {
  if (round.whom.push_sum) refuse(round, "push-sum is for parameters");
  validate_codec(round, false);
  if (round.when.needs_loss || round.when.needs_lr) {
    refuse(round,
           "a round of gradients comes before the loss and the learning rate of its step are "
           "known; this schedule is for parameters");
  }
}

void validate_round(const ParameterRound& round) {
  validate_codec(round, round.what == What::parameters);
  const bool neighbours = round.whom.kind == Topology::Kind::neighbours;
  if (round.when.needs_loss && round.whom.kind != Topology::Kind::everyone) {
    refuse(round, "the loss that this schedule reads travels with rounds over everyone only");
  }
  if (neighbours && round.what == What::deltas) {
    refuse(round, "deltas are from a common anchor, and neighbours have none; send parameters");
  }
  if (neighbours && (round.outer.keeps_anchor || round.delay.first_anchor)) {
    refuse(round, "neighbours have no common anchor to move; use a round over everyone or groups");
  }
  if (round.state.kind == StatePolicy::Kind::average &&
      (!round.slice.whole() || round.delay.steps != 0 || round.merge.text.name != "adopt")) {
    refuse(
        round,
        "state=average goes with delay=steps(0), merge=adopt and slice=all: buffers are averaged "
        "where all parameters are");
  }
}

// Rows are not models while masses differ, so with push-sum every round blocks and is adopted
// whole.
void validate_push_sum(const std::vector<ParameterRound>& rounds) {
  const bool used = std::any_of(rounds.begin(), rounds.end(),
                                [](const auto& round) { return round.whom.push_sum; });
  for (const ParameterRound& round : rounds) {
    if (!used) return;
    const bool plain = round.what == What::parameters && !round.outer.keeps_anchor &&
                       round.merge.text.name == "adopt" && round.delay.steps == 0 &&
                       round.slice.whole() && round.state.kind == StatePolicy::Kind::local;
    const bool partner = round.whom.push_sum || round.whom.kind == Topology::Kind::everyone;
    if (plain && partner) continue;
    refuse(round,
           "goes not with push-sum, which takes rounds of parameters over everyone or with "
           "push-sum, adopted at once and whole");
  }
}

}  // namespace

Strategy parse_strategy(const std::string& text, const RunFacts& facts) {
  const std::vector<Value> values = parse_values(text, '+');
  Strategy strategy;
  if (values.size() == 1 && !is_round(values[0])) {
    strategy = build_preset(values[0], facts);
  } else {
    for (const Value& value : values) add_round(strategy, value, facts);
  }
  validate(strategy, facts.workers);
  return strategy;
}

Strategy strategy_from_rounds(const std::vector<std::map<std::string, std::string>>& rounds,
                              const RunFacts& facts) {
  Strategy strategy;
  for (const auto& table : rounds) {
    if (!table.contains("of")) {
      throw UsageError(
          "a [[strategy.round]] needs of = \"gradients\", \"parameters\" or \"deltas\"");
    }
    Value round = call(table.at("of"));
    for (const auto& [key, text] : table) {
      if (key != "of") round.arguments.push_back({key, parse_value(text)});
    }
    add_round(strategy, round, facts);
  }
  validate(strategy, facts.workers);
  return strategy;
}

std::string print(const Strategy& strategy) {
  return strategy.preset.empty() ? print_rounds(strategy) : strategy.preset;
}

std::string print_rounds(const Strategy& strategy) {
  std::vector<std::string> rounds;
  for (const GradientRound& round : strategy.gradients) rounds.push_back(print(text_of(round)));
  for (const ParameterRound& round : strategy.parameters) rounds.push_back(print(text_of(round)));
  return fmt::format("{}", fmt::join(rounds, " + "));
}

void validate(const Strategy& strategy, int n) {
  if (strategy.gradients.empty() && strategy.parameters.empty()) {
    throw UsageError("a strategy needs at least one round, as in parameters(when=every(8))");
  }
  require_order(strategy.gradients);
  require_order(strategy.parameters);
  require_one_division(strategy.parameters);
  validate_push_sum(strategy.parameters);
  const auto check = [n](const auto& round) {
    validate_round(round);
    if (n > 0 && round.whom.mixings) round.whom.mixings(n);
  };
  for (const GradientRound& round : strategy.gradients) check(round);
  for (const ParameterRound& round : strategy.parameters) check(round);
}

}  // namespace entrain
