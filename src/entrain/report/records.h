#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace entrain {

/// Records are what reports are made of: plain values, one kind a line of metrics.jsonl. Seconds
/// are since training began, evaluations included.

struct StepRecord {
  std::int64_t step = 0;
  double epoch = 0, seconds = 0;
  double train_loss =
      0;  ///< Mean over the workers of rank 0's process, since the step record before.
  double learning_rate = 0;
};

struct RoundRecord {
  std::int64_t step = 0;  ///< Of the landing.
  double epoch = 0, seconds = 0;
  std::string round = {};  ///< everyone, groups, neighbours or gradients.
  std::int64_t launched = 0;
  double blocked_seconds = 0;  ///< Waited for the exchange.
};

/// How a problem's model does: means over the last `evaluation.window` steps.
struct ProblemFigures {
  double objective = 0;                        ///< f of the evaluated model x.
  double gradient_norm2 = 0;                   ///< |grad f(x)|^2
  std::optional<double> excess = {};           ///< f(x) - f*, where f* is known or computed
  std::optional<double> excess_nodes = {};     ///< the mean over the workers of f(x_i) - f*
  std::optional<double> distance2 = {};        ///< |x - x*|^2
  std::optional<double> distance2_nodes = {};  ///< the mean over the workers of |x_i - x*|^2
};

struct EvaluationRecord {
  std::int64_t step = 0;
  double epoch = 0, seconds = 0;
  std::string model = {};  ///< Which model was evaluated: average, anchor, polyak_ruppert, workers.
  double train_loss = 0;   ///< Mean over all workers and steps since the evaluation before.
  std::optional<double> simulated_seconds = {};  ///< Of the last worker, on a virtual clock.
  std::optional<double> test_loss = {}, test_accuracy = {};  ///< By test samples.
  std::optional<ProblemFigures> problem = {};                ///< Of a problem.
  std::string batch_norm =
      {};  ///< How its statistics were made: average, recalibrate; empty: none.
  std::optional<double> lowest_worker_accuracy = {};  ///< Where each worker's own was evaluated.
  double consensus_distance = 0;  ///< sqrt((1/n) sum_i |x_i - mean|^2) over all parameters.
  double evaluation_seconds = 0;
};

struct EventRecord {
  std::int64_t step = 0;
  double epoch = 0, seconds = 0;
  std::string event = {};
};

/// Seconds that training took, on real time.
struct TimeSpent {
  double compute = 0;                     ///< Gradients and the optimizer's steps.
  double launch = 0, wait = 0, land = 0;  ///< What exchanges cost the main thread.
  double hidden = 0;                      ///< A message was under way and nothing was waited for.
  /// CPU seconds of all threads; transport's include those of the main thread while it waited.
  double cpu_compute = 0, cpu_launch_and_land = 0, cpu_transport = 0;
};

/// Its fields, one after the other.
inline constexpr double TimeSpent::*kTimeSpent[] = {&TimeSpent::compute,
                                                    &TimeSpent::launch,
                                                    &TimeSpent::wait,
                                                    &TimeSpent::land,
                                                    &TimeSpent::hidden,
                                                    &TimeSpent::cpu_compute,
                                                    &TimeSpent::cpu_launch_and_land,
                                                    &TimeSpent::cpu_transport};

/// summary.json. What is not known, because the run was interrupted or the figure does
/// not apply, is empty and written as null.
struct Summary {
  std::string name = {}, version = {}, strategy = {}, model = {}, data = {};
  int workers = 0, processes = 0;
  std::int64_t batch = 0, steps = 0, samples = 0;
  double epochs = 0;
  std::int64_t rounds_everyone = 0, rounds_groups = 0, rounds_neighbours = 0, rounds_gradients = 0;
  std::int64_t parameters = 0;
  double bytes_sent_per_worker = 0;             ///< Payload of training.
  double evaluation_bytes_sent_per_worker = 0;  ///< Payload of averages taken only to evaluate.
  std::int64_t wire_bytes_sent = 0;             ///< Of rank 0's process, headers of ours included.
  std::string evaluated_model = {};
  std::optional<double> train_loss = {}, test_loss = {}, test_accuracy = {},
                        consensus_distance = {};
  std::optional<double> lowest_worker_accuracy = {};
  std::optional<ProblemFigures> problem = {};
  std::string batch_norm =
      {};  ///< Of the evaluated model: average, recalibrate; empty: it has none.
  std::optional<double> accuracy_averaged_batch_norm = {}, accuracy_recalibrated_batch_norm = {};
  double wall_seconds = 0, evaluation_seconds = 0, total_seconds = 0;
  std::optional<double> simulated_seconds = {};
  /// On simulated time a worker's means; on real time those of `spent`, a process's means.
  double compute_seconds = 0, exposed_communication_seconds = 0, hidden_communication_seconds = 0;
  std::optional<TimeSpent> spent = {};  ///< On real time.
  double samples_per_second = 0;        ///< Of all workers together, evaluations left out.
  std::int64_t peak_memory_bytes = 0;
  std::uint64_t seed = 0;
  std::optional<std::string> parameters_hash = {};
  bool interrupted = false;
};

}  // namespace entrain
