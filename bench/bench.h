#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace entrain {

struct BenchOptions {
  int pairs = 5;
  double seconds = 1;
  std::string python = "/usr/bin/python3";
};

/// The cost of a step of training: with nothing due; whole, against the same loop in plain
/// libtorch; two workers against one; against PyTorch, if `python` has it. Medians of interleaved
/// pairs, as a table or as JSON.
std::string bench_step(const BenchOptions& options, bool json);

/// Each codec on one core: 100 MB of float32 coded, with what is left of them, and decoded. Medians
/// of interleaved runs beside a copy of the same memory; the processor is named.
std::string bench_codec(const BenchOptions& options, bool json);

struct CommBench {
  std::vector<std::int64_t> sizes = {4096, 1 << 20, 25 << 20};  ///< Bytes of a row of float32.
  std::vector<std::string> forms = {};                          ///< Empty: all.
  int repeats = 5;
  int warm = 5;                    ///< Exchanges before, until the connections' windows are open.
  double idle = 0;                 ///< Seconds of silence before one more exchange; 0: none.
  std::string interface = {};      ///< At which the others reach this process; empty: by the route.
  std::string rate = {};           ///< Of each host's link, "100 Mbit/s"; empty: no bound is shown.
  std::string delay = {};          ///< One way, "20 ms".
  std::string transport = "gloo";  ///< Or "mpi".
};

/// Exchanges between the processes of a launcher, in the manner of nccl-tests: the time, bandwidths
/// and the result of each form and size, checked. Collective; the text is rank 0's, others have "".
/// Throws RunError if a result is wrong.
std::string bench_comm(const CommBench& options, bool json);

struct StrategyBench {
  std::vector<std::string> models = {"mlp(hidden=[320, 128])", "mlp(hidden=[2560, 2560, 960])"};
  /// Texts of strategies whose rounds are due every so many steps, behind a name and a colon where
  /// the table shall have one; and "none": no communication.
  std::vector<std::string> strategies = {
      "none",
      "synchronous",
      "local_sgd(1)",
      "local_sgd(4)",
      "local_sgd(16)",
      "overlap_local_sgd(16)",
      "overlap int8: deltas(when=every(16), codec=error_feedback(int8), "
      "outer=momentum(beta=0.7, rescale=true), merge=pull(0.6), delay=period(first=anchor))"};
  std::int64_t batch = 64;  ///< Samples a worker and step.
  double seconds = 1;       ///< Of one run, at least; whole periods.
  int repeats = 3;
  int threads = 1;                   ///< Of each process, inside an operation.
  std::string compression = "none";  ///< Of ours on the wire, or lossless.
  std::string peer = "auto";  ///< The Python whose PyTorch is measured beside (bench/peer.h).
};

/// Training among the processes of a launcher, one worker each: each strategy on each model, with
/// PyTorch's equal method in the same run. Medians of interleaved runs of whole periods.
/// Collective; the text is rank 0's, others have "". Throws UsageError for a strategy of no fixed
/// period.
std::string bench_strategy(const StrategyBench& options, bool json);

/// What bench_strategy gives as JSON, as tables: one for each model.
std::string print_strategies(const std::string& json);

/// Thousands of workers in one process on a virtual clock: steps a second and memory for 16 to
/// 16,384 of them, beside the bare gather and products of their batches and beside a plain loop
/// over workers in libtorch. Medians of interleaved runs.
std::string bench_simulate(const BenchOptions& options, bool json);

/// What the virtual clock of a simulated network costs besides the values: nanoseconds a worker and
/// step of ring gossip, on several networks. Medians, as a table or as JSON.
std::string bench_clock(const BenchOptions& options, bool json);

/// How long `work` takes.
double seconds_of(const std::function<void()>& work);

/// The middle value. REQUIRES: not empty.
double median(std::vector<double> values);

}  // namespace entrain
