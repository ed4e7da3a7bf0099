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

  void stepped() override {
    const std::int64_t step = scored_.workers.synchronizer().step();
    const std::int64_t next =
        std::min((step + scored_.every - 1) / scored_.every * scored_.every, scored_.steps);
    if (step < next && step > next - scored_.settings.window) add(look());
  }

  EvaluationRecord take(Summary& summary, bool) override {
    add(look());
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

  Figures look();
  void add(const Figures& figures) {
    for (std::size_t i = 0; i < figures.size(); ++i) sums_[i] += figures[i];
    ++count_;
  }

  Scored scored_;
  const Problem& problem_;
  std::optional<Optimum> optimum_;
  ShownModel shown_;
  std::vector<std::int64_t> looked_at_here_;  // rows of this process
  at::Tensor model_;
  Figures sums_ = {};
  std::int64_t count_ = 0;
};

double squared_distance(const at::Tensor& rows, const at::Tensor& point) {
  return (rows - point).square().sum(at::kDouble).item<double>();
}

ProblemScore::Figures ProblemScore::look() {
  const Rows& rows = scored_.workers.rows();
  const std::int64_t items = rows.layout().items;
  const at::Tensor average = average_model(rows, scored_.comm);
  const bool own = shown_ == ShownModel::workers;
  model_ =
      own ? average : model_beside(average, shown_, scored_.workers.synchronizer(), scored_.comm);
  const at::Tensor x = rows.parameters().narrow(1, 0, items);
  const at::Tensor shown = model_.narrow(1, 0, items).to(at::kDouble);
  const auto n = static_cast<double>(scored_.comm.workers());
  const auto over_workers = [&](double sum) { return sum_over_processes(sum, scored_.comm) / n; };
  Figures figures = {};
  figures[0] = problem_.objective(shown).item<double>();
  const at::Tensor some = x.index_select(0, at::tensor(looked_at_here_, at::kLong));
  figures[1] = sum_over_processes(problem_.objective(some).sum().item<double>(), scored_.comm) /
               static_cast<double>(looked_at());
  figures[2] = problem_.gradient(shown[0]).square().sum().item<double>();
  if (optimum_) {
    figures[3] = squared_distance(shown, optimum_->point);
    figures[4] = over_workers(squared_distance(x, optimum_->point));
  }
  figures[5] = over_workers(squared_distance(x, average.narrow(1, 0, items)));
  return figures;
}

}  // namespace

std::unique_ptr<Score> problem_score(const Scored& scored) {
  return std::make_unique<ProblemScore>(scored);
}

}  // namespace entrain
