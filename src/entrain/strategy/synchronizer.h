#pragma once

#include <optional>

#include "entrain/comm/communicator.h"
#include "entrain/strategy/cost.h"
#include "entrain/strategy/rows.h"

namespace entrain {

/// One round that has landed.
struct LandedRound {
  std::string kind;           ///< "gradients" or "everyone".
  std::int64_t launched = 0;  ///< The step of the launch.
  std::int64_t landed = 0;    ///< The step of the landing.
  double blocked_seconds = 0;
};

/// Runs a strategy on the rows of this process: the engine of the library. It owns the
/// step counter; nothing else counts.
///
/// In each step, after backward:
///     sync.reduce_gradients();                 // gradient rounds, if any is due
///     optimizer.step();
///     sync.advance(losses, optimizer.lr());    // land what arrived, launch what is due
///
/// Every process of the communicator makes the same calls. Both throw CommunicationError if a peer
/// is lost: the round then has not landed, and the rows are as they were before it.
class Synchronizer {
 public:
  /// `rows` and `comm` must outlive the synchronizer. Throws UsageError for a strategy that cannot
  /// be run and for workers that start from different parameters, CommunicationError if the
  /// processes differ in what they are about to run. Blocks until all processes are here.
  Synchronizer(Rows& rows, Communicator& comm, Strategy strategy);

  void reduce_gradients();

  /// `losses` [w]: the loss of each worker in this step. `lr`: the inner learning rate of this
  /// step. Both are read only if a round asks for them.
  void advance(const at::Tensor& losses, double lr);

  /// Waits for what is in flight and lands it: at the end of a run.
  void finish();

  /// Goes on with another membership. REQUIRES: nothing in flight, and as many local workers as
  /// before.
  void rebind(Communicator& comm);

  std::int64_t step() const { return step_; }  ///< Completed optimizer steps.
  const Strategy& strategy() const { return strategy_; }
  const RoundCounts& rounds() const { return counts_; }  ///< That have landed.
  double blocked_seconds() const { return blocked_seconds_; }

  /// What landed since the last call.
  std::vector<LandedRound> take_landed();

  /// The anchor [1, S] of parameter round `round`; undefined before the round starts and if it
  /// needs none.
  const at::Tensor& anchor(std::size_t round) const { return rounds_.at(round).anchor; }

 private:
  struct Flight {
    std::unique_ptr<Exchange> exchange;
    std::int64_t launched, lands;
    double lr_ratio;  // of this launch to the one before
  };
  struct Round {
    ParameterRound spec;
    at::Tensor anchor;    // [1, S]
    at::Tensor velocity;  // [1, S], of the outer optimizer
    at::Tensor launched;  // what the rows were at the launch, if they move on or the merge asks
    at::Tensor message;   // [w, S], or [w, S + B] if the round adopts; as are the two others here
    at::Tensor mixed;
    std::optional<double> launch_lr;  // of the last launch
    std::optional<Flight> flight;
  };

  void agree();
  void take_step(double lr);
  void launch(Round& round, double lr);
  void meet_start(Round& round);
  void land(Round& round);
  at::Tensor parameters_of(const at::Tensor& message) const;
  void start(Round& round);
  double wait(Exchange& exchange);
  void find_next_event();

  Rows& rows_;
  Communicator* comm_;
  Strategy strategy_;
  Agenda gradient_agenda_, parameter_agenda_;
  std::vector<Round> rounds_;
  at::Tensor mean_gradient_;  // [1, S]
  Agreement agreement_;
  bool gradients_averaged_ = false;
  std::int64_t step_ = 0;
  std::int64_t next_event_ = 0;
  RoundCounts counts_;
  double blocked_seconds_ = 0;
  std::vector<LandedRound> landed_;
};

}  // namespace entrain
