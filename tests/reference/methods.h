#pragma once

#include <functional>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "reference/loss.h"
#include "reference/mixing.h"
#include "reference/problem.h"
#include "reference/schedules.h"

// Methods: plain loops in double, written from the equations alone. At step t (from 1) every worker
// first takes its own SGD step; then, if due at t, parameters are communicated.
namespace reference {

/// Scales the learning rate of step t.
using LrFactor = std::function<double(int)>;
inline double constant_lr(int) { return 1; }

/// W(k) for the k-th mixing, k from 0.
using Weights = std::function<Matrix(int)>;
inline Weights always(const Matrix& w) {
  return [w](int) { return w; };
}

inline Sgd sgd_at(const Sgd& sgd, const LrFactor& lr_factor, int t) {
  Sgd now = sgd;
  now.lr = sgd.lr * lr_factor(t);
  return now;
}

/// The due steps of a run and the mean loss of each period they end.
struct Record {
  std::vector<int> due;
  std::vector<double> losses;
};

/// Asks a schedule for its due steps and feeds it the mean loss of each period.
class Timer {
 public:
  Timer(Schedule schedule, double first_lr, Record* record)
      : schedule_(std::move(schedule)), record_(record) {
    next_ = schedule_({0, 0, first_lr, std::numeric_limits<double>::quiet_NaN()});
  }

  /// The mean loss over workers before the optimizer step t.
  void observe(double loss) {
    sum_ += loss;
    ++count_;
  }

  /// After the step t: whether it is due; if so, the next due step is decided.
  bool due(int t, double lr) {
    if (t != next_) return false;
    const double loss = sum_ / count_;
    if (record_) {
      record_->due.push_back(t);
      record_->losses.push_back(loss);
    }
    sum_ = 0;
    count_ = 0;
    next_ = schedule_({t, ++round_, lr, loss});
    return true;
  }

 private:
  Schedule schedule_;
  Record* record_;
  int next_ = 0, round_ = 0, count_ = 0;
  double sum_ = 0;
};

/// Local SGD averaged over everyone at the due steps of any schedule.
inline State scheduled_local_sgd(const Problem& problem, const Sgd& sgd, int steps,
                                 Schedule schedule, const LrFactor& lr_factor = constant_lr,
                                 Record* record = nullptr) {
  State state(problem);
  Timer timer(std::move(schedule), sgd.lr * lr_factor(1), record);
  for (int t = 1; t <= steps; ++t) {
    const Sgd now = sgd_at(sgd, lr_factor, t);
    timer.observe(mean_loss(problem, t, state.x));
    local_step(problem, now, t, state);
    if (timer.due(t, now.lr)) adopt(mean_of(state.x), state);
  }
  return state;
}

/// Hierarchical averaging: groups of m every h1, everyone every h2; where both are due only the
/// global one.
inline State hierarchical(const Problem& problem, const Sgd& sgd, int steps, int h1, int m,
                          int h2) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h2 == 0) {
      adopt(mean_of(state.x), state);
    } else if (t % h1 == 0) {
      state.x = mix(groups(problem.workers, m), state.x);
    }
  }
  return state;
}

// SlowMo (ICLR 2020), Algorithm 1.

/// u <- beta u + (anchor - xbar) / lr;  anchor <- anchor - alpha lr u.
inline void slow_momentum(double alpha, double beta, double lr, const Vector& mean, Vector& u,
                          Vector& anchor) {
  for (std::size_t j = 0; j < anchor.size(); ++j) {
    u[j] = beta * u[j] + (anchor[j] - mean[j]) / lr;
    anchor[j] -= alpha * lr * u[j];
  }
}

inline State slowmo(const Problem& problem, const Sgd& sgd, int steps, int h, double alpha,
                    double beta, const LrFactor& lr_factor = constant_lr) {
  State state(problem);
  Vector anchor = state.x[0], u(anchor.size());
  for (int t = 1; t <= steps; ++t) {
    const Sgd now = sgd_at(sgd, lr_factor, t);
    local_step(problem, now, t, state);
    if (t % h != 0) continue;
    slow_momentum(alpha, beta, now.lr, mean_of(state.x), u, anchor);
    adopt(anchor, state);
  }
  return state;
}

/// Gossip with W every step; at multiples of h the exact average and the slow-momentum step
/// instead.
inline State slowmo_over_gossip(const Problem& problem, const Sgd& sgd, int steps,
                                const Weights& weights, int h, double alpha, double beta) {
  State state(problem);
  Vector anchor = state.x[0], u(anchor.size());
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h == 0) {
      slow_momentum(alpha, beta, sgd.lr, mean_of(state.x), u, anchor);
      adopt(anchor, state);
    } else {
      state.x = mix(weights(t - 1), state.x);
    }
  }
  return state;
}

inline State slowmo_over_gossip(const Problem& problem, const Sgd& sgd, int steps, const Matrix& w,
                                int h, double alpha, double beta) {
  return slowmo_over_gossip(problem, sgd, steps, always(w), h, alpha, beta);
}

/// Synchronous gradients up to step s; from there SlowMo, anchored at the model of step s.
inline State post_local_slowmo(const Problem& problem, const Sgd& sgd, int steps, int s, int h,
                               double alpha, double beta) {
  State state(problem);
  Vector anchor = state.x[0], u(anchor.size());
  for (int t = 1; t <= steps; ++t) {
    if (t <= s) {
      synchronous_step(problem, sgd, t, state);
      anchor = state.x[0];
      continue;
    }
    local_step(problem, sgd, t, state);
    if ((t - s) % h != 0) continue;
    slow_momentum(alpha, beta, sgd.lr, mean_of(state.x), u, anchor);
    adopt(anchor, state);
  }
  return state;
}

/// BMUF: Delta = mean - anchor;  v <- eta v + zeta Delta;  anchor <- anchor + v.
inline State bmuf(const Problem& problem, const Sgd& sgd, int steps, int h, double block_momentum,
                  double block_lr) {
  State state(problem);
  Vector anchor = state.x[0], v(anchor.size());
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h != 0) continue;
    const Vector mean = mean_of(state.x);
    for (std::size_t j = 0; j < anchor.size(); ++j) {
      v[j] = block_momentum * v[j] + block_lr * (mean[j] - anchor[j]);
      anchor[j] += v[j];
    }
    adopt(anchor, state);
  }
  return state;
}

/// Lookahead, one worker: slow <- slow + alpha (fast - slow);  fast <- slow.
inline State lookahead(const Problem& problem, const Sgd& sgd, int steps, int h, double alpha) {
  if (problem.workers != 1) throw std::invalid_argument("lookahead has one worker");
  State state(problem);
  Vector slow = state.x[0];
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h != 0) continue;
    for (std::size_t j = 0; j < slow.size(); ++j) slow[j] += alpha * (state.x[0][j] - slow[j]);
    state.x[0] = slow;
  }
  return state;
}

/// DiLoCo (2023), Algorithm 1 with inner SGD: Delta = theta - mean;  m <- mu m + Delta;
/// theta <- theta - lr (Delta + mu m).
inline State diloco(const Problem& problem, const Sgd& sgd, int steps, int h, double lr,
                    double mu) {
  State state(problem);
  Vector theta = state.x[0], m(theta.size());
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h != 0) continue;
    const Vector mean = mean_of(state.x);
    for (std::size_t j = 0; j < theta.size(); ++j) {
      const double delta = theta[j] - mean[j];
      m[j] = mu * m[j] + delta;
      theta[j] -= lr * (delta + mu * m[j]);
    }
    adopt(theta, state);
  }
  return state;
}

/// EASGD, synchronous and blocking: x_i' = x_i - alpha (x_i - z), z' = z + alpha sum_i (x_i - z),
/// both from the x_i before the pull; z_0 = x_0. `centre` receives the last z.
inline State easgd(const Problem& problem, const Sgd& sgd, int steps, int h, double alpha,
                   Vector* centre = nullptr) {
  State state(problem);
  Vector z = state.x[0];
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h != 0) continue;
    for (std::size_t j = 0; j < z.size(); ++j) {
      double sum = 0;
      for (Vector& row : state.x) {
        const double difference = row[j] - z[j];
        sum += difference;
        row[j] -= alpha * difference;
      }
      z[j] += alpha * sum;
    }
  }
  if (centre) *centre = z;
  return state;
}

/// PyTorch's post-local SGD: synchronous up to s, averaged right after step s + 1, then every h.
inline State pytorch_post_local_sgd(const Problem& problem, const Sgd& sgd, int steps, int s,
                                    int h) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) {
    if (t <= s) {
      synchronous_step(problem, sgd, t, state);
    } else {
      local_step(problem, sgd, t, state);
      if ((t - s - 1) % h == 0) adopt(mean_of(state.x), state);
    }
  }
  return state;
}

/// Overlap-Local-SGD (ICASSP 2020), the anchor with momentum as one global velocity:
/// x_i <- (1 - alpha) x_i + alpha z;  v <- beta v + (mean - z);  z_new = z + v, first used at the
/// next sync. `due(t)` says where the syncs are. When the learning rate changes, v follows it.
template <class Due>
State overlap_at(const Problem& problem, const Sgd& sgd, int steps, Due due, double alpha,
                 double beta, const LrFactor& lr_factor = constant_lr) {
  State state(problem);
  Vector z = state.x[0], next_z = z, v(z.size());
  double velocity_lr = 0;
  for (int t = 1; t <= steps; ++t) {
    const Sgd now = sgd_at(sgd, lr_factor, t);
    local_step(problem, now, t, state);
    if (!due(t)) continue;
    z = next_z;
    for (Vector& row : state.x) {
      for (std::size_t j = 0; j < z.size(); ++j) row[j] = (1 - alpha) * row[j] + alpha * z[j];
    }
    const Vector mean = mean_of(state.x);
    const double rescale = velocity_lr == 0 ? 1 : now.lr / velocity_lr;
    for (std::size_t j = 0; j < z.size(); ++j) {
      v[j] = beta * rescale * v[j] + (mean[j] - z[j]);
      next_z[j] = z[j] + v[j];
    }
    velocity_lr = now.lr;
  }
  return state;
}

/// As the authors' code counts: the first sync after h + 1 steps, then every h.
inline State overlap_first_later(const Problem& problem, const Sgd& sgd, int steps, int h,
                                 double alpha, double beta,
                                 const LrFactor& lr_factor = constant_lr) {
  const auto due = [h](int t) { return t > h && (t - 1) % h == 0; };
  return overlap_at(problem, sgd, steps, due, alpha, beta, lr_factor);
}

/// Local SGD with the momentum buffers zeroed at each average.
inline State local_sgd_reset(const Problem& problem, const Sgd& sgd, int steps, int h) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h != 0) continue;
    adopt(mean_of(state.x), state);
    for (Vector& row : state.buffer) row.assign(row.size(), 0);
  }
  return state;
}

/// Local SGD with the momentum buffers averaged at each average.
inline State local_sgd_average_buffers(const Problem& problem, const Sgd& sgd, int steps, int h) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h != 0) continue;
    adopt(mean_of(state.x), state);
    const Vector mean_buffer = mean_of(state.buffer);
    for (Vector& row : state.buffer) row = mean_buffer;
  }
  return state;
}

// Local SGD with large step size (NeurIPS 2019), the output: the mean over all workers and inner
// iterates k = 1.. (after the worker's own step, before averaging; w_0 excluded).

/// From the stored iterates.
inline Vector polyak_ruppert(const Problem& problem, const Sgd& sgd, int steps, Schedule schedule) {
  State state(problem);
  Timer timer(std::move(schedule), sgd.lr, nullptr);
  std::vector<Vector> iterates;
  for (int t = 1; t <= steps; ++t) {
    timer.observe(mean_loss(problem, t, state.x));
    local_step(problem, sgd, t, state);
    iterates.insert(iterates.end(), state.x.begin(), state.x.end());
    if (timer.due(t, sgd.lr)) adopt(mean_of(state.x), state);
  }
  return mean_of(iterates);
}

/// As one running mean per worker, averaged once at the end.
inline Vector polyak_ruppert_running(const Problem& problem, const Sgd& sgd, int steps,
                                     Schedule schedule) {
  State state(problem);
  Timer timer(std::move(schedule), sgd.lr, nullptr);
  std::vector<Vector> running(problem.workers, Vector(problem.size));
  for (int t = 1; t <= steps; ++t) {
    timer.observe(mean_loss(problem, t, state.x));
    local_step(problem, sgd, t, state);
    for (int i = 0; i < problem.workers; ++i) {
      for (int j = 0; j < problem.size; ++j) {
        running[i][j] += (state.x[i][j] - running[i][j]) / t;
      }
    }
    if (timer.due(t, sgd.lr)) adopt(mean_of(state.x), state);
  }
  return mean_of(running);
}

}  // namespace reference
