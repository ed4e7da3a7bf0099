#pragma once

#include "entrain/config/settings.h"
#include "entrain/report/records.h"
#include "entrain/train/shown_model.h"
#include "entrain/train/worker.h"

namespace entrain {

/// Says how good the model of a run is: by test samples, or by the distance to a problem's optimum.
class Score {
 public:
  virtual ~Score() = default;

  /// Whether this step belongs to those before an evaluation whose mean the figures are.
  virtual bool looks() const { return false; }
  /// Takes this step into that mean. An exchange, as take().
  virtual void look() {}

  /// The figures of now, also put into `summary`; `last`: at the end of the run, where more is
  /// looked at. An exchange over the communicator that bills evaluations apart.
  virtual EvaluationRecord take(Summary& summary, bool last) = 0;

  /// The model that was looked at last [1, S + B]: what a run saves.
  virtual const at::Tensor& model() const = 0;
};

/// What is scored, and how. All of it outlives the score.
struct Scored {
  const Settings::Evaluation& settings;
  std::int64_t every = 1, steps = 1;  ///< Steps between evaluations, and of the run.
  const Training& training;
  Workers& workers;
  Communicator& comm;  ///< Bills evaluations apart.
  Team& team;
};

/// By a data set's test samples: loss and accuracy, with BatchNorm's statistics as asked for.
std::unique_ptr<Score> dataset_score(const Scored& scored);

/// By f itself: f - f* of the shown model and of the workers' own (the mean over at most 100 of
/// them, evenly spaced), the squared norm of f's gradient there, squared distances to the optimum,
/// the consensus distance; each the mean over the last `evaluation.window` steps, so that a method
/// that averages periodically is not looked at on its best or worst steps only.
std::unique_ptr<Score> problem_score(const Scored& scored);

}  // namespace entrain
