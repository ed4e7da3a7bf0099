#pragma once

#include <ATen/ATen.h>

#include "entrain/comm/local.h"
#include "entrain/comm/simulated.h"

// What tests of simulated networks share.
namespace entrain {

inline ComputeTime compute_named(const std::string& text, const RunFacts& facts = {}) {
  return build(compute_time_choices(), parse_value(text), "compute time", facts);
}

inline Straggler straggler_named(const std::string& text) {
  return build(straggler_choices(), parse_value(text), "straggler", {});
}

/// n workers on links of 1,000 bytes a second and 0.01 s, with messages of 1,000 bytes.
struct Field {
  std::unique_ptr<Communicator> local;
  Simulated comm;
  at::Tensor rows;  // [n, 250] of float

  explicit Field(int n, const std::string& compute = "constant(1 s)",
                 const std::string& straggler = "none",
                 const Network& network = {.link = {0.01, 1000}})
      : local(local_communicator(n)),
        comm(*local, network, compute_named(compute), straggler_named(straggler), 1),
        rows(at::ones({n, 250})) {}  // 1,000 bytes

  std::unique_ptr<Exchange> mean() {
    results.push_back(at::empty({1, 250}));
    return comm.launch_mean(rows, results.back());
  }
  std::unique_ptr<Exchange> mix(const Mixing& mixing) {
    results.push_back(at::empty_like(rows));
    return comm.launch_mix(rows, results.back(), std::make_shared<const Mixing>(mixing));
  }
  std::vector<at::Tensor> results;
};

inline Mixing ring_mixing(int n) {
  Mixing mixing;
  for (int i = 0; i < n; ++i) {
    mixing.rows.push_back({{i, 0.5}, {(i + 1) % n, 0.25}, {(i + n - 1) % n, 0.25}});
  }
  return mixing;
}

/// Worker i takes half of what worker i - 1 has.
inline Mixing directed_ring_mixing(int n) {
  Mixing mixing;
  for (int i = 0; i < n; ++i) mixing.rows.push_back({{i, 0.5}, {(i + n - 1) % n, 0.5}});
  return mixing;
}

constexpr double kClose = 1e-9;

}  // namespace entrain
