#include "entrain/model/problem.h"

#include "entrain/core/errors.h"
#include "entrain/model/analytic_problems.h"
#include "entrain/model/sample_problems.h"

namespace entrain {
namespace {

DataSeed data_seed(const Arguments& a) {
  if (a.is("seed", "run")) return std::nullopt;
  const std::int64_t seed = a.integer("seed");
  if (seed < 0) throw UsageError(fmt::format("seed = {}: must be at least 0, or `run`", seed));
  return static_cast<std::uint64_t>(seed);
}

// Whether the second of two words is given.
bool is_second(const Arguments& a, const char* name, const char* first, const char* second) {
  if (a.is(name, second)) return true;
  if (a.is(name, first)) return false;
  throw UsageError(
      fmt::format("{} = {}: must be `{}` or `{}`", name, print(a.value(name)), first, second));
}

bool at_optimum(const Arguments& a) { return is_second(a, "start", "zero", "optimum"); }

// A name may be a word, as a9a, or in quotes, as "german.numer_scale".
std::string name_of(const Value& value) {
  const bool word = value.kind == Value::Kind::call && value.arguments.empty();
  if (word || value.kind == Value::Kind::text) return value.name;
  throw UsageError(
      fmt::format("libsvm: name = {}: must be the name of a set, as in "
                  "libsvm(a9a) or libsvm(\"german.numer_scale\")",
                  print(value)));
}

Choice<MakeProblem> quadratic_choice() {
  return {"quadratic",
          {{"dimension", "5"},
           {"least", "0.1"},
           {"most", "1"},
           {"noise", "1"},
           {"spread", "0"},
           {"start", "1"}},
          "f_i = (x - c_i)' H (x - c_i) / 2, H diagonal with eigenvalues in equal steps from least "
          "to most, c_i ~ N(0, spread^2 I); gradient noise with E|xi|^2 = noise^2, whatever the "
          "batch; x_0 at the distance start from the optimum",
          [](const Arguments& a) {
            return quadratic({a.integer("dimension"), a.real("least"), a.real("most"),
                              a.real("noise"), a.real("spread"), a.real("start")});
          }};
}

Choice<MakeProblem> sine_choice() {
  return {"sine",
          {{"dimension", "1"}, {"noise", "1"}, {"start", "3"}},
          "sum_j x_j^2 + 3 sin^2 x_j: not convex, but PL with mu = 0.1755; noise as in quadratic; "
          "x_0 = (start, ..., start)",
          [](const Arguments& a) {
            return sine({a.integer("dimension"), a.real("noise"), a.real("start")});
          }};
}

Choice<MakeProblem> least_squares_choice() {
  return {"least_squares",
          {{"dimension", "20"},
           {"rank", "10"},
           {"samples", "4000"},
           {"noise", "0"},
           {"norm", "1"},
           {"condition", "10"},
           {"shared", "true"},
           {"seed", "1"}},
          "(<h, x> - y)^2 / 2 over samples h of a random subspace of rank directions, their "
          "variances from 1 to 1/condition, y = <h, x*> + N(0, noise^2), |x*| = norm; PL and not "
          "strongly convex for rank < dimension; f* = 0 for noise = 0",
          [](const Arguments& a) {
            return least_squares({a.integer("dimension"), a.integer("rank"), a.integer("samples"),
                                  a.real("noise"), a.real("norm"), a.real("condition"),
                                  a.boolean("shared"), data_seed(a)});
          }};
}

Choice<MakeProblem> logistic_choice() {
  return {
      "logistic",
      {{"samples", "4000"},
       {"dimension", "20"},
       {"norm", "4"},
       {"bias", "1"},
       {"lambda", "0.01"},
       {"shared", "true"},
       {"rows", "gaussian"},
       {"decay", "0"},
       {"seed", "1"},
       {"start", "zero"}},
      "logistic regression with lambda/2 |x|^2 over one set of samples h ~ N(0, diag(j^-decay)), "
      "scaled to length 1 where rows=unit, labels by the logistic model of <h, x*> + bias, "
      "|x*| = norm; bias=none leaves the constant feature out; every worker draws from all "
      "samples, or with shared=false from those that the partition deals it",
      [](const Arguments& a) {
        LogisticOptions o;
        o.samples = a.integer("samples");
        o.dimension = a.integer("dimension");
        o.norm = a.real("norm");
        o.bias = a.is("bias", "none") ? std::nullopt : std::optional(a.real("bias"));
        o.lambda = a.real("lambda");
        o.shared = a.boolean("shared");
        o.unit_rows = is_second(a, "rows", "gaussian", "unit");
        o.decay = a.real("decay");
        o.seed = data_seed(a);
        o.start_at_optimum = at_optimum(a);
        return logistic(o);
      }};
}

Choice<MakeProblem> heterogeneous_choice() {
  return {"heterogeneous_logistic",
          {{"samples", "500"},
           {"dimension", "10"},
           {"scale", "1"},
           {"spread", "0.5"},
           {"lambda", "0"},
           {"rho", "0"},
           {"seed", "1"},
           {"start", "zero"}},
          "logistic regression where each worker has samples of its own, h ~ N(0, scale I), labels "
          "by its own logistic model x_i* = (1 - spread) x* + spread u_i, x* and u_i of length 1 "
          "(spread=0: IID), with lambda/2 |x|^2 + rho sum_j x_j^2 / (1 + x_j^2), which is not "
          "convex for rho > 0",
          [](const Arguments& a) {
            return heterogeneous_logistic({a.integer("samples"), a.integer("dimension"),
                                           a.real("scale"), a.real("spread"), a.real("lambda"),
                                           a.real("rho"), data_seed(a), at_optimum(a)});
          }};
}

Choice<MakeProblem> softmax_choice() {
  return {"softmax_regression",
          {{"classes", "10"},
           {"dimension", "20"},
           {"samples", "400"},
           {"separation", "2"},
           {"lambda", "0"},
           {"seed", "1"},
           {"start", "zero"}},
          "softmax regression with lambda/2 |x|^2 over h ~ N(centre of the class, I), the centres "
          "at the distance separation from 0; samples a worker, dealt by the partition",
          [](const Arguments& a) {
            return softmax_regression({a.integer("classes"), a.integer("dimension"),
                                       a.integer("samples"), a.real("separation"), a.real("lambda"),
                                       data_seed(a), at_optimum(a)});
          }};
}

Choice<MakeProblem> libsvm_choice() {
  return {"libsvm",
          {{"name"}, {"lambda", "auto"}, {"shared", "false"}, {"start", "zero"}},
          "logistic regression, or softmax regression for more than two classes, over a set in "
          "LIBSVM's format (a name with a dot stands in quotes: libsvm(\"a9a.t\")), without a "
          "constant feature, with lambda/2 |x|^2; auto: 1/samples; "
          "samples as in logistic",
          [](const Arguments& a) {
            const auto lambda =
                a.is("lambda", "auto") ? std::nullopt : std::optional(a.real("lambda"));
            return libsvm({name_of(a.value("name")), lambda, a.boolean("shared"), at_optimum(a)});
          }};
}

}  // namespace

const std::vector<Choice<MakeProblem>>& problem_choices() {
  static const std::vector<Choice<MakeProblem>> choices = {
      quadratic_choice(),     sine_choice(),    least_squares_choice(), logistic_choice(),
      heterogeneous_choice(), softmax_choice(), libsvm_choice()};
  return choices;
}

MakeProblem build_problem(const Value& value, const RunFacts& facts) {
  return build(problem_choices(), value, "problem", facts);
}

}  // namespace entrain
