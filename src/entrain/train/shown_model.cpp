#include "entrain/train/shown_model.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/core/errors.h"
#include "entrain/strategy/strategy_text.h"

namespace entrain {

ShownModel shown_model(const std::string& name) {
  if (name == "anchor") return ShownModel::anchor;
  if (name == "polyak_ruppert") return ShownModel::polyak_ruppert;
  if (name == "workers") return ShownModel::workers;
  ENTRAIN_CHECK(name == "average");
  return ShownModel::average;
}

void require_model(ShownModel model, const Strategy& strategy) {
  const auto& rounds = strategy.parameters;
  if (model != ShownModel::anchor || std::any_of(rounds.begin(), rounds.end(), needs_anchor)) {
    return;
  }
  throw UsageError(fmt::format(
      "{} keeps no anchor; evaluate the average, polyak_ruppert or the workers", print(strategy)));
}

at::Tensor average_model(const Rows& rows, Communicator& comm) {
  const at::Tensor mean = at::empty({1, rows.everything().size(1)}, rows.everything().options());
  comm.launch_mean(rows.everything(), mean)->wait();
  return mean;
}

at::Tensor model_beside(const at::Tensor& average, ShownModel model, const Synchronizer& sync,
                        Communicator& comm) {
  at::Tensor parameters;
  if (model == ShownModel::anchor) {
    for (std::size_t i = 0; i < sync.strategy().parameters.size(); ++i) {
      if (sync.anchor(i).defined()) parameters = sync.anchor(i);
    }
    // Those of groups differ from worker to worker.
    if (parameters.defined() && parameters.size(0) > 1) parameters = parameters.mean(0, true);
  } else if (model == ShownModel::polyak_ruppert) {
    const at::Tensor& means = sync.running_mean();
    ENTRAIN_CHECK(means.defined());
    parameters = at::empty({1, means.size(1)}, means.options());
    comm.launch_mean(means, parameters)->wait();
  }
  if (!parameters.defined()) return average;  // the average itself, or no anchor yet
  at::Tensor row = average.clone();
  row.narrow(1, 0, parameters.size(1)).copy_(parameters);
  return row;
}

}  // namespace entrain
