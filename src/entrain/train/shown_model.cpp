#include "entrain/train/shown_model.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/core/errors.h"
#include "entrain/strategy/strategy_text.h"

namespace entrain {
namespace {

// The mean over the workers of rows that each has of its own [w, S].
at::Tensor mean_of(const at::Tensor& rows, Communicator& comm) {
  const at::Tensor mean = at::empty({1, rows.size(1)}, rows.options());
  comm.launch_mean(rows, mean)->wait();
  return mean;
}

// Of several anchors on one slice the last counts; fragments have one each, and so have groups.
void copy_anchors(const Synchronizer& sync, Communicator& comm, const at::Tensor& row) {
  for (std::size_t i = 0; i < sync.strategy().parameters.size(); ++i) {
    const ParameterRound& round = sync.strategy().parameters[i];
    at::Tensor anchor = sync.anchor(i);
    if (!anchor.defined()) continue;
    if (round.whom.kind != Topology::Kind::everyone) anchor = mean_of(anchor, comm);
    std::int64_t at = 0;
    for (const Span& span : columns_of(round.slice, sync.layout())) {
      row.narrow(1, span.begin, span.count).copy_(anchor.narrow(1, at, span.count));
      at += span.count;
    }
  }
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

std::string name_of_shown(const std::string& name, const Synchronizer& sync) {
  if (shown_model(name) != ShownModel::anchor) return name;
  for (std::size_t i = 0; i < sync.strategy().parameters.size(); ++i) {
    if (sync.anchor(i).defined()) return name;
  }
  return "average";
}

at::Tensor average_model(const Rows& rows, Communicator& comm) {
  return mean_of(rows.everything(), comm);
}

at::Tensor model_beside(const at::Tensor& average, ShownModel model, const Synchronizer& sync,
                        Communicator& comm) {
  if (model == ShownModel::average) return average;
  const at::Tensor row = average.clone();
  if (model == ShownModel::anchor) {
    copy_anchors(sync, comm, row);
  } else {
    const at::Tensor& means = sync.running_mean();
    ENTRAIN_CHECK(means.defined());
    row.narrow(1, 0, means.size(1)).copy_(mean_of(means, comm));
  }
  return row;
}

}  // namespace entrain
