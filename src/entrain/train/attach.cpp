#include "entrain/train/attach.h"

#include <torch/torch.h>

#include "entrain/comm/address.h"
#include "entrain/comm/local.h"
#include "entrain/comm/metered.h"
#include "entrain/comm/transport.h"
#include "entrain/comm/variables.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/train/backward.h"

namespace entrain {
namespace {

std::vector<ModelTensors> tensors_in(const torch::nn::Module& model) {
  ModelTensors tensors;
  for (const auto& item : model.named_parameters())
    tensors.parameters.push_back({item.key(), item.value()});
  for (const auto& item : model.named_buffers())
    tensors.buffers.push_back({item.key(), item.value()});
  return {tensors};
}

}  // namespace

std::unique_ptr<Communicator> join(const JoinOptions& options) {
  const Via via = options.mpi ? Via::mpi : Via::gloo;
  const Place place = place_for(via, environment());
  if (place.size == 1) return local_communicator(1);
  return join_processes(
      place, {.via = via,
              .sums = options.reproducible ? Sums::reproducible : Sums::fast,
              .lossless = options.lossless,
              .interface = options.interface.empty() ? text_of(environment(), kInterfaceVariable)
                                                     : options.interface,
              .join_timeout = options.timeout});
}

Shown::Shown(Rows& rows, const at::Tensor& model) : rows_(rows), own_(rows.everything().clone()) {
  rows_.verify();
  rows_.everything().copy_(model);
}

Shown::~Shown() { rows_.everything().copy_(own_); }

struct Attached::State {
  Rows rows;
  Metered training, evaluation;
  Synchronizer sync;
  std::optional<Backward> backward;

  State(torch::nn::Module& model, Communicator& comm, const std::string& strategy,
        const RunFacts& facts)
      : rows(tensors_in(model)),
        training(comm),
        evaluation(comm),
        sync(rows, training,
             with_local_state(parse_strategy(strategy, with_workers(facts, comm)))) {
    if (!sync.sends_early()) return;
    backward.emplace(trained_tensors(tensors_in(model)[0].parameters),
                     [this](std::int64_t column) { sync.gradients_final(column); });
  }

  static Strategy with_local_state(Strategy strategy) {
    for (const ParameterRound& round : strategy.parameters) {
      if (round.state.kind == StatePolicy::Kind::local) continue;
      throw UsageError(
          fmt::format("{}: state={} needs an optimizer of entrain's; that of a loop "
                      "of your own keeps its buffers to itself",
                      print(strategy), print(round.state.text)));
    }
    return strategy;
  }

  static RunFacts with_workers(RunFacts facts, const Communicator& comm) {
    if (facts.workers == 0) facts.workers = comm.workers();
    return facts;
  }
};

Attached::Attached(torch::nn::Module& model, Communicator& comm, const std::string& strategy,
                   const RunFacts& facts)
    : state_(std::make_unique<State>(model, comm, strategy, facts)) {}
Attached::~Attached() = default;
Attached::Attached(Attached&&) noexcept = default;

void Attached::backward(const at::Tensor& loss) {
  state_->backward ? (*state_->backward)(loss) : loss.backward();
}

void Attached::reduce_gradients() { state_->sync.reduce_gradients(); }
void Attached::advance(const at::Tensor& loss, double lr) {
  state_->sync.advance(loss, lr);
  state_->sync.take_landed();  // records are for runs that write them down
}
void Attached::finish() { state_->sync.finish(); }

void Attached::keep_running_mean() { state_->sync.keep_running_mean(); }

Shown Attached::show(ShownModel model) {
  require_model(model, state_->sync.strategy());
  if (model == ShownModel::workers) {
    throw UsageError("workers: the module shows this worker's own model already");
  }
  if (model == ShownModel::polyak_ruppert && !state_->sync.running_mean().defined()) {
    throw UsageError("polyak_ruppert: call keep_running_mean() before the first step");
  }
  const at::Tensor average = average_model(state_->rows, state_->evaluation);
  return Shown(state_->rows, model_beside(average, model, state_->sync, state_->evaluation));
}

const Synchronizer& Attached::synchronizer() const { return state_->sync; }
double Attached::bytes_sent_per_worker() const { return state_->training.bytes_sent_per_worker(); }

Attached synchronize(torch::nn::Module& model, Communicator& comm, const std::string& strategy,
                     const RunFacts& facts) {
  return Attached(model, comm, strategy, facts);
}

}  // namespace entrain
