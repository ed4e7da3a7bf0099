#include "bench/bench.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "entrain/verb.h"

namespace entrain {

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
  CLI::App* codec =
      bench->add_subcommand("codec", "What it takes to code and decode 100 MB on one core");
  codec->add_option("--pairs", options->pairs, "Interleaved runs")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  codec->add_flag("--json", line.json, "Print as JSON");
  codec->callback([&line, options] { fmt::print("{}", bench_codec(*options, line.json)); });
  CLI::App* simulate = bench->add_subcommand(
      "simulate", "Thousands of simulated workers: steps a second, beside the bare arithmetic");
  simulate->add_option("--pairs", options->pairs, "Interleaved runs")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  simulate->add_option("--seconds", options->seconds, "Seconds of one run")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  simulate->add_flag("--json", line.json, "Print as JSON");
  simulate->callback([&line, options] { fmt::print("{}", bench_simulate(*options, line.json)); });
  step->callback([&line, options] { fmt::print("{}", bench_step(*options, line.json)); });
}

}  // namespace entrain
