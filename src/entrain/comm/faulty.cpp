#include "entrain/comm/faulty.h"

#include <ATen/ATen.h>

#include <cmath>
#include <thread>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;

class FaultyExchange : public Exchange {
 public:
  FaultyExchange(std::unique_ptr<Exchange> inner, const Fault& fault, std::int64_t number,
                 const at::Tensor& mean)
      : inner_(std::move(inner)),
        arrives_(Clock::now() + fault.delay),
        fails_(fault.fails),
        number_(number),
        mean_(mean) {}

  bool done() override { return Clock::now() >= arrives_ && inner_->done(); }

  void wait() override {
    inner_->wait();
    std::this_thread::sleep_until(arrives_);
    if (!fails_) return;
    mean_.fill_(std::nan(""));
    throw CommunicationError(fmt::format("exchange {} failed, as the test wants it", number_));
  }

 private:
  std::unique_ptr<Exchange> inner_;
  Clock::time_point arrives_;
  bool fails_;
  std::int64_t number_;
  at::Tensor mean_;
};

}  // namespace

std::unique_ptr<Exchange> Faulty::launch_mean(const at::Tensor& rows, const at::Tensor& mean) {
  const std::int64_t number = ++exchanges_;
  return std::make_unique<FaultyExchange>(Decorator::launch_mean(rows, mean), fault_(number),
                                          number, mean);
}

}  // namespace entrain
