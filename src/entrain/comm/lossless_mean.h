#pragma once

#include "entrain/comm/transport.h"

namespace entrain {

/// Means over everyone of one quantity that moves little from one to the next, as parameters do:
/// its numbers travel as what they differ in from the last mean, which all processes have
/// (lossless_code.h). By direct exchange, with its bits (direct_mean.h).
///
/// Keeps a row, the last mean, and while it averages two more; where a process has several workers
/// four, of doubles if sums are reproducible. Sizes are not known before: a message has room for a
/// code as long as the one before it, and a little more. What does not fit follows in another.
class LosslessMean : public std::enable_shared_from_this<LosslessMean> {
 public:
  /// Bytes for codes: each that comes to a process, and the one of its mean that goes to all.
  struct Rooms {
    std::int64_t there, back;
  };

  /// `few_sizes`: of messages, at the price of more bytes, as each size costs questions ahead
  /// (pairwise.h).
  LosslessMean(Sums sums, bool few_sizes) : sums_(sums), few_sizes_(few_sizes) {}

  /// As Communicator::launch_mean, which rows of less than 64 KiB are left to. After a mean that
  /// shrank by less than a tenth the next 31 travel as they are; all processes know it. REQUIRES:
  /// the last one has landed, came by the same communicator, and had as many numbers of the same
  /// type.
  std::unique_ptr<Exchange> launch(Communicator& comm, const at::Tensor& rows,
                                   const at::Tensor& mean);

 private:
  void average(Channel& channel, const Members& members, const at::Tensor& rows,
               const at::Tensor& mean);
  double coded_mean(Channel& channel, const Members& members, const at::Tensor& rows,
                    const at::Tensor& mean);

  Sums sums_;
  bool few_sizes_;
  at::Tensor last_;           // mean [1, m]; undefined: none that is recent
  std::vector<Rooms> rooms_;  // by process, alike on all; empty: no codes so far
  int plain_ = 0;             // means until the next try
};

/// What Communicator::lossless_mean() gives, of a transport with these options.
std::shared_ptr<LosslessMean> lossless_mean_for(const TransportOptions& options, bool few_sizes);

}  // namespace entrain
