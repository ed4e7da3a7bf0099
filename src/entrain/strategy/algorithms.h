#pragma once

#include "entrain/strategy/round.h"

namespace entrain {

/// Synchronous SGD: the gradients of all workers are averaged in every step.
Strategy synchronous();

/// Local SGD: the parameters of all workers are averaged after every h-th step (McMahan et al.
/// 2017; Stich 2019). Throws UsageError if h < 1.
Strategy local_sgd(std::int64_t h);

/// Post-local SGD: synchronous for the steps 1 ... s, then local SGD(h) with its clock started at s
/// (Lin et al. 2020). Throws UsageError if s < 0 or h < 1.
Strategy post_local_sgd(std::int64_t s, std::int64_t h);

/// Overlap-Local-SGD (Wang, Liang, Joshi 2020, arXiv 2002.09539): every h steps a
/// worker pulls to the anchor by alpha and launches the next anchor's average without waiting for
/// it; beta is the anchor's momentum, 0 for the plain variant. Throws UsageError for h < 1, alpha
/// outside [0, 1], beta outside [0, 1).
Strategy overlap_local_sgd(std::int64_t h, double alpha = 0.6, double beta = 0.7);

/// CoCoD-SGD (Shen et al. 2019, arXiv 1906.12043): every h steps a worker puts its
/// progress since the last launch on the average of that launch, and launches again without
/// waiting. Throws UsageError if h < 1.
Strategy cocod(std::int64_t h);

}  // namespace entrain
