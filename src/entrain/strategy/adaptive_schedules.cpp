#include "entrain/strategy/adaptive_schedules.h"

#include <algorithm>
#include <cmath>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

void require(bool right, const Value& text, const char* what) {
  if (!right) throw UsageError(fmt::format("{}: {}", print(text), what));
}

Argument steps_argument(const char* name, std::int64_t steps) {
  return named(name, static_cast<double>(steps));
}

}  // namespace

Schedule ada_loss(std::int64_t tau0, std::int64_t cap) {
  const Value text = call("ada_loss", {steps_argument("tau0", tau0), steps_argument("cap", cap)});
  require(tau0 >= 1 && cap >= tau0, text, "tau0 must be >= 1, and cap at least tau0");
  const auto next = [tau0, cap](Progress& progress) {
    auto& [first_loss, interval, seen, unused] = progress.memory;
    if (interval == 0) interval = static_cast<double>(tau0);
    if (!std::isnan(progress.loss)) {
      if (seen++ == 0) first_loss = progress.loss;
      const double ratio = first_loss / progress.loss;
      const double wanted =
          static_cast<double>(steps_up(std::cbrt(ratio))) * static_cast<double>(tau0);
      interval = static_cast<double>(cap);
      if (progress.loss > 0) interval = std::min(interval, wanted);
    }
    return progress.last_due + static_cast<std::int64_t>(interval);
  };
  return {.text = text, .next = next, .needs_loss = true};
}

Schedule adacomm(std::int64_t tau0, std::int64_t block) {
  const Value text =
      call("adacomm", {steps_argument("tau0", tau0), steps_argument("block", block)});
  require(tau0 >= 1 && block >= 1, text, "tau0 and block must be >= 1");
  const auto next = [tau0, block](Progress& progress) {
    auto& [first_loss, interval, border, seen] = progress.memory;
    if (interval == 0) {
      interval = static_cast<double>(tau0);
      border = static_cast<double>(block);
    }
    if (!std::isnan(progress.loss)) {
      if (seen++ == 0) first_loss = progress.loss;
      if (static_cast<double>(progress.last_due) >= border) {
        border = static_cast<double>((progress.last_due / block + 1) * block);
        const auto before = static_cast<std::int64_t>(interval);
        std::int64_t wanted = 1;
        if (progress.loss > 0) {
          wanted = steps_up(std::sqrt(progress.loss / first_loss) * static_cast<double>(tau0));
        }
        if (wanted >= before) wanted = std::max<std::int64_t>(1, before / 2);
        interval = static_cast<double>(wanted);
      }
    }
    return progress.last_due + static_cast<std::int64_t>(interval);
  };
  return {.text = text, .next = next, .needs_loss = true};
}

Schedule aga(std::int64_t h, std::int64_t warmup, double q, std::int64_t h_max, double ema) {
  const Value text =
      call("aga", {steps_argument("h", h), steps_argument("warmup", warmup), named("q", q),
                   steps_argument("h_max", h_max), named("ema", ema)});
  require(h >= 1 && warmup >= 0 && h_max >= h, text, "h must be >= 1, warmup >= 0, h_max >= h");
  require(q > 0 && ema >= 0 && ema < 1, text, "q must be above 0, and ema from 0 to below 1");
  const auto next = [=](Progress& progress) {
    auto& [smooth, initial, interval, seen] = progress.memory;
    if (interval == 0) interval = static_cast<double>(h);
    if (!std::isnan(progress.loss)) {
      const double loss = progress.loss;
      smooth = seen == 0 ? loss : ema * smooth + (1 - ema) * loss;
      if (seen == 0) {
        initial = loss;
      } else if (progress.last_due <= warmup) {
        initial = (initial + loss) / 2;
      }
      ++seen;
      if (progress.last_due > warmup) {
        interval = static_cast<double>(
            smooth <= 0 ? h_max
                        : std::min(h_max, steps_up(std::pow(initial / smooth, q) *
                                                   static_cast<double>(h))));
      }
    }
    return progress.last_due + static_cast<std::int64_t>(interval);
  };
  return {.text = text, .next = next, .needs_loss = true};
}

Schedule qsr(std::int64_t h, double c) {
  const Value text = call("qsr", {steps_argument("h", h), named("c", c)});
  require(h >= 1 && c > 0, text, "h must be >= 1, and c above 0");
  return {.text = text,
          .next =
              [h, c](const Progress& progress) {
                const double ratio = c / progress.lr;
                return progress.last_due + std::max(h, steps_down(ratio * ratio));
              },
          .needs_lr = true};
}

const std::vector<Choice<Schedule>>& adaptive_schedule_choices() {
  static const std::vector<Choice<Schedule>> choices = {
      {"ada_loss",
       {{"tau0"}, {"cap"}},
       "intervals tau0, 2 tau0, ... as the loss falls, at most cap",
       [](const Arguments& a) { return ada_loss(a.steps("tau0"), a.steps("cap")); }},
      {"adacomm",
       {{"tau0"}, {"block"}},
       "intervals tau0 sqrt(loss / first loss), looked at once in `block` steps",
       [](const Arguments& a) { return adacomm(a.steps("tau0"), a.steps("block")); }},
      {"aga",
       {{"h"}, {"warmup"}, {"q", "0.25"}, {"h_max", "auto"}, {"ema", "0.9"}},
       "every h up to the step warmup, then h (first losses / loss)^q, at most h_max (8 h)",
       [](const Arguments& a) {
         constexpr std::int64_t most = std::int64_t{1} << 53;  // that a text may say
         const std::int64_t h = a.steps("h");
         return aga(h, a.steps("warmup"), a.real("q"),
                    a.is("h_max", "auto") ? std::min(8 * h, most) : a.steps("h_max"),
                    a.real("ema"));
       }},
      {"qsr",
       {{"h"}, {"c"}},
       "every max(h, (c / lr)^2) steps",
       [](const Arguments& a) { return qsr(a.steps("h"), a.real("c")); }},
  };
  return choices;
}

}  // namespace entrain
