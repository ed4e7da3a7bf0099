#pragma once

#include "entrain/comm/communicator.h"

namespace entrain {

/// Counts what goes through another communicator, which must outlive it. A run has two: one for
/// training and one for averages that are taken only to evaluate, so that these are billed apart.
class Metered : public Communicator {
 public:
  explicit Metered(Communicator& inner) : inner_(inner) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  int local_workers() const override { return inner_.local_workers(); }
  std::int64_t epoch() const override { return inner_.epoch(); }
  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override;
  std::vector<std::string> gather(const std::string& bytes) override {
    return inner_.gather(bytes);
  }
  std::int64_t wire_bytes_sent() const override { return inner_.wire_bytes_sent(); }

  /// Payload that each worker sent, as if it were alone on its host: 2 (n-1)/n times the message
  /// for a mean over everyone. Independent of the transport and of how workers are spread over
  /// processes.
  double bytes_sent_per_worker() const { return bytes_sent_per_worker_; }
  std::int64_t exchanges() const { return exchanges_; }

 private:
  Communicator& inner_;
  double bytes_sent_per_worker_ = 0;
  std::int64_t exchanges_ = 0;
};

/// Bytes that each of n workers sends to average a message of `bytes` over all: the bound 2 (n-1)/n
/// x bytes.
inline double everyone_bytes(int n, double bytes) { return 2.0 * (n - 1) / n * bytes; }

}  // namespace entrain
