#pragma once

#include "entrain/comm/c10d.h"
#include "entrain/comm/simulated.h"
#include "entrain/config/resolve.h"
#include "entrain/train/threads.h"
#include "entrain/train/worker.h"

namespace entrain {

/// A network that is only pretended, and how long steps take on its clock.
struct SimulatedNetwork {
  Network network;
  ComputeTime compute;
  Straggler straggler;
};

/// All that a run needs, checked and built from its settings: nothing here has touched a network or
/// made a file.
struct Prepared {
  Place place;
  int local_workers = 1;
  ThreadPlan threads;
  C10dOptions comm;
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
