#include "entrain/train/run.h"

#include <ATen/ATen.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "entrain/comm/agreement.h"
#include "entrain/comm/local.h"
#include "entrain/comm/metered.h"
#include "entrain/config/describe.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"
#include "entrain/core/version.h"
#include "entrain/report/progress_line.h"
#include "entrain/report/run_folder.h"
#include "entrain/report/table.h"
#include "entrain/report/trace.h"
#include "entrain/strategy/advice.h"
#include "entrain/strategy/parameters_hash.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/train/evaluate.h"
#include "entrain/train/machine.h"
#include "entrain/train/prepare.h"
#include "entrain/train/safetensors.h"
#include "entrain/train/shown_model.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::unique_ptr<Communicator> join(const Prepared& prepared, Team& team) {
  if (prepared.place.size == 1) return local_communicator(prepared.local_workers, &team);
  return c10d_communicator(prepared.place, prepared.comm);
}

std::unique_ptr<Simulated> simulate(const Prepared& prepared, Communicator& comm) {
  if (!prepared.network) return nullptr;
  const SimulatedNetwork& spec = *prepared.network;
  return std::make_unique<Simulated>(comm, spec.network, spec.compute, spec.straggler,
                                     prepared.training.seed);
}

// A mean of what was added since it was last taken.
struct RunningMean {
  double sum = 0, count = 0;
  void add(double more, double n) {
    sum += more;
    count += n;
  }
  double take() {
    const double mean = count > 0 ? sum / count : 0;
    *this = {};
    return mean;
  }
};

// Averaged statistics belong to averaged parameters: where a round makes the workers equal, or
// where they never part.
BatchNormPolicy batch_norm_policy(const Settings::Evaluation& settings, const Strategy& strategy) {
  const std::string& setting = settings.batch_norm;
  if (settings.model == "workers") return BatchNormPolicy::average;  // each one's own
  if (setting == "average") return BatchNormPolicy::average;
  if (setting == "recalibrate") return BatchNormPolicy::recalibrate;
  if (settings.model == "polyak_ruppert") return BatchNormPolicy::recalibrate;
  const bool adopts =
      std::any_of(strategy.parameters.begin(), strategy.parameters.end(), equalises);
  return adopts || strategy.parameters.empty() ? BatchNormPolicy::average
                                               : BatchNormPolicy::recalibrate;
}

const char* name_of(BatchNormPolicy policy) {
  return policy == BatchNormPolicy::average ? "average" : "recalibrate";
}

// One run, from the first step to the summary.
class Run {
 public:
  Run(const Resolved& resolved, const RunOptions& options, Prepared& prepared)
      : settings_(resolved.values),
        options_(options),
        prepared_(prepared),
        team_(prepared.threads.workers, [n = prepared.threads.intra] { limit_intra_threads(n); }),
        comm_(join(prepared, team_)),
        simulated_(simulate(prepared, *comm_)),
        training_meter_(simulated_ ? *simulated_ : *comm_),
        evaluation_meter_(*comm_),
        workers_(with_clock(prepared.training), *prepared.sampler, agreed(training_meter_), team_),
        evaluator_(prepared.training, team_),
        batch_norm_(batch_norm_policy(resolved.values.evaluation, prepared.training.strategy)),
        shown_(shown_model(resolved.values.evaluation.model)) {
    if (shown_ == ShownModel::polyak_ruppert) workers_.synchronizer().keep_running_mean();
    if (comm_->rank() == 0) open_folder(resolved);
  }

  RunResult operator()() {
    began_ = Clock::now();
    try {
      train();
      finish();
    } catch (const Error& error) {
      end_early(error);
      throw;
    }
    return {summary_, folder_ ? folder_->path() : std::filesystem::path()};
  }

 private:
  Communicator& agreed(Communicator& comm);
  Training with_clock(Training training) const;
  void open_folder(const Resolved& resolved);
  void train();
  void step(ProgressLine& progress);
  void evaluate();
  Evaluation evaluate_workers();
  void compare_batch_norm();
  void finish();
  void end_early(const Error& error);
  void fill_summary();
  void record_rounds();
  template <class Record>
  void record(Record record);

  const Settings& settings_;
  const RunOptions& options_;
  Prepared& prepared_;
  Team team_;
  std::unique_ptr<Communicator> comm_;
  std::unique_ptr<Simulated> simulated_;  // null: real time
  Metered training_meter_, evaluation_meter_;
  Workers workers_;
  Evaluator evaluator_;
  std::optional<RunFolder> folder_;
  Summary summary_;
  RunningMean since_record_, since_evaluation_;
  at::Tensor average_, evaluated_;  // [1, S + B]
  Clock::time_point began_;
  double evaluation_seconds_ = 0;
  BatchNormPolicy batch_norm_;
  ShownModel shown_;
};

Training Run::with_clock(Training training) const {
  if (simulated_) {
    training.computed = [clock = simulated_.get()](std::int64_t step,
                                                   const std::vector<double>& seconds) {
      clock->compute(step, seconds);
    };
  }
  return training;
}

// Settings that may differ from host to host (paths, threads) are left out.
Communicator& Run::agreed(Communicator& comm) {
  check_agreement(comm, {{"workers", std::to_string(prepared_.workers())},
                         {"seed", std::to_string(settings_.seed)},
                         {"data.name", settings_.data.name},
                         {"the number of training samples",
                          std::to_string(prepared_.data->train.labels.size(0))},
                         {"model.name", settings_.model.name},
                         {"train.batch", std::to_string(settings_.train.batch)},
                         {"train.optimizer", settings_.train.optimizer},
                         {"train.lr_schedule", settings_.train.lr_schedule},
                         {"the number of steps", std::to_string(prepared_.facts.steps)},
                         {"comm.sums", settings_.comm.sums},
                         {"evaluation.every", settings_.evaluation.every},
                         {"evaluation.model", settings_.evaluation.model},
                         {"evaluation.batch_norm", settings_.evaluation.batch_norm}});
  return comm;
}

void Run::open_folder(const Resolved& resolved) {
  folder_ = options_.out ? RunFolder::create(*options_.out)
                         : RunFolder::create_under("runs", settings_.name);
  Resolved whole = resolved;
  whole.values.workers = comm_->workers();
  folder_->write("run.toml", to_toml(whole));
  folder_->write("env.json", describe_machine(prepared_.place, prepared_.threads));
  for (const std::string& warning : prepared_.data->warnings) record(EventRecord{.event = warning});
}

std::vector<TraceSpan> spans_of(const Simulated& simulated) {
  std::vector<TraceSpan> spans;
  for (const SimulatedSpan& span : simulated.timeline()) {
    const char* name = span.kind == SimulatedSpan::Kind::compute ? "compute"
                       : span.kind == SimulatedSpan::Kind::wait  ? "wait"
                                                                 : "transfer";
    spans.push_back({name, span.worker, span.begin, span.end});
  }
  return spans;
}

template <class Record>
void Run::record(Record record) {
  if (!folder_) return;
  if (record.step == 0) record.step = workers_.synchronizer().step();
  record.epoch = workers_.epoch();
  record.seconds = seconds_since(began_);
  folder_->record(record);
}

void Run::train() {
  const std::int64_t steps = prepared_.facts.steps;
  ProgressLine progress(settings_.name, steps, options_.progress && comm_->rank() == 0);
  while (workers_.synchronizer().step() < steps) {
    step(progress);
    const std::int64_t now = workers_.synchronizer().step();
    if (now % prepared_.evaluate_every == 0 && now < steps) evaluate();
  }
}

void Run::step(ProgressLine& progress) {
  const at::Tensor losses = workers_.step();
  const std::int64_t now = workers_.synchronizer().step();
  const double sum = losses.sum().item<double>();
  if (!std::isfinite(sum)) {
    throw Diverged(
        fmt::format("the loss is {} at step {} on rank {} (workers {}...): training has diverged; "
                    "lower the learning rate ({} now) or warm it up",
                    sum, now, comm_->rank(), comm_->first_worker(), workers_.lr()));
  }
  since_record_.add(sum, static_cast<double>(losses.numel()));
  since_evaluation_.add(sum, static_cast<double>(losses.numel()));
  progress.at(now, sum / static_cast<double>(losses.numel()));
  record_rounds();
  if (now % settings_.report.every == 0) {
    record(StepRecord{.train_loss = since_record_.take(), .learning_rate = workers_.lr()});
  }
  if (interrupted()) throw Interrupted("interrupted");
}

void Run::record_rounds() {
  for (const LandedRound& landed : workers_.synchronizer().take_landed()) {
    record(RoundRecord{.step = landed.landed,
                       .round = landed.kind,
                       .launched = landed.launched,
                       .blocked_seconds = landed.blocked_seconds});
  }
}

void Run::evaluate() {
  const auto begin = Clock::now();
  average_ = average_model(workers_.rows(), evaluation_meter_);
  const double distance = consensus_distance(workers_.rows(), average_, evaluation_meter_);
  const double loss = sum_over_processes(since_evaluation_.sum, evaluation_meter_);
  const double count = sum_over_processes(since_evaluation_.count, evaluation_meter_);
  since_evaluation_ = {};
  evaluated_ = shown_ == ShownModel::workers
                   ? average_
                   : model_beside(average_, shown_, workers_.synchronizer(), evaluation_meter_);
  const Evaluation test = shown_ == ShownModel::workers
                              ? evaluate_workers()
                              : evaluator_.evaluate(evaluated_, batch_norm_, evaluation_meter_);
  evaluation_seconds_ += seconds_since(begin);
  summary_.train_loss = count > 0 ? std::optional(loss / count) : summary_.train_loss;
  summary_.test_loss = test.loss;
  summary_.test_accuracy = test.accuracy;
  summary_.consensus_distance = distance;
  if (evaluator_.has_statistics()) {
    summary_.batch_norm = shown_ == ShownModel::workers ? "own" : name_of(batch_norm_);
  }
  summary_.evaluated_model = has_model(shown_, workers_.synchronizer())
                                 ? settings_.evaluation.model
                                 : "average";  // the anchor's round has not begun
  record(EvaluationRecord{.model = summary_.evaluated_model,
                          .train_loss = summary_.train_loss.value_or(0),
                          .test_loss = test.loss,
                          .test_accuracy = test.accuracy,
                          .batch_norm = summary_.batch_norm,
                          .lowest_worker_accuracy = summary_.lowest_worker_accuracy,
                          .consensus_distance = distance,
                          .evaluation_seconds = seconds_since(begin)});
}

// The mean over the workers, each with its own BatchNorm statistics. A process evaluates its own
// workers alone.
Evaluation Run::evaluate_workers() {
  const auto alone = local_communicator(1);
  std::vector<double> losses, accuracies;
  for (std::int64_t i = 0; i < workers_.rows().workers(); ++i) {
    const Evaluation own = evaluator_.evaluate(workers_.rows().everything().narrow(0, i, 1),
                                               BatchNormPolicy::average, *alone);
    losses.push_back(own.loss);
    accuracies.push_back(own.accuracy);
  }
  losses = gather_values(losses, evaluation_meter_);
  accuracies = gather_values(accuracies, evaluation_meter_);
  summary_.lowest_worker_accuracy = *std::min_element(accuracies.begin(), accuracies.end());
  const auto n = static_cast<double>(losses.size());
  return {std::accumulate(losses.begin(), losses.end(), 0.0) / n,
          std::accumulate(accuracies.begin(), accuracies.end(), 0.0) / n};
}

// Both, beside each other: which one an averaged model needs depends on how far the workers are
// apart.
void Run::compare_batch_norm() {
  const auto begin = Clock::now();
  const bool averaged = batch_norm_ == BatchNormPolicy::average;
  const Evaluation other = evaluator_.evaluate(
      evaluated_, averaged ? BatchNormPolicy::recalibrate : BatchNormPolicy::average,
      evaluation_meter_);
  summary_.accuracy_averaged_batch_norm = averaged ? summary_.test_accuracy : other.accuracy;
  summary_.accuracy_recalibrated_batch_norm = averaged ? other.accuracy : summary_.test_accuracy;
  evaluation_seconds_ += seconds_since(begin);
}

void Run::finish() {
  workers_.synchronizer().finish();
  record_rounds();
  evaluate();  // after the last landing
  if (evaluator_.has_statistics() && shown_ != ShownModel::workers) compare_batch_norm();
  summary_.parameters_hash = parameters_hash(workers_.rows(), *comm_);
  fill_summary();
  if (!folder_) return;
  const std::string saved = shown_ == ShownModel::workers ? "average" : summary_.evaluated_model;
  TensorFile model = {{}, {{"strategy", summary_.strategy}, {"model", saved}}};
  const Rows& rows = workers_.rows();
  const at::Tensor row = evaluated_[0];
  const auto add = [&](const Layout& layout, std::int64_t begin) {
    for (const Layout::Entry& entry : layout.entries) {
      model.tensors.push_back(
          {entry.name, row.as_strided(entry.sizes, entry.strides, begin + entry.offset)});
    }
  };
  add(rows.layout(), 0);
  add(rows.buffer_layout(), rows.layout().columns);
  save_tensors(folder_->path() / "model.safetensors", model);
  if (simulated_) folder_->write("trace.json", trace_json(spans_of(*simulated_)));
  folder_->write("summary.json", to_json(summary_));
}

// No exchange here: the others may be at another step, or gone.
void Run::end_early(const Error& error) {
  comm_->abandon();
  const bool stopped = interrupted();
  if (folder_) {
    record(EventRecord{.event = stopped ? "interrupted" : fmt::format("failed: {}", error.what())});
  }
  if (!stopped) return;
  summary_.interrupted = true;
  fill_summary();
  if (folder_) folder_->write("summary.json", to_json(summary_));
  throw Interrupted(folder_
                        ? fmt::format("interrupted at step {} of {}; the summary is in {}",
                                      workers_.synchronizer().step(), prepared_.facts.steps,
                                      folder_->path().string())
                        : fmt::format("interrupted at step {}", workers_.synchronizer().step()));
}

void Run::fill_summary() {
  const Synchronizer& sync = workers_.synchronizer();
  Summary& s = summary_;
  s.name = settings_.name;
  s.version = kVersion;
  s.strategy = print(sync.strategy());
  s.model = settings_.model.name;
  s.data = settings_.data.name;
  s.workers = comm_->workers();
  s.processes = comm_->size();
  s.batch = settings_.train.batch;
  s.steps = sync.step();
  s.epochs = workers_.epoch();
  s.samples = workers_.samples_seen();
  s.rounds_everyone = sync.rounds().everyone;
  s.rounds_groups = sync.rounds().groups;
  s.rounds_neighbours = sync.rounds().neighbours;
  s.rounds_gradients = sync.rounds().gradients;
  s.parameters = workers_.rows().layout().items;
  s.bytes_sent_per_worker = training_meter_.bytes_sent_per_worker();
  s.evaluation_bytes_sent_per_worker = evaluation_meter_.bytes_sent_per_worker();
  s.wire_bytes_sent = comm_->wire_bytes_sent();
  s.total_seconds = seconds_since(began_);
  s.evaluation_seconds = evaluation_seconds_;
  s.wall_seconds = s.total_seconds - evaluation_seconds_;
  s.exposed_communication_seconds = sync.blocked_seconds();
  s.compute_seconds = s.wall_seconds - s.exposed_communication_seconds;
  if (simulated_) {
    s.simulated_seconds = simulated_->seconds();
    s.compute_seconds = simulated_->compute_seconds();
    s.exposed_communication_seconds = simulated_->exposed_seconds();
    s.hidden_communication_seconds = simulated_->hidden_seconds();
  }
  s.samples_per_second = static_cast<double>(s.samples) / s.wall_seconds;
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  s.peak_memory_bytes = static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
  s.seed = settings_.seed;
}

void announce(const Prepared& prepared, const Settings& settings) {
  const std::string& name = settings.name;
  fmt::print(stderr, "{}: {} on {}, {}; {} in {} ({}), {}\n", name, settings.model.name,
             settings.data.name, print(prepared.training.strategy),
             print_count(prepared.workers(), "worker"),
             print_count(prepared.place.size, "process", "processes"), prepared.place.launcher,
             print_count(prepared.facts.steps, "step"));
  fmt::print(stderr, "{}: {} x {} intra-op, BLAS {}\n", name,
             print_count(prepared.threads.workers, "worker thread"), prepared.threads.intra,
             blas_in_use());
  for (const std::string& note : advice(prepared.training.strategy, prepared.workers())) {
    fmt::print(stderr, "{}: note: {}\n", name, note);
  }
  for (const std::string& warning : prepared.data->warnings) {
    fmt::print(stderr, "{}: warning: {}\n", name, warning);
  }
}

}  // namespace

RunResult run(const Resolved& resolved, const RunOptions& options) {
  Prepared prepared = prepare(resolved);
  limit_intra_threads(prepared.threads.intra);
  if (options.progress && prepared.place.rank == 0) announce(prepared, resolved.values);
  return Run(resolved, options, prepared)();
}

}  // namespace entrain
