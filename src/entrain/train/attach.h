#pragma once

#include <chrono>

#include "entrain/comm/communicator.h"
#include "entrain/strategy/synchronizer.h"

namespace torch::nn {
class Module;
}

namespace entrain {

struct JoinOptions {
  bool reproducible = false;  ///< Sums whose bits do not depend on the layout.
  std::chrono::milliseconds timeout{60'000};
};

/// Joins the processes that `entrain launch`, torchrun or a script started (the variables RANK,
/// WORLD_SIZE, MASTER_ADDR, MASTER_PORT); alone without them. One worker a process. Blocks until
/// all have arrived. Throws UsageError, CommunicationError.
std::unique_ptr<Communicator> join(const JoinOptions& options = {});

/// Which model is shown in place of the worker's own.
enum class ShownModel { average };
inline ShownModel average() { return ShownModel::average; }

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
///     loss.backward();
///     sync.reduce_gradients();
///     optimizer.step();
///     sync.advance(loss.detach(), lr);
class Attached {
 public:
  Attached(torch::nn::Module& model, Communicator& comm, const std::string& strategy,
           const RunFacts& facts);
  ~Attached();
  Attached(Attached&&) noexcept;

  /// See Synchronizer. Throws UsageError if a parameter no longer lies where it was put,
  /// CommunicationError if a peer is lost.
  void reduce_gradients();
  void advance(const at::Tensor& loss, double lr);
  void finish();

  /// Shows the average of all workers, BatchNorm statistics included. An exchange: every process
  /// calls it.
  Shown show(ShownModel model);

  const Synchronizer& synchronizer() const;
  double bytes_sent_per_worker() const;  ///< Of training; show() is not in it.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Attaches a strategy, as in "local_sgd(8)", to a module: its parameters, gradients and floating
/// buffers move into a row and keep their identity, so an optimizer that was built before stays
/// valid. Call it after to() and torch::load; all processes must have the same parameters then (the
/// same seed, or the same file). `model` and `comm` must outlive the result; `facts` are for
/// strategies that count epochs. Throws UsageError, CommunicationError.
Attached synchronize(torch::nn::Module& model, Communicator& comm, const std::string& strategy,
                     const RunFacts& facts = {});

}  // namespace entrain
