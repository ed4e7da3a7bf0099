#include "entrain/strategy/catalogue.h"

#include "entrain/strategy/algorithms.h"

namespace entrain {

const std::vector<Preset>& catalogue() {
  static const std::vector<Preset> presets = {
      {{"synchronous",
        {},
        "gradients averaged in every step",
        [](const Arguments&) { return synchronous(); }},
       "Goyal et al. 2017, arXiv 1706.02677",
       "g <- (1/n) sum_i g_i(x)\n"
       "x <- optimizer(x, g)"},
      {{"local_sgd",
        {{"h"}},
        "parameters averaged after every h-th step",
        [](const Arguments& a) { return local_sgd(a.steps("h")); }},
       "McMahan et al. 2017, arXiv 1602.05629; Stich 2019, arXiv 1805.09767",
       "every step:      x_i <- optimizer(x_i, g_i(x_i))\n"
       "every h steps:   x_i <- (1/n) sum_j x_j"},
      {{"post_local_sgd",
        {{"switch"}, {"h"}},
        "synchronous up to a step, then local_sgd(h)",
        [](const Arguments& a) { return post_local_sgd(a.steps("switch"), a.steps("h")); }},
       "Lin et al. 2020, arXiv 1808.07217",
       "steps t <= s:    x <- optimizer(x, (1/n) sum_i g_i(x))\n"
       "steps t > s:     x_i <- optimizer(x_i, g_i(x_i))\n"
       "t = s + h, s + 2h, ...:   x_i <- (1/n) sum_j x_j"},
  };
  return presets;
}

Strategy build_preset(const Value& value, const RunFacts& facts) {
  static const std::vector<Choice<Strategy>> choices = [] {
    std::vector<Choice<Strategy>> all;
    for (const Preset& preset : catalogue()) all.push_back(preset.choice);
    return all;
  }();
  Strategy strategy = build(choices, value, "strategy", facts);
  for (const Choice<Strategy>& choice : choices) {
    if (choice.name != value.name) continue;
    strategy.preset = print(Arguments(value, choice.parameters, facts).canonical());
  }
  return strategy;
}

}  // namespace entrain
