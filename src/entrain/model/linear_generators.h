#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "entrain/data/linear_data.h"

namespace entrain {

/// Which seed makes the data; none: that of the run, so that each run has data of its own.
using DataSeed = std::optional<std::uint64_t>;

/// One set of samples for all workers. h ~ N(0, diag(j^-decay)), j = 1, 2, ...; labels -1 and 1 by
/// the logistic model of <h, x*> + bias, x* uniform on the sphere of radius `norm`. With a bias the
/// last feature is the constant 1.
/// Patel, Dieuleveut (NeurIPS 2019) and Haddadpour et al. (NeurIPS 2019) test on such sets.
struct LogisticOptions {
  std::int64_t samples = 4000, dimension = 20;
  double norm = 4;
  std::optional<double> bias = 1;
  double lambda = 0.01;
  bool shared = true;      ///< Every worker has all samples; else they are dealt.
  bool unit_rows = false;  ///< Each h is scaled to length 1, as in the set epsilon.
  double decay = 0;
  DataSeed seed = 1;
  bool start_at_optimum = false;
};

/// Samples of their own for all workers: h ~ N(0, scale I), labels by the logistic model of
/// <h, x_i*>, x_i* = (1 - spread) x* + spread u_i with x* and u_i uniform on the unit sphere.
/// Chen et al., "Accelerating Gossip SGD with Periodic Global Averaging" (ICML 2021).
struct HeterogeneousOptions {
  std::int64_t samples = 500;  ///< Of each worker.
  std::int64_t dimension = 10;
  double scale = 1, spread = 0.5;
  double lambda = 0, rho = 0;
  DataSeed seed = 1;
  bool start_at_optimum = false;
};

/// h ~ N(centre_c, I), the centres uniform on the sphere of radius `separation`, as many samples of
/// each class.
struct SoftmaxOptions {
  std::int64_t classes = 10, dimension = 20;
  std::int64_t samples = 400;  ///< Times the workers.
  double separation = 2, lambda = 0;
  DataSeed seed = 1;
  bool start_at_optimum = false;
};

/// h = U z, U [dimension, rank] orthonormal with one entry a row, z ~ N(0, diag) with variances
/// that fall geometrically from 1 to 1/condition; targets <h, x*> + N(0, noise^2), |x*| = norm, x*
/// in the span of U. Not strongly convex where rank < dimension, and yet f - f* <= |gradient|^2 /
/// (2 mu) (PL).
struct LeastSquaresOptions {
  std::int64_t dimension = 20, rank = 10, samples = 4000;
  double noise = 0, norm = 1, condition = 10;
  bool shared = true;
  DataSeed seed = 1;
};

/// The samples, with their features in `type`; `workers` as many times where each has its own.
/// REQUIRES: options that make sense (sample_problems.h checks them).
LinearData logistic_data(const LogisticOptions& options, std::uint64_t seed, at::ScalarType type);
LinearData heterogeneous_data(const HeterogeneousOptions& options, std::uint64_t seed, int workers,
                              at::ScalarType type);
LinearData softmax_data(const SoftmaxOptions& options, std::uint64_t seed, int workers,
                        at::ScalarType type);

/// With the x* that fits them all where there is no noise.
struct LeastSquaresData {
  LinearData data;
  std::vector<double> truth;
};
LeastSquaresData least_squares_data(const LeastSquaresOptions& options, std::uint64_t seed,
                                    at::ScalarType type);

}  // namespace entrain
