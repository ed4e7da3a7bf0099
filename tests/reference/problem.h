#pragma once

#include <cmath>
#include <vector>

// Plain loops in double, written from the equations alone: nothing of src/ is used here.
namespace reference {

using Vector = std::vector<double>;

/// f_i(x) = sum_j a_ij/2 (x_j - c_ij)^2 + 0.3 sin(2 x_j): different minimisers for each worker, not
/// quadratic. The gradient at step t has a perturbation that depends on worker, step and coordinate
/// alone.
struct Problem {
  int workers, size;
  bool same_data = false;

  double gradient(int worker, int step, int j, double x) const {
    const int i = same_data ? 0 : worker;
    const double a = 0.5 + 0.25 * ((i * 7 + j * 3) % 5);
    const double c = std::sin(1.7 * i + 0.9 * j);
    const double noise = 0.2 * std::sin(12.9898 * (i + 1) + 78.233 * (j + 1) + 37.719 * step);
    return a * (x - c) + 0.6 * std::cos(2 * x) + noise;
  }

  double start(int j) const { return std::cos(0.37 * j); }
};

struct Sgd {
  double lr = 0.05, momentum = 0, weight_decay = 0;
  bool nesterov = false;
};

/// The state of all workers.
struct State {
  std::vector<Vector> x, buffer;
  explicit State(const Problem& problem)
      : x(problem.workers, Vector(problem.size)), buffer(problem.workers, Vector(problem.size)) {
    for (Vector& row : x) {
      for (int j = 0; j < problem.size; ++j) row[j] = problem.start(j);
    }
  }
};

/// One local step with the gradient g.
inline void sgd_step(const Sgd& sgd, double g, double& x, double& buffer) {
  const double d = g + sgd.weight_decay * x;
  buffer = sgd.momentum * buffer + d;
  x -= sgd.lr * (sgd.momentum == 0 ? d : sgd.nesterov ? d + sgd.momentum * buffer : buffer);
}

/// Every worker's own step at step t (from 1).
inline void local_step(const Problem& problem, const Sgd& sgd, int t, State& state) {
  for (int i = 0; i < problem.workers; ++i) {
    for (int j = 0; j < problem.size; ++j) {
      sgd_step(sgd, problem.gradient(i, t, j, state.x[i][j]), state.x[i][j], state.buffer[i][j]);
    }
  }
}

/// Every worker's step with the mean gradient.
inline void synchronous_step(const Problem& problem, const Sgd& sgd, int t, State& state) {
  for (int j = 0; j < problem.size; ++j) {
    double mean = 0;
    for (int i = 0; i < problem.workers; ++i) mean += problem.gradient(i, t, j, state.x[i][j]);
    mean /= problem.workers;
    for (int i = 0; i < problem.workers; ++i)
      sgd_step(sgd, mean, state.x[i][j], state.buffer[i][j]);
  }
}

inline Vector mean_of(const std::vector<Vector>& x) {
  Vector mean(x[0].size());
  for (std::size_t j = 0; j < mean.size(); ++j) {
    for (const Vector& row : x) mean[j] += row[j];
    mean[j] /= static_cast<double>(x.size());
  }
  return mean;
}

inline void adopt(const Vector& anchor, State& state) {
  for (Vector& row : state.x) row = anchor;
}

inline State synchronous(const Problem& problem, const Sgd& sgd, int steps) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) synchronous_step(problem, sgd, t, state);
  return state;
}

inline State local_sgd(const Problem& problem, const Sgd& sgd, int steps, int h) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h == 0) adopt(mean_of(state.x), state);
  }
  return state;
}

/// Synchronous for t <= s; afterwards averaged at s + h, s + 2h, ...
inline State post_local_sgd(const Problem& problem, const Sgd& sgd, int steps, int s, int h) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) {
    if (t <= s) {
      synchronous_step(problem, sgd, t, state);
    } else {
      local_step(problem, sgd, t, state);
      if ((t - s) % h == 0) adopt(mean_of(state.x), state);
    }
  }
  return state;
}

/// Local SGD whose average is adopted `delay` steps after it was taken.
inline State delayed_adopt(const Problem& problem, const Sgd& sgd, int steps, int h, int delay) {
  State state(problem);
  Vector in_flight;
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t > h && (t - delay) % h == 0) adopt(in_flight, state);
    if (t % h == 0) in_flight = mean_of(state.x);
  }
  return state;
}

/// CoCoD: every h steps onto the average of the launch before, with the own progress since
/// then.
inline State cocod(const Problem& problem, const Sgd& sgd, int steps, int h) {
  State state(problem);
  std::vector<Vector> at_launch;
  Vector average;
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h != 0) continue;
    if (t > h) {
      for (std::size_t i = 0; i < state.x.size(); ++i) {
        for (std::size_t j = 0; j < average.size(); ++j) {
          state.x[i][j] = average[j] + (state.x[i][j] - at_launch[i][j]);
        }
      }
    }
    at_launch = state.x;
    average = mean_of(state.x);
  }
  return state;
}

/// Overlap-Local-SGD as its authors' code has it: every node keeps a buffer in gradient units and
/// sends z - lr buffer. `lr_factor(t)` scales the learning rate of step t.
template <class Factor>
State overlap_local_sgd(const Problem& problem, Sgd sgd, int steps, int h, double alpha,
                        double beta, Factor lr_factor) {
  State state(problem);
  const double lr = sgd.lr;
  Vector z = state.x[0], next_z = z;
  std::vector<Vector> buffer(state.x.size(), Vector(z.size()));
  for (int t = 1; t <= steps; ++t) {
    sgd.lr = lr * lr_factor(t);
    local_step(problem, sgd, t, state);
    if (t % h != 0) continue;
    z = next_z;
    next_z.assign(z.size(), 0);
    for (std::size_t i = 0; i < state.x.size(); ++i) {
      for (std::size_t j = 0; j < z.size(); ++j) {
        double& x = state.x[i][j];
        x = (1 - alpha) * x + alpha * z[j];
        buffer[i][j] = beta * buffer[i][j] + (z[j] - x) / sgd.lr;
        next_z[j] += (z[j] - sgd.lr * buffer[i][j]) / static_cast<double>(state.x.size());
      }
    }
  }
  return state;
}

}  // namespace reference
