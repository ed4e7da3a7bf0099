#include "bench/bench.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "entrain/verb.h"

namespace entrain {

namespace {

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
  comm->add_option("--rate", options->rate, "Of each host's link, as \"1 Gbit/s\": show the bound");
  comm->add_option("--delay", options->delay, "Of each message, one way, as \"20 ms\"");
  comm->add_flag("--json", line.json, "Print as JSON");
  comm->callback([&line, options] { fmt::print("{}", bench_comm(*options, line.json)); });
}

}  // namespace

void add_bench(CommandLine& line) {
  CLI::App* bench = line.app.add_subcommand(
      "bench", "Measure parts of entrain, beside their peers in the same run");
  bench->require_subcommand(1);
  CLI::App* step =
      bench->add_subcommand("step", "The training step against plain libtorch and PyTorch");
  auto options = std::make_shared<BenchOptions>();
  step->add_option("--pairs", options->pairs, "Interleaved pairs of runs")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  step->add_option("--seconds", options->seconds, "Seconds of one run")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  step->add_option("--python", options->python,
                   "A Python with torch, measured beside (empty: none)")
      ->capture_default_str();
  step->add_flag("--json", line.json, "Print as JSON");
  add_bench_comm(*bench, line);
  CLI::App* codec =
      bench->add_subcommand("codec", "What it takes to code and decode 100 MB on one core");
  codec->add_option("--pairs", options->pairs, "Interleaved runs")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  codec->add_flag("--json", line.json, "Print as JSON");
  codec->callback([&line, options] { fmt::print("{}", bench_codec(*options, line.json)); });
  step->callback([&line, options] { fmt::print("{}", bench_step(*options, line.json)); });
}

}  // namespace entrain
