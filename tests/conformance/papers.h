#pragma once

// What the tests of the papers' statements share.

#include <gtest/gtest.h>

#include <map>

#include "conformance/engine.h"
#include "entrain/core/seeds.h"
#include "reference/gossip_methods.h"

namespace entrain {

using reference::Problem;
using reference::Sgd;

constexpr double kExact = 1e-12;
constexpr int kLength = 100;  // steps

inline double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

// Both strategies, over all optimizers and numbers of workers.
inline void expect_equal(const std::string& one, const std::string& other,
                         const std::vector<int>& workers = {1, 2, 3, 4, 8},
                         const std::vector<Sgd>& sgds = {{0.05, 0, 0, false},
                                                         {0.05, 0.9, 1e-2, true}}) {
  for (int n : workers) {
    for (const Sgd& sgd : sgds) {
      const Problem problem{n, 21};
      Engine a(problem, sgd, one), b(problem, sgd, other);
      EXPECT_LE(a.run(kLength).deviation(b.run(kLength)), kExact)
          << one << " and " << other << ", n = " << n << ", momentum " << sgd.momentum;
    }
  }
}

// Gradients lambda_j x + noise that depends on worker, step and coordinate alone. Minimiser 0.
class Quadratic {
 public:
  // `sigma`: of the noise in one coordinate.
  Quadratic(std::vector<double> spectrum, double sigma, std::uint64_t seed = 1)
      : spectrum_(std::move(spectrum)), sigma_(sigma), seed_(seed) {}

  double lambda(int j) const { return spectrum_[j % spectrum_.size()]; }
  double noise(int worker, int step, int j) {
    auto& row = drawn_[{worker, step}];
    if (row.empty()) {
      Stream random(seed_, Purpose::shuffle, static_cast<std::uint64_t>(worker),
                    static_cast<std::uint64_t>(step));
      for (int k = 0; k < 4096; ++k) row.push_back(sigma_ * random.normal());
    }
    return row[j];
  }
  void attach(Engine& engine) {
    engine.gradient = [this](int i, int t, int j, double x) {
      return lambda(j) * x + noise(i, t, j);
    };
  }

 private:
  std::vector<double> spectrum_;
  double sigma_;
  std::uint64_t seed_;
  std::map<std::pair<int, int>, std::vector<double>> drawn_;
};

inline const std::vector<double> kSpectrum = {0.1, 0.3, 0.5, 0.75, 1};

}  // namespace entrain
