#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

// Synchronisation schedules, written from the equations alone.
namespace reference {

/// What a schedule sees when it decides; before the first due step last_due = round = 0 and loss is
/// not a number.
struct Inputs {
  int last_due;
  int round;    ///< due times that have passed
  double lr;    ///< inner learning rate of the deciding step (of step 1 for the first decision)
  double loss;  ///< mean over workers and over the steps of the period just ended
};

/// Returns the next due step. It may hold state: copy a fresh one for each run.
using Schedule = std::function<int(const Inputs&)>;

inline constexpr int never = std::numeric_limits<int>::max();

/// last + interval, at least last + 1, without overflow.
inline int due_after(int last, double interval) {
  if (!(interval < static_cast<double>(never) - last)) return never;
  return last + std::max(1, static_cast<int>(interval));
}

/// Ceiling and floor that take a value within rounding error of an integer for that integer.
inline bool is_integer(double x) { return std::abs(x - std::round(x)) <= 1e-12 * std::abs(x); }
inline double round_up(double x) { return is_integer(x) ? std::round(x) : std::ceil(x); }
inline double round_down(double x) { return is_integer(x) ? std::round(x) : std::floor(x); }

/// Due at first, first + h, first + 2h, ...
inline Schedule every(int h, int first) {
  return [=](const Inputs& in) { return in.round == 0 ? first : due_after(in.last_due, h); };
}

inline Schedule every(int h) { return every(h, h); }

inline int at_least_one(double tau) { return std::max(1, static_cast<int>(round_up(tau))); }

// LUPA-SGD (NeurIPS 2019), comparison table and corollary: constant periods.
inline int stich_period(double total, double n, double batch) {
  return at_least_one(std::sqrt(total / (n * batch)));
}
inline int lupa_period(double total, double n, double batch, double c) {
  return at_least_one(c * std::cbrt(total * total / (n * batch)));
}
inline int yu_period(double total, double n) {
  return at_least_one(std::pow(total / (n * n * n), 0.25));
}
inline int wang_joshi_period(double total, double n) {
  return at_least_one(std::sqrt(total / (n * n * n)));
}

inline Schedule stich(int total, int n, int batch) { return every(stich_period(total, n, batch)); }
inline Schedule lupa(int total, int n, int batch, double c) {
  return every(lupa_period(total, n, batch, c));
}
inline Schedule yu(int total, int n) { return every(yu_period(total, n)); }
inline Schedule wang_joshi(int total, int n) { return every(wang_joshi_period(total, n)); }

/// One-shot averaging: once, at the end.
inline Schedule one_shot(int total) {
  return [=](const Inputs& in) { return in.round == 0 ? total : never; };
}

// ADA-LUPA-SGD (NeurIPS 2019), adaptive periods.

/// The authors' code: alpha = 2 / (E + 1) * T / (E tau0).
inline double ada_linear_alpha(double total, double rounds, double tau0) {
  return 2 / (rounds + 1) * total / (rounds * tau0);
}

/// For sum_{i < E} (1 + i alpha) tau0 = T exactly.
inline double ada_linear_exact_alpha(double total, double rounds, double tau0) {
  return 2 * (total / (rounds * tau0) - 1) / (rounds - 1);
}

/// tau_i = (1 + i alpha) tau0 to nearest, i from 0; the last due step is clipped at T.
inline Schedule ada_linear(int tau0, double alpha, int total) {
  return [=](const Inputs& in) {
    if (in.last_due >= total) return never;
    const double tau = static_cast<double>(std::llround((1 + in.round * alpha) * tau0));
    return std::min(total, due_after(in.last_due, tau));
  };
}

/// tau_i = ceil((F0 / F)^(1/3)) tau0, F0 = the first period's loss.
inline Schedule ada_loss(int tau0, int cap) {
  double first_loss = 0;
  return [=](const Inputs& in) mutable {
    if (in.round == 0) return due_after(0, std::min(tau0, cap));
    if (in.round == 1) first_loss = in.loss;
    double tau = cap;
    if (in.loss > 0) tau = std::min(tau, round_up(std::cbrt(first_loss / in.loss)) * tau0);
    return due_after(in.last_due, tau);
  };
}

// Local SGD with large step size (NeurIPS 2019), Proposition 4 and the schedules it allows.

/// N^t = ceil(N0 t^a), t from 1.
inline Schedule poly_growth(double n0, double a) {
  return [=](const Inputs& in) {
    return due_after(in.last_due, round_up(n0 * std::pow(in.round + 1, a)));
  };
}

/// N^t = floor(1 / (mu lr P)).
inline Schedule quad_rule(double mu, int n) {
  return [=](const Inputs& in) { return due_after(in.last_due, round_down(1 / (mu * in.lr * n))); };
}

/// floor(min(1 / (lr P M d), 1 / (mu lr P))).
inline double smooth_rule_interval(double mu, double m, int n, double d, double lr) {
  return round_down(std::min(1 / (lr * n * m * d), 1 / (mu * lr * n)));
}

inline Schedule smooth_rule(double mu, double m, int n, double d) {
  return [=](const Inputs& in) {
    return due_after(in.last_due, smooth_rule_interval(mu, m, n, d, in.lr));
  };
}

/// Proposition 3, first line: the bound on E||what - w*||^2 after `done` steps per worker.
inline double second_moment_bound(double mu, int n, double d0, double sigma, double lr, int done) {
  const double decay = std::pow(1 - lr * mu, done);
  return decay * d0 * d0 + sigma * sigma * lr * (1 - decay) / (n * mu);
}

/// smooth_rule with the square root of that bound for the distance.
inline Schedule smooth_rule_bound(double mu, double m, int n, double d0, double sigma) {
  return [=](const Inputs& in) {
    const double d = std::sqrt(second_moment_bound(mu, n, d0, sigma, in.lr, in.last_due));
    return due_after(in.last_due, smooth_rule_interval(mu, m, n, d, in.lr));
  };
}

/// QSR: H = max(H_base, floor((c / lr)^2)).
inline Schedule qsr(int h_base, double c) {
  return [=](const Inputs& in) {
    const double ratio = c / in.lr;
    return due_after(in.last_due, std::max<double>(h_base, round_down(ratio * ratio)));
  };
}

/// AdaComm: in blocks of T0 steps, tau = ceil(sqrt(F / F0) tau0); halved if that does not decrease.
inline Schedule adacomm(int tau0, int block) {
  double first_loss = 0;
  int tau = tau0;
  int boundary = block;
  return [=](const Inputs& in) mutable {
    if (in.round == 0) return tau0;
    if (in.round == 1) first_loss = in.loss;
    if (in.last_due >= boundary) {
      double wanted = 1;
      if (in.loss > 0) {
        wanted = std::max(1.0, round_up(std::sqrt(in.loss / first_loss) * tau0));
      }
      tau = wanted < tau ? static_cast<int>(wanted) : std::max(1, tau / 2);
      while (boundary <= in.last_due) boundary += block;
    }
    return due_after(in.last_due, tau);
  };
}

// Gossip-AGA (ICML 2021), the adaptive period.
inline Schedule aga(int h_init, int warmup_steps, double q, int h_max, double ema) {
  double smoothed = 0, initial = 0;
  bool has_initial = false;
  return [=](const Inputs& in) mutable {
    if (in.round == 0) return h_init;
    smoothed = in.round == 1 ? in.loss : ema * smoothed + (1 - ema) * in.loss;
    if (in.last_due <= warmup_steps) {
      initial = has_initial ? (initial + in.loss) / 2 : in.loss;
      has_initial = true;
      return due_after(in.last_due, h_init);
    }
    if (!has_initial) initial = in.loss;
    has_initial = true;
    double h = h_max;
    if (smoothed > 0) h = round_up(std::pow(initial / smoothed, q) * h_init);
    return due_after(in.last_due, std::clamp<double>(h, 1, h_max));
  };
}

// Post-local SGD (Lin et al. 2020), warm-up of the local steps over `over` units of `unit` steps.
enum class WarmUp { constant, linear, exponential };

inline int warm_up_interval(WarmUp kind, int over, int h, int i) {
  if (i >= over) return h;
  if (kind == WarmUp::constant) return 1;
  if (kind == WarmUp::linear) return std::max(1, i * h / over);
  return 1 << static_cast<int>(i * std::log2(over) / over);
}

inline Schedule warm_up(WarmUp kind, int over, int h, int unit) {
  return [=](const Inputs& in) {
    return due_after(in.last_due, warm_up_interval(kind, over, h, in.last_due / unit));
  };
}

/// The due steps of `inner` up to s.
inline Schedule until(int s, Schedule inner) {
  return [=](const Inputs& in) mutable {
    const int due = inner(in);
    return due <= s ? due : never;
  };
}

/// `inner` with its clock started at s.
inline Schedule after(int s, Schedule inner) {
  return [=](const Inputs& in) mutable {
    Inputs own = in;
    own.last_due = in.round == 0 ? 0 : in.last_due - s;
    const int due = inner(own);
    return due < never - s ? due + s : never;
  };
}

}  // namespace reference
