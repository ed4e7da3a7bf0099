#pragma once

#include <set>

#include "entrain/comm/clocks.h"
#include "entrain/comm/simulated.h"
#include "entrain/comm/timeline.h"
#include "entrain/report/records.h"
#include "entrain/report/trace.h"

namespace entrain {

/// Where the real time of a run goes: the seconds of summary.json, and trace.json.
class Accounting {
 public:
  /// An evaluation, from here to the end of a scope: none of its time is the training's.
  class Evaluating {
   public:
    explicit Evaluating(Accounting& accounting);
    ~Evaluating();
    Evaluating(const Evaluating&) = delete;
    Evaluating& operator=(const Evaluating&) = delete;

   private:
    Accounting& accounting_;
    Timeline::Scope scope_;
    double process_, transport_;  // CPU seconds
  };

  /// `comm` and `timeline` must outlive this; `transport`: the threads that `comm` has started.
  Accounting(Communicator& comm, Timeline& timeline, std::set<int> transport);

  /// Training begins. `traced`: spans are kept for trace(), for which all processes read clocks;
  /// throws CommunicationError.
  void begin(bool traced);

  [[nodiscard]] Evaluating evaluating() { return Evaluating(*this); }

  /// What training took up to now, as means over the processes: all of them call it.
  TimeSpent spent() const;
  TimeSpent own_spent() const;  ///< Of this process alone.

  /// The spans of all processes on rank 0's clock, from the first on; empty but at rank 0. All of
  /// them call it.
  Trace trace();
  Trace own_trace() const;  ///< Of this process alone.

 private:
  double transport_cpu() const;

  Communicator& comm_;
  Timeline& timeline_;
  std::set<int> transport_;
  ClockReading first_;
  double process_began_ = 0, transport_began_ = 0;          // CPU seconds
  double process_evaluated_ = 0, transport_evaluated_ = 0;  // of them, in evaluations
};

/// The workers of a simulated run, on the virtual clock.
Trace trace_of(const Simulated& simulated);

}  // namespace entrain
