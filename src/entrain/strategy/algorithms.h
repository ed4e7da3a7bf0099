#pragma once

#include "entrain/strategy/round.h"

namespace entrain {

/// Methods of the literature as strategies. h is the period in steps. All throw UsageError for
/// arguments out of the range of the axis that takes them.

/// Synchronous SGD: the gradients of all workers are averaged in every step.
Strategy synchronous();

/// Local SGD: the parameters of all workers are averaged after every h-th step (McMahan et al.
/// 2017; Stich 2019), or at the steps of a schedule.
Strategy local_sgd(std::int64_t h);
Strategy local_sgd(const Schedule& when);

/// Post-local SGD: synchronous for the steps 1 ... s, then local SGD(h) with its clock started at s
/// (Lin et al. 2020). `first`: the first average after s comes at s + first; 1 is PyTorch's rule.
Strategy post_local_sgd(std::int64_t s, std::int64_t h);
Strategy post_local_sgd(std::int64_t s, std::int64_t h, std::int64_t first);

/// Averages over groups of m workers every h1 steps and over everyone every h2 steps.
Strategy hierarchical(std::int64_t h1, std::int64_t m, std::int64_t h2);

/// Overlap-Local-SGD (Wang, Liang, Joshi 2020, arXiv 2002.09539): every h steps a
/// worker pulls to the anchor by alpha and launches the next anchor's average without waiting for
/// it; beta is the anchor's momentum, 0 for the plain variant. `first`: the step of the first
/// round; h + 1 is the rule of the authors' code.
Strategy overlap_local_sgd(std::int64_t h, double alpha = 0.6, double beta = 0.7);
Strategy overlap_local_sgd(std::int64_t h, double alpha, double beta, std::int64_t first);

/// CoCoD-SGD (Shen et al. 2019, arXiv 1906.12043): every h steps a worker puts its
/// progress since the last launch on the average of that launch, and launches again without
/// waiting.
Strategy cocod(std::int64_t h);

/// Elastic averaging for n workers (Zhang et al. 2015), in rounds: a worker pulls to the centre by
/// alpha, and the centre moves by alpha sum_i (x_i - z). Throws UsageError unless (n + 1) alpha <
/// 2, beyond which the centre diverges.
Strategy easgd(std::int64_t h, double alpha, std::int64_t n);

/// SlowMo on local SGD (Wang et al. 2020): every h steps u = beta u + (a - mean) / lr, a = a -
/// alpha lr u, and all workers take a.
Strategy slowmo(std::int64_t h, double alpha = 1, double beta = 0.5);

/// The same after s synchronous steps, the anchor being the model at s.
Strategy post_local_slowmo(std::int64_t s, std::int64_t h, double alpha = 1, double beta = 0.5);

/// The same on gossip: neighbours in the steps between.
Strategy gossip_slowmo(const Topology& topology, std::int64_t h, double alpha = 1,
                       double beta = 0.5);

/// Blockwise model update filtering (Chen & Huo 2016): v = momentum v + lr (mean - a), a = a + v.
Strategy bmuf(std::int64_t h, double momentum, double lr = 1);

/// DiLoCo (Douillard et al. 2023): the mean delta from the anchor is a gradient for Nesterov's
/// momentum.
Strategy diloco(std::int64_t h, double lr = 0.7, double beta = 0.9, const Codec& codec = {});

/// Streaming DiLoCo (Douillard et al. 2025): DiLoCo on fragments of whole layers, each every h
/// steps and h / fragments steps after the one before; a worker meets a fragment's anchor tau steps
/// after the launch by pull(alpha) (the paper's alpha is 1 - ours).
struct Streaming {
  std::int64_t h, fragments, tau;
  double alpha;
  double lr = 0.7, beta = 0.9;
  Codec codec = {};
  bool strided = true;
};
Strategy streaming_diloco(const Streaming& streaming);

/// PowerSGD (Vogels et al. 2019): gradients as products of thin matrices, with error feedback.
Strategy powersgd(const Codec& low_rank);

/// QSGD (Alistarh et al. 2017): gradients rounded at random without bias.
Strategy qsgd(const Codec& qsgd);

/// EF-SignSGD (Karimireddy et al. 2019): the signs of gradients with error feedback; local: those
/// of the deltas of local SGD.
Strategy ef_sign(const Codec& sign_with_feedback);
Strategy local_ef_sign(std::int64_t h, const Codec& sign_with_feedback);

/// Gossip SGD (D-PSGD, Lian et al. 2017), adapt then combine: a worker's own step, then the
/// weighted mean with its neighbours.
Strategy gossip(const Topology& topology);

/// Gossip SGD, combine beside adapt: x = W x - lr g(x), so that the messages travel during a step.
Strategy gossip_awc(const Topology& topology);

/// Gossip-PGA (Chen et al. 2021, arXiv 2105.09080): gossip, and every h steps the mean over
/// everyone in its place. Gossip-AGA: with the adaptive schedule aga.
Strategy gossip_pga(const Topology& topology, std::int64_t h);
Strategy gossip_pga(const Topology& topology, const Schedule& when);

}  // namespace entrain
