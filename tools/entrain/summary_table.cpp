#include "entrain/summary_table.h"

#include <fmt/format.h>

#include "entrain/report/table.h"

namespace entrain {
namespace {

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.2f} %", 100 * *share) : "-";
}

std::string four_digits(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "-";
}

std::string short_number(const std::optional<double>& value) {
  return value ? fmt::format("{:.4g}", *value) : "-";
}

// A problem has no test samples, a simulated run another clock; runs of one table are of one kind.
std::vector<std::string> head_of(const Summary& s) {
  const bool simulated = s.simulated_seconds.has_value();
  return {"method",
          s.problem ? "f - f*" : "test accuracy",
          "train loss",
          "steps",
          "rounds",
          "sent/worker",
          simulated ? "simulated time" : "training",
          "of it exchanging",
          simulated ? "real time" : "samples/s"};
}

std::vector<std::string> row_of(const Summary& s) {
  return {fmt::format("{}, {}", s.model, s.strategy),
          s.problem ? short_number(s.problem->excess) : percent(s.test_accuracy),
          four_digits(s.train_loss),
          std::to_string(s.steps),
          std::to_string(s.rounds_everyone + s.rounds_groups + s.rounds_neighbours +
                         s.rounds_gradients),
          print_bytes(s.bytes_sent_per_worker),
          print_seconds(s.simulated_seconds.value_or(s.wall_seconds)),
          print_seconds(s.exposed_communication_seconds),
          s.simulated_seconds ? print_seconds(s.wall_seconds)
                              : fmt::format("{:.0f}", s.samples_per_second)};
}

}  // namespace

std::string print_summaries(const std::vector<Summary>& summaries) {
  std::vector<std::vector<std::string>> rows;
  for (const Summary& summary : summaries) rows.push_back(row_of(summary));
  return print_table(head_of(summaries.at(0)), rows);
}

}  // namespace entrain
