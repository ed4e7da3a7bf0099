#include "entrain/train/shown_model.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/core/errors.h"
#include "entrain/strategy/strategy_text.h"

namespace entrain {
namespace {

// The index of the last round that has an anchor now; -1: none.
int anchored_round(const Synchronizer& sync) {
  for (int i = static_cast<int>(sync.strategy().parameters.size()) - 1; i >= 0; --i) {
    if (sync.anchor(i).defined()) return i;
  }
  return -1;
}

at::Tensor last_anchor(const Synchronizer& sync) {
  const int round = anchored_round(sync);
  return round < 0 ? at::Tensor() : sync.anchor(round);
}

// Groups keep an anchor each.
bool anchors_differ(const Synchronizer& sync) {
  const int round = anchored_round(sync);
  return round >= 0 && sync.strategy().parameters[round].whom.kind != Topology::Kind::everyone;
}

}  // namespace

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

bool has_model(ShownModel model, const Synchronizer& sync) {
  return model != ShownModel::anchor || anchored_round(sync) >= 0;
}

at::Tensor average_model(const Rows& rows, Communicator& comm) {
  const at::Tensor mean = at::empty({1, rows.everything().size(1)}, rows.everything().options());
  comm.launch_mean(rows.everything(), mean)->wait();
  return mean;
}

at::Tensor model_beside(const at::Tensor& average, ShownModel model, const Synchronizer& sync,
                        Communicator& comm) {
  at::Tensor parameters;
  if (model == ShownModel::anchor) parameters = last_anchor(sync);
  if (model == ShownModel::polyak_ruppert) parameters = sync.running_mean();
  if (!parameters.defined()) return average;  // the average itself, or no anchor yet
  const bool of_each_worker = model != ShownModel::anchor || anchors_differ(sync);
  if (of_each_worker) {
    const at::Tensor mean = at::empty({1, parameters.size(1)}, parameters.options());
    comm.launch_mean(parameters, mean)->wait();
    parameters = mean;
  }
  at::Tensor row = average.clone();
  row.narrow(1, 0, parameters.size(1)).copy_(parameters);
  return row;
}

}  // namespace entrain
