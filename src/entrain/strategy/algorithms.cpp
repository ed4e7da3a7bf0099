#include "entrain/strategy/algorithms.h"

namespace entrain {

Strategy synchronous() { return {.gradients = {GradientRound{}}}; }

Strategy local_sgd(std::int64_t h) { return {.parameters = {ParameterRound{.when = every(h)}}}; }

Strategy post_local_sgd(std::int64_t s, std::int64_t h) {
  return {.gradients = {GradientRound{.when = until(s, every(1))}},
          .parameters = {ParameterRound{.when = after(s, every(h))}}};
}

}  // namespace entrain
