#include "entrain/comm/compute_time.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "entrain/comm/network.h"
#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {
namespace {

double seconds_in(const Arguments& a, const char* name) {
  return parse_seconds(print(a.value(name)));
}

double uniform(std::uint64_t seed, Purpose purpose, int worker, std::int64_t step) {
  return Stream(seed, purpose, static_cast<std::uint64_t>(worker), static_cast<std::uint64_t>(step))
      .uniform();
}

ComputeTime drawn(const Arguments& a, const std::function<double(double u)>& from_uniform) {
  return {a.canonical(), false, [from_uniform](std::uint64_t seed, int worker, std::int64_t step) {
            return from_uniform(uniform(seed, Purpose::compute_time, worker, step));
          }};
}

using Trace = std::vector<std::vector<double>>;  // seconds, of each step and worker

std::vector<double> trace_line(const std::string& line, const std::string& where) {
  std::istringstream words(line);
  std::vector<double> row;
  for (std::string word; words >> word;) {
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    if (*end != '\0' || !(value >= 0 && std::isfinite(value))) {
      throw UsageError(
          fmt::format("{}: '{}': must be seconds, one number a worker", where, excerpt(word)));
    }
    row.push_back(value);
  }
  return row;
}

Trace read_trace(const Arguments& a) {
  const std::string& path = a.text("file");
  std::error_code error;
  std::ifstream file;
  if (std::filesystem::is_regular_file(path, error)) file.open(path);
  if (!file.is_open()) throw UsageError(fmt::format("{}: cannot be read", print(a.canonical())));
  Trace steps;
  std::int64_t number = 0;
  for (std::string line; std::getline(file, line);) {
    const std::string where = fmt::format("{}:{}", path, ++number);
    std::vector<double> row = trace_line(line, where);
    if (row.empty()) continue;
    if (!steps.empty() && row.size() != steps[0].size()) {
      throw UsageError(fmt::format("{}: {} numbers, where the lines before have {}", where,
                                   row.size(), steps[0].size()));
    }
    steps.push_back(std::move(row));
  }
  if (steps.empty()) throw UsageError(fmt::format("{}: no numbers", path));
  return steps;
}

// What the run is known to need is asked for at its start.
void require_trace(const Trace& trace, const std::string& path, int workers, std::int64_t steps) {
  if (static_cast<std::int64_t>(trace.size()) < steps) {
    throw UsageError(fmt::format("{}: ends after step {}, where the run has {} steps", path,
                                 trace.size(), steps));
  }
  if (static_cast<int>(trace[0].size()) < workers) {
    throw UsageError(fmt::format("{}: has times for {} workers, where the run has {}", path,
                                 trace[0].size(), workers));
  }
}

ComputeTime traced(const Arguments& a) {
  const auto trace = std::make_shared<const Trace>(read_trace(a));
  const std::string path = a.text("file");
  require_trace(*trace, path, a.facts().workers, a.facts().steps);
  return {a.canonical(), false, [trace, path](std::uint64_t, int worker, std::int64_t step) {
            const auto at = static_cast<std::size_t>(step - 1);
            if (at >= trace->size() || worker >= static_cast<int>((*trace)[at].size())) {
              require_trace(*trace, path, worker + 1, step);
            }
            return (*trace)[at][worker];
          }};
}

}  // namespace

const std::vector<Choice<ComputeTime>>& compute_time_choices() {
  static const std::vector<Choice<ComputeTime>> choices = {
      {"measured",
       {},
       "as long as on this machine",
       [](const Arguments&) { return ComputeTime(); }},
      {"constant",
       {{"time"}},
       "the same for each step, as in constant(10 ms)",
       [](const Arguments& a) {
         const double seconds = seconds_in(a, "time");
         return ComputeTime{a.canonical(), false,
                            [seconds](std::uint64_t, int, std::int64_t) { return seconds; }};
       }},
      {"exponential",
       {{"mean"}},
       "exponential",
       [](const Arguments& a) {
         return drawn(a, [mean = seconds_in(a, "mean")](double u) { return -mean * std::log(u); });
       }},
      {"shifted_exponential",
       {{"least"}, {"mean"}},
       "a least time and an exponential one of that mean besides",
       [](const Arguments& a) {
         return drawn(a, [least = seconds_in(a, "least"), mean = seconds_in(a, "mean")](double u) {
           return least - mean * std::log(u);
         });
       }},
      {"pareto",
       {{"least"}, {"shape"}},
       "Pareto: least / u^(1 / shape)",
       [](const Arguments& a) {
         const double shape = a.real("shape");
         if (!(shape > 0 && std::isfinite(shape))) {
           throw UsageError(fmt::format("{}: shape must be above 0", print(a.canonical())));
         }
         return drawn(a, [least = seconds_in(a, "least"), shape](double u) {
           return least / std::pow(u, 1 / shape);
         });
       }},
      {"trace", {{"file"}}, "seconds in a file: a line a step, a number a worker", traced},
  };
  return choices;
}

const std::vector<Choice<Straggler>>& straggler_choices() {
  static const std::vector<Choice<Straggler>> choices = {
      {"none", {}, "nobody is slow", [](const Arguments&) { return Straggler(); }},
      {"slow",
       {{"probability"}, {"factor"}},
       "each step of each worker is slower by a factor at random",
       [](const Arguments& a) {
         const double probability = a.real("probability"), factor = a.real("factor");
         if (!(probability >= 0 && probability <= 1 && factor > 0)) {
           throw UsageError(fmt::format("{}: probability must be from 0 to 1, factor above 0",
                                        print(a.canonical())));
         }
         return Straggler{a.canonical(),
                          [probability, factor](std::uint64_t seed, int worker, std::int64_t step) {
                            const double u = uniform(seed, Purpose::straggler, worker, step);
                            return u < probability ? factor : 1.0;
                          }};
       }},
      {"factors",
       {{"list"}},
       "a factor for each worker, as in factors([1, 1, 2.5]); 1 for those that are not there",
       [](const Arguments& a) {
         std::vector<double> factors;
         for (const Argument& item : a.value("list").arguments) {
           if (item.value.kind != Value::Kind::number || !(item.value.number > 0)) {
             throw UsageError(fmt::format("{}: factors must be above 0", print(a.canonical())));
           }
           factors.push_back(item.value.number);
         }
         return Straggler{a.canonical(), [factors](std::uint64_t, int worker, std::int64_t) {
                            return worker < static_cast<int>(factors.size()) ? factors[worker]
                                                                             : 1.0;
                          }};
       }},
  };
  return choices;
}

}  // namespace entrain
