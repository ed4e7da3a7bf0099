#pragma once

#include <ATen/core/Tensor.h>

#include "entrain/strategy/topology.h"

namespace entrain {

/// The weights as a matrix W [n, n], float64: W[i][j] is what worker i takes of worker j.
at::Tensor matrix_of(const Mixing& mixing);

/// beta = ||W - 11^T/n||_2, the largest share of a disagreement that is left after a round
/// (Gossip-PGA, section 5.1); 1 - beta is the gap.
double beta_of(const at::Tensor& weights);

/// C_beta = 1 + beta + ... + beta^(h-1) and D_beta = min(h, 1 / (1 - beta)): how long disagreement
/// adds up between global averages h steps apart (Gossip-PGA, section 5.4).
double c_beta(double beta, std::int64_t h);
double d_beta(double beta, std::int64_t h);

}  // namespace entrain
