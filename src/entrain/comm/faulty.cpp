#include "entrain/comm/faulty.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;

class FaultyExchange : public Exchange {
 public:
  FaultyExchange(std::unique_ptr<Exchange> inner, const Fault& fault, std::int64_t number,
                 const at::Tensor& result)
      : inner_(std::move(inner)),
        arrives_(Clock::now() + fault.delay),
        fails_(fault.fails),
        number_(number),
        result_(result) {}

  bool done() override { return Clock::now() >= arrives_ && inner_->done(); }

  void wait() override {
    inner_->wait();
    std::this_thread::sleep_until(arrives_);
    if (!fails_) return;
    if (result_.defined()) result_.fill_(std::nan(""));
    throw CommunicationError(fmt::format("exchange {} failed, as the test wants it", number_));
  }

  double finished_at() const override {
    return std::max(inner_->finished_at(), seconds_of(arrives_));
  }

 private:
  std::unique_ptr<Exchange> inner_;
  Clock::time_point arrives_;
  bool fails_;
  std::int64_t number_;
  at::Tensor result_;
};

}  // namespace

std::unique_ptr<Exchange> Faulty::spoiled(std::unique_ptr<Exchange> exchange,
                                          const at::Tensor& result) {
  const std::int64_t number = ++exchanges_;
  return std::make_unique<FaultyExchange>(std::move(exchange), fault_(number), number, result);
}

std::unique_ptr<Exchange> Faulty::launch_mean(const at::Tensor& rows, const at::Tensor& mean) {
  return spoiled(Decorator::launch_mean(rows, mean), mean);
}

std::unique_ptr<Exchange> Faulty::launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                             std::shared_ptr<const Mixing> mixing) {
  return spoiled(Decorator::launch_mix(rows, mixed, std::move(mixing)), mixed);
}

std::unique_ptr<Exchange> Faulty::launch(Job job) {
  return spoiled(Decorator::launch(std::move(job)), {});
}

}  // namespace entrain
