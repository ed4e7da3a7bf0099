#include "entrain/strategy/outer.h"

#include "entrain/core/errors.h"

namespace entrain {
namespace {

void require_momentum(const Value& text, const char* name, double beta) {
  if (!(beta >= 0 && beta < 1)) {
    throw UsageError(fmt::format("{}: {} must be from 0 to below 1", print(text), name));
  }
}

void require_rate(const Value& text, const char* name, double rate) {
  if (!(rate > 0)) throw UsageError(fmt::format("{}: {} must be above 0", print(text), name));
}

// y = y + scale D.
void add_delta(const at::Tensor& y, const OuterStep& step, double scale) {
  if (step.target.defined()) {
    y.add_(step.anchor, scale).add_(step.target, -scale);
  } else {
    y.add_(step.mean_delta, scale);
  }
}

}  // namespace

Outer mean() {
  return {call("mean"), [](const OuterStep& step) {
            if (step.target.defined()) {
              step.anchor.copy_(step.target);
            } else {
              step.anchor.sub_(step.mean_delta);
            }
          }};
}

Outer momentum(double beta, bool rescale) {
  const Value text =
      call("momentum", {{"beta", number(beta)}, {"rescale", call(rescale ? "true" : "false")}});
  require_momentum(text, "beta", beta);
  return {text,
          [beta, rescale](const OuterStep& step) {
            step.velocity.mul_(rescale ? beta * step.lr_ratio : beta);
            add_delta(step.velocity, step, -1);
            step.anchor.add_(step.velocity);
          },
          true, true};
}

// The step is written as alpha (lr beta u + D), so that it does not depend on lr where beta is 0.
Outer slow_momentum(double alpha, double beta) {
  const Value text = call("slow_momentum", {{"alpha", number(alpha)}, {"beta", number(beta)}});
  require_rate(text, "alpha", alpha);
  require_momentum(text, "beta", beta);
  return {text,
          [alpha, beta](const OuterStep& step) {
            step.velocity.mul_(beta * step.lr);
            add_delta(step.velocity, step, 1);
            step.anchor.sub_(step.velocity, alpha);
            if (step.lr != 0) step.velocity.div_(step.lr);
          },
          true, true};
}

Outer nesterov(double lr, double beta) {
  const Value text = call("nesterov", {{"lr", number(lr)}, {"beta", number(beta)}});
  require_rate(text, "lr", lr);
  require_momentum(text, "beta", beta);
  return {text,
          [lr, beta](const OuterStep& step) {
            step.velocity.mul_(beta);
            add_delta(step.velocity, step, 1);
            if (step.target.defined()) {
              step.anchor.lerp_(step.target, lr);
            } else {
              step.anchor.sub_(step.mean_delta, lr);
            }
            step.anchor.sub_(step.velocity, lr * beta);
          },
          true, true};
}

Outer outer_sgd(double lr, double momentum) {
  const Value text = call("sgd", {{"lr", number(lr)}, {"momentum", number(momentum)}});
  require_rate(text, "lr", lr);
  require_momentum(text, "momentum", momentum);
  return {text,
          [lr, momentum](const OuterStep& step) {
            step.velocity.mul_(momentum);
            add_delta(step.velocity, step, 1);
            step.anchor.sub_(step.velocity, lr);
          },
          true, true};
}

const std::vector<Choice<Outer>>& outer_choices() {
  static const std::vector<Choice<Outer>> choices = {
      {"mean", {}, "the anchor becomes the average", [](const Arguments&) { return mean(); }},
      {"momentum",
       {{"beta"}, {"rescale", "false"}},
       "heavy ball on the anchor",
       [](const Arguments& a) { return momentum(a.real("beta"), a.boolean("rescale")); }},
      {"slow_momentum",
       {{"alpha"}, {"beta"}},
       "SlowMo: momentum in units of the gradient, with the inner learning rate",
       [](const Arguments& a) { return slow_momentum(a.real("alpha"), a.real("beta")); }},
      {"nesterov",
       {{"lr"}, {"beta"}},
       "Nesterov's momentum on the mean delta, as in DiLoCo",
       [](const Arguments& a) { return nesterov(a.real("lr"), a.real("beta")); }},
      {"sgd",
       {{"lr"}, {"momentum", "0"}},
       "a step along the mean delta, with heavy ball where asked",
       [](const Arguments& a) { return outer_sgd(a.real("lr"), a.real("momentum")); }},
  };
  return choices;
}

}  // namespace entrain
