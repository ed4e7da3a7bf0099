#pragma once

#include <chrono>
#include <functional>

#include "entrain/comm/communicator.h"

namespace entrain {

/// What goes wrong with exchange `number` (from 1) of a Faulty communicator.
struct Fault {
  std::chrono::microseconds delay{0};  ///< Arrives that much after its launch at the earliest.
  bool fails = false;                  ///< wait() throws, and the result holds rubbish.
};

/// Passes exchanges on to another communicator, which must outlive it, and lets some of them go
/// wrong. For tests: a strategy must give the same bits whatever the delays, and leave the rows
/// alone if an exchange fails.
class Faulty : public Communicator {
 public:
  Faulty(Communicator& inner, std::function<Fault(std::int64_t number)> fault)
      : inner_(inner), fault_(std::move(fault)) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  int local_workers() const override { return inner_.local_workers(); }
  std::int64_t epoch() const override { return inner_.epoch(); }
  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override;
  std::vector<std::string> gather(const std::string& bytes) override {
    return inner_.gather(bytes);
  }
  std::int64_t wire_bytes_sent() const override { return inner_.wire_bytes_sent(); }

 private:
  Communicator& inner_;
  std::function<Fault(std::int64_t)> fault_;
  std::int64_t exchanges_ = 0;
};

}  // namespace entrain
