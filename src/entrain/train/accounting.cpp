#include "entrain/train/accounting.h"

#include <algorithm>
#include <cstring>

#include "entrain/core/cpu_time.h"
#include "entrain/train/evaluate.h"

namespace entrain {
namespace {

constexpr std::size_t kSpansKept = 100'000;  // of a process: 2.4 MB

// Spans of a process on rank 0's clock, as rank 0 collects them: how well it knows that clock, how
// many spans were left out, and three numbers a span.
std::string packed(const Timeline& timeline, const AlignedClock& clock) {
  std::vector<double> numbers = {clock.error(), static_cast<double>(timeline.left_out())};
  for (const TimeSpan& span : timeline.spans()) {
    numbers.push_back(clock(span.begin));
    numbers.push_back(clock(span.end));
    numbers.push_back(static_cast<double>(span.activity));
  }
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)};
}

void unpack(const std::string& bytes, int rank, Trace& trace) {
  std::vector<double> numbers(bytes.size() / sizeof(double));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(double));
  trace.clock_error = std::max(trace.clock_error.value_or(0), numbers.at(0));
  trace.left_out += static_cast<std::int64_t>(numbers.at(1));
  for (std::size_t i = 2; i + 2 < numbers.size(); i += 3) {
    const auto activity = static_cast<Activity>(numbers[i + 2]);
    trace.spans.push_back({name_of(activity), rank, numbers[i], numbers[i + 1]});
  }
}

void begin_at_zero(std::vector<TraceSpan>& spans) {
  if (spans.empty()) return;
  const double first = std::min_element(spans.begin(), spans.end(), [](auto& a, auto& b) {
                         return a.begin < b.begin;
                       })->begin;
  for (TraceSpan& span : spans) {
    span.begin -= first;
    span.end -= first;
  }
}

const char* name_of(SimulatedSpan::Kind kind) {
  if (kind == SimulatedSpan::Kind::compute) return "compute";
  return kind == SimulatedSpan::Kind::wait ? "wait" : "transfer";
}

}  // namespace

Accounting::Evaluating::Evaluating(Accounting& accounting)
    : accounting_(accounting),
      scope_(accounting.timeline_, Activity::evaluate),
      process_(process_cpu_seconds()),
      transport_(accounting.transport_cpu()) {}

Accounting::Evaluating::~Evaluating() {
  accounting_.process_evaluated_ += process_cpu_seconds() - process_;
  accounting_.transport_evaluated_ += accounting_.transport_cpu() - transport_;
}

Accounting::Accounting(Communicator& comm, Timeline& timeline, std::set<int> transport)
    : comm_(comm), timeline_(timeline), transport_(std::move(transport)) {}

double Accounting::transport_cpu() const { return cpu_seconds_of(transport_); }

void Accounting::begin(bool traced) {
  if (traced) first_ = read_clock(comm_);
  timeline_.restart(traced ? kSpansKept : 0);
  process_began_ = process_cpu_seconds();
  transport_began_ = transport_cpu();
}

// What no other account claims was computed: by the main thread, by those of the team, and by those
// of the tensor operations.
TimeSpent Accounting::own_spent() const {
  TimeSpent s;
  s.compute = timeline_.seconds(Activity::compute);
  s.launch = timeline_.seconds(Activity::launch);
  s.wait = timeline_.seconds(Activity::wait);
  s.land = timeline_.seconds(Activity::land);
  s.hidden = timeline_.hidden_seconds();
  s.cpu_launch_and_land =
      timeline_.cpu_seconds(Activity::launch) + timeline_.cpu_seconds(Activity::land);
  s.cpu_transport = transport_cpu() - transport_began_ - transport_evaluated_ +
                    timeline_.cpu_seconds(Activity::wait);
  const double training = process_cpu_seconds() - process_began_ - process_evaluated_;
  s.cpu_compute = std::max(0.0, training - s.cpu_launch_and_land - s.cpu_transport -
                                    timeline_.cpu_seconds(Activity::other));
  return s;
}

TimeSpent Accounting::spent() const {
  const TimeSpent own = own_spent();
  TimeSpent mean;
  std::vector<double> values;
  for (const auto field : kTimeSpent) values.push_back(own.*field);
  values = gather_values(values, comm_);
  for (std::size_t i = 0; i < values.size(); ++i) {
    mean.*kTimeSpent[i % std::size(kTimeSpent)] += values[i] / comm_.size();
  }
  return mean;
}

Trace Accounting::trace() {
  const AlignedClock clock(first_, read_clock(comm_));
  Trace trace = {.who = "rank"};
  int rank = 0;
  for (const std::string& bytes : collect(comm_, packed(timeline_, clock))) {
    unpack(bytes, rank++, trace);
  }
  begin_at_zero(trace.spans);
  return trace;
}

Trace Accounting::own_trace() const {
  Trace trace = {.who = "rank"};
  unpack(packed(timeline_, AlignedClock({}, {})), comm_.rank(), trace);
  begin_at_zero(trace.spans);
  trace.clock_error.reset();
  return trace;
}

Trace trace_of(const Simulated& simulated) {
  Trace trace;
  for (const SimulatedSpan& span : simulated.timeline()) {
    trace.spans.push_back({name_of(span.kind), span.worker, span.begin, span.end});
  }
  trace.left_out = simulated.left_out();
  return trace;
}

}  // namespace entrain
