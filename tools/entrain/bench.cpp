#include "bench/bench.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "entrain/comm/address.h"
#include "entrain/verb.h"

namespace entrain {
namespace {

using Bench = std::string(const BenchOptions&, bool json);
using Options = std::shared_ptr<BenchOptions>;

CLI::App* add(CommandLine& line, CLI::App* parent, const Options& options, const char* name,
              const char* help, Bench* bench) {
  CLI::App* verb = parent->add_subcommand(name, help);
  verb->add_option("--pairs", options->pairs, "Interleaved runs")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb->add_flag("--json", line.json, "Print as JSON");
  verb->callback([&line, options, bench] { fmt::print("{}", bench(*options, line.json)); });
  return verb;
}

void add_seconds(CLI::App* verb, const Options& options) {
  verb->add_option("--seconds", options->seconds, "Seconds of one run")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
}

void add_bench_comm(CLI::App& bench, CommandLine& line) {
  CLI::App* comm = bench.add_subcommand(
      "comm", "Exchanges between processes: launch -n 4 -- bench comm, or under another launcher");
  auto options = std::make_shared<CommBench>();
  comm->add_option("--sizes", options->sizes, "Bytes of a row: 4096, or with kB, MB, KiB, MiB")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::Range(std::int64_t{4}, std::int64_t{1} << 40))
      ->delimiter(',');
  comm->add_option("--forms", options->forms, "fast, reproducible, int8, ring, one_peer")
      ->check(CLI::IsMember({"fast", "reproducible", "int8", "ring", "one_peer"}))
      ->delimiter(',');
  comm->add_option("--repeats", options->repeats, "Exchanges of which the median is taken")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  comm->add_option("--warm", options->warm, "Exchanges before those, to open the windows")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  comm->add_option("--idle", options->idle, "Seconds of silence before one exchange more")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  comm->add_option("--interface", options->interface, "The network interface, by name or address")
      ->envname(kInterfaceVariable);
  comm->add_option("--rate", options->rate, "Of each host's link, as \"1 Gbit/s\": show the bound");
  comm->add_option("--delay", options->delay, "Of each message, one way, as \"20 ms\"");
  comm->add_option("--transport", options->transport, "gloo, or mpi under mpirun")
      ->capture_default_str()
      ->check(CLI::IsMember({"gloo", "mpi"}));
  comm->add_flag("--json", line.json, "Print as JSON");
  comm->callback([&line, options] { fmt::print("{}", bench_comm(*options, line.json)); });
}

void add_bench_strategy(CLI::App& bench, CommandLine& line) {
  CLI::App* strategy = bench.add_subcommand(
      "strategy",
      "Strategies between processes, PyTorch beside them: launch -n 4 -- bench strategy");
  auto options = std::make_shared<StrategyBench>();
  strategy
      ->add_option("--models", options->models, "Texts of models, as \"mlp(hidden=[320, 128])\"")
      ->capture_default_str();
  strategy
      ->add_option("--strategies", options->strategies,
                   "Texts of strategies whose rounds come every(h), and none: no communication")
      ->capture_default_str();
  strategy->add_option("--batch", options->batch, "Samples a worker and step")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 16));
  strategy->add_option("--seconds", options->seconds, "Seconds of one run, at least")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  strategy->add_option("--repeats", options->repeats, "Interleaved runs")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  strategy->add_option("--threads", options->threads, "Of each process, inside an operation")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  strategy
      ->add_option("--compression", options->compression,
                   "none, or lossless: means as differences from the last (comm.compression)")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "lossless"}));
  strategy
      ->add_option(
          "--peer", options->peer,
          "A Python with torch, measured beside; auto: /usr/bin/python3 if it has it; none")
      ->capture_default_str();
  strategy->add_flag("--json", line.json, "Print as JSON");
  strategy->callback([&line, options] { fmt::print("{}", bench_strategy(*options, line.json)); });
}

}  // namespace

void add_bench(CommandLine& line) {
  CLI::App* bench = line.app.add_subcommand(
      "bench", "Measure parts of entrain, beside their peers in the same run");
  bench->require_subcommand(1);
  const auto options = std::make_shared<BenchOptions>();
  CLI::App* step = add(line, bench, options, "step",
                       "The training step against plain libtorch and PyTorch", bench_step);
  add_seconds(step, options);
  step->add_option("--python", options->python,
                   "A Python with torch, measured beside (empty: none)")
      ->capture_default_str();
  add_bench_comm(*bench, line);
  add_bench_strategy(*bench, line);
  add(line, bench, options, "codec", "What it takes to code and decode 100 MB on one core",
      bench_codec);
  CLI::App* simulate = add(
      line, bench, options, "simulate",
      "Thousands of simulated workers: steps a second, beside the bare arithmetic", bench_simulate);
  add_seconds(simulate, options);
  add(line, bench, options, "clock", "What the virtual clock costs a simulated worker and step",
      bench_clock);
}

}  // namespace entrain
