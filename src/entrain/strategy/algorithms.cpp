#include "entrain/strategy/algorithms.h"

#include <algorithm>

#include "entrain/core/errors.h"

namespace entrain {

Strategy synchronous() { return {.gradients = {GradientRound{}}}; }

Strategy local_sgd(std::int64_t h) { return local_sgd(every(h)); }

Strategy local_sgd(const Schedule& when) { return {.parameters = {ParameterRound{.when = when}}}; }

Strategy post_local_sgd(std::int64_t s, std::int64_t h) { return post_local_sgd(s, h, h); }

Strategy post_local_sgd(std::int64_t s, std::int64_t h, std::int64_t first) {
  return {.gradients = {GradientRound{.when = until(s, every(1))}},
          .parameters = {ParameterRound{.when = after(s, every(h, first))}}};
}

Strategy hierarchical(std::int64_t h1, std::int64_t m, std::int64_t h2) {
  return {.parameters = {ParameterRound{.when = every(h1), .whom = groups(m)},
                         ParameterRound{.when = every(h2)}}};
}

Strategy overlap_local_sgd(std::int64_t h, double alpha, double beta) {
  return overlap_local_sgd(h, alpha, beta, h);
}

Strategy overlap_local_sgd(std::int64_t h, double alpha, double beta, std::int64_t first) {
  return {.parameters = {ParameterRound{.when = every(h, first),
                                        .outer = beta == 0 ? mean() : momentum(beta, true),
                                        .merge = pull(alpha),
                                        .delay = period(true)}}};
}

Strategy cocod(std::int64_t h) {
  return {.parameters = {ParameterRound{.when = every(h), .merge = rebase(), .delay = period()}}};
}

Strategy easgd(std::int64_t h, double alpha, std::int64_t n) {
  const auto workers = static_cast<double>(n);
  if (n < 1) throw UsageError(fmt::format("easgd(n={}): there must be at least 1 worker", n));
  if (!(alpha > 0 && alpha < 1 && (workers + 1) * alpha < 2)) {
    throw UsageError(fmt::format(
        "easgd(h={}, alpha={}): with {} workers alpha must be above 0 and below {:.4g}, "
        "or the centre diverges",
        h, alpha, n, std::min(1.0, 2 / (workers + 1))));
  }
  return {.parameters = {ParameterRound{.when = every(h),
                                        .outer = outer_sgd(workers * alpha / (1 - alpha)),
                                        .merge = pull(alpha),
                                        .delay = period(true)}}};
}

Strategy slowmo(std::int64_t h, double alpha, double beta) {
  return {.parameters = {ParameterRound{.when = every(h), .outer = slow_momentum(alpha, beta)}}};
}

Strategy post_local_slowmo(std::int64_t s, std::int64_t h, double alpha, double beta) {
  Strategy strategy = post_local_sgd(s, h);
  strategy.parameters[0].outer = slow_momentum(alpha, beta);
  return strategy;
}

Strategy gossip_slowmo(const Topology& topology, std::int64_t h, double alpha, double beta) {
  Strategy strategy = gossip_pga(topology, h);
  strategy.parameters[1].outer = slow_momentum(alpha, beta);
  return strategy;
}

Strategy bmuf(std::int64_t h, double momentum, double lr) {
  return {.parameters = {ParameterRound{.when = every(h), .outer = outer_sgd(lr, momentum)}}};
}

Strategy diloco(std::int64_t h, double lr, double beta, const Codec& codec) {
  return {
      .parameters = {ParameterRound{
          .when = every(h), .what = What::deltas, .codec = codec, .outer = nesterov(lr, beta)}}};
}

Strategy streaming_diloco(const Streaming& s) {
  if (s.fragments < 1 || s.fragments > 4096) {
    throw UsageError(fmt::format("streaming_diloco(fragments={}): from 1 to 4096", s.fragments));
  }
  Strategy strategy;
  for (std::int64_t p = 0; p < s.fragments; ++p) {
    const std::int64_t offset = (p + 1) * s.h / s.fragments;
    strategy.parameters.push_back(
        {.when = every(s.h, offset > 0 ? offset : s.h),
         .what = What::deltas,
         .codec = s.codec,
         .outer = nesterov(s.lr, s.beta),
         .merge = s.alpha == 1 ? adopt() : pull(s.alpha),
         .delay = steps(s.tau),
         .slice = s.fragments == 1 ? Slice() : fragment(p, s.fragments, s.strided)});
  }
  return strategy;
}

Strategy powersgd(const Codec& low_rank) {
  return {.gradients = {GradientRound{.codec = low_rank}}};
}

Strategy qsgd(const Codec& qsgd) { return {.gradients = {GradientRound{.codec = qsgd}}}; }

Strategy ef_sign(const Codec& sign_with_feedback) {
  return {.gradients = {GradientRound{.codec = sign_with_feedback}}};
}

Strategy local_ef_sign(std::int64_t h, const Codec& sign_with_feedback) {
  return {.parameters = {
              ParameterRound{.when = every(h), .what = What::deltas, .codec = sign_with_feedback}}};
}

Strategy gossip(const Topology& topology) {
  return {.parameters = {ParameterRound{.whom = topology}}};
}

Strategy gossip_awc(const Topology& topology) {
  return {.parameters = {ParameterRound{.whom = topology, .merge = rebase(), .delay = steps(1)}}};
}

Strategy gossip_pga(const Topology& topology, std::int64_t h) {
  return gossip_pga(topology, every(h));
}

Strategy gossip_pga(const Topology& topology, const Schedule& when) {
  return {.parameters = {ParameterRound{.whom = topology}, ParameterRound{.when = when}}};
}

}  // namespace entrain
