#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "bench/bench.h"
#include "entrain/comm/local.h"
#include "entrain/comm/simulated.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"
#include "entrain/core/stopwatch.h"
#include "entrain/report/table.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/train/machine.h"
#include "entrain/train/threads.h"
#include "entrain/train/worker.h"

namespace entrain {
namespace {

constexpr std::int64_t kSamples = 500, kDimension = 100, kBatch = 32;
constexpr double kStepSize = 0.1;

std::int64_t memory_now() {
  std::int64_t pages = 0, resident = 0;
  FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file && std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
  if (file) std::fclose(file);
  return resident * 4096;
}

// What `train` runs for each step, on a virtual clock.
struct Ours {
  std::unique_ptr<Problem> problem;
  Team team;
  std::unique_ptr<Communicator> comm;
  Simulated simulated;
  Workers workers;

  static Training training(const Problem& problem, int n, Simulated& clock) {
    const RunFacts facts{.workers = n, .steps = 1'000'000, .batch = kBatch};
    return {.objective = {.problem = &problem, .type = at::kFloat, .batch = kBatch},
            .make_optimizer = build_optimizer(parse_value(fmt::format("sgd({})", kStepSize))),
            .lr_schedule = {},
            .strategy = parse_strategy("gossip_pga(ring, 16)", facts),
            .computed = [&clock](std::int64_t step, const std::vector<double>& seconds) {
              clock.compute(step, seconds);
            }};
  }

  explicit Ours(int n)
      : problem(build_problem(parse_value(
            fmt::format("heterogeneous_logistic(samples={}, dimension={})", kSamples, kDimension)))(
            {.workers = n, .batch = kBatch, .type = at::kFloat})),
        team(1, [] { limit_intra_threads(1); }),
        comm(local_communicator(n, &team)),
        simulated(*comm, {.link = {.latency = 1e-4, .bandwidth = 125e6}},
                  build(compute_time_choices(), parse_value("constant(1 ms)"), "compute time", {}),
                  {}, 1),
        workers(training(*problem, n, simulated), simulated, team) {}

  void step() { workers.step(); }
};

// The gather of the batches and their two products alone, with indices drawn beforehand.
struct Bare {
  at::Tensor samples, rows, errors;
  std::vector<at::Tensor> picked;
  std::size_t turn = 0;

  explicit Bare(int n)
      : samples(at::randn({n * kSamples, kDimension})),
        rows(at::randn({n, kDimension, 1})),
        errors(at::randn({n, kBatch, 1})) {
    const at::Tensor first = at::arange(n).mul(kSamples).view({n, 1});
    for (int i = 0; i < 16; ++i) {
      picked.push_back((at::randint(kSamples, {n, kBatch}, at::kLong) + first).view({-1}));
    }
  }

  void step() {
    const at::Tensor batch = samples.index_select(0, picked[turn++ % picked.size()])
                                 .view({rows.size(0), kBatch, kDimension});
    const at::Tensor scores = at::bmm(batch, rows);
    const at::Tensor gradients = at::bmm(batch.transpose(1, 2), errors);
    ENTRAIN_CHECK(scores.numel() == errors.numel() && gradients.numel() == rows.numel());
  }
};

// A loop over workers as one writes it first: autograd for each, then the ring or the mean.
struct Naive {
  std::vector<at::Tensor> samples, labels, x;
  std::int64_t steps = 0;

  explicit Naive(int n) {
    for (int i = 0; i < n; ++i) {
      samples.push_back(at::randn({kSamples, kDimension}));
      labels.push_back(at::randint(2, {kSamples}, at::kFloat));
      x.push_back(at::zeros({kDimension}).requires_grad_(true));
    }
  }

  void step() {
    const std::size_t n = x.size();
    for (std::size_t i = 0; i < n; ++i) {
      const at::Tensor picked = at::randint(kSamples, {kBatch}, at::kLong);
      const at::Tensor scores = samples[i].index_select(0, picked).mv(x[i]);
      at::binary_cross_entropy_with_logits(scores, labels[i].index_select(0, picked)).backward();
    }
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> moved;
    for (at::Tensor& row : x) {
      moved.push_back(row - kStepSize * row.grad());
      row.mutable_grad().zero_();
    }
    const bool global = ++steps % 16 == 0;
    const at::Tensor mean = global ? at::stack(moved).mean(0) : at::Tensor();
    for (std::size_t i = 0; i < n; ++i) {
      x[i].copy_(global ? mean : (moved[(i + n - 1) % n] + moved[i] + moved[(i + 1) % n]) / 3);
    }
  }
};

template <class Subject>
double steps_per_second(Subject& subject, double seconds) {
  for (int i = 0; i < 3; ++i) subject.step();
  const Stopwatch watch;
  std::int64_t steps = 0;
  do {
    subject.step();
    ++steps;
  } while (watch.seconds() < seconds);
  return static_cast<double>(steps) / watch.seconds();
}

struct Rates {
  double ours = 0, bare = 0, naive = 0, bytes = 0;
};

Rates rates_at(int n, const BenchOptions& options) {
  const auto before = static_cast<double>(memory_now());
  Ours ours(n);
  std::vector<double> our_rates, bare_rates, naive_rates;
  our_rates.push_back(steps_per_second(ours, options.seconds));
  const auto bytes = static_cast<double>(memory_now()) - before;
  if (n > 4096) return {our_rates[0], 0, 0, bytes};  // the others would need memory beside it
  Bare bare(n);
  Naive naive(n);
  for (int pair = 0; pair < options.pairs; ++pair) {
    if (pair > 0) our_rates.push_back(steps_per_second(ours, options.seconds));
    bare_rates.push_back(steps_per_second(bare, options.seconds));
    naive_rates.push_back(steps_per_second(naive, options.seconds));
  }
  return {median(our_rates), median(bare_rates), median(naive_rates), bytes};
}

std::string rate(double steps) { return steps > 0 ? fmt::format("{:.1f}", steps) : "-"; }

std::string ratio(double a, double b) { return b > 0 ? fmt::format("{:.2f}", a / b) : "-"; }

}  // namespace

std::string bench_simulate(const BenchOptions& options, bool json) {
  limit_intra_threads(1);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> table;
  for (const int n : {16, 64, 256, 1024, 4096, 16384}) {
    if (interrupted()) throw Interrupted("interrupted");
    const Rates rates = rates_at(n, options);
    list.push_back({{"workers", n},
                    {"steps_per_second", rates.ours},
                    {"bare_steps_per_second", rates.bare},
                    {"naive_steps_per_second", rates.naive},
                    {"bytes", rates.bytes}});
    table.push_back({std::to_string(n), rate(rates.ours), rate(rates.bare),
                     ratio(rates.ours, rates.bare), rate(rates.naive),
                     ratio(rates.ours, rates.naive), print_bytes(rates.bytes)});
  }
  if (json)
    return nlohmann::ordered_json{{"processor", processor()}, {"sizes", list}}.dump(2) + "\n";
  return fmt::format(
      "Simulated workers on one thread of {}: logistic regression, {} samples a worker in float32, "
      "d = {}, batch {}, gossip_pga(ring, 16) on a virtual clock; medians of {}\n\n{}\n"
      "bare: index_select of the batches and two bmm, nothing else. naive: a loop over workers in "
      "plain libtorch, without a clock.\n",
      processor(), kSamples, kDimension, kBatch, options.pairs,
      print_table(
          {"workers", "steps/s", "bare steps/s", "of bare", "naive steps/s", "x naive", "memory"},
          table));
}

}  // namespace entrain
