#include "entrain/train/prepare.h"

#include <algorithm>
#include <cmath>

#include "entrain/comm/address.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/data/partition.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/train/shown_model.h"

namespace entrain {
namespace {

int workers_per_process(const Resolved& resolved, const Place& place) {
  const int workers = resolved.values.workers > 0 ? resolved.values.workers : place.size;
  if (workers % place.size != 0) {
    throw UsageError(fmt::format("{}: workers = {}: must be divisible by the {} processes",
                                 resolved.origin("workers"), workers, place.size));
  }
  return workers / place.size;
}

std::chrono::milliseconds duration(const std::string& text) {
  const Value value = parse_value(text);
  const double scale = value.name == "s"     ? 1e3
                       : value.name == "ms"  ? 1
                       : value.name == "min" ? 6e4
                                             : 0;
  const double milliseconds = value.number * scale;
  if (value.kind != Value::Kind::number || !(milliseconds >= 1) || milliseconds > 1e9) {
    throw UsageError(fmt::format("'{}': a time with its unit, as in 60 s", text));
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds));
}

// Ranks give signs of life eight times in it; a busy machine is not held to a shorter one.
std::chrono::milliseconds patience(const std::string& text) {
  const std::chrono::milliseconds given = duration(text);
  if (given < std::chrono::seconds(1)) {
    throw UsageError(fmt::format("'{}': must be at least 1 s", text));
  }
  return given;
}

std::int64_t steps_of(const std::string& text, const RunFacts& facts) {
  static const std::vector<Parameter> parameters = {{"steps"}};
  const Value every = call("every", {{"", parse_value(text)}});
  const std::int64_t steps = Arguments(every, parameters, facts).steps("steps");
  if (steps < 1) throw UsageError(fmt::format("'{}': must be at least 1 step", text));
  return steps;
}

Sampler build_sampler(const Resolved& resolved, const Samples& samples, int workers) {
  const Settings& settings = resolved.values;
  const PartitionInput input = partition_input(samples);
  located(resolved, "workers", [&] { require_enough_samples(input.samples, workers); });
  Shards shards = located(resolved, "data.partition", [&] {
    return build_partition(settings.data.partition)(input, workers, settings.seed);
  });
  return located(resolved, "train.batch",
                 [&] { return Sampler(std::move(shards), settings.train.batch, settings.seed); });
}

Task task_of(const Dataset& data) {
  const auto sizes = data.train.inputs.sizes();
  return {sizes[1], sizes[2], sizes[3], data.classes};
}

bool names_first_decay(const Settings::Strategy& spec) {
  std::string texts = spec.preset;
  for (const RoundText& round : spec.rounds) {
    for (const auto& [key, text] : round) texts += " " + text;
  }
  return texts.find("first_decay") != std::string::npos;
}

Strategy build_strategy(const Resolved& resolved, const RunFacts& facts) {
  const Settings::Strategy& spec = resolved.values.strategy;
  if (spec.rounds.empty()) {
    return located(resolved, "strategy.preset", [&] { return parse_strategy(spec.preset, facts); });
  }
  for (std::size_t i = 0; i < spec.rounds.size(); ++i) {
    located(resolved, fmt::format("strategy.round[{}]", i),
            [&] { return strategy_from_rounds({spec.rounds[i]}, facts); });
  }
  return located(resolved, "strategy.round[0]",
                 [&] { return strategy_from_rounds(spec.rounds, facts); });
}

void load_data(const Resolved& resolved, Prepared& prepared) {
  const Settings& settings = resolved.values;
  prepared.data = std::make_unique<Dataset>(located(
      resolved, "data.name", [&] { return load_dataset(settings.data.name, settings.data.root); }));
  prepared.sampler = build_sampler(resolved, prepared.data->train, prepared.workers());
  prepared.facts.steps_per_epoch = prepared.sampler->steps_per_epoch();
}

at::ScalarType type_of_rows(const Settings& settings) {
  return settings.train.dtype == "float64" ? at::kDouble : at::kFloat;
}

void load_problem(const Resolved& resolved, Prepared& prepared) {
  const Settings& settings = resolved.values;
  const Settings usual;
  for (const char* key : {"data.name", "model.name", "train.epochs"}) {
    const Setting& setting = *find_setting(key);
    if (value_text(setting, settings) == value_text(setting, usual)) continue;
    throw UsageError(fmt::format("{}: {}: has no meaning beside problem.name = {}",
                                 resolved.origin(key), key, settings.problem.name));
  }
  if (settings.train.steps == 0) {
    throw UsageError(fmt::format("{}: problem.name: a problem has no epochs; give train.steps",
                                 resolved.origin("problem.name")));
  }
  located(resolved, "data.partition", [&] { build_partition(settings.data.partition); });
  prepared.problem = located(resolved, "problem.name", [&] {
    return build_problem(parse_value(settings.problem.name),
                         prepared.facts)({.workers = prepared.workers(),
                                          .batch = settings.train.batch,
                                          .seed = settings.seed,
                                          .type = type_of_rows(settings),
                                          .data_root = settings.data.root,
                                          .partition = settings.data.partition});
  });
}

std::int64_t steps_of_run(const Settings::Train& train, std::int64_t steps_per_epoch) {
  if (train.steps > 0) return train.steps;
  return std::max<std::int64_t>(1,
                                std::llround(train.epochs * static_cast<double>(steps_per_epoch)));
}

std::int64_t steps_between_evaluations(const Resolved& resolved, const Prepared& prepared) {
  const std::string& every = resolved.values.evaluation.every;
  if (every != "auto") {
    return located(resolved, "evaluation.every", [&] { return steps_of(every, prepared.facts); });
  }
  return prepared.problem ? std::max<std::int64_t>(1, prepared.facts.steps / 50)
                          : prepared.facts.steps_per_epoch;
}

Objective build_objective(const Resolved& resolved, const Prepared& prepared) {
  const Settings& settings = resolved.values;
  Objective objective{.data = prepared.data.get(),
                      .sampler = prepared.sampler ? &*prepared.sampler : nullptr,
                      .problem = prepared.problem.get(),
                      .type = type_of_rows(settings),
                      .batch = settings.train.batch,
                      .seed = settings.seed};
  if (prepared.problem) return objective;
  objective.task = task_of(*prepared.data);
  objective.make_model = located(resolved, "model.name", [&] {
    return build_model(parse_value(settings.model.name), prepared.facts);
  });
  return objective;
}

Training build_training(const Resolved& resolved, const Prepared& prepared) {
  const Settings& settings = resolved.values;
  const RunFacts& facts = prepared.facts;
  Training training;
  training.objective = build_objective(resolved, prepared);
  training.strategy = build_strategy(resolved, facts);
  training.make_optimizer = located(resolved, "train.optimizer", [&] {
    return build_optimizer(parse_value(settings.train.optimizer), facts);
  });
  training.lr_schedule = located(resolved, "train.lr_schedule", [&] {
    return parse_lr_schedule(settings.train.lr_schedule, facts);
  });
  return training;
}

}  // namespace

Prepared prepare(const Resolved& resolved) {
  const Settings& settings = resolved.values;
  Prepared prepared;
  prepared.comm.via = settings.comm.transport == "mpi" ? Via::mpi : Via::gloo;
  prepared.place = located(resolved, "comm.transport",
                           [&] { return place_for(prepared.comm.via, environment()); });
  prepared.local_workers = workers_per_process(resolved, prepared.place);
  prepared.threads = plan_threads(settings.threads.intra, settings.threads.workers,
                                  prepared.local_workers, prepared.place);
  prepared.comm.local_workers = prepared.local_workers;
  prepared.comm.sums = settings.comm.sums == "reproducible" ? Sums::reproducible : Sums::fast;
  prepared.comm.links = settings.comm.links == "auto"   ? Links::measured
                        : settings.comm.links == "long" ? Links::long_
                                                        : Links::short_;
  prepared.comm.lossless = settings.comm.compression == "lossless";
  prepared.comm.interface = settings.comm.interface;
  prepared.comm.join_timeout =
      located(resolved, "comm.join_timeout", [&] { return duration(settings.comm.join_timeout); });
  prepared.comm.patience =
      located(resolved, "comm.patience", [&] { return patience(settings.comm.patience); });
  if (prepared.place.size > 1 && !settings.comm.interface.empty()) {
    located(resolved, "comm.interface",
            [&] { own_address_towards(prepared.place, prepared.comm.interface); });
  }
  RunFacts& facts = prepared.facts;
  facts.workers = prepared.workers();
  facts.batch = settings.train.batch;
  facts.seed = settings.seed;
  settings.problem.name.empty() ? load_data(resolved, prepared) : load_problem(resolved, prepared);
  facts.steps = steps_of_run(settings.train, facts.steps_per_epoch);
  if (names_first_decay(settings.strategy)) {
    facts.first_decay =
        first_decay(located(resolved, "train.lr_schedule",
                            [&] { return parse_lr_schedule(settings.train.lr_schedule, facts); }),
                    facts.steps);
  }
  prepared.training = build_training(resolved, prepared);
  located(resolved, "evaluation.model", [&] {
    require_model(shown_model(settings.evaluation.model), prepared.training.strategy);
  });
  prepared.network = simulated_network(resolved, prepared.place, facts);
  prepared.evaluate_every = steps_between_evaluations(resolved, prepared);
  return prepared;
}

}  // namespace entrain
