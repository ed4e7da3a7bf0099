#pragma once

#include "entrain/comm/compute_time.h"
#include "entrain/comm/decorator.h"
#include "entrain/comm/traffic.h"

namespace entrain {

/// A time span of one worker on the simulated clock.
struct SimulatedSpan {
  enum class Kind { compute, wait, transfer };
  Kind kind;
  int worker;
  double begin, end;  ///< Seconds.
};

/// Rows of one process on a virtual clock: each worker has a clock of its own, on which its steps
/// take the time that they are said to take, and exchanges what they would on a network. Values are
/// those of the inner communicator, bit for bit, and never depend on a clock.
///
/// A mean over everyone begins when the last worker has launched it and its link is free; a mixing
/// reaches a worker when the rows of all that it takes from are there, so that a straggler delays
/// only those who wait for it (see Traffic). wait() moves a worker's clock to the arrival if that
/// is later.
class Simulated : public Decorator {
 public:
  /// REQUIRES: `inner` has all workers in this process, and outlives this.
  Simulated(Communicator& inner, Network network, ComputeTime compute, Straggler straggler,
            std::uint64_t seed);

  /// Every worker computes its step `step` (from 1); `measured`: seconds of each on this machine.
  void compute(std::int64_t step, const std::vector<double>& measured = {});

  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override;
  std::unique_ptr<Exchange> launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                       std::shared_ptr<const Mixing> mixing) override;
  std::unique_ptr<Exchange> launch(Job job) override;

  /// None: the time that a step computes is known after it.
  std::optional<std::int64_t> bucket_bytes() const override { return {}; }
  /// The mean of the workers' clocks, so that differences of it are means of what workers waited.
  double now() const override;

  double seconds() const;  ///< Of the last worker.
  double clock(int worker) const { return clocks_[worker]; }
  double compute_seconds() const;   ///< Means over the workers of what their clocks were
  double exposed_seconds() const;   ///< moved by.
  double transfer_seconds() const;  ///< Mean time that messages were under way,
  double hidden_seconds() const;    ///< and of it that nobody waited for.
  /// The first million spans.
  const std::vector<SimulatedSpan>& timeline() const { return timeline_; }
  std::int64_t left_out() const { return left_out_; }  ///< Those after them.

  /// Moves each worker's clock to when its part of an exchange was there.
  void arrived(const Traffic::Times& times);

 private:
  Traffic::Times times_of(const Mixing* mixing, double bytes);
  void keep(const SimulatedSpan& span);
  std::unique_ptr<Exchange> timed(std::unique_ptr<Exchange> exchange, Traffic::Times times);

  int workers_;
  Traffic traffic_;
  ComputeTime compute_;
  Straggler straggler_;
  std::uint64_t seed_;
  std::vector<double> clocks_;
  double computed_ = 0, exposed_ = 0, transferred_ = 0, hidden_ = 0;  // sums over workers
  std::vector<SimulatedSpan> timeline_;
  std::int64_t left_out_ = 0;
};

}  // namespace entrain
