#include "entrain/strategy/theory_schedules.h"

#include <algorithm>
#include <cmath>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

// Every argument must be above `least`, or the text is refused.
void require_above(double least, const Value& text) {
  for (const Argument& argument : text.arguments) {
    if (argument.value.kind == Value::Kind::number && !(argument.value.number > least)) {
      throw UsageError(fmt::format("{}: {} must be above {}", print(text), argument.name, least));
    }
  }
}

Schedule with_period(Value text, double period) {
  require_above(0, text);
  return {std::move(text), every(steps_up(period)).next};
}

}  // namespace

Schedule lupa(double c, double T, double n, double B) {
  return with_period(
      call("lupa", {named("c", c), named("steps", T), named("n", n), named("batch", B)}),
      c * std::pow(T, 2.0 / 3) / std::cbrt(n * B));
}

Schedule stich(double T, double n, double B) {
  return with_period(call("stich", {named("steps", T), named("n", n), named("batch", B)}),
                     std::sqrt(T / (n * B)));
}

Schedule yu(double T, double n) {
  return with_period(call("yu", {named("steps", T), named("n", n)}),
                     std::pow(T, 0.25) / std::pow(n, 0.75));
}

Schedule wang_joshi(double T, double n) {
  return with_period(call("wang_joshi", {named("steps", T), named("n", n)}),
                     std::sqrt(T) / std::pow(n, 1.5));
}

Schedule one_shot(std::int64_t T) {
  if (T < 1) throw UsageError(fmt::format("one_shot({}): steps must be >= 1", T));
  return {call("one_shot", {{"", number(static_cast<double>(T))}}), at_steps({T}).next};
}

double ada_linear_alpha(double tau0, double rounds, double T, bool exact) {
  if (!(tau0 >= 1 && T >= 1 && rounds >= (exact ? 2 : 1))) {
    throw UsageError(fmt::format("ada_linear: rounds={}: must be at least {}", print_number(rounds),
                                 exact ? 2 : 1));
  }
  return exact ? 2 * (T / (rounds * tau0) - 1) / (rounds - 1)
               : 2 / (rounds + 1) * T / (rounds * tau0);
}

Schedule ada_linear(double tau0, double alpha, std::int64_t T) {
  Value text = call("ada_linear", {named("tau0", tau0), named("alpha", alpha),
                                   named("steps", static_cast<double>(T))});
  if (!(tau0 >= 1 && alpha >= 0 && std::isfinite(alpha) && T >= 1)) {
    throw UsageError(
        fmt::format("{}: tau0 and steps must be >= 1, alpha a number >= 0", print(text)));
  }
  return {text, [tau0, alpha, T](const Progress& progress) {
            if (progress.last_due >= T) return kNever;
            const double interval =
                std::round((1 + static_cast<double>(progress.round) * alpha) * tau0);
            const double due = static_cast<double>(progress.last_due) + std::max(1.0, interval);
            return due < static_cast<double>(T) ? static_cast<std::int64_t>(due) : T;
          }};
}

Schedule growing(double n0, double a) {
  Value text = call("growing", {named("n0", n0), named("a", a)});
  if (!(n0 > 0 && a >= 0)) {
    throw UsageError(fmt::format("{}: n0 must be above 0, a >= 0", print(text)));
  }
  return {text, [n0, a](const Progress& progress) {
            return progress.last_due +
                   steps_up(n0 * std::pow(static_cast<double>(progress.round + 1), a));
          }};
}

Schedule quad_rule(double mu, double n) {
  Value text = call("quad_rule", {named("mu", mu), named("n", n)});
  require_above(0, text);
  return {.text = text,
          .next =
              [mu, n](const Progress& progress) {
                return progress.last_due + steps_down(1 / (mu * progress.lr * n));
              },
          .needs_lr = true};
}

Schedule smooth_rule(double mu, double m, double distance, std::optional<double> sigma, double n) {
  Value text = call("smooth_rule", {named("mu", mu), named("m", m), named("distance", distance)});
  text.arguments.push_back(sigma ? named("sigma", *sigma) : Argument{"sigma", call("none")});
  text.arguments.push_back(named("n", n));
  if (!(mu > 0 && m > 0 && distance > 0 && n > 0 && sigma.value_or(0) >= 0)) {
    throw UsageError(
        fmt::format("{}: mu, m, distance and n must be above 0, sigma >= 0", print(text)));
  }
  const auto next = [=](const Progress& progress) {
    const double lr = progress.lr;
    double d = distance;
    if (sigma) {
      const double left =
          std::pow(std::max(0.0, 1 - lr * mu), static_cast<double>(progress.last_due));
      d = std::sqrt(left * distance * distance + *sigma * *sigma * lr * (1 - left) / (n * mu));
    }
    return progress.last_due + steps_down(std::min(1 / (lr * n * m * d), 1 / (mu * lr * n)));
  };
  return {.text = text, .next = next, .needs_lr = true};
}

Schedule warm_up(const std::string& kind, std::int64_t over, std::int64_t h, std::int64_t unit) {
  const Value text = call("warm_up", {{"kind", call(kind)},
                                      named("over", static_cast<double>(over)),
                                      named("h", static_cast<double>(h)),
                                      named("unit", static_cast<double>(unit))});
  require_above(0, text);
  const bool linear = kind == "linear", exponential = kind == "exponential";
  if (!linear && !exponential && kind != "constant") {
    throw UsageError(fmt::format("{}: kind must be constant, linear or exponential", print(text)));
  }
  return {text, [=](const Progress& progress) {
            const auto i = static_cast<double>(progress.last_due / unit);
            const auto length = static_cast<double>(over);
            double interval = 1;
            if (i >= length) {
              interval = static_cast<double>(h);
            } else if (linear) {
              interval = i * static_cast<double>(h) / length;
            } else if (exponential) {
              interval = std::exp2(std::floor(i * std::log2(length) / length));
            }
            return progress.last_due + steps_down(interval);
          }};
}

const std::vector<Choice<Schedule>>& theory_schedule_choices() {
  static const auto T = [](const Arguments& a) { return a.of_run("steps", a.facts().steps); };
  static const auto whole_T = [](const Arguments& a) {
    return a.integer_of_run("steps", a.facts().steps);
  };
  static const auto n = [](const Arguments& a) { return a.of_run("n", a.facts().workers); };
  static const auto B = [](const Arguments& a) { return a.of_run("batch", a.facts().batch); };
  static const std::vector<Choice<Schedule>> choices = {
      {"lupa",
       {{"c", "1"}, {"steps", "run"}, {"n", "run"}, {"batch", "run"}},
       "every c T^(2/3) / (n B)^(1/3) steps",
       [](const Arguments& a) { return lupa(a.real("c"), T(a), n(a), B(a)); }},
      {"stich",
       {{"steps", "run"}, {"n", "run"}, {"batch", "run"}},
       "every sqrt(T / (n B)) steps",
       [](const Arguments& a) { return stich(T(a), n(a), B(a)); }},
      {"yu",
       {{"steps", "run"}, {"n", "run"}},
       "every T^(1/4) / n^(3/4) steps",
       [](const Arguments& a) { return yu(T(a), n(a)); }},
      {"wang_joshi",
       {{"steps", "run"}, {"n", "run"}},
       "every T^(1/2) / n^(3/2) steps",
       [](const Arguments& a) { return wang_joshi(T(a), n(a)); }},
      {"one_shot",
       {{"steps", "run"}},
       "once, at the end",
       [](const Arguments& a) { return one_shot(whole_T(a)); }},
      {"ada_linear",
       {{"tau0"}, {"alpha", "none"}, {"rounds", "none"}, {"exact", "false"}, {"steps", "run"}},
       "intervals (1 + i alpha) tau0; alpha, or the number of rounds that it is for",
       [](const Arguments& a) {
         if (a.is("alpha", "none") == a.is("rounds", "none")) {
           throw UsageError(fmt::format("{}: give alpha or rounds", print(a.canonical())));
         }
         const double tau0 = a.real("tau0");
         const double alpha = a.is("rounds", "none") ? a.real("alpha")
                                                     : ada_linear_alpha(tau0, a.real("rounds"),
                                                                        T(a), a.boolean("exact"));
         return ada_linear(tau0, alpha, whole_T(a));
       }},
      {"growing",
       {{"n0"}, {"a"}},
       "interval t is n0 t^a",
       [](const Arguments& a) { return growing(a.real("n0"), a.real("a")); }},
      {"quad_rule",
       {{"mu"}, {"n", "run"}},
       "intervals 1 / (mu lr n)",
       [](const Arguments& a) { return quad_rule(a.real("mu"), n(a)); }},
      {"smooth_rule",
       {{"mu"}, {"m"}, {"distance"}, {"sigma", "none"}, {"n", "run"}},
       "intervals min(1 / (lr n m d), 1 / (mu lr n)); d a constant, or bounded with sigma",
       [](const Arguments& a) {
         const bool bounded = !a.is("sigma", "none");
         return smooth_rule(a.real("mu"), a.real("m"), a.real("distance"),
                            bounded ? std::optional(a.real("sigma")) : std::nullopt, n(a));
       }},
      {"warm_up",
       {{"kind"}, {"over"}, {"h"}, {"unit", "1ep"}},
       "1 or growing intervals for `over` units of steps, then every h",
       [](const Arguments& a) {
         return warm_up(print(a.value("kind")), a.integer("over"), a.steps("h"), a.steps("unit"));
       }},
  };
  return choices;
}

}  // namespace entrain
