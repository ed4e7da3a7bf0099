#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "bench/bench.h"
#include "bench/peer.h"
#include "entrain/comm/local.h"
#include "entrain/comm/metered.h"
#include "entrain/comm/transport.h"
#include "entrain/core/cpu_time.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"
#include "entrain/core/stopwatch.h"
#include "entrain/data/glyphs.h"
#include "entrain/data/partition.h"
#include "entrain/strategy/algorithms.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/train/machine.h"
#include "entrain/train/threads.h"
#include "entrain/train/worker.h"

namespace entrain {
namespace {

constexpr std::int64_t kBatches = 32;     // of each worker's share of the data
constexpr std::int64_t kIdlePeriod = 16;  // steps at a time without communication
constexpr std::int64_t kPeerWarm = 2;     // steps, in which PyTorch arranges its buckets

// The least common multiple of the periods of a strategy's rounds.
std::int64_t period_of(const Strategy& strategy) {
  std::int64_t period = 1;
  const auto add = [&](const Schedule& when) {
    if (when.text.name != "every" || when.text.arguments.empty()) {
      throw UsageError(fmt::format(
          "bench strategy measures whole periods, and {} of {} has no fixed one; use every(h)",
          print(when.text), print(strategy)));
    }
    period = std::lcm(period, static_cast<std::int64_t>(when.text.arguments[0].value.number));
  };
  for (const GradientRound& round : strategy.gradients) add(round.when);
  for (const ParameterRound& round : strategy.parameters) add(round.when);
  return period;
}

// PyTorch's method that averages as often over everyone, in the words of bench/peers/ddp.py.
std::string peer_method(const Strategy& strategy, std::int64_t period) {
  const auto of_everyone = [](const auto& rounds) {
    return rounds.size() == 1 && rounds[0].whom.kind == Topology::Kind::everyone;
  };
  if (strategy.parameters.empty() && of_everyone(strategy.gradients)) {
    return period == 1 ? "ddp" : "";
  }
  const bool local = strategy.gradients.empty() && of_everyone(strategy.parameters);
  return local ? fmt::format("post_local_sgd:{}", period) : "";
}

// A way to train, and what is measured of it.
struct Method {
  std::string name;
  Strategy strategy;  // of ours
  std::int64_t period;
  std::string peer;  // the equal one; empty: none
  bool communicates = true;
};

Method method_of(const std::string& text, int workers) {
  if (text == "none") {
    return {"no communication", local_sgd(std::int64_t{1} << 60), kIdlePeriod, "", false};
  }
  const std::size_t colon = text.find(':');
  const std::size_t begin = colon == text.npos ? 0 : colon + 1;
  const Strategy strategy = parse_strategy(text.substr(begin), {.workers = workers});
  validate(strategy, workers);
  const std::int64_t period = period_of(strategy);
  return {begin > 0 ? text.substr(0, colon) : print(strategy), strategy, period,
          peer_method(strategy, period)};
}

std::vector<Method> methods_of(const std::vector<std::string>& texts, int workers) {
  std::vector<Method> methods;
  for (const std::string& text : texts) methods.push_back(method_of(text, workers));
  return methods;
}

// Of one step, or of all so far.
struct StepCost {
  double seconds = 0;  // of the slowest rank; all others are means over the ranks
  double blocked = 0, hidden = 0, bytes = 0;
  // Of all threads; of the main one while it computes; while it launches and lands.
  double cpu = 0, compute_cpu = 0, landing_cpu = 0;
};

constexpr double StepCost::*kFields[] = {
    &StepCost::seconds, &StepCost::blocked,     &StepCost::hidden,     &StepCost::bytes,
    &StepCost::cpu,     &StepCost::compute_cpu, &StepCost::landing_cpu};

// The models of one kind that train by turns, one for each method.
class Trainee {
 public:
  Trainee(const Method& method, const Objective& objective, Communicator& comm, Team& team)
      : meter_(comm),
        workers_({.objective = objective,
                  .make_optimizer = build_optimizer(parse_value("sgd(lr=0.01, momentum=0.9)")),
                  .lr_schedule = {},
                  .strategy = method.strategy},
                 meter_, team) {}

  // From the end of the last warm step, in which the rounds are due, to the end of the last step:
  // so many launches as landings. Of this rank.
  StepCost run(std::int64_t warm, std::int64_t steps) {
    for (std::int64_t i = 0; i < warm; ++i) workers_.step();
    if (sync().rounds().all() == 0) meter_.gather("");  // else the last round was a meeting
    StepCost cost = so_far();
    for (std::int64_t i = 0; i < steps; ++i) workers_.step();
    const StepCost end = so_far();
    for (const auto field : kFields) {
      cost.*field = (end.*field - cost.*field) / static_cast<double>(steps);
    }
    sync().finish();
    return cost;
  }

 private:
  StepCost so_far() {
    const Timeline& spent = sync().timeline();
    return {.seconds = began_.seconds(),
            .blocked = spent.seconds(Activity::wait),
            .hidden = spent.hidden_seconds(),
            .bytes = meter_.bytes_sent_per_worker(),
            .cpu = process_cpu_seconds(),
            .compute_cpu = spent.cpu_seconds(Activity::compute),
            .landing_cpu = spent.cpu_seconds(Activity::launch) + spent.cpu_seconds(Activity::land)};
  }
  Synchronizer& sync() { return workers_.synchronizer(); }

  Stopwatch began_;
  Metered meter_;
  Workers workers_;
};

// What all ranks had, in one.
StepCost joined(const StepCost& own, Communicator& comm) {
  nlohmann::json numbers;
  for (const auto field : kFields) numbers.push_back(own.*field);
  StepCost all;
  for (const std::string& text : comm.gather(numbers.dump())) {
    const auto one = nlohmann::json::parse(text).get<std::vector<double>>();
    for (std::size_t k = 1; k < one.size(); ++k) all.*kFields[k] += one[k] / comm.size();
    all.seconds = std::max(all.seconds, one[0]);
  }
  return all;
}

// Takes `warm` steps and then `steps`; of this rank.
using Take = std::function<StepCost(std::int64_t warm, std::int64_t steps)>;

// A line of the table: a method of ours or of PyTorch, and what its repeats took.
struct Subject {
  std::string method, text;  // the text of ours
  std::int64_t period, warm;
  std::string peer;  // of ours: the equal method of PyTorch
  Take take;
  bool ours;
  std::int64_t steps = 0;  // of a repeat; 0: not known yet
  std::vector<StepCost> costs = {};

  std::vector<double> all(double StepCost::*field) const {
    std::vector<double> values;
    for (const StepCost& cost : costs) values.push_back(cost.*field);
    return values;
  }
  double middle(double StepCost::*field) const { return median(all(field)); }
};

class StrategyTable {
 public:
  StrategyTable(const StrategyBench& options, const Place& place, Communicator& comm)
      : options_(options),
        comm_(comm),
        team_(1, [&options] { limit_intra_threads(options.threads); }),
        data_(glyphs(options.batch * comm.workers() * kBatches, 10)),
        sampler_(partition_iid(data_.train.labels.size(0), comm.workers(), 1), options.batch, 1),
        methods_(methods_of(options.strategies, comm.workers())),
        peer_(Peer::start(
            {.python = options.peer, .threads = options.threads, .batch = options.batch}, place,
            comm)) {}

  nlohmann::ordered_json measure() {
    nlohmann::ordered_json lines = nlohmann::ordered_json::array();
    for (const std::string& model : options_.models) {
      for (auto& line : measure(model)) lines.push_back(std::move(line));
    }
    return lines;
  }

  bool has_peer() const { return peer_ != nullptr; }

 private:
  std::vector<nlohmann::ordered_json> measure(const std::string& model);
  std::vector<Subject> subjects(const std::string& model, const Objective& objective);
  void repeat(Subject& subject);
  nlohmann::ordered_json line_of(const Subject& subject, const std::vector<Subject>& all) const;

  const StrategyBench& options_;
  Communicator& comm_;
  Team team_;
  Dataset data_;
  Sampler sampler_;
  std::vector<Method> methods_;
  std::unique_ptr<Peer> peer_;
};

// Each method of ours is followed by the one of PyTorch, so that these stand side by side in time.
std::vector<Subject> StrategyTable::subjects(const std::string& model, const Objective& objective) {
  std::vector<Subject> all;
  const std::optional<std::string> theirs = peer_ ? peer_model(model) : std::nullopt;
  for (const Method& method : methods_) {
    const auto trainee = std::make_shared<Trainee>(method, objective, comm_, team_);
    all.push_back(
        {method.name, method.communicates ? print(method.strategy) : "", method.period,
         method.period, theirs ? method.peer : "",
         [trainee](std::int64_t warm, std::int64_t steps) { return trainee->run(warm, steps); },
         true});
    const bool measured = std::ranges::any_of(
        all, [&](const Subject& one) { return !one.ours && one.method == method.peer; });
    if (!theirs || method.peer.empty() || measured) continue;
    all.push_back({method.peer, "", method.period, std::max(method.period, kPeerWarm), "",
                   [this, theirs, name = method.peer](std::int64_t warm, std::int64_t steps) {
                     const auto [seconds, cpu] = peer_->measure(*theirs, name, warm, steps);
                     const auto count = static_cast<double>(steps);
                     return StepCost{.seconds = seconds / count, .cpu = cpu / count};
                   },
                   false});
  }
  return all;
}

// The first run of a subject finds out how many steps fill the time; the ranks agree on the number.
void StrategyTable::repeat(Subject& subject) {
  if (interrupted()) throw Interrupted("interrupted");
  if (subject.steps == 0) {
    subject.steps = subject.period;
    const StepCost first = joined(subject.take(subject.warm, subject.period), comm_);
    const double period = first.seconds * static_cast<double>(subject.period);
    if (period >= options_.seconds) {
      subject.costs.push_back(first);
      return;
    }
    subject.steps *= static_cast<std::int64_t>(std::ceil(options_.seconds / period));
  }
  comm_.gather("");  // all begin together
  subject.costs.push_back(joined(subject.take(subject.warm, subject.steps), comm_));
}

std::vector<nlohmann::ordered_json> StrategyTable::measure(const std::string& model) {
  const Objective objective = {.data = &data_,
                               .sampler = &sampler_,
                               .make_model = build_model(parse_value(model)),
                               .task = {},
                               .batch = options_.batch};
  std::vector<Subject> all = subjects(model, objective);
  for (int i = 0; i < options_.repeats; ++i) {
    for (Subject& subject : all) repeat(subject);
  }
  if (peer_) peer_->forget();
  std::vector<nlohmann::ordered_json> lines;
  for (const Subject& subject : all) {
    lines.push_back(line_of(subject, all));
    lines.back()["model"] = model;
  }
  return lines;
}

// The median of the ratios of the same repeat: how much faster than the method of that name.
std::optional<double> times_faster(const Subject& subject, const std::vector<Subject>& all,
                                   const std::string& than, bool ours) {
  for (const Subject& other : all) {
    if (other.ours != ours || other.method != than) continue;
    std::vector<double> ratios;
    for (std::size_t i = 0; i < subject.costs.size(); ++i) {
      ratios.push_back(other.costs[i].seconds / subject.costs[i].seconds);
    }
    return median(ratios);
  }
  return {};
}

nlohmann::ordered_json StrategyTable::line_of(const Subject& subject,
                                              const std::vector<Subject>& all) const {
  const double step = subject.middle(&StepCost::seconds);
  const auto seconds = subject.all(&StepCost::seconds);
  const auto samples = static_cast<double>(options_.batch * comm_.workers());
  const auto [fastest, slowest] = std::minmax_element(seconds.begin(), seconds.end());
  nlohmann::ordered_json line = {{"model", ""},
                                 {"by", subject.ours ? "entrain" : "PyTorch"},
                                 {"method", subject.method},
                                 {"strategy", subject.text},
                                 {"steps", subject.steps},
                                 {"samples_per_second", samples / step},
                                 {"least_samples_per_second", samples / *slowest},
                                 {"most_samples_per_second", samples / *fastest},
                                 {"step_seconds", step},
                                 {"cpu_seconds_per_step", subject.middle(&StepCost::cpu)}};
  if (subject.ours) {
    line["compute_cpu_seconds_per_step"] = subject.middle(&StepCost::compute_cpu);
    line["launch_and_land_cpu_seconds_per_step"] = subject.middle(&StepCost::landing_cpu);
    line["exposed_seconds_per_step"] = subject.middle(&StepCost::blocked);
    line["hidden_seconds_per_step"] = subject.middle(&StepCost::hidden);
    line["bytes_sent_per_worker_and_step"] = subject.middle(&StepCost::bytes);
  }
  if (const auto ratio = times_faster(subject, all, methods_[0].name, true)) {
    if (!methods_[0].communicates) line["speed_of_no_communication"] = *ratio;
  }
  if (const auto ratio = times_faster(subject, all, subject.peer, false)) {
    line["peer"] = subject.peer;
    line["speed_of_peer"] = *ratio;
  }
  return line;
}

}  // namespace

std::string bench_strategy(const StrategyBench& options, bool json) {
  const Place place = place_from(environment());
  limit_intra_threads(options.threads);
  const auto comm = place.size == 1
                        ? local_communicator(1, nullptr)
                        : join_processes(place, {.lossless = options.compression == "lossless"});
  StrategyTable table(options, place, *comm);
  nlohmann::ordered_json all = {{"processes", place.size},
                                {"batch", options.batch},
                                {"threads", options.threads},
                                {"repeats", options.repeats},
                                {"compression", options.compression},
                                {"processor", processor()},
                                {"blas", blas_in_use()}};
  all["lines"] = table.measure();
  if (place.rank != 0) return "";
  return json ? all.dump(2) + "\n" : print_strategies(all.dump());
}

}  // namespace entrain
