#pragma once

#include <vector>

#include "entrain/core/seeds.h"

namespace entrain {

/// A draw from the symmetric Dirichlet distribution: `count` shares, each >= 0, that sum to 1.
/// Gamma variables by Marsaglia, Tsang, "A simple method for generating gamma variables", ACM TOMS
/// 2000, kept as logarithms, so that one share is positive however small alpha is. REQUIRES: alpha
/// >= 1e-100, count >= 1.
std::vector<double> dirichlet(Stream& stream, double alpha, int count);

}  // namespace entrain
