#include "entrain/model/sample_problems.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string_view>

#include "entrain/core/errors.h"
#include "entrain/data/libsvm.h"
#include "entrain/data/partition.h"
#include "entrain/model/linear_problem.h"
#include "entrain/model/problem_limits.h"

namespace entrain {
namespace {

std::uint64_t seed_of(const DataSeed& seed, const ProblemFacts& facts) {
  return seed.value_or(facts.seed);
}

Shards dealt(const LinearData& data, const ProblemFacts& facts, std::uint64_t seed) {
  return build_partition(facts.partition)(partition_input(data), facts.workers, seed);
}

Shards blocks(std::int64_t samples, int workers) {
  Shards shards(workers, std::vector<std::int64_t>(samples));
  for (std::int64_t i = 0; i < samples * workers; ++i) shards[i / samples][i % samples] = i;
  return shards;
}

// Samples are counted in 32 bits.
void require_fewer(std::string_view problem, std::int64_t samples, int workers) {
  if (samples <= std::int64_t{0xFFFFFFFF} / workers) return;
  throw UsageError(fmt::format("{}: samples = {} for each of {} workers: more than 2^32 - 1",
                               problem, samples, workers));
}

// Nothing where every worker has all samples.
Shards shards_of(std::string_view problem, bool shared, const LinearData& data,
                 const ProblemFacts& facts, std::uint64_t seed) {
  if (!shared) return dealt(data, facts, seed);
  require_no_partition(problem, facts, "every worker has all samples, but for shared=false");
  return {};
}

void take_classes(LinearTask& task) {
  const auto classes = static_cast<std::int64_t>(classes_of(task.data.labels).size());
  if (classes <= 2) {
    task.data.labels = binary_labels(task.data.labels);
    return;
  }
  task.loss = Loss::softmax;
  task.classes = classes;
  task.data.labels = class_labels(task.data.labels).to(at::kDouble);
}

void validate(const LogisticOptions& o) {
  require_counts("logistic", {{"samples", o.samples}, {"dimension", o.dimension}});
  require_at_least_zero("logistic", {{"norm", o.norm}, {"lambda", o.lambda}, {"decay", o.decay}});
  if (o.bias) require_finite("logistic", "bias", *o.bias);
}

void validate(const HeterogeneousOptions& o) {
  constexpr const char* name = "heterogeneous_logistic";
  require_counts(name, {{"samples", o.samples}, {"dimension", o.dimension}});
  require_at_least_zero(name, {{"scale", o.scale}, {"lambda", o.lambda}, {"rho", o.rho}});
  if (o.rho > 0 && o.start_at_optimum) {
    throw UsageError(fmt::format("{}: start = optimum with rho = {}: no optimum is known there",
                                 name, print_number(o.rho)));
  }
  if (o.spread >= 0 && o.spread <= 1) return;
  throw UsageError(fmt::format("{}: spread = {}: must be from 0 (the same model for all) to 1",
                               name, print_number(o.spread)));
}

void validate(const SoftmaxOptions& o) {
  constexpr const char* name = "softmax_regression";
  require_counts(name,
                 {{"classes", o.classes, 2}, {"dimension", o.dimension}, {"samples", o.samples}});
  require_at_least_zero(name, {{"separation", o.separation}, {"lambda", o.lambda}});
}

void validate(const LeastSquaresOptions& o) {
  require_counts("least_squares",
                 {{"dimension", o.dimension}, {"rank", o.rank}, {"samples", o.samples}});
  require_at_least_zero("least_squares", {{"noise", o.noise}, {"norm", o.norm}});
  if (o.rank > o.dimension) {
    throw UsageError(fmt::format("least_squares: rank = {}: must be at most the dimension, {}",
                                 o.rank, o.dimension));
  }
  if (!(o.condition >= 1) || std::isinf(o.condition)) {
    throw UsageError(fmt::format("least_squares: condition = {}: must be a number >= 1",
                                 print_number(o.condition)));
  }
}

}  // namespace

MakeProblem logistic(const LogisticOptions& options) {
  validate(options);
  return [o = options](const ProblemFacts& facts) {
    require_facts(facts);
    const std::uint64_t seed = seed_of(o.seed, facts);
    LinearTask task{.data = logistic_data(o, seed, facts.type),
                    .lambda = o.lambda,
                    .start_at_optimum = o.start_at_optimum};
    task.shards = shards_of("logistic", o.shared, task.data, facts, seed);
    return linear_problem(task, facts);
  };
}

MakeProblem heterogeneous_logistic(const HeterogeneousOptions& options) {
  validate(options);
  return [o = options](const ProblemFacts& facts) {
    require_facts(facts);
    require_no_partition("heterogeneous_logistic", facts, "every worker has samples of its own");
    require_fewer("heterogeneous_logistic", o.samples, facts.workers);
    const std::uint64_t seed = seed_of(o.seed, facts);
    return linear_problem({.data = heterogeneous_data(o, seed, facts.workers, facts.type),
                           .shards = blocks(o.samples, facts.workers),
                           .lambda = o.lambda,
                           .rho = o.rho,
                           .start_at_optimum = o.start_at_optimum},
                          facts);
  };
}

MakeProblem softmax_regression(const SoftmaxOptions& options) {
  validate(options);
  return [o = options](const ProblemFacts& facts) {
    require_facts(facts);
    require_fewer("softmax_regression", o.samples, facts.workers);
    const std::uint64_t seed = seed_of(o.seed, facts);
    LinearTask task{.data = softmax_data(o, seed, facts.workers, facts.type),
                    .loss = Loss::softmax,
                    .classes = o.classes,
                    .lambda = o.lambda,
                    .start_at_optimum = o.start_at_optimum};
    task.shards = dealt(task.data, facts, seed);
    return linear_problem(task, facts);
  };
}

MakeProblem least_squares(const LeastSquaresOptions& options) {
  validate(options);
  return [o = options](const ProblemFacts& facts) {
    require_facts(facts);
    const std::uint64_t seed = seed_of(o.seed, facts);
    LeastSquaresData made = least_squares_data(o, seed, facts.type);
    LinearTask task{.data = made.data, .loss = Loss::squared};
    if (o.noise == 0) task.known = Optimum{at::tensor(made.truth, at::kDouble), 0};
    task.shards = shards_of("least_squares", o.shared, task.data, facts, seed);
    return linear_problem(task, facts);
  };
}

MakeProblem libsvm(const LibsvmOptions& options) {
  if (options.lambda) require_at_least_zero("libsvm", {{"lambda", *options.lambda}});
  return [o = options](const ProblemFacts& facts) {
    require_facts(facts);
    LinearTask task{.data = read_libsvm(find_libsvm(facts.data_root, o.name)),
                    .start_at_optimum = o.start_at_optimum};
    take_classes(task);
    task.lambda = o.lambda.value_or(1 / static_cast<double>(task.data.samples));
    task.shards = shards_of("libsvm", o.shared, task.data, facts, facts.seed);
    return linear_problem(task, facts);
  };
}

}  // namespace entrain
