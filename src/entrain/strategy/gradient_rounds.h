#pragma once

#include <optional>

#include "entrain/comm/timeline.h"
#include "entrain/strategy/agenda.h"
#include "entrain/strategy/coder.h"
#include "entrain/strategy/round.h"
#include "entrain/strategy/rows.h"

namespace entrain {

/// The gradient rounds of a strategy: which is due in a step, what of it is on its way.
class GradientRounds {
 public:
  /// `rows`, `comm` and `timeline` must outlive this.
  GradientRounds(const Strategy& strategy, Rows& rows, Communicator& comm, Timeline& timeline);

  const std::vector<Mixings>& mixings() const { return mixings_; }

  /// See Synchronizer.
  bool sends_early() const { return buckets_.size() > 1; }
  void final_from(std::int64_t step, std::int64_t column);

  struct Landed {
    bool everyone;  ///< All workers have one gradient now.
    double blocked_seconds;
  };
  /// Exchanges the gradients of step `step`, what has not left yet, and puts the result into the
  /// rows; nothing where no round is due.
  std::optional<Landed> reduce(std::int64_t step);

  /// REQUIRES: as Synchronizer::rebind.
  void rebind(Communicator& comm);

 private:
  struct Flight {
    int firing;
    std::int64_t turn;                                      // of its topology
    std::vector<std::unique_ptr<Exchange>> exchanges = {};  // of the buckets that have left
  };
  bool can_send_early() const;
  bool begin(std::int64_t step);
  bool in_place() const;
  void send(std::int64_t column);

  std::vector<GradientRound> specs_;
  Rows& rows_;
  Communicator* comm_;
  Timeline& timeline_;
  Agenda agenda_;
  std::vector<Mixings> mixings_;
  std::vector<std::shared_ptr<Coder>> coders_;  // null for exact
  std::vector<Span> buckets_;                   // the last columns first
  at::Tensor mean_;                             // [r, S]
  std::optional<Flight> flight_;
};

}  // namespace entrain
