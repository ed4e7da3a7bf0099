#pragma once

#include <chrono>
#include <functional>

#include "entrain/comm/decorator.h"

namespace entrain {

/// What goes wrong with exchange `number` (from 1) of a Faulty communicator.
struct Fault {
  std::chrono::microseconds delay{0};  ///< Arrives that much after its launch at the earliest.
  bool fails = false;                  ///< wait() throws, and the result holds rubbish.
};

/// Passes exchanges on to another communicator, which must outlive it, and lets some of them go
/// wrong. For tests: a strategy must give the same bits whatever the delays, and leave the rows
/// alone if an exchange fails.
class Faulty : public Decorator {
 public:
  Faulty(Communicator& inner, std::function<Fault(std::int64_t number)> fault)
      : Decorator(inner), fault_(std::move(fault)) {}

  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override;

  std::unique_ptr<Exchange> launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                       std::shared_ptr<const Mixing> mixing) override;

  std::unique_ptr<Exchange> launch(Job job) override;

 private:
  std::unique_ptr<Exchange> spoiled(std::unique_ptr<Exchange> exchange, const at::Tensor& result);

  std::function<Fault(std::int64_t)> fault_;
  std::int64_t exchanges_ = 0;
};

}  // namespace entrain
