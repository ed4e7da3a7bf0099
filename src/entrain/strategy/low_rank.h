#pragma once

#include <functional>

#include "entrain/strategy/codec.h"
#include "entrain/strategy/message_tensors.h"

namespace entrain {

/// The matrices of a message that a low-rank codec sends as factors: those that get smaller by it,
/// (rows + columns) rank min_rate < rows columns.
std::vector<MessageTensors::Matrix> low_rank_matrices(const MessageTensors& tensors,
                                                      const Codec& codec);

/// Puts the mean of the rows [w, k] of all workers into `mean` [1, k], exactly.
using ExactMean = std::function<void(const at::Tensor& rows, const at::Tensor& mean)>;

/// PowerSGD (Vogels et al. 2019): P = mean(M Q) made orthonormal, Q = mean(M^T P), and P Q^T is the
/// mean of the matrices; each Q starts where the last ended, the first at random, the same
/// everywhere. All other columns are averaged as they are.
class LowRank {
 public:
  LowRank(const Codec& codec, const MessageTensors& tensors, at::ScalarType type);

  /// Averages `values` [w, m] into `result` [1, m]. Leaves in `values` what was not sent: of a
  /// matrix the error against the worker's own P Q_i^T, else zero.
  void average(const at::Tensor& values, const at::Tensor& result, const ExactMean& mean);

  /// The average has landed: the next one starts from its factors.
  void landed() { factors_ = next_factors_; }

 private:
  struct Place {
    MessageTensors::Matrix matrix;
    std::int64_t left, right;  // of its factors in a row of factors
  };
  at::Tensor left_of(const Place& place, const at::Tensor& row) const;
  at::Tensor right_of(const Place& place, const at::Tensor& row) const;

  std::int64_t rank_, left_size_ = 0, right_size_ = 0;
  std::vector<Place> places_;
  std::vector<Span> rest_;                          // the columns outside of the matrices
  std::vector<at::Tensor> factors_, next_factors_;  // Q of each matrix
};

}  // namespace entrain
