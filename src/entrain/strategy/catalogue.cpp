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
      {{"overlap_local_sgd",
        {{"h"}, {"alpha", "0.6"}, {"beta", "0.7"}},
        "pulled to an anchor whose average travels while the workers compute",
        [](const Arguments& a) {
          return overlap_local_sgd(a.steps("h"), a.real("alpha"), a.real("beta"));
        }},
       "Wang, Liang, Joshi 2020, arXiv 2002.09539",
       "every step:      x_i <- optimizer(x_i, g_i(x_i))\n"
       "every h steps:   z <- the average launched h steps before\n"
       "                 x_i <- (1 - alpha) x_i + alpha z\n"
       "                 launch: v <- beta v + (1/n) sum_i x_i - z;  z + v is the next z\n"
       "effective step:  (1 - alpha) / (1 - alpha beta) of the learning rate"},
      {{"cocod",
        {{"h"}},
        "local progress put on an average that travelled meanwhile",
        [](const Arguments& a) { return cocod(a.steps("h")); }},
       "Shen et al. 2019, arXiv 1906.12043",
       "every step:      x_i <- optimizer(x_i, g_i(x_i))\n"
       "every h steps:   x_i <- (average of the launch h steps before) + (x_i - x_i at that "
       "launch)\n"
       "                 launch: (1/n) sum_i x_i"},
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
