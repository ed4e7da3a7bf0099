#include "entrain/comm/metered.h"

namespace entrain {

std::unique_ptr<Exchange> Metered::launch_mean(const at::Tensor& rows, const at::Tensor& mean) {
  auto exchange = Decorator::launch_mean(rows, mean);
  bytes_sent_per_worker_ += everyone_bytes(workers(), static_cast<double>(mean.nbytes()));
  ++exchanges_;
  return exchange;
}

}  // namespace entrain
