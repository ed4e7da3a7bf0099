#pragma once

#include "entrain/comm/transport.h"

namespace entrain {

/// Means over everyone of one quantity that moves little from one to the next, as parameters do:
/// its numbers travel as what they differ in from the last mean, which all processes have
/// (lossless.h). No bit is lost, and messages take about two thirds of their bytes.
///
/// Keeps a row, the last mean. By direct exchange (direct_mean.h), with two messages of a few bytes
/// more, as sizes are not known before.
class LosslessMean : public std::enable_shared_from_this<LosslessMean> {
 public:
  explicit LosslessMean(Sums sums) : sums_(sums) {}

  /// As Communicator::launch_mean, which it leaves the work to where that is better: for small
  /// rows, and for a while after a mean that shrank by less than a tenth. All processes come to the
  /// same answer. REQUIRES: the last one has landed.
  std::unique_ptr<Exchange> launch(Communicator& comm, const at::Tensor& rows,
                                   const at::Tensor& mean);

 private:
  void average(Channel& channel, const Members& members, const at::Tensor& rows,
               const at::Tensor& mean);
  double coded_mean(Channel& channel, const Members& members, const at::Tensor& rows,
                    const at::Tensor& mean) const;

  Sums sums_;
  at::Tensor last_;  // mean [1, m]; undefined: none that is recent
  int plain_ = 0;    // launches, until the next try
};

}  // namespace entrain
