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

}  // namespace

std::string print_summaries(const std::vector<Summary>& summaries) {
  std::vector<std::vector<std::string>> rows;
  for (const Summary& s : summaries) {
    rows.push_back({fmt::format("{}, {}", s.model, s.strategy), percent(s.test_accuracy),
                    four_digits(s.train_loss), std::to_string(s.steps),
                    std::to_string(s.rounds_everyone + s.rounds_groups + s.rounds_neighbours +
                                   s.rounds_gradients),
                    print_bytes(s.bytes_sent_per_worker), print_seconds(s.wall_seconds),
                    print_seconds(s.exposed_communication_seconds),
                    fmt::format("{:.0f}", s.samples_per_second)});
  }
  return print_table({"method", "test accuracy", "train loss", "steps", "rounds", "sent/worker",
                      "training", "of it exchanging", "samples/s"},
                     rows);
}

}  // namespace entrain
