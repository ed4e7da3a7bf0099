#pragma once

#include "entrain/strategy/round.h"

namespace entrain {

/// Synchronous SGD: the gradients of all workers are averaged in every step.
Strategy synchronous();

/// Local SGD: the parameters of all workers are averaged after every h-th step (McMahan et al.
/// 2017; Stich 2019; ALGORITHMS 1.2). Throws UsageError if h < 1.
Strategy local_sgd(std::int64_t h);

/// Post-local SGD: synchronous for the steps 1 ... s, then local SGD(h) with its clock started at s
/// (Lin et al. 2020; ALGORITHMS 4.3). Throws UsageError if s < 0 or h < 1.
Strategy post_local_sgd(std::int64_t s, std::int64_t h);

}  // namespace entrain
