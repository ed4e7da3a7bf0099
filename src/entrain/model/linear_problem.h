#pragma once

#include <memory>
#include <optional>

#include "entrain/data/linear_data.h"
#include "entrain/data/shards.h"
#include "entrain/model/linear_loss.h"
#include "entrain/model/problem.h"

namespace entrain {

/// A linear model over data: f_i(x) is the mean loss over the samples of worker i, plus
/// lambda/2 |x|^2 + rho sum_j x_j^2 / (1 + x_j^2). Its parameters are [classes, features], in one
/// row.
struct LinearTask {
  LinearData data;  ///< Labels -1 and 1, targets, or classes from 0, as the loss has them.
  Loss loss = Loss::logistic;
  std::int64_t classes = 1;  ///< 1 where the loss is no softmax.
  Shards shards = {};        ///< By worker; empty: each has all samples.
  double lambda = 0, rho = 0;
  bool start_at_optimum = false;  ///< Else at zero.
  std::optional<Optimum> known = std::nullopt;
};

/// The batch of a step is drawn uniformly from the worker's samples, with replacement; of m samples
/// each is drawn with a probability within 2^-32 of 1/m. f is taken over the data in the type of
/// the rows. Throws UsageError for a worker without samples or a batch below 1.
std::unique_ptr<Problem> linear_problem(const LinearTask& task, const ProblemFacts& facts);

}  // namespace entrain
