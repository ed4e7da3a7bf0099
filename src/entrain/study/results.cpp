#include "entrain/study/results.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "entrain/core/errors.h"
#include "entrain/core/files.h"
#include "entrain/study/interval.h"

namespace entrain {
namespace {

using Parsed = nlohmann::json;

constexpr const char* diverged_file = "diverged.txt";

// Numbers by name; those of an object inside have its name in front, as in rounds_everyone.
void add_figures(const Parsed& object, const std::string& prefix,
                 std::map<std::string, double>& figures) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_number()) {
      figures[prefix + key] = value.get<double>();
    } else if (value.is_object() && prefix.empty()) {
      add_figures(value, key + "_", figures);
    }
  }
}

EvaluationPoint evaluation_point(const Parsed& line) {
  EvaluationPoint point;
  add_figures(line, "", point.figures);
  for (const auto& [key, value] : line.items()) {
    if (value.is_null()) point.figures[key] = not_a_number;  // JSON has no other way to say so
  }
  point.step = line.at("step").get<std::int64_t>();
  const auto simulated = point.figures.find("simulated_seconds");
  point.seconds =
      simulated == point.figures.end() ? line.at("seconds").get<double>() : simulated->second;
  return point;
}

std::vector<EvaluationPoint> read_evaluations(const std::filesystem::path& file) {
  std::vector<EvaluationPoint> points;
  std::istringstream lines(read_whole(file));
  for (std::string line; std::getline(lines, line);) {
    const Parsed record = Parsed::parse(line);
    if (record.at("kind") == "evaluation") points.push_back(evaluation_point(record));
  }
  return points;
}

RunFigures read_figures(const std::filesystem::path& folder, const Parsed& summary) {
  RunFigures run;
  add_figures(summary, "", run.last);
  run.evaluations = read_evaluations(folder / "metrics.jsonl");
  run.revision = Parsed::parse(read_whole(folder / "env.json")).value("revision", "");
  return run;
}

}  // namespace

double EvaluationPoint::value(const std::string& metric) const {
  const auto found = figures.find(metric);
  return found == figures.end() ? not_a_number : found->second;
}

double RunFigures::value(const std::string& metric) const {
  if (const auto found = last.find(metric); found != last.end()) return found->second;
  return evaluations.empty() ? not_a_number : evaluations.back().value(metric);
}

std::vector<std::string> metrics_of(const RunFigures& run) {
  std::set<std::string> names;
  for (const auto& [name, value] : run.last) names.insert(name);
  for (const EvaluationPoint& point : run.evaluations) {
    for (const auto& [name, value] : point.figures) names.insert(name);
  }
  return {names.begin(), names.end()};
}

std::optional<RunFigures> read_run(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / diverged_file)) return RunFigures{.diverged = true};
  if (!std::filesystem::exists(folder / "summary.json")) return std::nullopt;
  try {
    const Parsed summary = Parsed::parse(read_whole(folder / "summary.json"));
    if (summary.at("interrupted").get<bool>()) return std::nullopt;
    return read_figures(folder, summary);
  } catch (const Parsed::exception&) {
    return std::nullopt;
  } catch (const RunError&) {
    return std::nullopt;
  }
}

void mark_diverged(const std::filesystem::path& folder, const std::string& message) {
  write_whole(folder / diverged_file, message + "\n");
}

}  // namespace entrain
