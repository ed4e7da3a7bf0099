#include "entrain/study/evaluate.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "entrain/core/errors.h"
#include "entrain/core/text.h"
#include "entrain/study/functions.h"

namespace entrain {
namespace {

constexpr double usual_factor = 2;  // of transient

/// Evaluates one call of a function that reads results.
class CallOnResults {
 public:
  CallOnResults(const Expression& call, const Results& results, const std::vector<int>& seeds,
                TimesRead* times)
      : call_(call),
        function_(*find_function(call.name)),
        results_(results),
        seeds_(seeds),
        times_(times) {}

  Interval operator()() {
    std::vector<Interval> values;
    for (const int seed : seeds_) {
      seed_ = static_cast<std::size_t>(seed);
      values.push_back(of_seed());
    }
    return call_.name == "variance" ? variance_of(values) : mean_of(values);
  }

 private:
  using Better = const double& (*)(const double&, const double&);

  Interval of_seed() {
    const RunFigures& run = run_of("variant");
    if (run.diverged) return anything();
    if (call_.name == "transient") return transient(run);
    if (call_.name == "time_to" || call_.name == "steps_to") return first_at_level(run);
    if (call_.name == "highest") return extreme(run, std::max<double>);
    if (call_.name == "lowest") return extreme(run, std::min<double>);
    if (number("at")) return at_step(run, *number("at"));
    if (number("from") || number("to")) return window_mean(run);
    return exactly(run.value(metric()));
  }

  const Expression* part(std::string_view name) const {
    for (std::size_t i = 0; i < function_.parameters.size(); ++i) {
      if (function_.parameters[i].name != name) continue;
      return call_.parts[i].left_out() ? nullptr : &call_.parts[i];
    }
    return nullptr;
  }

  const std::string& metric() const { return part("metric")->name; }

  // An argument that is a number and exact; none where it was left out.
  std::optional<double> number(std::string_view name) const {
    const Expression* found = part(name);
    if (!found) return std::nullopt;
    const Interval value = evaluate(*found, results_, seeds_);
    return value.exact() ? value.low : not_a_number;
  }

  const RunFigures& run_of(std::string_view parameter) const {
    const auto& runs = results_.at(part(parameter)->name);
    ENTRAIN_CHECK(seed_ < runs.size());
    return runs[seed_];
  }

  [[noreturn]] void refuse(const RunFigures& run, const std::string& what) const {
    const auto& points = run.evaluations;
    throw UsageError(fmt::format("{}: '{}' {}; its {} evaluations are at steps {} to {}",
                                 call_.name, part("variant")->name, what, points.size(),
                                 points.empty() ? 0 : points.front().step,
                                 points.empty() ? 0 : points.back().step));
  }

  std::vector<double> window(const RunFigures& run) const {
    const double from = number("from").value_or(-unbounded), to = number("to").value_or(unbounded);
    std::vector<double> values;
    for (const EvaluationPoint& point : run.evaluations) {
      const auto step = static_cast<double>(point.step);
      if (from <= step && step <= to) values.push_back(point.value(metric()));
    }
    if (values.empty()) {
      refuse(run, fmt::format("has no evaluation from step {} to {}", from, to));
    }
    return values;
  }

  Interval window_mean(const RunFigures& run) const {
    std::vector<Interval> values;
    for (const double value : window(run)) values.push_back(exactly(value));
    return mean_of(values);
  }

  Interval extreme(const RunFigures& run, Better better) const {
    const std::vector<double> values = window(run);
    double result = values.front();
    for (const double value : values) {
      if (std::isnan(value)) return exactly(not_a_number);
      result = better(result, value);
    }
    return exactly(result);
  }

  Interval at_step(const RunFigures& run, double step) const {
    for (const EvaluationPoint& point : run.evaluations) {
      if (static_cast<double>(point.step) == step) return exactly(point.value(metric()));
    }
    refuse(run, fmt::format("has no evaluation at step {}", step));
  }

  double time_of(const EvaluationPoint& point) const {
    return call_.name == "time_to" ? point.seconds : static_cast<double>(point.step);
  }

  Interval timed(const RunFigures& run, const EvaluationPoint* reached) {
    if (times_) {
      ++times_->all;
      times_->cut_off += reached == nullptr;
    }
    if (reached) return exactly(time_of(*reached));
    return at_least(time_of(run.evaluations.back()));
  }

  // Whether the metric is no number at some evaluation: when it was reached is not known then.
  bool has_gaps(const RunFigures& run) const {
    return std::any_of(
        run.evaluations.begin(), run.evaluations.end(),
        [&](const EvaluationPoint& point) { return std::isnan(point.value(metric())); });
  }

  Interval first_at_level(const RunFigures& run) {
    if (run.evaluations.empty()) refuse(run, "was never evaluated");
    const double level = *number("level");
    if (std::isnan(level) || has_gaps(run)) return anything();
    const auto reached =
        std::find_if(run.evaluations.begin(), run.evaluations.end(),
                     [&](const EvaluationPoint& p) { return p.value(metric()) <= level; });
    return timed(run, reached == run.evaluations.end() ? nullptr : &*reached);
  }

  Interval transient(const RunFigures& run) {
    const RunFigures& reference = run_of("reference");
    if (reference.diverged) return anything();
    const double factor = number("factor").value_or(usual_factor);
    if (std::isnan(factor) || has_gaps(run) || has_gaps(reference)) return anything();
    const auto& points = run.evaluations;
    if (points.empty() || points.size() != reference.evaluations.size()) {
      refuse(run,
             fmt::format("and '{}' are not evaluated at the same steps", part("reference")->name));
    }
    const EvaluationPoint* reached = nullptr;
    for (std::size_t i = points.size(); i-- > 0;) {
      const EvaluationPoint& other = reference.evaluations[i];
      if (other.step != points[i].step) {
        refuse(run, fmt::format("and '{}' are not evaluated at the same steps",
                                part("reference")->name));
      }
      if (!(points[i].value(metric()) <= factor * other.value(metric()))) break;
      reached = &points[i];
    }
    return timed(run, reached);
  }

  const Expression& call_;
  const Function& function_;
  const Results& results_;
  const std::vector<int>& seeds_;
  TimesRead* times_;
  std::size_t seed_ = 0;
};

bool reads_results(const Function& function) {
  return function.parameters.front().takes == Takes::metric;
}

/// Evaluates expressions, results or none.
class Evaluating {
 public:
  Evaluating(const Results& results, const std::vector<int>& seeds, TimesRead* times)
      : results_(results), seeds_(seeds), times_(times) {}

  Interval operator()(const Expression& expression) const {
    if (expression.kind == Expression::Kind::number) return exactly(expression.number);
    ENTRAIN_CHECK(expression.kind == Expression::Kind::call);
    const Function* function = find_function(expression.name);
    if (!function) return operation(expression);
    if (reads_results(*function)) return CallOnResults(expression, results_, seeds_, times_)();
    const std::vector<Expression>& parts = expression.parts;
    if (expression.name == "slope") return log_log_slope(all(parts[0].parts), all(parts[1].parts));
    if (expression.name == "min") return fold(parts, smaller);
    if (expression.name == "max") return fold(parts, larger);
    const Interval x = (*this)(parts.front());
    if (expression.name == "log") return logarithm(x);
    return expression.name == "exp" ? exponential(x) : square_root(x);
  }

 private:
  Interval operation(const Expression& expression) const {
    const Interval left = (*this)(expression.parts[0]), right = (*this)(expression.parts[1]);
    switch (expression.name.front()) {
      case '+':
        return left + right;
      case '-':
        return left - right;
      case '*':
        return left * right;
      case '/':
        return left / right;
      default:
        return power(left, right);
    }
  }

  std::vector<Interval> all(const std::vector<Expression>& parts) const {
    std::vector<Interval> values;
    for (const Expression& part : parts) values.push_back((*this)(part));
    return values;
  }

  Interval fold(const std::vector<Expression>& parts,
                Interval (*combine)(const Interval&, const Interval&)) const {
    Interval result = (*this)(parts.front());
    for (std::size_t i = 1; i < parts.size(); ++i) result = combine(result, (*this)(parts[i]));
    return result;
  }

  const Results& results_;
  const std::vector<int>& seeds_;
  TimesRead* times_;
};

// mean() and variance() read the last value, unless a step is named; all others read the curve.
bool reads_curve(const Expression& call) {
  if (call.name == "variance") return false;
  return call.name != "mean" ||
         !std::all_of(call.parts.begin() + 2, call.parts.end(),
                      [](const Expression& part) { return part.left_out(); });
}

void collect_reads(const Expression& expression, std::vector<MetricRead>& reads) {
  const Function* function = find_function(expression.name);
  if (expression.kind == Expression::Kind::call && function && reads_results(*function)) {
    const auto& parameters = function->parameters;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].takes != Takes::variant) continue;
      reads.push_back(
          {expression.parts[0].name, expression.parts[i].name, reads_curve(expression)});
    }
  }
  for (const Expression& part : expression.parts) collect_reads(part, reads);
}

}  // namespace

Interval evaluate(const Expression& expression, const Results& results,
                  const std::vector<int>& seeds, TimesRead* times) {
  return Evaluating(results, seeds, times)(expression);
}

std::vector<MetricRead> reads_of(const Relation& relation) {
  std::vector<MetricRead> reads;
  collect_reads(relation.left, reads);
  collect_reads(relation.right, reads);
  return reads;
}

void require_metric(const MetricRead& read, const RunFigures& run) {
  if (run.diverged) return;
  RunFigures searched = run;
  if (read.of_curve) searched.last.clear();
  const std::vector<std::string> known = metrics_of(searched);
  if (std::find(known.begin(), known.end(), read.metric) != known.end()) return;
  const std::string near = nearest(read.metric, known);
  throw UsageError(fmt::format("the {} of '{}' have no metric '{}'{} There is: {}",
                               read.of_curve ? "evaluations" : "results", read.variant, read.metric,
                               near.empty() ? "." : fmt::format("; did you mean '{}'?", near),
                               fmt::join(known, ", ")));
}

}  // namespace entrain
