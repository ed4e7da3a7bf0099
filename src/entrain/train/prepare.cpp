#include "entrain/train/prepare.h"

#include <algorithm>
#include <cmath>

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

std::optional<SimulatedNetwork> build_network(const Resolved& resolved, const Place& place,
                                              const RunFacts& facts) {
  const Settings::Network& spec = resolved.values.network;
  if (spec.bandwidth.empty()) {
    if (spec == Settings::Network()) return std::nullopt;
    throw UsageError("network: a simulated network needs network.bandwidth, as in 1 Gbit/s");
  }
  SimulatedNetwork built;
  located(resolved, "network.bandwidth", [&] {
    if (place.size > 1) {
      throw UsageError("a simulated network has all workers in one process; start one");
    }
    built.network.link.bandwidth = parse_bandwidth(spec.bandwidth);
  });
  located(resolved, "network.latency",
          [&] { built.network.link.latency = parse_seconds(spec.latency); });
  built.network.collective = spec.collective == "tree"   ? Network::Collective::tree
                             : spec.collective == "ring" ? Network::Collective::ring
                                                         : Network::Collective::halving_doubling;
  built.compute = located(resolved, "network.compute", [&] {
    return build(compute_time_choices(), parse_value(spec.compute), "compute time", facts);
  });
  built.straggler = located(resolved, "network.straggler", [&] {
    return build(straggler_choices(), parse_value(spec.straggler), "straggler", facts);
  });
  return built;
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

Training build_training(const Resolved& resolved, const Dataset& data, const RunFacts& facts) {
  const Settings& settings = resolved.values;
  Training training;
  training.data = &data;
  training.task = task_of(data);
  training.type = settings.train.dtype == "float64" ? at::kDouble : at::kFloat;
  training.batch = settings.train.batch;
  training.seed = settings.seed;
  training.strategy = build_strategy(resolved, facts);
  training.make_model = located(
      resolved, "model.name", [&] { return build_model(parse_value(settings.model.name), facts); });
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
  prepared.place = place_from(environment());
  prepared.local_workers = workers_per_process(resolved, prepared.place);
  prepared.threads = plan_threads(settings.threads.intra, settings.threads.workers,
                                  prepared.local_workers, prepared.place);
  prepared.comm.local_workers = prepared.local_workers;
  prepared.comm.sums = settings.comm.sums == "reproducible" ? Sums::reproducible : Sums::fast;
  prepared.comm.join_timeout =
      located(resolved, "comm.join_timeout", [&] { return duration(settings.comm.join_timeout); });
  prepared.data = std::make_unique<Dataset>(located(
      resolved, "data.name", [&] { return load_dataset(settings.data.name, settings.data.root); }));
  prepared.sampler = build_sampler(resolved, prepared.data->train, prepared.workers());
  RunFacts& facts = prepared.facts;
  facts.workers = prepared.workers();
  facts.batch = settings.train.batch;
  facts.seed = settings.seed;
  facts.steps_per_epoch = prepared.sampler->steps_per_epoch();
  facts.steps =
      settings.train.steps > 0
          ? settings.train.steps
          : std::max<std::int64_t>(1, std::llround(settings.train.epochs *
                                                   static_cast<double>(facts.steps_per_epoch)));
  if (names_first_decay(settings.strategy)) {
    facts.first_decay =
        first_decay(located(resolved, "train.lr_schedule",
                            [&] { return parse_lr_schedule(settings.train.lr_schedule, facts); }),
                    facts.steps);
  }
  prepared.training = build_training(resolved, *prepared.data, facts);
  located(resolved, "evaluation.model", [&] {
    require_model(shown_model(settings.evaluation.model), prepared.training.strategy);
  });
  prepared.network = build_network(resolved, prepared.place, facts);
  prepared.evaluate_every = located(resolved, "evaluation.every",
                                    [&] { return steps_of(settings.evaluation.every, facts); });
  return prepared;
}

}  // namespace entrain
