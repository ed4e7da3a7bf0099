#include "entrain/model/problem.h"

namespace entrain {

const std::vector<Choice<MakeProblem>>& problem_choices() {
  static const std::vector<Choice<MakeProblem>> choices;
  return choices;
}

MakeProblem build_problem(const Value& value, const RunFacts& facts) {
  return build(problem_choices(), value, "problem", facts);
}

}  // namespace entrain
