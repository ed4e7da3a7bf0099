#pragma once

#include "entrain/comm/transport.h"
#include "entrain/train/simulated_network.h"
#include "entrain/train/threads.h"
#include "entrain/train/worker.h"

namespace entrain {

/// All that a run needs, checked and built from its settings: nothing here has touched a network or
/// made a file.
struct Prepared {
  Place place;
  int local_workers = 1;
  ThreadPlan threads;
  TransportOptions comm;
  std::unique_ptr<Dataset> data;  ///< With its sampler,
  std::optional<Sampler> sampler;
  std::unique_ptr<Problem> problem;  ///< or a problem.
  Training training;
  RunFacts facts;
  std::int64_t evaluate_every = 0;          ///< Steps.
  std::optional<SimulatedNetwork> network;  ///< None: real time.

  int workers() const { return place.size * local_workers; }
};

/// Throws UsageError with the origin of the setting that is wrong, DataError for its files.
Prepared prepare(const Resolved& resolved);

}  // namespace entrain
