#include "entrain/strategy/spectrum.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace entrain {

at::Tensor matrix_of(const Mixing& mixing) {
  const auto n = static_cast<std::int64_t>(mixing.rows.size());
  at::Tensor weights = at::zeros({n, n}, at::kDouble);
  auto entries = weights.accessor<double, 2>();
  for (std::int64_t i = 0; i < n; ++i) {
    for (const Mixing::Term& term : mixing.rows[i]) entries[i][term.worker] += term.weight;
  }
  return weights;
}

double beta_of(const at::Tensor& weights) {
  const double mean = 1.0 / static_cast<double>(weights.size(0));
  return at::linalg_svdvals(weights - mean).max().item<double>();
}

double c_beta(double beta, std::int64_t h) {
  double sum = 0, power = 1;
  for (std::int64_t k = 0; k < h && power > 0; ++k, power *= beta) sum += power;
  return sum;
}

double d_beta(double beta, std::int64_t h) {
  return beta < 1 ? std::min(static_cast<double>(h), 1 / (1 - beta)) : static_cast<double>(h);
}

}  // namespace entrain
