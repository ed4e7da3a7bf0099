#include "entrain/comm/timeline.h"

#include <algorithm>
#include <limits>

#include "entrain/core/cpu_time.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

std::size_t index_of(Activity activity) { return static_cast<std::size_t>(activity); }

// Cuts off what lies before `time`.
void cut_before(std::vector<TimeSpan>& spans, double time) {
  std::erase_if(spans, [&](const TimeSpan& span) { return span.end <= time; });
  for (TimeSpan& span : spans) span.begin = std::max(span.begin, time);
}

}  // namespace

class CountedExchange : public Exchange {
 public:
  CountedExchange(std::unique_ptr<Exchange> inner, Timeline& timeline, double launched)
      : inner_(std::move(inner)), timeline_(timeline), launched_(launched) {}
  ~CountedExchange() override {
    if (!landed_) timeline_.landed(launched_, nullptr);
  }

  bool done() override { return inner_->done(); }
  void wait() override {
    {
      const auto waiting = timeline_.during(Activity::wait);
      inner_->wait();
    }
    const TimeSpan transfer = {launched_, inner_->finished_at(), Activity::transfer};
    timeline_.landed(launched_, &transfer);
    landed_ = true;
  }
  double finished_at() const override { return inner_->finished_at(); }

 private:
  std::unique_ptr<Exchange> inner_;
  Timeline& timeline_;
  double launched_;
  bool landed_ = false;
};

const char* name_of(Activity activity) {
  static constexpr const char* names[kActivities] = {"other", "compute",  "launch",  "wait",
                                                     "land",  "evaluate", "transfer"};
  return names[index_of(activity)];
}

void Timeline::restart(std::size_t most) {
  ENTRAIN_CHECK(launches_.empty());
  since_ = comm_->now();
  cpu_since_ = thread_cpu_seconds();
  seconds_ = cpu_seconds_ = {};
  transfers_.clear();
  waits_.clear();
  spans_.clear();
  hidden_ = 0;
  left_out_ = 0;
  most_ = most;
}

void Timeline::rebind(const Communicator& comm) {
  ENTRAIN_CHECK(launches_.empty());
  comm_ = &comm;
}

// It may be over before launch() is.
std::unique_ptr<Exchange> Timeline::under_way(
    const std::function<std::unique_ptr<Exchange>()>& launch) {
  const double launched = comm_->now();
  std::unique_ptr<Exchange> exchange = launch();
  launches_.push_back(launched);
  return std::make_unique<CountedExchange>(std::move(exchange), *this, launched);
}

void Timeline::enter(Activity activity) {
  if (activity == activity_) return;
  const double now = comm_->now(), cpu = thread_cpu_seconds();
  const TimeSpan span = {since_, now, activity_};
  seconds_[index_of(activity_)] += now - since_;
  cpu_seconds_[index_of(activity_)] += cpu - cpu_since_;
  if (activity_ == Activity::wait && !launches_.empty()) waits_.push_back(span);
  if (activity_ != Activity::other) keep(span);
  activity_ = activity;
  since_ = now;
  cpu_since_ = cpu;
}

void Timeline::keep(const TimeSpan& span) {
  if (most_ == 0 || span.end <= span.begin) return;
  if (spans_.size() < most_) {
    spans_.push_back(span);
  } else {
    ++left_out_;
  }
}

void Timeline::landed(double launched, const TimeSpan* transfer) {
  launches_.erase(std::find(launches_.begin(), launches_.end(), launched));
  if (transfer && transfer->end > transfer->begin) {
    seconds_[index_of(Activity::transfer)] += transfer->end - transfer->begin;
    transfers_.push_back(*transfer);
    keep(*transfer);
  }
  settle();
}

// What lies before the first launch of those under way will not change any more.
void Timeline::settle() {
  double until = std::numeric_limits<double>::infinity();
  for (const double launched : launches_) until = std::min(until, launched);
  Spans past = transfers_;
  for (TimeSpan& span : past) span.end = std::min(span.end, until);
  hidden_ += seconds_outside(std::move(past), waits_);
  cut_before(transfers_, until);
  cut_before(waits_, until);
}

double Timeline::seconds(Activity activity) const {
  const double running = activity == activity_ ? comm_->now() - since_ : 0;
  return seconds_[index_of(activity)] + running;
}

double Timeline::cpu_seconds(Activity activity) const {
  const double running = activity == activity_ ? thread_cpu_seconds() - cpu_since_ : 0;
  return cpu_seconds_[index_of(activity)] + running;
}

double Timeline::hidden_seconds() const { return hidden_ + seconds_outside(transfers_, waits_); }

double seconds_outside(std::vector<TimeSpan> spans, const std::vector<TimeSpan>& others) {
  std::sort(spans.begin(), spans.end(),
            [](const TimeSpan& a, const TimeSpan& b) { return a.begin < b.begin; });
  double seconds = 0, counted = -std::numeric_limits<double>::infinity();
  for (const TimeSpan& span : spans) {
    const double begin = std::max(span.begin, counted);
    if (span.end <= begin) continue;
    seconds += span.end - begin;
    for (const TimeSpan& other : others) {
      seconds -= std::max(0.0, std::min(span.end, other.end) - std::max(begin, other.begin));
    }
    counted = span.end;
  }
  return seconds;
}

}  // namespace entrain
