#include "entrain/strategy/algorithms.h"

namespace entrain {

Strategy synchronous() { return {.gradients = {GradientRound{}}}; }

Strategy local_sgd(std::int64_t h) { return {.parameters = {ParameterRound{.when = every(h)}}}; }

Strategy post_local_sgd(std::int64_t s, std::int64_t h) {
  return {.gradients = {GradientRound{.when = until(s, every(1))}},
          .parameters = {ParameterRound{.when = after(s, every(h))}}};
}

Strategy overlap_local_sgd(std::int64_t h, double alpha, double beta) {
  return {.parameters = {ParameterRound{.when = every(h),
                                        .outer = beta == 0 ? mean() : momentum(beta, true),
                                        .merge = pull(alpha),
                                        .delay = period(true)}}};
}

Strategy cocod(std::int64_t h) {
  return {.parameters = {ParameterRound{.when = every(h), .merge = rebase(), .delay = period()}}};
}

}  // namespace entrain
