#include "entrain/strategy/advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "entrain/strategy/cost.h"

namespace entrain {

std::vector<std::string> advice(const Strategy& strategy, int n, bool lossless) {
  std::vector<std::string> sentences;
  const double step = effective_step(strategy);
  if (step == 0) {
    sentences.push_back("a pull of 1 freezes training: the anchor is made of what it was");
  } else if (step < 1) {
    sentences.push_back(fmt::format(
        "the effective step of this strategy is {:.2f} of the learning rate; to compare "
        "with synchronous SGD divide the learning rate by it",
        step));
  }
  bool one_peer = false;
  for (const ParameterRound& round : strategy.parameters) {
    one_peer = one_peer || round.whom.text.name == "one_peer_exponential";
  }
  if (one_peer && (n & (n - 1)) != 0) {
    sentences.push_back(
        fmt::format("one_peer_exponential averages over all exactly in log2(n) rounds only for a "
                    "power of two of workers; there are {}",
                    n));
  }
  bool together = !strategy.parameters.empty();
  for (const GradientRound& round : strategy.gradients) {
    together = together || round.whom.kind == Topology::Kind::everyone;
  }
  if (!together && n > 1) {
    sentences.push_back(
        "gradients averaged over neighbours or groups alone never bring the workers' parameters "
        "together; add a round of parameters, or use gossip(...)");
  }
  if (lossless && std::ranges::none_of(strategy.parameters, stays_near)) {
    sentences.push_back(
        "lossless compression saves nothing here: it is for parameters that are averaged over "
        "everyone, as they are");
  }
  return sentences;
}

}  // namespace entrain
