#include "entrain/train/run.h"

#include <ATen/ATen.h>
#include <sys/resource.h>

#include <cmath>

#include "entrain/comm/address.h"
#include "entrain/comm/agreement.h"
#include "entrain/comm/local.h"
#include "entrain/comm/metered.h"
#include "entrain/config/describe.h"
#include "entrain/core/cpu_time.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"
#include "entrain/core/stopwatch.h"
#include "entrain/core/version.h"
#include "entrain/report/progress_line.h"
#include "entrain/report/run_folder.h"
#include "entrain/report/table.h"
#include "entrain/strategy/advice.h"
#include "entrain/strategy/parameters_hash.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/train/accounting.h"
#include "entrain/train/evaluate.h"
#include "entrain/train/machine.h"
#include "entrain/train/prepare.h"
#include "entrain/train/run_facts.h"
#include "entrain/train/safetensors.h"
#include "entrain/train/score.h"

namespace entrain {
namespace {

// `started`: the threads that it brings with it.
std::unique_ptr<Communicator> join(const Prepared& prepared, Team& team, std::set<int>& started) {
  if (prepared.place.size == 1) return local_communicator(prepared.local_workers, &team);
  const std::set<int> before = threads_now();
  auto comm = join_processes(prepared.place, prepared.comm);
  started = threads_now();
  for (const int thread : before) started.erase(thread);
  return comm;
}

std::unique_ptr<Simulated> simulate(const Prepared& prepared, Communicator& comm) {
  if (!prepared.network) return nullptr;
  const SimulatedNetwork& spec = *prepared.network;
  return std::make_unique<Simulated>(comm, spec.network, spec.compute, spec.straggler,
                                     prepared.training.objective.seed);
}

std::vector<std::string> warnings_of(const Prepared& prepared) {
  return prepared.data ? prepared.data->warnings : std::vector<std::string>();
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

std::unique_ptr<Score> make_score(const Scored& scored) {
  return scored.training.objective.problem ? problem_score(scored) : dataset_score(scored);
}

// One run, from the first step to the summary.
class Run {
 public:
  Run(const Resolved& resolved, const RunOptions& options, Prepared& prepared)
      : settings_(resolved.values),
        options_(options),
        prepared_(prepared),
        team_(prepared.threads.workers, [n = prepared.threads.intra] { limit_intra_threads(n); }),
        comm_(join(prepared, team_, transport_threads_)),
        simulated_(simulate(prepared, *comm_)),
        training_meter_(simulated_ ? *simulated_ : *comm_),
        evaluation_meter_(*comm_),
        workers_(with_clock(prepared.training), agreed(training_meter_), team_),
        accounting_(*comm_, workers_.synchronizer().timeline(), transport_threads_),
        score_(make_score({settings_.evaluation, prepared.evaluate_every, prepared.facts.steps,
                           prepared.training, workers_, evaluation_meter_, team_})) {
    if (shown_model(settings_.evaluation.model) == ShownModel::polyak_ruppert) {
      workers_.synchronizer().keep_running_mean();
    }
    if (comm_->rank() == 0) open_folder(resolved);
  }

  RunResult operator()() {
    try {
      accounting_.begin(traced());
      began_ = {};
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
  void evaluate(bool last = false);
  void finish();
  void save_model();
  bool traced() const { return !simulated_ && settings_.report.trace == "all"; }
  void write_trace(bool alone);
  void end_early(const Error& error);
  void fill_summary(bool alone = false);
  void record_rounds();
  template <class Record>
  void record(Record record);

  const Settings& settings_;
  const RunOptions& options_;
  Prepared& prepared_;
  Team team_;
  std::set<int> transport_threads_;
  std::unique_ptr<Communicator> comm_;
  std::unique_ptr<Simulated> simulated_;  // null: real time
  Metered training_meter_, evaluation_meter_;
  Workers workers_;
  Accounting accounting_;
  std::unique_ptr<Score> score_;
  std::optional<RunFolder> folder_;
  Summary summary_;
  RunningMean since_record_, since_evaluation_;
  Stopwatch began_;
  double evaluation_seconds_ = 0;
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

Communicator& Run::agreed(Communicator& comm) {
  // The facts hash all data.
  if (prepared_.place.size > 1) check_agreement(comm, run_facts(settings_, prepared_));
  return comm;
}

void Run::open_folder(const Resolved& resolved) {
  folder_ = options_.out ? RunFolder::create(*options_.out)
                         : RunFolder::create_under("runs", settings_.name);
  Resolved whole = resolved;
  whole.values.workers = comm_->workers();
  folder_->write("run.toml", to_toml(whole));
  folder_->write("env.json", describe_machine(prepared_.place, prepared_.threads));
  for (const std::string& warning : warnings_of(prepared_)) record(EventRecord{.event = warning});
}

template <class Record>
void Run::record(Record record) {
  if (!folder_) return;
  if (record.step == 0) record.step = workers_.synchronizer().step();
  record.epoch = workers_.epoch();
  record.seconds = began_.seconds();
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
  if (score_->looks()) {
    const auto evaluating = accounting_.evaluating();
    const Stopwatch watch;
    score_->look();
    evaluation_seconds_ += watch.seconds();
  }
  if (now % settings_.report.every == 0) {
    record(StepRecord{.train_loss = since_record_.take(), .learning_rate = workers_.lr()});
  }
  if (interrupted()) throw Interrupted("interrupted");
}

void Run::record_rounds() {
  for (const LandedRound& landed : workers_.synchronizer().take_landed()) {
    if (settings_.report.rounds == "none") continue;
    record(RoundRecord{.step = landed.landed,
                       .round = landed.kind,
                       .launched = landed.launched,
                       .blocked_seconds = landed.blocked_seconds});
  }
}

void Run::evaluate(bool last) {
  const auto evaluating = accounting_.evaluating();
  const Stopwatch watch;
  const double loss = sum_over_processes(since_evaluation_.sum, evaluation_meter_);
  const double count = sum_over_processes(since_evaluation_.count, evaluation_meter_);
  since_evaluation_ = {};
  if (count > 0) summary_.train_loss = loss / count;
  EvaluationRecord taken = score_->take(summary_, last);
  taken.train_loss = summary_.train_loss.value_or(0);
  if (simulated_) taken.simulated_seconds = simulated_->seconds();
  taken.evaluation_seconds = watch.seconds();
  evaluation_seconds_ += taken.evaluation_seconds;
  record(taken);
}

void Run::finish() {
  workers_.synchronizer().finish();
  record_rounds();
  evaluate(true);  // after the last landing
  summary_.parameters_hash = parameters_hash(workers_.rows(), *comm_);
  fill_summary();
  write_trace(false);
  if (!folder_) return;
  save_model();
  folder_->write("summary.json", to_json(summary_));
}

// `alone`: without an exchange; else every process calls it.
void Run::write_trace(bool alone) {
  if (simulated_ && folder_ && !alone && settings_.report.trace != "none") {
    folder_->write("trace.json", trace_json(trace_of(*simulated_)));
  }
  if (!traced()) return;
  const Trace trace = alone ? accounting_.own_trace() : accounting_.trace();
  if (folder_) folder_->write("trace.json", trace_json(trace));
}

void Run::save_model() {
  const bool own = settings_.evaluation.model == "workers";
  TensorFile model = {
      {}, {{"strategy", summary_.strategy}, {"model", own ? "average" : summary_.evaluated_model}}};
  const Rows& rows = workers_.rows();
  const at::Tensor row = score_->model()[0];
  const auto add = [&](const Layout& layout, std::int64_t begin) {
    for (const Layout::Entry& entry : layout.entries) {
      model.tensors.push_back(
          {entry.name, row.as_strided(entry.sizes, entry.strides, begin + entry.offset)});
    }
  };
  add(rows.layout(), 0);
  add(rows.buffer_layout(), rows.layout().columns);
  save_tensors(folder_->path() / "model.safetensors", model);
}

// No exchange here: the others may be at another step, or gone.
void Run::end_early(const Error& error) {
  comm_->abandon();
  const bool stopped = interrupted();
  if (folder_) {
    record(EventRecord{.event = stopped ? "interrupted" : fmt::format("failed: {}", error.what())});
  }
  write_trace(true);
  if (!stopped) return;
  summary_.interrupted = true;
  fill_summary(true);
  if (folder_) folder_->write("summary.json", to_json(summary_));
  throw Interrupted(folder_
                        ? fmt::format("interrupted at step {} of {}; the summary is in {}",
                                      workers_.synchronizer().step(), prepared_.facts.steps,
                                      folder_->path().string())
                        : fmt::format("interrupted at step {}", workers_.synchronizer().step()));
}

void Run::fill_summary(bool alone) {
  const Synchronizer& sync = workers_.synchronizer();
  Summary& s = summary_;
  s.name = settings_.name;
  s.version = kVersion;
  s.strategy = print(sync.strategy());
  s.model = prepared_.problem ? settings_.problem.name : settings_.model.name;
  s.data = prepared_.problem ? "" : settings_.data.name;
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
  s.total_seconds = began_.seconds();
  s.evaluation_seconds = evaluation_seconds_;
  s.wall_seconds = s.total_seconds - evaluation_seconds_;
  if (simulated_) {
    s.simulated_seconds = simulated_->seconds();
    s.compute_seconds = simulated_->compute_seconds();
    s.exposed_communication_seconds = simulated_->exposed_seconds();
    s.hidden_communication_seconds = simulated_->hidden_seconds();
  } else {
    s.spent = alone ? accounting_.own_spent() : accounting_.spent();
    s.compute_seconds = s.spent->compute;
    s.exposed_communication_seconds = s.spent->wait;
    s.hidden_communication_seconds = s.spent->hidden;
  }
  s.samples_per_second = static_cast<double>(s.samples) / s.wall_seconds;
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  s.peak_memory_bytes = static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
  s.seed = settings_.seed;
}

void announce(const Prepared& prepared, const Settings& settings) {
  const std::string& name = settings.name;
  fmt::print(stderr, "{}: {}, {}; {} in {} ({}), {}\n", name,
             prepared.problem ? settings.problem.name
                              : fmt::format("{} on {}", settings.model.name, settings.data.name),
             print(prepared.training.strategy), print_count(prepared.workers(), "worker"),
             print_count(prepared.place.size, "process", "processes"),
             prepared.place.size == 1 || prepared.place.address.empty()
                 ? prepared.place.launcher
                 : fmt::format("{}, at {}", prepared.place.launcher,
                               own_address_towards(prepared.place, prepared.comm.interface)),
             print_count(prepared.facts.steps, "step"));
  if (prepared.place.size > 1) fmt::print(stderr, "{}: {}\n", name, print(prepared.place));
  fmt::print(stderr, "{}: {} x {} intra-op, BLAS {}\n", name,
             print_count(prepared.threads.workers, "worker thread"), prepared.threads.intra,
             blas_in_use());
  for (const std::string& note :
       advice(prepared.training.strategy, prepared.workers(), prepared.comm.lossless)) {
    fmt::print(stderr, "{}: note: {}\n", name, note);
  }
  for (const std::string& warning : warnings_of(prepared)) {
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
