#pragma once

#include <array>
#include <functional>
#include <vector>

#include "entrain/comm/communicator.h"

namespace entrain {

/// What a process does. At any time its main thread does one of these, and beside it messages are
/// under way.
enum class Activity : std::uint8_t {
  other,     ///< Anything else: records, and what a loop of its owner's does between calls.
  compute,   ///< Gradients and the optimizer's step.
  launch,    ///< Copies and coding before an exchange, and its launch.
  wait,      ///< Blocked until a result is there, the transport's own work on it included.
  land,      ///< What is done with a result: outer step, merge, copies.
  evaluate,  ///< Not of training.
  transfer,  ///< A message, from its launch until its result is there.
};
inline constexpr std::size_t kActivities = 7;

/// compute, launch, wait, land, evaluate, transfer; other.
const char* name_of(Activity activity);

struct TimeSpan {
  double begin = 0, end = 0;  ///< Seconds.
  Activity activity = Activity::other;
};

/// Where the time of a process goes, on its communicator's clock: sums over all of it, and the
/// first spans if they are kept. A change of activity costs two looks at clocks; a step without
/// one costs nothing. Calls come from one thread.
class Timeline {
 public:
  /// An activity from here to the end of a scope; then that around it goes on.
  class Scope {
   public:
    Scope(Timeline& timeline, Activity activity) : timeline_(timeline), outer_(timeline.activity_) {
      timeline_.enter(activity);
    }
    ~Scope() { timeline_.enter(outer_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Timeline& timeline_;
    Activity outer_;
  };

  /// `comm` must outlive this.
  explicit Timeline(const Communicator& comm) : comm_(&comm) { restart(); }

  /// Begins again: sums are 0, no span is kept so far, and the first `most` from here on will be.
  void restart(std::size_t most = 0);

  /// Goes on with another communicator of the same clock. REQUIRES: nothing under way.
  void rebind(const Communicator& comm);

  [[nodiscard]] Scope during(Activity activity) { return {*this, activity}; }

  /// Launches an exchange whose wait() is counted here, and its transfer then. This must outlive
  /// it.
  std::unique_ptr<Exchange> under_way(const std::function<std::unique_ptr<Exchange>()>& launch);

  /// Up to now. Of transfer: the sum over all messages that have landed.
  double seconds(Activity activity) const;
  /// Of the main thread.
  double cpu_seconds(Activity activity) const;
  /// How long at least one message that has landed was under way while nothing was waited for.
  double hidden_seconds() const;

  const std::vector<TimeSpan>& spans() const { return spans_; }  ///< In the order of their ends.
  std::int64_t left_out() const { return left_out_; }            ///< Spans that were not kept.

 private:
  friend class CountedExchange;
  using Spans = std::vector<TimeSpan>;

  void enter(Activity activity);
  void keep(const TimeSpan& span);
  void landed(double launched, const TimeSpan* transfer);
  void settle();

  const Communicator* comm_;
  Activity activity_ = Activity::other;
  double since_ = 0, cpu_since_ = 0;
  std::array<double, kActivities> seconds_ = {}, cpu_seconds_ = {};
  std::vector<double> launches_;  // of what is under way
  Spans transfers_, waits_;       // since the first of these
  double hidden_ = 0;             // until then
  std::size_t most_ = 0;
  Spans spans_;
  std::int64_t left_out_ = 0;
};

/// Seconds in one of `spans` at least and in none of `others`, which do not overlap.
double seconds_outside(std::vector<TimeSpan> spans, const std::vector<TimeSpan>& others);

}  // namespace entrain
