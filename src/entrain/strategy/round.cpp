#include "entrain/strategy/round.h"

namespace entrain {

const std::vector<Choice<StatePolicy>>& state_choices() {
  using Kind = StatePolicy::Kind;
  static const std::vector<Choice<StatePolicy>> choices = {
      {"local",
       {},
       "each worker keeps its optimizer's buffers",
       [](const Arguments&) {
         return StatePolicy{call("local"), Kind::local};
       }},
      {"reset",
       {},
       "the optimizers' buffers are zero again",
       [](const Arguments&) {
         return StatePolicy{call("reset"), Kind::reset};
       }},
      {"average",
       {},
       "the optimizers' buffers are averaged too",
       [](const Arguments&) {
         return StatePolicy{call("average"), Kind::average};
       }},
  };
  return choices;
}

}  // namespace entrain
