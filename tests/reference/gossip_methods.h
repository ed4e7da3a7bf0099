#pragma once

#include "reference/methods.h"

// Gossip SGD and its relatives (Gossip-PGA, ICML 2021, Algorithms 1 and 2): plain loops in double,
// written from the equations alone.
namespace reference {

/// Adapt, then combine: x^{k+1} = W(k) (x^k - step), k from 0.
inline State gossip(const Problem& problem, const Sgd& sgd, int steps, const Weights& weights) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    state.x = mix(weights(t - 1), state.x);
  }
  return state;
}

inline State gossip(const Problem& problem, const Sgd& sgd, int steps, const Matrix& w) {
  return gossip(problem, sgd, steps, always(w));
}

/// Combine while adapting: after step t the rows are W x^{(t-1)} + (own update of step t), where
/// x^{(t-1)} are the rows after step t - 1 and the update is computed at them. At step 1 all rows
/// are the common start, which W leaves as it is: no mixing is needed. The last step is like every
/// other one: its result is not mixed once more.
inline State gossip_awc(const Problem& problem, const Sgd& sgd, int steps, const Matrix& w) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) {
    const std::vector<Vector> before = state.x;
    local_step(problem, sgd, t, state);
    if (t == 1) continue;
    const std::vector<Vector> mixed = mix(w, before);
    for (std::size_t i = 0; i < before.size(); ++i) {
      for (std::size_t j = 0; j < before[i].size(); ++j) {
        state.x[i][j] = mixed[i][j] + (state.x[i][j] - before[i][j]);
      }
    }
  }
  return state;
}

/// Gossip with W(t - 1) at step t; at the due steps the global average in its place.
inline State scheduled_gossip_pga(const Problem& problem, const Sgd& sgd, int steps,
                                  const Weights& weights, Schedule schedule,
                                  const LrFactor& lr_factor = constant_lr,
                                  Record* record = nullptr) {
  State state(problem);
  Timer timer(std::move(schedule), sgd.lr * lr_factor(1), record);
  for (int t = 1; t <= steps; ++t) {
    const Sgd now = sgd_at(sgd, lr_factor, t);
    timer.observe(mean_loss(problem, t, state.x));
    local_step(problem, now, t, state);
    if (timer.due(t, now.lr)) {
      adopt(mean_of(state.x), state);
    } else {
      state.x = mix(weights(t - 1), state.x);
    }
  }
  return state;
}

inline State gossip_pga(const Problem& problem, const Sgd& sgd, int steps, const Weights& weights,
                        int h) {
  State state(problem);
  for (int t = 1; t <= steps; ++t) {
    local_step(problem, sgd, t, state);
    if (t % h == 0) {
      adopt(mean_of(state.x), state);
    } else {
      state.x = mix(weights(t - 1), state.x);
    }
  }
  return state;
}

inline State gossip_pga(const Problem& problem, const Sgd& sgd, int steps, const Matrix& w, int h) {
  return gossip_pga(problem, sgd, steps, always(w), h);
}

struct Aga {
  int h_init, warmup_steps;
  double q = 0.25;
  int h_max = 8 * h_init;
  double ema = 0.9;
};

inline State gossip_aga(const Problem& problem, const Sgd& sgd, int steps, const Weights& weights,
                        const Aga& a, const LrFactor& lr_factor = constant_lr,
                        Record* record = nullptr) {
  return scheduled_gossip_pga(problem, sgd, steps, weights,
                              aga(a.h_init, a.warmup_steps, a.q, a.h_max, a.ema), lr_factor,
                              record);
}

inline State gossip_aga(const Problem& problem, const Sgd& sgd, int steps, const Matrix& w,
                        const Aga& a, const LrFactor& lr_factor = constant_lr,
                        Record* record = nullptr) {
  return gossip_aga(problem, sgd, steps, always(w), a, lr_factor, record);
}

}  // namespace reference
