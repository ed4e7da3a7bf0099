#include "entrain/comm/simulated.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

class TimedExchange : public Exchange {
 public:
  TimedExchange(std::unique_ptr<Exchange> inner, Simulated& comm, Simulated::Times times)
      : inner_(std::move(inner)), comm_(comm), times_(std::move(times)) {}

  bool done() override { return inner_->done(); }
  void wait() override {
    inner_->wait();
    comm_.arrived(times_);
  }

 private:
  std::unique_ptr<Exchange> inner_;
  Simulated& comm_;
  Simulated::Times times_;
};

double message_bytes(const at::Tensor& rows) {
  return static_cast<double>(rows.size(1) * rows.element_size());
}

}  // namespace

Simulated::Simulated(Communicator& inner, Network network, ComputeTime compute, Straggler straggler,
                     std::uint64_t seed)
    : Decorator(inner),
      network_(std::move(network)),
      compute_(std::move(compute)),
      straggler_(std::move(straggler)),
      seed_(seed),
      clocks_(inner.workers()),
      links_free_(inner.workers()) {
  ENTRAIN_CHECK(inner.size() == 1);
}

void Simulated::compute(std::int64_t step, const std::vector<double>& measured) {
  for (int i = 0; i < workers(); ++i) {
    const double seconds = compute_.measured ? measured.at(i) : compute_.seconds(seed_, i, step);
    const double end = clocks_[i] + seconds * straggler_.factor(seed_, i, step);
    keep({SimulatedSpan::Kind::compute, i, clocks_[i], end});
    computed_ += end - clocks_[i];
    clocks_[i] = end;
  }
}

void Simulated::keep(const SimulatedSpan& span) {
  constexpr std::size_t most = 1'000'000;
  if (timeline_.size() < most) timeline_.push_back(span);
}

// A link serves one exchange after the other.
void Simulated::occupy(const Times& times) {
  for (int i = 0; i < workers(); ++i) {
    links_free_[i] = std::max(links_free_[i], times.ends[i]);
    transferred_ += times.ends[i] - times.begins[i];
    if (times.ends[i] > times.begins[i]) {
      keep({SimulatedSpan::Kind::transfer, i, times.begins[i], times.ends[i]});
    }
  }
}

Simulated::Times Simulated::mean_times(int group, double bytes) {
  Times times{std::vector<double>(workers()), std::vector<double>(workers())};
  auto& [begins, ends] = times;
  for (int first = 0; first < workers(); first += group) {
    double begin = 0;
    for (int i = first; i < first + group; ++i) {
      begin = std::max({begin, clocks_[i], links_free_[i]});
    }
    const double end = begin + network_.mean_seconds(first, group, bytes);
    std::fill_n(begins.begin() + first, group, begin);
    std::fill_n(ends.begin() + first, group, end);
  }
  occupy(times);
  return times;
}

Simulated::Times Simulated::mix_times(const Mixing& mixing, double bytes) {
  Times times{std::vector<double>(workers()), std::vector<double>(workers())};
  auto& [begins, ends] = times;
  for (int i = 0; i < workers(); ++i) begins[i] = std::max(clocks_[i], links_free_[i]);
  for (int i = 0; i < workers(); ++i) {
    ends[i] = begins[i];
    const auto& terms = mixing.rows[i];
    const auto others = static_cast<int>(std::count_if(
        terms.begin(), terms.end(), [i](const auto& term) { return term.worker != i; }));
    for (const Mixing::Term& term : terms) {
      if (term.worker == i) continue;
      const double begin = std::max(begins[term.worker], links_free_[i]);
      ends[i] =
          std::max(ends[i], begin + network_.neighbour_seconds(term.worker, i, others, bytes));
    }
  }
  occupy(times);
  return times;
}

std::unique_ptr<Exchange> Simulated::timed(std::unique_ptr<Exchange> exchange, Times times) {
  return std::make_unique<TimedExchange>(std::move(exchange), *this, std::move(times));
}

std::unique_ptr<Exchange> Simulated::launch_mean(const at::Tensor& rows, const at::Tensor& mean) {
  auto exchange = Decorator::launch_mean(rows, mean);
  return timed(std::move(exchange), mean_times(workers(), message_bytes(rows)));
}

std::unique_ptr<Exchange> Simulated::launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                                std::shared_ptr<const Mixing> mixing) {
  auto exchange = Decorator::launch_mix(rows, mixed, mixing);
  const double bytes = message_bytes(rows);
  return timed(std::move(exchange),
               mixing->group > 0 ? mean_times(mixing->group, bytes) : mix_times(*mixing, bytes));
}

// A job says what a worker sends in all; a mean of d bytes sends 2 (n-1)/n d.
std::unique_ptr<Exchange> Simulated::launch(Job job) {
  const double sent = job.bytes_sent_per_worker;
  const auto mixing = job.mixing;
  auto exchange = Decorator::launch(std::move(job));
  if (!mixing) {
    const double share = 2.0 * (workers() - 1) / workers();
    return timed(std::move(exchange), mean_times(workers(), share > 0 ? sent / share : 0));
  }
  const double bytes = mixing->messages > 0 ? sent / mixing->messages : 0;
  return timed(std::move(exchange),
               mixing->group > 0 ? mean_times(mixing->group, bytes) : mix_times(*mixing, bytes));
}

void Simulated::arrived(const Times& times) {
  for (int i = 0; i < workers(); ++i) {
    const double clock = clocks_[i], begin = times.begins[i], end = times.ends[i];
    const double seen = std::max(0.0, end - std::max(clock, begin));  // of the transfer
    hidden_ += end - begin - seen;
    if (end <= clock) continue;
    keep({SimulatedSpan::Kind::wait, i, clock, end});
    exposed_ += end - clock;
    clocks_[i] = end;
  }
}

double Simulated::now() const {
  return std::accumulate(clocks_.begin(), clocks_.end(), 0.0) / workers();
}

double Simulated::seconds() const { return *std::max_element(clocks_.begin(), clocks_.end()); }
double Simulated::compute_seconds() const { return computed_ / workers(); }
double Simulated::exposed_seconds() const { return exposed_ / workers(); }
double Simulated::transfer_seconds() const { return transferred_ / workers(); }
double Simulated::hidden_seconds() const { return hidden_ / workers(); }

}  // namespace entrain
