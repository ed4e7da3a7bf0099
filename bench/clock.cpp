#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "bench/bench.h"
#include "entrain/comm/simulated.h"
#include "entrain/report/table.h"
#include "entrain/train/machine.h"

namespace entrain {
namespace {

// Exchanges that move nothing, so that only their times are left.
class Idle : public Communicator {
 public:
  explicit Idle(int workers) : workers_(workers) {}

  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_workers() const override { return workers_; }
  std::unique_ptr<Exchange> launch_mean(const at::Tensor&, const at::Tensor&) override {
    return over();
  }
  std::unique_ptr<Exchange> launch_mix(const at::Tensor&, const at::Tensor&,
                                       std::shared_ptr<const Mixing>) override {
    return over();
  }
  std::unique_ptr<Exchange> launch(Job) override { return over(); }
  std::vector<std::string> gather(const std::string& bytes) override { return {bytes}; }
  std::int64_t wire_bytes_sent() const override { return 0; }

 private:
  struct Over : Exchange {
    bool done() override { return true; }
    void wait() override {}
    double finished_at() const override { return 0; }
  };
  static std::unique_ptr<Exchange> over() { return std::make_unique<Over>(); }

  int workers_;
};

struct SimulatedCase {
  std::string name;
  std::string compute = "constant(1 ms)", straggler = "none", links = "[]", medium = "switched",
              loss = "none";
};

template <class T>
T named(const std::vector<Choice<T>>& choices, const std::string& text) {
  return build(choices, parse_value(text), "choice", {});
}

// Ring gossip in each step, the clocks read before and after it as the engine does.
class Gossip {
 public:
  Gossip(const SimulatedCase& spec, int workers)
      : idle_(workers),
        clock_(idle_, network(spec, workers), named(compute_time_choices(), spec.compute),
               named(straggler_choices(), spec.straggler), 1),
        rows_(at::zeros({workers, 16})),
        ring_(std::make_shared<Mixing>()) {
    for (int i = 0; i < workers; ++i) {
      ring_->rows.push_back(
          {{(i + workers - 1) % workers, 1 / 3.0}, {i, 1 / 3.0}, {(i + 1) % workers, 1 / 3.0}});
    }
    while (clock_.timeline().size() < 1'000'000) step();  // after which no span is kept
  }

  void step() {
    clock_.compute(++steps_);
    const double before = clock_.now();
    clock_.launch_mix(rows_, rows_, ring_)->wait();
    waited_ += clock_.now() - before;
  }

 private:
  static Network network(const SimulatedCase& spec, int workers) {
    Network network = {.link = {1e-4, 125e6}};
    network.between = parse_links(spec.links, network.link, workers);
    network.medium = named(medium_choices(), spec.medium);
    network.loss = named(loss_choices(), spec.loss);
    return network;
  }

  Idle idle_;
  Simulated clock_;
  at::Tensor rows_;
  std::shared_ptr<Mixing> ring_;
  std::int64_t steps_ = 0;
  double waited_ = 0;
};

// Nanoseconds a worker and step, the median of some runs of about a million of them.
double gossip_nanoseconds(const SimulatedCase& spec, int workers, int runs) {
  Gossip gossip(spec, workers);
  const int steps = 1'000'000 / workers;
  std::vector<double> seconds;
  for (int run = 0; run < runs; ++run) {
    seconds.push_back(seconds_of([&] {
      for (int step = 0; step < steps; ++step) gossip.step();
    }));
  }
  return 1e9 * median(seconds) / steps / workers;
}

}  // namespace

std::string bench_clock(const BenchOptions& options, bool json) {
  const std::vector<SimulatedCase> cases = {
      {.name = "alike"},
      {.name = "random", .compute = "exponential(1 ms)", .straggler = "slow(0.1, 5)"},
      {.name = "a pair differs", .links = "[link(0, 1, 10 Mbit/s)]"},
      {.name = "loss", .loss = "bursty(50, 5, 0.5)"},
      {.name = "uplink", .medium = "uplink(1 Gbit/s)"},
      {.name = "shared", .medium = "shared"}};
  const std::vector<int> sizes = {1024, 16384};
  std::vector<std::vector<std::string>> rows;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const SimulatedCase& spec : cases) {
    rows.push_back({spec.name});
    for (const int workers : sizes) {
      const double nanoseconds = gossip_nanoseconds(spec, workers, options.pairs);
      rows.back().push_back(fmt::format("{:.1f}", nanoseconds));
      list.push_back({{"network", spec.name},
                      {"workers", workers},
                      {"nanoseconds_per_worker_and_step", nanoseconds}});
    }
  }
  if (json) {
    const nlohmann::ordered_json all = {{"processor", processor()}, {"networks", list}};
    return all.dump(2) + "\n";
  }
  return fmt::format(
      "A simulated clock alone, ring gossip in each step, on one core of {}; medians of {}\n\n{}\n"
      "ns are of a worker and step, with its computing, its two messages and its waiting.\n",
      processor(), options.pairs, print_table({"network", "ns, n = 1024", "ns, n = 16384"}, rows));
}

}  // namespace entrain
