#include <nlohmann/json.hpp>

#include "bench/bench.h"
#include "entrain/report/table.h"

namespace entrain {
namespace {

std::vector<std::string> cells_of_line(const nlohmann::ordered_json& line) {
  const auto cell = [&](const char* key, const char* form, double unit) {
    if (!line.contains(key)) return std::string("-");
    return fmt::format(fmt::runtime(form), unit * line[key].get<double>());
  };
  return {fmt::format("{} {}", line["by"].get<std::string>(), line["method"].get<std::string>()),
          cell("samples_per_second", "{:.0f}", 1),
          cell("step_seconds", "{:.3f}", 1e3),
          cell("exposed_seconds_per_step", "{:.3f}", 1e3),
          cell("exposed_seconds_per_step", "{:.1f}", 100 / line["step_seconds"].get<double>()),
          cell("hidden_seconds_per_step", "{:.3f}", 1e3),
          cell("compute_cpu_seconds_per_step", "{:.3f}", 1e3),
          cell("launch_and_land_cpu_seconds_per_step", "{:.3f}", 1e3),
          cell("cpu_seconds_per_step", "{:.3f}", 1e3),
          line.contains("bytes_sent_per_worker_and_step")
              ? print_bytes(line["bytes_sent_per_worker_and_step"].get<double>())
              : "-",
          cell("speed_of_no_communication", "{:.3f}", 1),
          cell("speed_of_peer", "{:.2f}", 1)};
}

}  // namespace

std::string print_strategies(const std::string& json) {
  const auto all = nlohmann::ordered_json::parse(json);
  std::string text = fmt::format(
      "{}, batch {}, sgd(lr=0.01, momentum=0.9), {} intra-op; medians of {} interleaved runs of "
      "whole periods; compression {}; {}; BLAS {}\n",
      print_count(all["processes"].get<std::int64_t>(), "process", "processes"),
      all["batch"].get<std::int64_t>(), print_count(all["threads"].get<int>(), "thread"),
      all["repeats"].get<int>(), all["compression"].get<std::string>(),
      all["processor"].get<std::string>(), all["blas"].get<std::string>());
  std::vector<std::vector<std::string>> rows;
  const auto& lines = all["lines"];
  for (std::size_t i = 0; i < lines.size(); ++i) {
    rows.push_back(cells_of_line(lines[i]));
    if (i + 1 < lines.size() && lines[i + 1]["model"] == lines[i]["model"]) continue;
    text += fmt::format(
        "\n{}\n{}", lines[i]["model"].get<std::string>(),
        print_table({"method", "samples/s", "ms/step", "waiting ms", "waiting %", "hidden ms",
                     "CPU: compute", "launch, land", "all", "sent/step", "x none", "x PyTorch"},
                    rows));
    rows.clear();
  }
  for (const auto& line : lines) {
    if (line["model"] != lines[0]["model"]) continue;
    const auto method = line["method"].get<std::string>();
    const auto strategy = line["strategy"].get<std::string>();
    if (!strategy.empty() && strategy != method)
      text += fmt::format("\n{}: {}\n", method, strategy);
  }
  return text +
         "\nA step's ms; hidden: messages under way while nothing is waited for. CPU: ms of a "
         "process, of which the rest is the transport's. Sent: by a worker, before compression. "
         "x none: against no communication; x PyTorch: against its equal method.\n";
}

}  // namespace entrain
