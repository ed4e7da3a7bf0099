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
#include "reference/problem.h"

namespace entrain {

/// The engine on a reference::Problem, in double: rows of this process, gradients from the
/// problem's own formula.
class Engine {
 public:
  Engine(const reference::Problem& problem, const reference::Sgd& options,
         const std::string& strategy)
      : problem_(problem),
        base_lr_(options.lr),
        team_(1),
        rows_(models(problem)),
        local_(local_communicator(problem.workers)),
        faulty_(*local_, [this](std::int64_t number) { return fault(number); }),
        metered_(faulty_),
        sync_(rows_, metered_, parse_strategy(strategy)),
        optimizer_(sgd(rows_, team_,
                       {options.lr, options.momentum, 0, options.weight_decay, options.nesterov})) {
  }

  /// The learning rate of step t is the optimizer's times factor(t).
  std::function<double(int)> lr_factor = [](int) { return 1.0; };

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
    for (int i = 0; i < problem_.workers; ++i) {
      for (int j = 0; j < problem_.size; ++j) g[i][j] = problem_.gradient(i, t, j, x[i][j]);
    }
    before_exchanges();
    sync_.reduce_gradients();
    optimizer_->step();
    before_exchanges();
    sync_.advance(at::zeros({problem_.workers}), optimizer_->lr());
  }

  Engine& run(int steps) {
    for (int t = 0; t < steps; ++t) step();
    return *this;
  }

  /// The largest difference to the rows of `state`.
  double deviation(const reference::State& state) const {
    double largest = 0;
    const auto x = rows_.parameters().accessor<double, 2>();
    for (int i = 0; i < problem_.workers; ++i) {
      for (int j = 0; j < problem_.size; ++j)
        largest = std::max(largest, std::abs(x[i][j] - state.x[i][j]));
    }
    return largest;
  }

  double deviation(const Engine& other) const {
    return (rows_.parameters() - other.rows_.parameters()).abs().max().item<double>();
  }

  at::Tensor row(int worker) const {
    return rows_.parameters()[worker].narrow(0, 0, problem_.size).clone();
  }
  at::Tensor mean_row() const { return rows_.parameters().mean(0).narrow(0, 0, problem_.size); }
  Synchronizer& sync() { return sync_; }
  const Metered& metered() const { return metered_; }
  const Rows& rows() const { return rows_; }

 private:
  static std::vector<ModelTensors> models(const reference::Problem& problem) {
    std::vector<ModelTensors> all;
    for (int i = 0; i < problem.workers; ++i) {
      const at::Tensor x = at::empty({problem.size}, at::kDouble);
      for (int j = 0; j < problem.size; ++j) x[j] = problem.start(j);
      all.push_back({{{"x", at::Tensor(x).set_requires_grad(true)}}});
    }
    return all;
  }

  reference::Problem problem_;
  double base_lr_;
  Team team_;
  Rows rows_;
  std::unique_ptr<Communicator> local_;
  Faulty faulty_;
  Metered metered_;
  Synchronizer sync_;
  std::unique_ptr<Optimizer> optimizer_;
};

}  // namespace entrain
