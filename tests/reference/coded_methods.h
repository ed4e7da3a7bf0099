#pragma once

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "reference/coded_exchanges.h"
#include "reference/gossip_methods.h"
#include "reference/mixing.h"
#include "reference/problem.h"

// Methods with coded exchanges, and push-sum: plain loops in double, written from the equations
// alone. A Mean is copied, so that each run starts with fresh errors (std::ref to look at them).
namespace reference {

/// SGD with an inexact mean of the gradients; momentum and weight decay after the aggregation
/// (QSGD, EF-SignSGD, PowerSGD).
inline State coded_synchronous(const Problem& problem, const Sgd& sgd, int steps, Mean mean) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) {
    std::vector<Vector> g = state.x;
    for (int i = 0; i < problem.workers; ++i) {
      for (int j = 0; j < problem.size; ++j) g[i][j] = problem.gradient(i, t, j, state.x[i][j]);
    }
    const Vector aggregated = mean(g);
    for (int i = 0; i < problem.workers; ++i) {
      for (int j = 0; j < problem.size; ++j) {
        sgd_step(sgd, aggregated[j], state.x[i][j], state.buffer[i][j]);
      }
    }
  }
  return state;
}

inline State coded_synchronous(const Problem& problem, const Sgd& sgd, int steps,
                               const Codec& codec, bool error_feedback) {
  return coded_synchronous(problem, sgd, steps, CodedMean(codec, error_feedback));
}

/// anchor - x_i.
inline std::vector<Vector> deltas_from(const Vector& anchor, const std::vector<Vector>& x) {
  std::vector<Vector> deltas(x.size(), anchor);
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < anchor.size(); ++j) deltas[i][j] -= x[i][j];
  }
  return deltas;
}

/// Local SGD: either anchor -= mean(anchor - x_i) and everyone adopts the anchor, or everyone
/// adopts mean(x_i).
inline State coded_local_sgd(const Problem& problem, const Sgd& sgd, int steps, int h, Mean mean,
                             bool deltas) {
  State state(problem);
  Vector anchor = state.x[0];
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h != 0) continue;
    if (deltas) {
      const Vector delta = mean(deltas_from(anchor, state.x));
      for (std::size_t j = 0; j < anchor.size(); ++j) anchor[j] -= delta[j];
    } else {
      anchor = mean(state.x);
    }
    adopt(anchor, state);
  }
  return state;
}

inline State coded_local_sgd(const Problem& problem, const Sgd& sgd, int steps, int h,
                             const Codec& codec, bool error_feedback, bool deltas) {
  return coded_local_sgd(problem, sgd, steps, h, CodedMean(codec, error_feedback), deltas);
}

/// m <- mu m + delta;  theta <- theta - lr (delta + mu m).
inline void outer_nesterov(double lr, double mu, double delta, double& m, double& theta) {
  m = mu * m + delta;
  theta -= lr * (delta + mu * m);
}

/// DiLoCo (2023), Algorithm 1 with inner SGD and a coded outer gradient.
inline State coded_diloco(const Problem& problem, const Sgd& sgd, int steps, int h, double lr,
                          double mu, Mean mean) {
  State state(problem);
  Vector theta = state.x[0], m(theta.size());
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h != 0) continue;
    const Vector delta = mean(deltas_from(theta, state.x));
    for (std::size_t j = 0; j < theta.size(); ++j) {
      outer_nesterov(lr, mu, delta[j], m[j], theta[j]);
    }
    adopt(theta, state);
  }
  return state;
}

inline State coded_diloco(const Problem& problem, const Sgd& sgd, int steps, int h, double lr,
                          double mu, const Codec& codec, bool error_feedback) {
  return coded_diloco(problem, sgd, steps, h, lr, mu, CodedMean(codec, error_feedback));
}

/// Gossip SGD that sends coded parameters: x_i' = sum_j W[i][j] Q(x_j + e_j).
inline State coded_gossip(const Problem& problem, const Sgd& sgd, int steps, const Weights& weights,
                          const Codec& codec, bool error_feedback,
                          std::vector<Vector>* errors = nullptr) {
  State state(problem);
  CodedMix coded_mix(codec, error_feedback);
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    state.x = coded_mix(weights(t - 1), state.x);
  }
  if (errors) *errors = coded_mix.errors();
  return state;
}

inline State coded_gossip(const Problem& problem, const Sgd& sgd, int steps, const Matrix& w,
                          const Codec& codec, bool error_feedback,
                          std::vector<Vector>* errors = nullptr) {
  return coded_gossip(problem, sgd, steps, always(w), codec, error_feedback, errors);
}

// Streaming DiLoCo (2025).

/// Fragment p (from 0) of P is due at (p + 1) h / P and every h steps from there.
inline bool fragment_due(int p, int fragments, int h, int t) {
  const int first = (p + 1) * h / fragments;
  return t > 0 && t >= first && (t - first) % h == 0;
}

/// The outer gradient of a fragment is sent when it is due and applied tau steps later, at the
/// latest when the fragment is due again: theta <- Nesterov, x_i <- (1 - alpha) x_i + alpha theta.
/// alpha is the weight of the outer parameters. What is in flight at the end stays there.
inline State streaming_diloco(const Problem& problem, const Sgd& sgd, int steps, int h,
                              const std::vector<std::vector<int>>& fragments, int tau, double alpha,
                              double lr, double mu,
                              const std::function<Mean(int fragment)>& mean_for) {
  struct Fragment {
    Mean mean;
    Vector delta;  // in flight
    bool in_flight = false;
    int landing = 0;
  };
  State state(problem);
  Vector theta = state.x[0], m(theta.size());
  const int count = static_cast<int>(fragments.size());
  std::vector<Fragment> all(count);
  for (int p = 0; p < count; ++p) all[p].mean = mean_for(p);

  const auto land = [&](int p) {
    for (std::size_t k = 0; k < fragments[p].size(); ++k) {
      const int j = fragments[p][k];
      outer_nesterov(lr, mu, all[p].delta[k], m[j], theta[j]);
      for (Vector& row : state.x) row[j] = (1 - alpha) * row[j] + alpha * theta[j];
    }
    all[p].in_flight = false;
  };
  const auto launch = [&](int p, int t) {
    std::vector<Vector> v(state.x.size());
    for (std::size_t i = 0; i < v.size(); ++i) {
      for (const int j : fragments[p]) v[i].push_back(theta[j] - state.x[i][j]);
    }
    all[p].delta = all[p].mean(v);
    all[p].in_flight = true;
    all[p].landing = t + tau;
  };

  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    for (int p = 0; p < count; ++p) {
      if (all[p].in_flight && all[p].landing == t) land(p);
    }
    for (int p = 0; p < count; ++p) {
      if (!fragment_due(p, count, h, t)) continue;
      if (all[p].in_flight) land(p);
      launch(p, t);
      if (tau == 0) land(p);
    }
  }
  return state;
}

inline State streaming_diloco(const Problem& problem, const Sgd& sgd, int steps, int h,
                              const std::vector<std::vector<int>>& fragments, int tau, double alpha,
                              double lr, double mu, const Codec& codec, bool error_feedback) {
  return streaming_diloco(problem, sgd, steps, h, fragments, tau, alpha, lr, mu,
                          [&](int) { return CodedMean(codec, error_feedback); });
}

// Stochastic gradient push (Assran et al., ICML 2019). P[i][j]: the share of worker j's mass that
// goes to i; columns sum to 1.

/// The directed one-peer exponential graph, hops 1, 2, 4, ... in turn.
inline Weights directed_one_peer_exponential(int n) {
  return [n](int k) { return one_peer_exponential(n, k); };
}

/// i sends to i + 1, an even i to i + 2 as well; equal shares, one of them kept.
inline Matrix irregular_digraph(int n) {
  Matrix p = zero_matrix(n);
  for (int j = 0; j < n; ++j) {
    std::set<int> receivers = {j, (j + 1) % n};
    if (j % 2 == 0) receivers.insert((j + 2) % n);
    for (const int i : receivers) p[i][j] = 1.0 / static_cast<double>(receivers.size());
  }
  return p;
}

/// The masses of push-sum: z_i = x_i / w_i.
struct PushSum {
  std::vector<Vector> x;
  Vector w;
};

/// x_i^{1/2} = the own step of x_i with the gradient at z_i (weight decay acts on x_i, as in the
/// authors' code, which puts the biased rows back before the optimizer's step);  x = P(k) x^{1/2};
/// w = P(k) w;  z = x / w. Every h steps (h > 0) the exact average sum x / sum w and w = 1 instead.
/// Returns z.
inline State sgp(const Problem& problem, const Sgd& sgd, int steps, const Weights& shares,
                 int h = 0, PushSum* masses = nullptr) {
  State state(problem);  // state.x is z
  std::vector<Vector> x = state.x;
  Vector w(problem.workers, 1);
  for (int t = 1; t <= steps; ++t) {
    for (int i = 0; i < problem.workers; ++i) {
      for (int j = 0; j < problem.size; ++j) {
        sgd_step(sgd, problem.gradient(i, t, j, state.x[i][j]), x[i][j], state.buffer[i][j]);
      }
    }
    if (h > 0 && t % h == 0) {
      double weight = 0;
      for (const double one : w) weight += one;
      for (int j = 0; j < problem.size; ++j) {
        double sum = 0;
        for (const Vector& row : x) sum += row[j];
        for (Vector& row : x) row[j] = sum / weight;
      }
      w.assign(w.size(), 1);
    } else {
      const Matrix p = shares(t - 1);
      x = mix(p, x);
      Vector mixed(w.size());
      for (std::size_t i = 0; i < w.size(); ++i) {
        for (std::size_t j = 0; j < w.size(); ++j) mixed[i] += p[i][j] * w[j];
      }
      w = mixed;
    }
    for (int i = 0; i < problem.workers; ++i) {
      for (int j = 0; j < problem.size; ++j) state.x[i][j] = x[i][j] / w[i];
    }
  }
  if (masses) *masses = {x, w};
  return state;
}

inline State sgp(const Problem& problem, const Sgd& sgd, int steps, const Matrix& shares, int h = 0,
                 PushSum* masses = nullptr) {
  return sgp(problem, sgd, steps, always(shares), h, masses);
}

}  // namespace reference
