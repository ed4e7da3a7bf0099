#pragma once

// Every method with a name, as its text and as a plain loop that was written from its equations
// alone.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reference/gossip_methods.h"

// Not in entrain's namespace: the loops have the names of its methods.
namespace methods_test {

using namespace reference;

constexpr int kRun = 100;  // steps

// A method as text, and its loop. `workers`: the numbers of workers that it is defined for.
struct Method {
  std::string text;
  std::function<State(const Problem&, const Sgd&, const LrFactor&)> loop;
  std::vector<int> workers = {1, 2, 3, 4, 8};
  bool falling_lr = false;  // the learning rate falls during the run

  bool defined_for(int n) const {
    return std::find(workers.begin(), workers.end(), n) != workers.end();
  }
};

inline double falling(int t) { return t <= 30 ? 1.0 : t <= 60 ? 0.5 : 0.125; }

// Weights by the name of a topology.
inline std::map<std::string, std::function<Weights(int)>> topologies() {
  const auto fixed = [](Matrix (*matrix)(int)) {
    return [matrix](int n) { return always(matrix(n)); };
  };
  return {{"ring", fixed(ring)},
          {"directed_ring", fixed(directed_ring)},
          {"grid", fixed(grid)},
          {"star", fixed(star)},
          {"static_exponential", fixed(static_exponential)},
          {"fully_connected", fixed(fully_connected)},
          {"one_peer_exponential",
           [](int n) -> Weights { return [n](int k) { return one_peer_exponential(n, k); }; }}};
}

inline std::vector<Method> scheduled_methods() {
  std::vector<Method> all;
  const auto add = [&](const std::string& text, const std::function<Schedule(int n)>& schedule) {
    for (bool lr : {false, true}) {
      all.push_back({text,
                     [=](const Problem& p, const Sgd& s, const LrFactor& f) {
                       return scheduled_local_sgd(p, s, kRun, schedule(p.workers), f);
                     },
                     {1, 2, 3, 4, 8},
                     lr});
    }
  };
  for (int h : {1, 3, 8, 64}) add(fmt::format("local_sgd({})", h), [=](int) { return every(h); });
  add("one_shot", [](int) { return one_shot(kRun); });
  add("lupa_sgd(c=0.5, batch=4)", [](int n) { return lupa(kRun, n, 4, 0.5); });
  add("parameters(when=stich(batch=4))", [](int n) { return stich(kRun, n, 4); });
  add("parameters(when=yu)", [](int n) { return yu(kRun, n); });
  add("parameters(when=wang_joshi)", [](int n) { return wang_joshi(kRun, n); });
  add("parameters(when=every(8, first=3))", [](int) { return every(8, 3); });
  add("ada_lupa_sgd(4, cap=40)", [](int) { return ada_loss(4, 40); });
  add("ada_lupa_linear(3, alpha=0.7)", [](int) { return ada_linear(3, 0.7, kRun); });
  add("ada_lupa_linear(3, rounds=8)",
      [](int) { return ada_linear(3, ada_linear_alpha(kRun, 8, 3), kRun); });
  add("ada_lupa_linear(3, rounds=8, exact=true)",
      [](int) { return ada_linear(3, ada_linear_exact_alpha(kRun, 8, 3), kRun); });
  add("growing_local_sgd(2, 0.5)", [](int) { return poly_growth(2, 0.5); });
  add("parameters(when=quad_rule(0.9))", [](int n) { return quad_rule(0.9, n); });
  add("parameters(when=smooth_rule(0.5, 2, 1))", [](int n) { return smooth_rule(0.5, 2, n, 1); });
  add("parameters(when=smooth_rule(0.5, 2, 1, sigma=0.3))",
      [](int n) { return smooth_rule_bound(0.5, 2, n, 1, 0.3); });
  add("adacomm(16, 20)", [](int) { return adacomm(16, 20); });
  add("qsr(2, 0.1)", [](int) { return qsr(2, 0.1); });
  for (const auto& [name, kind] : {std::pair{"constant", WarmUp::constant},
                                   {"linear", WarmUp::linear},
                                   {"exponential", WarmUp::exponential}}) {
    add(fmt::format("parameters(when=warm_up({}, over=6, h=9, unit=5))", name),
        [kind = kind](int) { return warm_up(kind, 6, 9, 5); });
  }
  return all;
}

inline std::vector<Method> anchored_methods() {
  std::vector<Method> all;
  for (int h : {1, 3, 8}) {
    const auto add = [&](const std::string& text, auto loop, bool lr = false) {
      all.push_back({text,
                     [=](const Problem& p, const Sgd& s, const LrFactor&) { return loop(p, s); },
                     {1, 2, 3, 4, 8},
                     lr});
    };
    add(fmt::format("cocod({})", h), [=](auto& p, auto& s) { return cocod(p, s, kRun, h); });
    add(fmt::format("easgd({}, 0.1)", h),
        [=](auto& p, auto& s) { return easgd(p, s, kRun, h, 0.1); });
    add(fmt::format("bmuf({}, 0.6, 0.9)", h),
        [=](auto& p, auto& s) { return bmuf(p, s, kRun, h, 0.6, 0.9); });
    add(fmt::format("diloco({})", h),
        [=](auto& p, auto& s) { return diloco(p, s, kRun, h, 0.7, 0.9); });
    add(fmt::format("post_local_slowmo(20, {}, 0.8, 0.6)", h),
        [=](auto& p, auto& s) { return post_local_slowmo(p, s, kRun, 20, h, 0.8, 0.6); });
    add(fmt::format("post_local_sgd(20, {}, first=1)", h),
        [=](auto& p, auto& s) { return pytorch_post_local_sgd(p, s, kRun, 20, h); });
    add(fmt::format("post_local_sgd(20, {})", h),
        [=](auto& p, auto& s) { return post_local_sgd(p, s, kRun, 20, h); });
    add(fmt::format("parameters(when=every({}), state=reset)", h),
        [=](auto& p, auto& s) { return local_sgd_reset(p, s, kRun, h); });
    add(fmt::format("parameters(when=every({}), state=average)", h),
        [=](auto& p, auto& s) { return local_sgd_average_buffers(p, s, kRun, h); });
    for (bool lr : {false, true}) {
      all.push_back({fmt::format("slowmo({}, 0.8, 0.6)", h),
                     [=](const Problem& p, const Sgd& s, const LrFactor& f) {
                       return slowmo(p, s, kRun, h, 0.8, 0.6, f);
                     },
                     {1, 2, 3, 4, 8},
                     lr});
      for (double beta : {0.0, 0.7}) {
        all.push_back({fmt::format("overlap_local_sgd({}, 0.6, {})", h, beta),
                       [=](const Problem& p, const Sgd& s, const LrFactor& f) {
                         return overlap_local_sgd(p, s, kRun, h, 0.6, beta, f);
                       },
                       {1, 2, 3, 4, 8},
                       lr});
      }
      all.push_back({fmt::format("overlap_local_sgd({}, 0.6, 0.7, first={})", h, h + 1),
                     [=](const Problem& p, const Sgd& s, const LrFactor& f) {
                       return overlap_first_later(p, s, kRun, h, 0.6, 0.7, f);
                     },
                     {1, 2, 3, 4, 8},
                     lr});
    }
  }
  all.push_back({"synchronous", [](const Problem& p, const Sgd& s, const LrFactor&) {
                   return reference::synchronous(p, s, kRun);
                 }});
  return all;
}

inline std::vector<Method> neighbour_methods() {
  std::vector<Method> all;
  for (const auto& [name, weights] : topologies()) {
    const auto add = [&](const std::string& text, auto loop, bool lr = false) {
      all.push_back({text,
                     [loop, weights = weights](const Problem& p, const Sgd& s, const LrFactor& f) {
                       return loop(p, s, weights(p.workers), f);
                     },
                     {1, 2, 3, 4, 8},
                     lr});
    };
    add(fmt::format("gossip({})", name),
        [](auto& p, auto& s, const Weights& w, auto&) { return gossip(p, s, kRun, w); });
    for (int h : {1, 3, 8}) {
      add(fmt::format("gossip_pga({}, {})", name, h),
          [h](auto& p, auto& s, const Weights& w, auto&) { return gossip_pga(p, s, kRun, w, h); });
    }
    for (bool lr : {false, true}) {
      add(
          fmt::format("gossip_aga({}, 3, warmup=12, q=1)", name),
          [](auto& p, auto& s, const Weights& w, auto& f) {
            return gossip_aga(p, s, kRun, w, {3, 12, 1}, f);
          },
          lr);
    }
    add(fmt::format("gossip_slowmo({}, 4, 0.9, 0.4)", name),
        [](auto& p, auto& s, const Weights& w, auto&) {
          return slowmo_over_gossip(p, s, kRun, w, 4, 0.9, 0.4);
        });
    if (name == "one_peer_exponential") continue;  // one matrix
    add(fmt::format("gossip_awc({})", name),
        [](auto& p, auto& s, const Weights& w, auto&) { return gossip_awc(p, s, kRun, w(0)); });
  }
  for (int m : {1, 2, 4}) {
    all.push_back({fmt::format("hierarchical(2, {}, 6)", m),
                   [m](const Problem& p, const Sgd& s, const LrFactor&) {
                     return hierarchical(p, s, kRun, 2, m, 6);
                   },
                   m == 1   ? std::vector{1, 2, 3, 4, 8}
                   : m == 2 ? std::vector{2, 4, 8}
                            : std::vector{4, 8}});
  }
  return all;
}

inline const std::vector<Sgd> kSgds = {
    {0.05, 0, 0, false}, {0.05, 0.9, 0, false}, {0.05, 0.9, 1e-2, false}, {0.05, 0.9, 1e-2, true}};

}  // namespace methods_test
