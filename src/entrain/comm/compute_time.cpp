#include "entrain/comm/compute_time.h"

#include <cmath>
#include <fstream>
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

using Seconds = std::function<double(std::uint64_t, int, std::int64_t)>;

ComputeTime drawn(const Arguments& a, const std::function<double(double u)>& from_uniform) {
  return {a.canonical(), false, [from_uniform](std::uint64_t seed, int worker, std::int64_t step) {
            return from_uniform(uniform(seed, Purpose::compute_time, worker, step));
          }};
}

ComputeTime traced(const Arguments& a) {
  const std::string& path = a.text("file");
  std::ifstream file(path);
  if (!file) throw UsageError(fmt::format("{}: cannot be read", print(a.canonical())));
  std::vector<std::vector<double>> steps;
  std::int64_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::istringstream words(line);
    std::vector<double> row;
    for (double value = 0; words >> value;) row.push_back(value);
    const bool broken = !words.eof();
    if (row.empty() && !broken) continue;
    for (const double value : row) {
      if (broken || !(value >= 0 && std::isfinite(value))) {
        throw UsageError(fmt::format("{}:{}: must be seconds, one number a worker", path, number));
      }
    }
    if (broken || (!steps.empty() && row.size() != steps[0].size())) {
      throw UsageError(fmt::format("{}:{}: {} numbers, where line 1 has {}", path, number,
                                   row.size(), steps.empty() ? 0 : steps[0].size()));
    }
    steps.push_back(std::move(row));
  }
  return {
      a.canonical(), false, [steps, path](std::uint64_t, int worker, std::int64_t step) {
        if (step > static_cast<std::int64_t>(steps.size())) {
          throw UsageError(
              fmt::format("{}: ends after {} steps; the run has more", path, steps.size()));
        }
        const std::vector<double>& row = steps[step - 1];
        if (worker >= static_cast<int>(row.size())) {
          throw UsageError(fmt::format("{}: has {} workers; the run has more", path, row.size()));
        }
        return row[worker];
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
         return drawn(a, [t = seconds_in(a, "time")](double) { return t; });
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
         if (!(shape > 0)) {
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
