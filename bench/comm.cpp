#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/bench.h"
#include "entrain/comm/local.h"
#include "entrain/comm/network.h"
#include "entrain/comm/place.h"
#include "entrain/comm/transport.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/report/table.h"
#include "entrain/strategy/coder.h"
#include "entrain/strategy/topology.h"

namespace entrain {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kHeaders = 1514.0 / 1448;  // of Ethernet, IP and TCP

// One form of exchange of a row of 4-byte floats, and what it must give.
struct CommForm {
  std::string name;
  Communicator* comm;
  std::shared_ptr<const Mixing> mixing = {};  // null: the mean over everyone
  std::shared_ptr<Coder> coder = {};          // null: exact
  int phases = 1;                             // messages that wait for each other, at least
  double tolerance = 1e-6;                    // of the largest number
};

// Small integers of either sign, times the worker's number from 1, so that sums are known.
at::Tensor pattern(std::int64_t columns) {
  return at::arange(columns, at::kFloat).remainder_(251).sub_(125).view({1, columns});
}

double expected_factor(const CommForm& form) {
  if (!form.mixing) return (form.comm->workers() + 1) / 2.0;
  double sum = 0;
  for (const Mixing::Term& term : form.mixing->rows.at(form.comm->first_worker())) {
    sum += term.weight * (term.worker + 1);
  }
  return sum;
}

void exchange_once(const CommForm& form, const at::Tensor& rows, const at::Tensor& result) {
  if (form.coder) {
    form.coder->launch(*form.comm, form.mixing, rows, result)->wait();
    form.coder->landed();
  } else if (form.mixing) {
    form.comm->launch_mix(rows, result, form.mixing)->wait();
  } else {
    form.comm->launch_mean(rows, result)->wait();
  }
}

// What the ranks gave, as numbers, in their order.
std::vector<double> gather_numbers(Communicator& comm, double own) {
  std::vector<double> all;
  for (const std::string& text : comm.gather(fmt::format("{}", own)))
    all.push_back(std::stod(text));
  return all;
}

double largest(const std::vector<double>& values) {
  return *std::max_element(values.begin(), values.end());
}

struct CommTiming {
  double seconds = 0, after_idle = 0, wire_bytes = 0, error = 0;
  bool right = false;
};

// Exchanges one after the other, as a barrier would itself take latencies; the slowest rank's
// median.
CommTiming time_form(const CommForm& form, std::int64_t columns, const CommBench& options) {
  const at::Tensor numbers = pattern(columns);
  const at::Tensor rows = numbers * (form.comm->first_worker() + 1);
  const at::Tensor result = at::full_like(rows, std::nan(""));
  const auto once = [&] { exchange_once(form, rows, result); };
  for (int i = 0; i < options.warm; ++i) once();
  CommTiming timing;
  const auto sent_before = static_cast<double>(form.comm->wire_bytes_sent());
  std::vector<double> own;
  for (int i = 0; i < options.repeats; ++i) own.push_back(seconds_of(once));
  const auto sent = static_cast<double>(form.comm->wire_bytes_sent()) - sent_before;
  timing.wire_bytes = largest(gather_numbers(*form.comm, sent / options.repeats));
  timing.seconds = largest(gather_numbers(*form.comm, median(own)));
  if (options.idle > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(options.idle));
    timing.after_idle = largest(gather_numbers(*form.comm, seconds_of(once)));
  }
  const double error = (result - numbers * expected_factor(form)).abs().max().item<double>();
  timing.error = largest(gather_numbers(*form.comm, error));
  timing.right = timing.error <= form.tolerance * 125 * form.comm->workers();
  return timing;
}

std::vector<CommForm> forms_of(Communicator& fast, Communicator& exact, std::int64_t columns) {
  const int n = fast.workers();
  const auto mixing = [n](const Topology& topology) { return mixings_of(topology, n).front(); };
  const auto int8 =
      std::make_shared<Coder>(build_codec(call("int8"), {}), square_tensor(columns), 1, at::kFloat);
  std::vector<CommForm> forms = {
      {.name = "fast", .comm = &fast, .phases = 2},
      {.name = "reproducible", .comm = &exact, .phases = 2},
      {.name = "int8", .comm = &fast, .coder = int8, .phases = 2, .tolerance = 1.0 / 127}};
  if (n > 1) {
    forms.push_back({.name = "ring", .comm = &fast, .mixing = mixing(ring())});
    forms.push_back({.name = "one_peer", .comm = &fast, .mixing = mixing(one_peer_exponential())});
  }
  return forms;
}

// Where rank 0 hosts the store, the second communicator meets at the next port.
std::unique_ptr<Communicator> join_bench(Place place, Via via, Sums sums,
                                         const std::string& interface) {
  place.attempt += sums == Sums::fast ? "/fast" : "/reproducible";
  if (!place.store_elsewhere && sums == Sums::reproducible) ++place.port;
  if (place.size == 1) return local_communicator(1, nullptr);
  return join_processes(place, {.via = via, .sums = sums, .interface = interface});
}

// What one rank's bytes take on its link, and the latencies of messages that wait for each other.
double bound_of(const CommForm& form, const CommTiming& timing, const CommBench& options) {
  return timing.wire_bytes * kHeaders / parse_bandwidth(options.rate) +
         form.phases * (options.delay.empty() ? 0 : parse_seconds(options.delay));
}

Json json_of(const CommForm& form, std::int64_t bytes, const CommTiming& timing,
             const CommBench& options) {
  Json line = {{"form", form.name},
               {"bytes", bytes},
               {"seconds", timing.seconds},
               {"algorithm_gb_per_second", static_cast<double>(bytes) / timing.seconds / 1e9},
               {"bus_gb_per_second", timing.wire_bytes / timing.seconds / 1e9},
               {"wire_bytes", timing.wire_bytes},
               {"largest_error", timing.error},
               {"right", timing.right}};
  if (options.idle > 0) line["seconds_after_idle"] = timing.after_idle;
  if (!options.rate.empty()) line["bound_seconds"] = bound_of(form, timing, options);
  return line;
}

std::vector<std::string> cells_of(const Json& line) {
  const auto number = [&](const char* key) { return line[key].get<double>(); };
  std::vector<std::string> cells = {
      fmt::format("{} {}", line["form"].get<std::string>(), print_bytes(number("bytes"))),
      fmt::format("{:.3f}", 1e3 * number("seconds")),
      fmt::format("{:.3f}", number("algorithm_gb_per_second")),
      fmt::format("{:.3f}", number("bus_gb_per_second")),
      print_bytes(number("wire_bytes")),
      line["right"].get<bool>() ? "ok" : fmt::format("WRONG by {:g}", number("largest_error"))};
  if (line.contains("seconds_after_idle")) {
    cells.push_back(fmt::format("{:.3f}", 1e3 * number("seconds_after_idle")));
  }
  if (line.contains("bound_seconds")) {
    cells.push_back(fmt::format("{:.3f}", 1e3 * number("bound_seconds")));
    cells.push_back(fmt::format("{:.3f}", number("seconds") / number("bound_seconds")));
  }
  return cells;
}

std::string print_lines(const Json& lines, int processes, const CommBench& options) {
  std::vector<std::string> head = {"exchange", "ms",   "algorithm GB/s",
                                   "bus GB/s", "sent", "result"};
  if (options.idle > 0) head.push_back(fmt::format("ms after {:g} s", options.idle));
  if (!options.rate.empty()) head.insert(head.end(), {"bound ms", "x bound"});
  std::vector<std::vector<std::string>> rows;
  for (const Json& line : lines) rows.push_back(cells_of(line));
  return fmt::format(
      "{}, medians of {} exchanges one after the other, of the slowest process\n\n{}\n"
      "algorithm: bytes of the row / time; bus: bytes that a process sent / time.{}\n",
      print_count(processes, "process", "processes"), options.repeats, print_table(head, rows),
      options.rate.empty() ? ""
                           : " Bound: what was sent, with headers, at that rate, and the delay of "
                             "each message that waits for another.");
}

}  // namespace

std::string bench_comm(const CommBench& options, bool json) {
  if (!options.rate.empty()) parse_bandwidth(options.rate);
  if (!options.delay.empty()) parse_seconds(options.delay);
  const Via via = options.transport == "mpi" ? Via::mpi : Via::gloo;
  const Place place = place_for(via, environment());
  at::set_num_threads(1);  // as training has it
  const auto fast = join_bench(place, via, Sums::fast, options.interface);
  const auto exact = join_bench(place, via, Sums::reproducible, options.interface);
  Json lines = Json::array();
  bool right = true;
  for (const std::int64_t bytes : options.sizes) {
    for (const CommForm& form : forms_of(*fast, *exact, bytes / 4)) {
      if (!options.forms.empty() && std::ranges::count(options.forms, form.name) == 0) continue;
      const CommTiming timing = time_form(form, bytes / 4, options);
      lines.push_back(json_of(form, bytes, timing, options));
      right = right && timing.right;
    }
  }
  if (!right) throw RunError("bench comm: a result is wrong\n" + lines.dump(2));
  if (place.rank != 0) return "";
  if (!json) return print_lines(lines, place.size, options);
  return Json({{"processes", place.size}, {"repeats", options.repeats}, {"exchanges", lines}})
             .dump(2) +
         "\n";
}

}  // namespace entrain
