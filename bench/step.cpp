#include <torch/torch.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "bench/bench.h"
#include "entrain/comm/local.h"
#include "entrain/core/stopwatch.h"
#include "entrain/data/partition.h"
#include "entrain/report/table.h"
#include "entrain/strategy/algorithms.h"
#include "entrain/train/threads.h"
#include "entrain/train/worker.h"

namespace entrain {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kBatch = 64;

// The same loop in Python, with its batches made beforehand, which favours it.
constexpr const char* kPeer = R"py(
import sys, time, torch, torch.nn as nn, torch.nn.functional as F
torch.set_num_threads(1)
name, seconds = sys.argv[1], float(sys.argv[2])
if name == "cnn":
    net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1),
                        nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 49, 128), nn.ReLU(), nn.Linear(128, 10))
elif name == "mlp":
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 320), nn.ReLU(), nn.Linear(320, 128), nn.ReLU(), nn.Linear(128, 10))
else:
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
xs, ys = torch.randn(4, 64, 1, 28, 28), torch.randint(10, (4, 64))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
def step(i):
    optimizer.zero_grad()
    F.cross_entropy(net(xs[i % 4]), ys[i % 4]).backward()
    optimizer.step()
for i in range(20):
    step(i)
begin, steps = time.perf_counter(), 0
while time.perf_counter() - begin < seconds:
    for i in range(10):
        step(i)
    steps += 10
print((time.perf_counter() - begin) / steps)
)py";

// Seconds a call, over at least `seconds`, after a few calls to warm up.
template <class Call>
double seconds_per_call(double seconds, int portion, Call call) {
  for (int i = 0; i < portion; ++i) call();
  const Stopwatch watch;
  std::int64_t calls = 0;
  double passed = 0;
  do {
    for (int i = 0; i < portion; ++i) call();
    calls += portion;
    passed = watch.seconds();
  } while (passed < seconds);
  return passed / static_cast<double>(calls);
}

// `workers` workers of this process on as many threads, as `train` has them.
struct Ours {
  Sampler sampler;
  Training training;
  Team team;
  std::unique_ptr<Communicator> comm;
  Workers workers;

  Ours(const Dataset& data, const std::string& model, int count, const Strategy& strategy)
      : sampler(partition_iid(data.train.labels.size(0), count, 1), kBatch, 1),
        training{.objective = {.data = &data,
                               .sampler = &sampler,
                               .make_model = build_model(parse_value(model)),
                               .batch = kBatch},
                 .make_optimizer = build_optimizer(parse_value("sgd(lr=0.01, momentum=0.9)")),
                 .lr_schedule = {},
                 .strategy = strategy},
        team(count, [] { limit_intra_threads(1); }),
        comm(local_communicator(count, &team)),
        workers(training, *comm, team) {}
};

// The same model, data and optimizer in a loop of plain libtorch.
struct Plain {
  const Dataset& data;
  std::unique_ptr<Model> model;
  Sampler sampler;
  torch::optim::SGD optimizer;
  std::int64_t step_count = 0;

  Plain(const Dataset& set, const std::string& name)
      : data(set),
        model(seeded_model(build_model(parse_value(name)), Task{}, at::kFloat, 1)),
        sampler(partition_iid(set.train.labels.size(0), 1, 1), kBatch, 1),
        optimizer(parameters(*model), torch::optim::SGDOptions(0.01).momentum(0.9)) {}

  static std::vector<at::Tensor> parameters(Model& model) {
    std::vector<at::Tensor> tensors;
    for (const auto& [name, tensor] : model.parameters()) tensors.push_back(tensor);
    return tensors;
  }

  void step() {
    const std::int64_t epoch = step_count / sampler.steps_per_epoch();
    const Batch batch =
        gather(data, data.train, sampler.batch(epoch, step_count % sampler.steps_per_epoch(), 0),
               at::kFloat);
    optimizer.zero_grad();
    model->loss(batch.inputs, batch.labels).backward();
    optimizer.step();
    ++step_count;
  }
};

double nothing_due(const Dataset& data) {
  Ours ours(data, "mlp", 1, local_sgd(std::int64_t{1} << 60));
  const at::Tensor losses = at::zeros({1}, at::kDouble);
  Synchronizer& sync = ours.workers.synchronizer();
  const Stopwatch watch;
  for (int i = 0; i < 1'000'000; ++i) {
    sync.reduce_gradients();
    sync.advance(losses, 0.1);
  }
  return watch.seconds() / 1e6;
}

// Seconds a step in PyTorch, or nothing if that Python has no torch.
std::optional<double> peer_step(const BenchOptions& options, const std::string& model) {
  if (options.python.empty()) return {};
  const std::string command =
      fmt::format("OMP_NUM_THREADS=1 '{}' - {} {} 2>/dev/null <<'PEER'{}PEER\n", options.python,
                  model, options.seconds, kPeer);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  double seconds = 0;
  if (!pipe || std::fscanf(pipe.get(), "%lf", &seconds) != 1) return {};
  return seconds;
}

struct StepFigures {
  std::string model;
  double ours, plain, ratio;  // seconds a step, and ours / plain
  std::optional<double> peer, peer_ratio;
};

StepFigures whole_step(const Dataset& data, const std::string& model, const BenchOptions& options) {
  Ours ours(data, model, 1, local_sgd(8));
  Plain plain(data, model);
  std::vector<double> a, b, c, to_plain, to_peer;
  for (int i = 0; i < options.pairs; ++i) {
    a.push_back(seconds_per_call(options.seconds, 8, [&] { ours.workers.step(); }));
    b.push_back(seconds_per_call(options.seconds, 8, [&] { plain.step(); }));
    to_plain.push_back(a.back() / b.back());
    if (const auto peer = peer_step(options, model)) {
      c.push_back(*peer);
      to_peer.push_back(*peer / a.back());
    }
  }
  StepFigures figures = {model, median(a), median(b), median(to_plain), {}, {}};
  if (!c.empty()) {
    figures.peer = median(c);
    figures.peer_ratio = median(to_peer);
  }
  return figures;
}

struct ScalingFigures {
  double one, two, ratio;  // samples/s
};

ScalingFigures scaling(const Dataset& data, const BenchOptions& options) {
  Ours one(data, "cnn", 1, local_sgd(8));
  Ours two(data, "cnn", 2, local_sgd(8));
  std::vector<double> a, b, ratio;
  for (int i = 0; i < options.pairs; ++i) {
    a.push_back(kBatch / seconds_per_call(options.seconds, 8, [&] { one.workers.step(); }));
    b.push_back(2 * kBatch / seconds_per_call(options.seconds, 8, [&] { two.workers.step(); }));
    ratio.push_back(b.back() / a.back());
  }
  return {median(a), median(b), median(ratio)};
}

std::string milliseconds(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.3f}", 1e3 * *seconds) : "-";
}

std::string print_json(double idle, const std::vector<StepFigures>& steps,
                       const ScalingFigures& workers) {
  Json json = {{"nothing_due_seconds", idle}, {"steps", Json::array()}};
  for (const StepFigures& s : steps) {
    Json row = {
        {"model", s.model}, {"seconds", s.ours}, {"libtorch_seconds", s.plain}, {"ratio", s.ratio}};
    if (s.peer) row.update({{"pytorch_seconds", *s.peer}, {"pytorch_over_ours", *s.peer_ratio}});
    json["steps"].push_back(row);
  }
  json["two_workers"] = {{"one", workers.one}, {"two", workers.two}, {"ratio", workers.ratio}};
  return json.dump(2) + "\n";
}

std::string print_text(double idle, const std::vector<StepFigures>& steps,
                       const ScalingFigures& workers, const BenchOptions& options) {
  std::vector<std::vector<std::string>> rows;
  for (const StepFigures& s : steps) {
    rows.push_back({s.model, milliseconds(s.ours), milliseconds(s.plain),
                    fmt::format("{:.3f}", s.ratio), milliseconds(s.peer),
                    s.peer_ratio ? fmt::format("{:.2f}", *s.peer_ratio) : "-"});
  }
  return fmt::format(
      "medians of {} interleaved pairs of {} s; batch {}, 1 intra-op thread, SGD with momentum, "
      "BLAS {}\n\n"
      "reduce_gradients() + advance() with nothing due: {:.4f} us a call (10^6 calls)\n\n"
      "a whole step of one worker, data included, local_sgd(8), ms\n{}\n"
      "PyTorch's batches are made beforehand. Above 1: entrain is faster.\n\n"
      "cnn, local_sgd(8), samples/s: one worker {:.0f}, two workers {:.0f}, ratio {:.2f}\n",
      options.pairs, options.seconds, kBatch, blas_in_use(), 1e6 * idle,
      print_table(
          {"model", "entrain", "libtorch", "entrain/libtorch", "PyTorch", "PyTorch/entrain"}, rows),
      workers.one, workers.two, workers.ratio);
}

}  // namespace

std::string bench_step(const BenchOptions& options, bool json) {
  limit_intra_threads(1);
  const Dataset data = load_dataset("glyphs", "");
  const double idle = nothing_due(data);
  std::vector<StepFigures> steps;
  for (const char* model : {"softmax", "mlp", "cnn"})
    steps.push_back(whole_step(data, model, options));
  const ScalingFigures workers = scaling(data, options);
  return json ? print_json(idle, steps, workers) : print_text(idle, steps, workers, options);
}

}  // namespace entrain
