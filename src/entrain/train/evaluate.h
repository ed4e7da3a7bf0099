#pragma once

#include "entrain/comm/communicator.h"
#include "entrain/train/gradients.h"

namespace entrain {

/// How a model does on samples that it was not trained on.
struct Evaluation {
  double loss = 0;      ///< Mean cross-entropy.
  double accuracy = 0;  ///< Share of samples whose largest score is the label's, 0 to 1.
};

/// Which BatchNorm statistics a model is evaluated with: those in its row (the workers' mean, in
/// that of an average), or new ones.
enum class BatchNormPolicy { average, recalibrate };

/// Evaluates rows of parameters on the test samples. All processes share the work in batches of a
/// fixed size, so that the result does not depend on how many there are.
class Evaluator {
 public:
  Evaluator(const Objective& objective, Team& team);

  /// `row` [1, S + B]: the same on all processes. With `batch_norm` recalibrate its BatchNorm
  /// statistics are computed anew from training samples. Blocks until all have done their share.
  Evaluation evaluate(const at::Tensor& row, BatchNormPolicy batch_norm, Communicator& comm);

  /// Whether the model has BatchNorm statistics, so that the policy matters.
  bool has_statistics() const { return rows_.buffer_layout().items > 0; }

 private:
  std::vector<at::Tensor> recalibration_batches() const;

  const Dataset& data_;
  at::ScalarType type_;
  Team& team_;
  std::unique_ptr<Model> model_;
  Rows rows_;
};

/// sqrt((1/n) sum_i |x_i - mean|^2) over the parameters of the workers of all processes.
double consensus_distance(const Rows& rows, const at::Tensor& mean, Communicator& comm);

/// The sum over all processes, in the order of ranks.
double sum_over_processes(double value, Communicator& comm);

/// The values of all processes, in the order of ranks.
std::vector<double> gather_values(const std::vector<double>& own, Communicator& comm);

}  // namespace entrain
