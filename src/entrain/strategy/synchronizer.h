#pragma once

#include <cmath>
#include <optional>

#include "entrain/comm/timeline.h"
#include "entrain/strategy/cost.h"
#include "entrain/strategy/gradient_rounds.h"
#include "entrain/strategy/rows.h"

namespace entrain {

/// One round that has landed.
struct LandedRound {
  std::string kind;           ///< gradients, everyone, groups or neighbours.
  std::int64_t launched = 0;  ///< The step of the launch.
  std::int64_t landed = 0;    ///< The step of the landing.
  double blocked_seconds = 0;
};

/// The optimizer's buffers, for rounds that reset or average them: each [w, k], and how to make
/// them as they were before the first step.
struct OptimizerState {
  std::vector<at::Tensor> buffers = {};
  std::function<void()> reset = {};
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
/// is lost: the round then has not landed, and the parameters are as they were before it.
class Synchronizer {
 public:
  /// `rows` and `comm` must outlive the synchronizer. Throws UsageError for a strategy that cannot
  /// be run and for workers that start from different parameters, CommunicationError if the
  /// processes differ in what they are about to run. Blocks until all processes are here.
  Synchronizer(Rows& rows, Communicator& comm, Strategy strategy);

  /// Hands over the optimizer's buffers. REQUIRES: called before the first round that lands, if a
  /// round resets or averages them.
  void attach_state(OptimizerState state) { state_ = std::move(state); }

  void reduce_gradients();

  /// Whether gradients may leave while backward still runs: a gradient round in exact form, one
  /// worker in this process, and a transport that takes the model in parts.
  bool sends_early() const { return gradients_.sends_early(); }

  /// The gradients of this step from column `column` on are final: those that make up buckets begin
  /// their exchange, and reduce_gradients() that of the others. Optional; every process does the
  /// same. Throws UsageError where they have left already, in this step.
  void gradients_final(std::int64_t column) { gradients_.final_from(step_ + 1, column); }

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
  const Layout& layout() const { return rows_.layout(); }  ///< Of the parameters.
  const RoundCounts& rounds() const { return counts_; }    ///< That have landed.

  /// Where the time goes: rounds are launched, waited for and landed in it.
  Timeline& timeline() { return timeline_; }
  const Timeline& timeline() const { return timeline_; }

  /// What landed since the last call.
  std::vector<LandedRound> take_landed();

  /// The steps at which parameter round `round` was due, if its schedule reads the loss.
  const std::vector<std::int64_t>& due_steps(std::size_t round) const {
    return rounds_.at(round).due_steps;
  }

  /// From here on keeps each worker's mean over its parameters after the optimizer's step and
  /// before a round of that step (Polyak-Ruppert averaging: Patel & Dieuleveut 2019). Costs a pass
  /// over the rows in each step, and no exchange.
  void keep_running_mean();
  const at::Tensor& running_mean() const {
    return running_mean_;
  }  ///< [w, S]; undefined: not kept.

  /// The masses of push-sum [w], float64; undefined without it. Outside of a step the rows are the
  /// models z = x / mass; between reduce_gradients() and advance() they are x.
  const at::Tensor& masses() const { return masses_; }

  /// The anchor [1, S] of parameter round `round`, [w, S] for groups; undefined before the round
  /// starts and if it needs none.
  const at::Tensor& anchor(std::size_t round) const { return rounds_.at(round).anchor; }

 private:
  struct Flight {
    std::unique_ptr<Exchange> exchange;
    std::vector<std::unique_ptr<Exchange>> state_exchanges;
    std::int64_t launched, lands;
    double lr;        // inner, at the launch
    double lr_ratio;  // that to the one before
  };
  struct Round {
    ParameterRound spec;
    Mixings mixings;            // none for everyone
    std::vector<Span> columns;  // of the parameters
    std::int64_t items = 0;     // S: how many these are
    at::Tensor anchor;          // [r, S], with r = 1 for everyone, else w
    at::Tensor velocity;        // [r, S], of the outer optimizer
    at::Tensor copy;     // of what the rows were at the launch, if they move on or the merge asks
    at::Tensor message;  // [w, S], and B columns of buffers if the round makes all equal, and one
                         // with the loss if the schedule asks
    at::Tensor mixed;    // [r, the same]
    std::shared_ptr<Coder> coder;            // none for exact
    std::shared_ptr<LosslessMean> lossless;  // where the transport offers it
    std::vector<at::Tensor> mixed_state;     // [r, k], of the optimizer's buffers
    at::Tensor loss_sum;                     // [w], of the steps since the round was due
    std::int64_t loss_steps = 0;
    double landed_loss = std::nan("");  // that no schedule has read yet
    std::vector<std::int64_t> due_steps;
    std::int64_t launches = 0, last_launch = 0;
    double launch_lr = 0;  // of the last launch at which it was not 0
    std::optional<Flight> flight;
  };

  void agree();
  void scale_rows(bool by_mass);
  void add_to_running_mean();
  void add_loss(const at::Tensor& losses);
  void take_step(double lr);
  void launch(Round& round, std::int64_t turn, double lr);
  void launch_state(Round& round, std::int64_t turn);
  at::Tensor message_of(Round& round);
  void meet_start(Round& round);
  void meet(const Round& round, const at::Tensor& anchor, const at::Tensor& launched);
  void land(Round& round);
  bool take_over(Round& round);
  void land_state(Round& round);
  void land_masses(Round& round);
  void fire(SliceAgenda& slice, double lr);
  void plan(SliceAgenda& slice);
  at::Tensor columns_in(const Round& round, const at::Tensor& row) const;
  static at::Tensor parameters_of(const Round& round, const at::Tensor& message);
  void start(Round& round);
  std::unique_ptr<Exchange> exchange(const Mixings& mixings, std::int64_t turn,
                                     const at::Tensor& rows, at::Tensor& result,
                                     Coder* coder = nullptr, LosslessMean* lossless = nullptr);
  double wait(Exchange& exchange);
  void find_next_event();

  Rows& rows_;
  Communicator* comm_;
  Timeline timeline_;
  Strategy strategy_;
  GradientRounds gradients_;
  std::vector<SliceAgenda> slices_;
  std::vector<Round> rounds_;
  OptimizerState state_;
  at::Tensor masses_;  // [w], of push-sum
  at::Tensor running_mean_;
  std::int64_t running_steps_ = 0;
  Agreement agreement_;
  bool gradients_averaged_ = false;
  std::int64_t step_ = 0;
  std::int64_t next_event_ = 0;
  RoundCounts counts_;
  std::vector<LandedRound> landed_;
};

}  // namespace entrain
