#pragma once

// For tests only.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "entrain/core/seeds.h"
#include "entrain/model/problem.h"

namespace entrain {

inline std::unique_ptr<Problem> problem_of(const std::string& text, const ProblemFacts& facts) {
  return build_problem(parse_value(text))(facts);
}

/// What workers do at a step: gradients [w, d], losses [w].
struct Drawn {
  at::Tensor gradients, losses;
};

inline Drawn drawn(const Problem& problem, std::int64_t step, int first, const at::Tensor& x) {
  Drawn result{at::full_like(x, 77), at::full({x.size(0)}, 77, at::kDouble)};
  problem.gradients(step, first, x, result.gradients, result.losses);
  return result;
}

/// Numbers that are the same on every call.
inline at::Tensor numbers(at::IntArrayRef sizes, double scale = 1, std::uint64_t seed = 1) {
  at::Tensor result = at::empty(sizes, at::kDouble);
  Stream stream(seed, Purpose::noise, 1'000'000);
  double* at = result.data_ptr<double>();
  for (std::int64_t i = 0; i < result.numel(); ++i) at[i] = scale * stream.normal();
  return result;
}

inline void expect_near(const at::Tensor& ours, const at::Tensor& theirs, double tolerance,
                        const std::string& what = "") {
  ASSERT_EQ(ours.sizes(), theirs.sizes()) << what;
  const double apart = (ours.to(at::kDouble) - theirs.to(at::kDouble)).abs().max().item<double>();
  EXPECT_LE(apart, tolerance) << what;  // and so not for a NaN
}

}  // namespace entrain
