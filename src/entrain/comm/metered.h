#pragma once

#include "entrain/comm/decorator.h"

namespace entrain {

/// Counts what goes through another communicator, which must outlive it. A run has two: one for
/// training and one for averages that are taken only to evaluate, so that these are billed apart.
class Metered : public Decorator {
 public:
  using Decorator::Decorator;

  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override;

  std::unique_ptr<Exchange> launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                       std::shared_ptr<const Mixing> mixing) override;

  std::unique_ptr<Exchange> launch(Job job) override;

  /// Payload that each worker sent, as if it were alone on its host: 2 (n-1)/n times the message
  /// for a mean over everyone, and what the mixing or the job says for others. Independent of the
  /// transport and of how workers are spread over processes.
  double bytes_sent_per_worker() const { return bytes_sent_per_worker_; }
  std::int64_t exchanges() const { return exchanges_; }

 private:
  double bytes_sent_per_worker_ = 0;
  std::int64_t exchanges_ = 0;
};

/// Bytes that each of n workers sends to average a message of `bytes` over all: the bound 2 (n-1)/n
/// x bytes.
inline double everyone_bytes(int n, double bytes) { return 2.0 * (n - 1) / n * bytes; }

}  // namespace entrain
