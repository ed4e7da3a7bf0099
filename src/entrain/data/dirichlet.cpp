#include "entrain/data/dirichlet.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace entrain {
namespace {

/// The logarithm of a gamma variable of the given shape, >= 1, and scale 1.
double log_gamma_of_one_up(Stream& stream, double shape) {
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = stream.normal(), v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(stream.uniform()) < x * x / 2 + d * (1 - v + std::log(v)))
      return std::log(d * v);
  }
}

double log_gamma(Stream& stream, double shape) {
  if (shape >= 1) return log_gamma_of_one_up(stream, shape);
  const double larger = log_gamma_of_one_up(stream, shape + 1);
  return larger + std::log(stream.uniform()) / shape;
}

}  // namespace

std::vector<double> dirichlet(Stream& stream, double alpha, int count) {
  std::vector<double> shares(static_cast<std::size_t>(count));
  for (double& share : shares) share = log_gamma(stream, alpha);
  const double largest = *std::max_element(shares.begin(), shares.end());
  for (double& share : shares) share = std::exp(share - largest);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= sum;
  return shares;
}

}  // namespace entrain
