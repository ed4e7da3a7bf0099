#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/train/evaluate.h"
#include "entrain/train/score.h"

namespace entrain {
namespace {

class ProblemScore : public Score {
 public:
  explicit ProblemScore(const Scored& scored)
      : scored_(scored),
        problem_(*scored.training.objective.problem),
        optimum_(problem_.optimum()),
        shown_(shown_model(scored.settings.model)) {
    const std::int64_t first = scored.comm.first_worker(),
                       end = first + scored.comm.local_workers();
    for (std::int64_t k = 0; k < looked_at(); ++k) {
      const std::int64_t worker = k * scored.comm.workers() / looked_at();
      if (worker >= first && worker < end) looked_at_here_.push_back(worker - first);
    }
  }

  bool looks() const override {
    const std::int64_t step = scored_.workers.synchronizer().step();
    const std::int64_t next =
        std::min((step + scored_.every - 1) / scored_.every * scored_.every, scored_.steps);
    return step < next && step > next - scored_.settings.window;
  }

  void look() override {
    const Figures now = figures();
    for (std::size_t i = 0; i < now.size(); ++i) sums_[i] += now[i];
    ++count_;
  }

  EvaluationRecord take(Summary& summary, bool) override {
    look();
    for (double& figure : sums_) figure /= static_cast<double>(count_);
    ProblemFigures figures = {.objective = sums_[0], .gradient_norm2 = sums_[2]};
    if (optimum_) {
      figures.excess = sums_[0] - optimum_->value;
      figures.excess_nodes = sums_[1] - optimum_->value;
      figures.distance2 = sums_[3];
      figures.distance2_nodes = sums_[4];
    }
    summary.problem = figures;
    summary.consensus_distance = std::sqrt(sums_[5]);
    summary.evaluated_model = name_of_shown(scored_.settings.model, scored_.workers.synchronizer());
    sums_ = {};
    count_ = 0;
    return {.model = summary.evaluated_model,
            .problem = figures,
            .consensus_distance = *summary.consensus_distance};
  }

  const at::Tensor& model() const override { return model_; }

 private:
  // Of more workers than this only so many, evenly spaced, have their own f evaluated: all of them
  // would cost the square of their number.
  static constexpr std::int64_t most_looked_at = 100;
  std::int64_t looked_at() const {
    return std::min<std::int64_t>(most_looked_at, scored_.comm.workers());
  }

  // f of the shown model and of the workers' own (mean), |grad f|^2, squared distances of both to
  // the optimum, squared consensus distance.
  using Figures = std::array<double, 6>;

  Figures figures();
  double squared_gradients(const at::Tensor& points) const;

  Scored scored_;
  const Problem& problem_;
  std::optional<Optimum> optimum_;
  ShownModel shown_;
  std::vector<std::int64_t> looked_at_here_;  // rows of this process
  at::Tensor model_;
  Figures sums_ = {};
  std::int64_t count_ = 0;
};

// The sum of |grad f|^2 over the points [r, d].
double ProblemScore::squared_gradients(const at::Tensor& points) const {
  double sum = 0;
  for (const at::Tensor& point : points.unbind(0)) {
    sum += problem_.gradient(point).square().sum().item<double>();
  }
  return sum;
}

double squared_distance(const at::Tensor& rows, const at::Tensor& point) {
  return (rows - point).square().sum(at::kDouble).item<double>();
}

ProblemScore::Figures ProblemScore::figures() {
  const Rows& rows = scored_.workers.rows();
  const std::int64_t items = rows.layout().items;
  const at::Tensor average = average_model(rows, scored_.comm);
  const bool own = shown_ == ShownModel::workers;
  model_ =
      own ? average : model_beside(average, shown_, scored_.workers.synchronizer(), scored_.comm);
  const at::Tensor x = rows.parameters().narrow(1, 0, items);
  const auto n = static_cast<double>(scored_.comm.workers());
  const auto over_workers = [&](double sum) { return sum_over_processes(sum, scored_.comm) / n; };
  const auto over_some = [&](double sum) {
    return sum_over_processes(sum, scored_.comm) / static_cast<double>(looked_at());
  };
  const at::Tensor some = x.index_select(0, at::tensor(looked_at_here_, at::kLong));
  const at::Tensor shown = model_.narrow(1, 0, items).to(at::kDouble);
  Figures figures = {};
  figures[1] = over_some(problem_.objective(some).sum().item<double>());
  figures[0] = own ? figures[1] : problem_.objective(shown).item<double>();
  figures[2] = own ? over_some(squared_gradients(some)) : squared_gradients(shown);
  if (optimum_) {
    figures[4] = over_workers(squared_distance(x, optimum_->point));
    figures[3] = own ? figures[4] : squared_distance(shown, optimum_->point);
  }
  figures[5] = over_workers(squared_distance(x, average.narrow(1, 0, items)));
  return figures;
}

}  // namespace

std::unique_ptr<Score> problem_score(const Scored& scored) {
  return std::make_unique<ProblemScore>(scored);
}

}  // namespace entrain
