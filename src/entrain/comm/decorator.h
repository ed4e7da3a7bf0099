#pragma once

#include "entrain/comm/communicator.h"

namespace entrain {

/// A communicator that passes everything on to another one, which must outlive it. What a decorator
/// adds, it overrides.
class Decorator : public Communicator {
 public:
  explicit Decorator(Communicator& inner) : inner_(inner) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  int local_workers() const override { return inner_.local_workers(); }
  std::int64_t epoch() const override { return inner_.epoch(); }
  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override {
    return inner_.launch_mean(rows, mean);
  }
  std::unique_ptr<Exchange> launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                       std::shared_ptr<const Mixing> mixing) override {
    return inner_.launch_mix(rows, mixed, std::move(mixing));
  }
  std::unique_ptr<Exchange> launch(Job job) override { return inner_.launch(std::move(job)); }
  bool averages_in_place() const override { return inner_.averages_in_place(); }
  std::optional<std::int64_t> bucket_bytes() const override { return inner_.bucket_bytes(); }
  std::shared_ptr<LosslessMean> lossless_mean() const override { return inner_.lossless_mean(); }
  double now() const override { return inner_.now(); }
  void abandon() noexcept override { inner_.abandon(); }
  std::vector<std::string> gather(const std::string& bytes) override {
    return inner_.gather(bytes);
  }
  std::int64_t wire_bytes_sent() const override { return inner_.wire_bytes_sent(); }

 private:
  Communicator& inner_;
};

}  // namespace entrain
