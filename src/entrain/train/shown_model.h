#pragma once

#include "entrain/strategy/synchronizer.h"

namespace entrain {

/// Which of the models of a run is looked at.
enum class ShownModel {
  average,         ///< The mean of the workers' parameters and buffers.
  anchor,          ///< The anchors: of each slice that of the last round that keeps one.
  polyak_ruppert,  ///< The mean over all workers and all their steps.
  workers,         ///< Each worker's own, one after the other.
};
inline ShownModel average() { return ShownModel::average; }
inline ShownModel anchor() { return ShownModel::anchor; }
inline ShownModel polyak_ruppert() { return ShownModel::polyak_ruppert; }

/// The model of that name: average, anchor, polyak_ruppert or workers.
ShownModel shown_model(const std::string& name);

/// Refuses a model that a strategy does not have. Throws UsageError.
void require_model(ShownModel model, const Strategy& strategy);

/// What stands for the model of that name now: an anchor begins with its round, and is the average
/// until then.
std::string name_of_shown(const std::string& name, const Synchronizer& sync);

/// The mean of all workers' parameters and buffers [1, S + B]. An exchange; give it a communicator
/// that bills evaluations apart.
at::Tensor average_model(const Rows& rows, Communicator& comm);

/// `average` [1, S + B] with the parameters of `model` in place of its own. Buffers are the
/// workers' mean for all. An exchange for polyak_ruppert and for the anchors of groups. REQUIRES:
/// not `workers`; for polyak_ruppert a synchronizer that keeps the running mean.
at::Tensor model_beside(const at::Tensor& average, ShownModel model, const Synchronizer& sync,
                        Communicator& comm);

}  // namespace entrain
