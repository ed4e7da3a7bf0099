#include "entrain/comm/simulated.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "entrain/comm/metered.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

double mean_of(const std::vector<double>& times) {
  return std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
}

class TimedExchange : public Exchange {
 public:
  TimedExchange(std::unique_ptr<Exchange> inner, Simulated& comm, Traffic::Times times)
      : inner_(std::move(inner)), comm_(comm), times_(std::move(times)) {}

  bool done() override { return inner_->done(); }
  void wait() override {
    inner_->wait();
    comm_.arrived(times_);
  }
  double finished_at() const override { return mean_of(times_.ends); }

 private:
  std::unique_ptr<Exchange> inner_;
  Simulated& comm_;
  Traffic::Times times_;
};

double message_bytes(const at::Tensor& rows) {
  return static_cast<double>(rows.size(1) * rows.element_size());
}

}  // namespace

Simulated::Simulated(Communicator& inner, Network network, ComputeTime compute, Straggler straggler,
                     std::uint64_t seed)
    : Decorator(inner),
      workers_(inner.workers()),
      traffic_(std::move(network), workers_, seed),
      compute_(std::move(compute)),
      straggler_(std::move(straggler)),
      seed_(seed),
      clocks_(workers_) {
  ENTRAIN_CHECK(inner.size() == 1);
}

void Simulated::compute(std::int64_t step, const std::vector<double>& measured) {
  for (int i = 0; i < workers_; ++i) {
    const double seconds = compute_.measured ? measured.at(i) : compute_.seconds(seed_, i, step);
    const double end = clocks_[i] + seconds * straggler_.factor(seed_, i, step);
    keep({SimulatedSpan::Kind::compute, i, clocks_[i], end});
    computed_ += end - clocks_[i];
    clocks_[i] = end;
  }
}

void Simulated::keep(const SimulatedSpan& span) {
  constexpr std::size_t most = 1'000'000;
  if (timeline_.size() < most) {
    timeline_.push_back(span);
  } else {
    ++left_out_;
  }
}

Traffic::Times Simulated::times_of(const Mixing* mixing, double bytes) {
  if (!mixing) return traffic_.mean(clocks_, workers_, bytes);
  if (mixing->group > 0) return traffic_.mean(clocks_, mixing->group, bytes);
  return traffic_.mix(clocks_, *mixing, bytes);
}

std::unique_ptr<Exchange> Simulated::timed(std::unique_ptr<Exchange> exchange,
                                           Traffic::Times times) {
  for (int i = 0; i < workers_; ++i) {
    const double begin = times.begins[i], end = times.ends[i];
    transferred_ += end - begin;
    if (end > begin) keep({SimulatedSpan::Kind::transfer, i, begin, end});
  }
  return std::make_unique<TimedExchange>(std::move(exchange), *this, std::move(times));
}

std::unique_ptr<Exchange> Simulated::launch_mean(const at::Tensor& rows, const at::Tensor& mean) {
  auto exchange = Decorator::launch_mean(rows, mean);
  return timed(std::move(exchange), times_of(nullptr, message_bytes(rows)));
}

std::unique_ptr<Exchange> Simulated::launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                                std::shared_ptr<const Mixing> mixing) {
  auto exchange = Decorator::launch_mix(rows, mixed, mixing);
  return timed(std::move(exchange), times_of(mixing.get(), message_bytes(rows)));
}

// A job says what a worker sends in all, and not the size of a message.
std::unique_ptr<Exchange> Simulated::launch(Job job) {
  const double sent = job.bytes_sent_per_worker;
  const auto mixing = job.mixing;
  auto exchange = Decorator::launch(std::move(job));
  const double messages = mixing ? mixing->messages : everyone_bytes(workers_, 1);
  return timed(std::move(exchange), times_of(mixing.get(), messages > 0 ? sent / messages : 0));
}

void Simulated::arrived(const Traffic::Times& times) {
  for (int i = 0; i < workers_; ++i) {
    const double clock = clocks_[i], begin = times.begins[i], end = times.ends[i];
    const double seen = std::max(0.0, end - std::max(clock, begin));  // of the transfer
    hidden_ += end - begin - seen;
    if (end <= clock) continue;
    keep({SimulatedSpan::Kind::wait, i, clock, end});
    exposed_ += end - clock;
    clocks_[i] = end;
  }
}

double Simulated::now() const { return mean_of(clocks_); }

double Simulated::seconds() const { return *std::max_element(clocks_.begin(), clocks_.end()); }
double Simulated::compute_seconds() const { return computed_ / workers_; }
double Simulated::exposed_seconds() const { return exposed_ / workers_; }
double Simulated::transfer_seconds() const { return transferred_ / workers_; }
double Simulated::hidden_seconds() const { return hidden_ / workers_; }

}  // namespace entrain
