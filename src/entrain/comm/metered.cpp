#include "entrain/comm/metered.h"

namespace entrain {

std::unique_ptr<Exchange> Metered::launch_mean(const at::Tensor& rows, const at::Tensor& mean) {
  auto exchange = Decorator::launch_mean(rows, mean);
  bytes_sent_per_worker_ += everyone_bytes(workers(), static_cast<double>(mean.nbytes()));
  ++exchanges_;
  return exchange;
}

std::unique_ptr<Exchange> Metered::launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                              std::shared_ptr<const Mixing> mixing) {
  auto exchange = Decorator::launch_mix(rows, mixed, mixing);
  bytes_sent_per_worker_ +=
      mixing->messages * static_cast<double>(rows.size(1) * rows.element_size());
  ++exchanges_;
  return exchange;
}

std::unique_ptr<Exchange> Metered::launch(Job job) {
  const double bytes = job.bytes_sent_per_worker;
  auto exchange = Decorator::launch(std::move(job));
  bytes_sent_per_worker_ += bytes;
  ++exchanges_;
  return exchange;
}

}  // namespace entrain
