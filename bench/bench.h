#pragma once

#include <string>

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

}  // namespace entrain
