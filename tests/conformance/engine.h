#pragma once

#include <ATen/ATen.h>

#include <functional>

#include "entrain/comm/faulty.h"
#include "entrain/comm/local.h"
#include "entrain/comm/metered.h"
#include "entrain/core/team.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/strategy/synchronizer.h"
#include "entrain/train/optimizer.h"
#include "reference/loss.h"

namespace entrain {

/// The engine on a reference::Problem, in double, with gradients and losses from the problem's own
/// formulas: all workers as rows of this process, or those that `comm` puts here.
class Engine {
 public:
  Engine(const reference::Problem& problem, const reference::Sgd& options,
         const std::string& strategy, Communicator* comm = nullptr,
         const std::vector<std::int64_t>& shape = {}, int layers = 1)
      : problem_(problem),
        base_lr_(options.lr),
        team_(1),
        local_(comm ? nullptr : local_communicator(problem.workers)),
        comm_(comm ? *comm : *local_),
        rows_(models(problem, comm_.local_workers(), shape, layers)),
        faulty_(comm_, [this](std::int64_t number) { return fault(number); }),
        metered_(faulty_),
        sync_(rows_, metered_,
              parse_strategy(strategy, {.workers = problem.workers, .steps = 100})),
        optimizer_(sgd(rows_, team_,
                       {options.lr, options.momentum, 0, options.weight_decay, options.nesterov})) {
    sync_.attach_state(optimizer_->state());
  }

  /// The learning rate of step t is the optimizer's times factor(t).
  std::function<double(int)> lr_factor = [](int) { return 1.0; };

  /// The gradient of worker i at step t in the coordinate j: the problem's, unless set.
  std::function<double(int i, int t, int j, double x)> gradient =
      [this](int i, int t, int j, double x) { return problem_.gradient(i, t, j, x); };

  /// What goes wrong with which exchange.
  std::function<Fault(std::int64_t)> fault = [](std::int64_t) { return Fault{}; };

  /// Called in each step after the optimizer's and before anything is exchanged of the parameters,
  /// and before gradients are.
  std::function<void()> before_exchanges = [] {};

  void step() {
    const int t = static_cast<int>(sync_.step()) + 1;
    optimizer_->set_lr(base_lr_ * lr_factor(t));
    auto x = rows_.parameters().accessor<double, 2>();
    auto g = rows_.gradients().accessor<double, 2>();
    at::Tensor losses = at::zeros({comm_.local_workers()}, at::kDouble);
    for (int i = 0; i < comm_.local_workers(); ++i) {
      const int worker = comm_.first_worker() + i;
      reference::Vector own(problem_.size);
      for (int j = 0; j < problem_.size; ++j) {
        own[j] = x[i][j];
        g[i][j] = gradient(worker, t, j, own[j]);
      }
      losses[i] = reference::loss(problem_, worker, t, own);
    }
    before_exchanges();
    sync_.reduce_gradients();
    optimizer_->step();
    before_exchanges();
    sync_.advance(losses, optimizer_->lr());
  }

  Engine& run(int steps) {
    for (int t = 0; t < steps; ++t) step();
    return *this;
  }

  /// The largest difference of the rows here to those of `state`, over the largest number of these
  /// where that is above 1: some settings of momentum upon momentum diverge, in the loop as well.
  double deviation(const reference::State& state) const {
    double largest = 0, size = 1;
    const auto x = rows_.parameters().accessor<double, 2>();
    for (int i = 0; i < comm_.local_workers(); ++i) {
      const reference::Vector& own = state.x[comm_.first_worker() + i];
      for (int j = 0; j < problem_.size; ++j) {
        const double difference = std::abs(x[i][j] - own[j]);
        size = std::max(size, std::abs(own[j]));
        if (!(difference <= largest)) largest = difference;  // not a number counts as well
      }
    }
    return largest / size;
  }

  double deviation(const Engine& other) const {
    return (rows_.parameters() - other.rows_.parameters()).abs().max().item<double>();
  }

  at::Tensor row(int worker) const {
    return rows_.parameters()[worker].narrow(0, 0, problem_.size).clone();
  }
  at::Tensor mean_row() const { return rows_.parameters().mean(0).narrow(0, 0, problem_.size); }
  Synchronizer& sync() { return sync_; }
  const Synchronizer& sync() const { return sync_; }
  const Metered& metered() const { return metered_; }
  const Rows& rows() const { return rows_; }

 private:
  // One tensor of that shape, or as many layers of equal size.
  static std::vector<ModelTensors> models(const reference::Problem& problem, int workers,
                                          const std::vector<std::int64_t>& shape, int layers) {
    std::vector<ModelTensors> all;
    for (int i = 0; i < workers; ++i) {
      ModelTensors model;
      const int size = problem.size / layers;
      for (int layer = 0; layer < layers; ++layer) {
        at::Tensor x = at::empty({size}, at::kDouble);
        for (int j = 0; j < size; ++j) x[j] = problem.start(layer * size + j);
        if (!shape.empty()) x = x.view(shape);
        model.parameters.push_back(
            {fmt::format("{}.x", layer), at::Tensor(x).set_requires_grad(true)});
      }
      all.push_back(model);
    }
    return all;
  }

  reference::Problem problem_;
  double base_lr_;
  Team team_;
  std::unique_ptr<Communicator> local_;
  Communicator& comm_;
  Rows rows_;
  Faulty faulty_;
  Metered metered_;
  Synchronizer sync_;
  std::unique_ptr<Optimizer> optimizer_;
};

}  // namespace entrain
