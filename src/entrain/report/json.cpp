#include "entrain/report/json.h"

#include <nlohmann/json.hpp>

namespace entrain {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json head(const char* kind, std::int64_t step, double epoch, double seconds) {
  return {{"kind", kind}, {"step", step}, {"epoch", epoch}, {"seconds", seconds}};
}

void add(Json& json, const ProblemFigures& figures) {
  json["objective"] = figures.objective;
  json["gradient_norm2"] = figures.gradient_norm2;
  const auto add_known = [&](const char* name, const std::optional<double>& value) {
    if (value) json[name] = *value;
  };
  add_known("excess", figures.excess);
  add_known("excess_nodes", figures.excess_nodes);
  add_known("distance2", figures.distance2);
  add_known("distance2_nodes", figures.distance2_nodes);
}

Json cpu_seconds(const TimeSpent& spent) {
  return {{"compute", spent.cpu_compute},
          {"launch_and_land", spent.cpu_launch_and_land},
          {"transport", spent.cpu_transport}};
}

}  // namespace

std::string to_json_line(const StepRecord& record) {
  Json line = head("step", record.step, record.epoch, record.seconds);
  line["train_loss"] = record.train_loss;
  line["learning_rate"] = record.learning_rate;
  return line.dump();
}

std::string to_json_line(const RoundRecord& record) {
  Json line = head("round", record.step, record.epoch, record.seconds);
  line["round"] = record.round;
  line["launched"] = record.launched;
  line["blocked_seconds"] = record.blocked_seconds;
  return line.dump();
}

std::string to_json_line(const EvaluationRecord& record) {
  Json line = head("evaluation", record.step, record.epoch, record.seconds);
  line["model"] = record.model;
  line["train_loss"] = record.train_loss;
  if (record.simulated_seconds) line["simulated_seconds"] = *record.simulated_seconds;
  if (record.test_loss) line["test_loss"] = *record.test_loss;
  if (record.test_accuracy) line["test_accuracy"] = *record.test_accuracy;
  if (record.problem) add(line, *record.problem);
  if (!record.batch_norm.empty()) line["batch_norm"] = record.batch_norm;
  if (record.lowest_worker_accuracy)
    line["lowest_worker_accuracy"] = *record.lowest_worker_accuracy;
  line["consensus_distance"] = record.consensus_distance;
  line["evaluation_seconds"] = record.evaluation_seconds;
  return line.dump();
}

std::string to_json_line(const EventRecord& record) {
  Json line = head("event", record.step, record.epoch, record.seconds);
  line["event"] = record.event;
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const Summary& s) {
  Json json = {
      {"name", s.name},
      {"version", s.version},
      {"strategy", s.strategy},
      {"model", s.model},
      {"data", s.data},
      {"workers", s.workers},
      {"processes", s.processes},
      {"batch", s.batch},
      {"steps", s.steps},
      {"epochs", s.epochs},
      {"samples", s.samples},
      {"rounds",
       {{"everyone", s.rounds_everyone},
        {"groups", s.rounds_groups},
        {"neighbours", s.rounds_neighbours},
        {"gradients", s.rounds_gradients}}},
      {"parameters", s.parameters},
      {"bytes_sent_per_worker", s.bytes_sent_per_worker},
      {"evaluation_bytes_sent_per_worker", s.evaluation_bytes_sent_per_worker},
      {"wire_bytes_sent", s.wire_bytes_sent},
      {"evaluated_model", s.evaluated_model},
      {"train_loss", or_null(s.train_loss)},
      {"test_loss", or_null(s.test_loss)},
      {"test_accuracy", or_null(s.test_accuracy)},
      {"batch_norm", s.batch_norm.empty() ? Json(nullptr) : Json(s.batch_norm)},
      {"accuracy_averaged_batch_norm", or_null(s.accuracy_averaged_batch_norm)},
      {"accuracy_recalibrated_batch_norm", or_null(s.accuracy_recalibrated_batch_norm)},
      {"lowest_worker_accuracy", or_null(s.lowest_worker_accuracy)},
      {"consensus_distance", or_null(s.consensus_distance)},
      {"wall_seconds", s.wall_seconds},
      {"evaluation_seconds", s.evaluation_seconds},
      {"total_seconds", s.total_seconds},
      {"simulated_seconds", or_null(s.simulated_seconds)},
      {"compute_seconds", s.compute_seconds},
      {"exposed_communication_seconds", s.exposed_communication_seconds},
      {"hidden_communication_seconds", s.hidden_communication_seconds},
      {"launch_seconds", s.spent ? Json(s.spent->launch) : Json(nullptr)},
      {"land_seconds", s.spent ? Json(s.spent->land) : Json(nullptr)},
      {"cpu_seconds", s.spent ? cpu_seconds(*s.spent) : Json(nullptr)},
      {"samples_per_second", s.samples_per_second},
      {"peak_memory_bytes", s.peak_memory_bytes},
      {"seed", s.seed},
      {"parameters_hash", or_null(s.parameters_hash)},
      {"interrupted", s.interrupted},
  };
  if (s.problem) add(json, *s.problem);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace entrain
