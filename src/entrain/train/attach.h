#pragma once

#include <chrono>

#include "entrain/comm/communicator.h"
#include "entrain/train/shown_model.h"

namespace torch::nn {
class Module;
}

namespace entrain {

struct JoinOptions {
  bool reproducible = false;  ///< Sums whose bits do not depend on the layout.
  bool mpi = false;           ///< Over MPI, for ranks that mpirun or srun started; else Gloo.
  bool lossless = false;      ///< Averaged parameters shrink on the wire, and lose no bit.
  /// Network interface at which the others reach this process, by name or address; empty: that of
  /// `launch --interface`, of GLOO_SOCKET_IFNAME, else the one of the route to them.
  std::string interface;
  std::chrono::milliseconds timeout{60'000};
};

/// Joins the processes that a launcher or a script started (docs/launchers.md; the variables RANK,
/// WORLD_SIZE, MASTER_ADDR, MASTER_PORT); alone without them. One worker a process. Blocks until
/// all have arrived. Throws UsageError, CommunicationError.
std::unique_ptr<Communicator> join(const JoinOptions& options = {});

/// Shows another model in the module as long as it lives; then the worker's own is back, bit for
/// bit.
class Shown {
 public:
  Shown(Rows& rows, const at::Tensor& model);
  ~Shown();
  Shown(const Shown&) = delete;
  Shown& operator=(const Shown&) = delete;

 private:
  Rows& rows_;
  at::Tensor own_;
};

/// A module in a loop of its owner's that trains with others. In each step:
///     loss.backward();                        // or sync.backward(loss)
///     sync.reduce_gradients();
///     optimizer.step();
///     sync.advance(loss.detach(), lr);
class Attached {
 public:
  Attached(torch::nn::Module& model, Communicator& comm, const std::string& strategy,
           const RunFacts& facts);
  ~Attached();
  Attached(Attached&&) noexcept;

  /// Instead of loss.backward(): exchanges gradients while it still runs, the last tensors' first.
  /// Where a step adds up the gradients of several batches, for the last one only. Without gradient
  /// rounds, with codecs, and in one process it is loss.backward(). Every process calls it, or
  /// none.
  void backward(const at::Tensor& loss);

  /// See Synchronizer. Throws UsageError if a parameter no longer lies where it was put,
  /// CommunicationError if a peer is lost.
  void reduce_gradients();
  void advance(const at::Tensor& loss, double lr);
  void finish();

  /// Shows another model than the worker's own: entrain::average(), anchor(), polyak_ruppert(),
  /// with the workers' mean for BatchNorm statistics. An exchange: every process calls it. Throws
  /// UsageError for an anchor where the strategy keeps none and for polyak_ruppert where
  /// keep_running_mean() was not called.
  Shown show(ShownModel model);

  /// Keeps the mean over this worker's steps from here on, for show(polyak_ruppert()).
  void keep_running_mean();

  const Synchronizer& synchronizer() const;
  double bytes_sent_per_worker() const;  ///< Of training; show() is not in it.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Attaches a strategy, as in "local_sgd(8)", to a module: its parameters, gradients and floating
/// buffers move into a row and keep their identity, so an optimizer that was built before stays
/// valid. Their memory may be another one after each step: keep tensors, not data_ptr(). Call it
/// after to() and torch::load; all processes must have the same parameters then (the same seed, or
/// the same file). `model` and `comm` must outlive the result; `facts` are for strategies that
/// count epochs. Throws UsageError, CommunicationError.
Attached synchronize(torch::nn::Module& model, Communicator& comm, const std::string& strategy,
                     const RunFacts& facts = {});

}  // namespace entrain
