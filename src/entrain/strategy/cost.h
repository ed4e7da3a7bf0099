#pragma once

#include "entrain/strategy/agenda.h"
#include "entrain/strategy/layout.h"
#include "entrain/strategy/round.h"

namespace entrain {

/// Rounds by kind, as summary.json counts them.
struct RoundCounts {
  std::int64_t everyone = 0, groups = 0, neighbours = 0, gradients = 0;
  std::int64_t& of(Topology::Kind kind) {
    return kind == Topology::Kind::everyone ? everyone
           : kind == Topology::Kind::groups ? groups
                                            : neighbours;
  }
  std::int64_t all() const { return everyone + groups + neighbours + gradients; }
  bool operator==(const RoundCounts&) const = default;
};

/// "12 everyone, 88 neighbours", or "none".
std::string print(const RoundCounts& rounds);

/// What a strategy costs.
struct Cost {
  RoundCounts rounds;
  double bytes_sent_per_worker = 0;  ///< Payload, as if each worker were alone on its host.
};

/// What a row weighs, padding included.
struct RowBytes {
  double parameters = 0;
  double buffers = 0;  ///< Floating ones, as BatchNorm's; zero if they are not averaged.
  double state = 0;    ///< The optimizer's buffers.
  double item = 4;     ///< One number.
  /// Of the parameters, for codecs and fragments; where it is null they are taken as one square
  /// matrix of equal fragments.
  const Layout* layout = nullptr;
};

/// The inner learning rate of a step (from 1).
using LrOfStep = std::function<double(std::int64_t step)>;

/// Predicts what `steps` steps of n workers cost. What is left in flight at the end is counted; an
/// average taken only to evaluate is not. Schedules that read the loss are taken at a constant one.
Cost predict_cost(
    const Strategy& strategy, int n, std::int64_t steps, RowBytes row,
    const LrOfStep& lr = [](std::int64_t) { return 0.1; });

/// Whether a schedule of the strategy reads the loss.
bool reads_loss(const Strategy& strategy);

/// Whether the cost depends on the shapes of the model's tensors: low rank and fragments.
bool needs_shapes(const Strategy& strategy);

/// The long-run step of the workers' mean over the learning rate: below 1 where a round pulls
/// towards an anchor that lags by a period, (1 - alpha) / (1 - alpha beta) for Overlap-Local-SGD; 1
/// for all others, which is not to say that theirs is. The learning rate should be divided by it to
/// compare with synchronous SGD.
double effective_step(const Strategy& strategy);

/// Whether the workers' parameters are known to be equal: they start equal, and stay so while every
/// step averages the gradients of everyone; after that, just when an everyone round has been
/// adopted.
class Agreement {
 public:
  void stepped(bool gradients_averaged) {
    synchronous_ = synchronous_ && gradients_averaged;
    adopted_ = false;
  }
  void adopted() { adopted_ = true; }
  bool equal() const { return synchronous_ || adopted_; }

 private:
  bool synchronous_ = true;
  bool adopted_ = false;
};

/// The rounds on one slice of the parameters, and when which of them fires.
struct SliceAgenda {
  std::vector<std::size_t> rounds;  ///< Their places in the strategy's list.
  Agenda agenda;
};

/// The agendas of a strategy's two lists.
Agenda gradient_agenda(const Strategy& strategy);
std::vector<SliceAgenda> parameter_agendas(const Strategy& strategy);

/// Whether a round makes all workers equal when it lands.
bool equalises(const ParameterRound& round);

/// Whether what a round averages is, as a rule, near to what it averaged before, and sent as it is:
/// not so of deltas, of codes and among neighbours, who differ.
bool stays_near(const ParameterRound& round);

/// Whether a round keeps an anchor from landing to landing: a mean of parameters is one only while
/// it lands.
bool needs_anchor(const ParameterRound& round);

}  // namespace entrain
