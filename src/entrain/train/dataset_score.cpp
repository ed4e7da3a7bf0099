#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "entrain/comm/local.h"
#include "entrain/train/evaluate.h"
#include "entrain/train/score.h"

namespace entrain {
namespace {

// Averaged statistics belong to averaged parameters: where a round makes the workers equal, or
// where they never part.
BatchNormPolicy batch_norm_policy(const Settings::Evaluation& settings, const Strategy& strategy) {
  const std::string& setting = settings.batch_norm;
  if (settings.model == "workers") return BatchNormPolicy::average;  // each one's own
  if (setting == "average") return BatchNormPolicy::average;
  if (setting == "recalibrate") return BatchNormPolicy::recalibrate;
  if (settings.model == "polyak_ruppert") return BatchNormPolicy::recalibrate;
  const bool adopts =
      std::any_of(strategy.parameters.begin(), strategy.parameters.end(), equalises);
  return adopts || strategy.parameters.empty() ? BatchNormPolicy::average
                                               : BatchNormPolicy::recalibrate;
}

const char* name_of(BatchNormPolicy policy) {
  return policy == BatchNormPolicy::average ? "average" : "recalibrate";
}

class DatasetScore : public Score {
 public:
  explicit DatasetScore(const Scored& scored)
      : settings_(scored.settings),
        workers_(scored.workers),
        comm_(scored.comm),
        evaluator_(scored.training.objective, scored.team),
        batch_norm_(batch_norm_policy(settings_, scored.training.strategy)),
        shown_(shown_model(settings_.model)) {}

  EvaluationRecord take(Summary& summary, bool last) override {
    const at::Tensor average = average_model(workers_.rows(), comm_);
    const bool own = shown_ == ShownModel::workers;
    model_ = own ? average : model_beside(average, shown_, workers_.synchronizer(), comm_);
    summary.consensus_distance = consensus_distance(workers_.rows(), average, comm_);
    const Evaluation test =
        own ? evaluate_workers(summary) : evaluator_.evaluate(model_, batch_norm_, comm_);
    summary.test_loss = test.loss;
    summary.test_accuracy = test.accuracy;
    if (evaluator_.has_statistics()) summary.batch_norm = own ? "own" : name_of(batch_norm_);
    summary.evaluated_model = name_of_shown(settings_.model, workers_.synchronizer());
    if (last && evaluator_.has_statistics() && !own) compare_batch_norm(summary);
    return {.model = summary.evaluated_model,
            .test_loss = test.loss,
            .test_accuracy = test.accuracy,
            .batch_norm = summary.batch_norm,
            .lowest_worker_accuracy = summary.lowest_worker_accuracy,
            .consensus_distance = *summary.consensus_distance};
  }

  const at::Tensor& model() const override { return model_; }

 private:
  Evaluation evaluate_workers(Summary& summary);
  void compare_batch_norm(Summary& summary);

  const Settings::Evaluation& settings_;
  Workers& workers_;
  Communicator& comm_;
  Evaluator evaluator_;
  BatchNormPolicy batch_norm_;
  ShownModel shown_;
  at::Tensor model_;
};

// The mean over the workers, each with its own BatchNorm statistics. A process evaluates its own
// workers alone.
Evaluation DatasetScore::evaluate_workers(Summary& summary) {
  const auto alone = local_communicator(1);
  std::vector<double> losses, accuracies;
  for (std::int64_t i = 0; i < workers_.rows().workers(); ++i) {
    const Evaluation own = evaluator_.evaluate(workers_.rows().everything().narrow(0, i, 1),
                                               BatchNormPolicy::average, *alone);
    losses.push_back(own.loss);
    accuracies.push_back(own.accuracy);
  }
  losses = gather_values(losses, comm_);
  accuracies = gather_values(accuracies, comm_);
  summary.lowest_worker_accuracy = *std::min_element(accuracies.begin(), accuracies.end());
  const auto n = static_cast<double>(losses.size());
  return {std::accumulate(losses.begin(), losses.end(), 0.0) / n,
          std::accumulate(accuracies.begin(), accuracies.end(), 0.0) / n};
}

// Both, beside each other: which one an averaged model needs depends on how far the workers are
// apart.
void DatasetScore::compare_batch_norm(Summary& summary) {
  const bool averaged = batch_norm_ == BatchNormPolicy::average;
  const Evaluation other = evaluator_.evaluate(
      model_, averaged ? BatchNormPolicy::recalibrate : BatchNormPolicy::average, comm_);
  summary.accuracy_averaged_batch_norm = averaged ? summary.test_accuracy : other.accuracy;
  summary.accuracy_recalibrated_batch_norm = averaged ? other.accuracy : summary.test_accuracy;
}

}  // namespace

std::unique_ptr<Score> dataset_score(const Scored& scored) {
  return std::make_unique<DatasetScore>(scored);
}

}  // namespace entrain
