#include "entrain/model/linear_problem.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <mutex>
#include <numeric>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"
#include "entrain/model/full_loss.h"
#include "entrain/model/problem_limits.h"

namespace entrain {
namespace {

// The samples in the order of the shards: those of a worker lie together.
std::vector<std::int64_t> joined(const LinearTask& task) {
  std::vector<std::int64_t> order;
  for (const auto& shard : task.shards) order.insert(order.end(), shard.begin(), shard.end());
  if (!task.shards.empty()) return order;
  order.resize(task.data.samples);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

struct Range {
  std::int64_t first, size;
};

// Where each worker's samples are.
std::vector<Range> ranges_of(const LinearTask& task, int workers) {
  if (task.shards.empty()) return std::vector<Range>(workers, {0, task.data.samples});
  std::vector<Range> ranges;
  std::int64_t first = 0;
  for (const auto& shard : task.shards) {
    ranges.push_back({first, static_cast<std::int64_t>(shard.size())});
    first += ranges.back().size;
  }
  return ranges;
}

// Workers weigh 1/n each, whatever the sizes of their shards.
std::vector<WeightedRange> weighed(const LinearTask& task) {
  const auto all = static_cast<double>(task.data.samples);
  if (task.shards.empty()) return {{0, task.data.samples, 1 / all}};
  const auto workers = static_cast<int>(task.shards.size());
  std::vector<WeightedRange> weighed;
  for (const Range& shard : ranges_of(task, workers)) {
    const double weight = 1 / static_cast<double>(shard.size) / workers;
    if (!weighed.empty() && weighed.back().weight == weight) {
      weighed.back().size += shard.size;
    } else {
      weighed.push_back({shard.first, shard.size, weight});
    }
  }
  return weighed;
}

class LinearProblem : public Problem {
 public:
  LinearProblem(const LinearTask& task, const ProblemFacts& facts)
      : losses_(task.loss, task.classes, task.data, joined(task), facts.type),
        shards_(ranges_of(task, facts.workers)),
        weighed_(weighed(task)),
        penalty_{task.lambda, task.rho},
        batch_(facts.batch),
        seed_(facts.seed),
        start_at_optimum_(task.start_at_optimum),
        known_(task.known) {}

  std::int64_t dimension() const override { return losses_.parameters(); }

  at::Tensor start() const override {
    if (!start_at_optimum_) return at::zeros({dimension()}, at::kDouble);
    const std::optional<Optimum> least = optimum();
    if (least) return least->point.clone();
    throw UsageError("start = optimum: this problem has no optimum that could be computed");
  }

  void gradients(std::int64_t step, int first, const at::Tensor& x, at::Tensor gradients,
                 at::Tensor losses) const override {
    ENTRAIN_CHECK(x.scalar_type() == losses_.type() && gradients.scalar_type() == losses_.type());
    ENTRAIN_CHECK(x.size(1) == dimension() && x.stride(1) == 1 && gradients.stride(1) == 1);
    ENTRAIN_CHECK(first >= 0 && first + x.size(0) <= static_cast<std::int64_t>(shards_.size()));
    if (losses_.type() == at::kFloat) {
      all_workers<float>(step, first, x, gradients, losses);
    } else {
      all_workers<double>(step, first, x, gradients, losses);
    }
  }

  at::Tensor objective(const at::Tensor& points) const override {
    const at::Tensor x = points.to(at::kDouble).contiguous();
    at::Tensor result = at::empty({x.size(0)}, at::kDouble);
    double* values = result.data_ptr<double>();
    for (std::int64_t p = 0; p < x.size(0); ++p) {
      values[p] = penalty_.at(x.data_ptr<double>() + p * dimension(), dimension());
    }
    for (const WeightedRange& range : weighed_) {
      losses_.add_losses(range.first, range.size, range.weight, x, values);
    }
    return result;
  }

  at::Tensor gradient(const at::Tensor& point) const override {
    const at::Tensor x = point.to(at::kDouble).contiguous();
    const double* at = x.data_ptr<double>();
    std::vector<double> result(dimension());
    FullLoss(losses_, weighed_, penalty_).at({at, at + dimension()}, result);
    return at::tensor(result, at::kDouble);
  }

  std::optional<Optimum> optimum() const override {
    if (known_) return known_;
    if (penalty_.rho != 0) return std::nullopt;
    std::call_once(once_, [&] {
      FullLoss full(losses_, weighed_, penalty_);
      const auto least = minimise(full, std::vector<double>(dimension()));
      if (least) computed_ = Optimum{at::tensor(least->point, at::kDouble), least->value};
    });
    return computed_;
  }

 private:
  template <class T>
  void all_workers(std::int64_t step, int first, const at::Tensor& x, at::Tensor& gradients,
                   at::Tensor& losses) const {
    BatchLoss::Space<T> space = losses_.space<T>();
    std::vector<std::uint32_t> picked(batch_);
    for (std::int64_t i = 0; i < x.size(0); ++i) {
      draw(step, static_cast<int>(first + i), picked);
      losses.data_ptr<double>()[i * losses.stride(0)] =
          one_worker(picked, x.data_ptr<T>() + i * x.stride(0),
                     gradients.data_ptr<T>() + i * gradients.stride(0), space);
    }
  }

  void draw(std::int64_t step, int worker, std::vector<std::uint32_t>& picked) const {
    const Range& shard = shards_[worker];
    const auto size = static_cast<std::uint64_t>(shard.size);
    Stream stream(seed_, Purpose::sample, worker, step);
    for (std::uint32_t& one : picked) {
      one = static_cast<std::uint32_t>(shard.first + ((stream.next() * size) >> 32));
    }
  }

  template <class T>
  double one_worker(BatchLoss::Picked picked, const T* x, T* gradient,
                    BatchLoss::Space<T>& space) const {
    const double weight = 1 / static_cast<double>(batch_);
    const std::int64_t chunk = losses_.chunk();
    double sum = 0;
    losses_.start(x, space);
    for (std::int64_t at = 0; at < batch_; at += chunk) {
      sum += losses_.add(picked.subspan(at, std::min(chunk, batch_ - at)), weight, space);
    }
    losses_.finish(space, gradient);
    penalty_.add_slope(x, dimension(), gradient);
    return sum * weight + penalty_.at(x, dimension());
  }

  BatchLoss losses_;
  std::vector<Range> shards_;
  std::vector<WeightedRange> weighed_;
  Penalty penalty_;
  std::int64_t batch_;
  std::uint64_t seed_;
  bool start_at_optimum_;
  std::optional<Optimum> known_;
  mutable std::once_flag once_;
  mutable std::optional<Optimum> computed_;
};

void require_samples(const LinearTask& task, const ProblemFacts& facts) {
  if (task.data.samples < 1 || task.data.samples > std::int64_t{0xFFFFFFFF}) {
    throw UsageError(fmt::format("samples = {}: must be from 1 to 2^32 - 1", task.data.samples));
  }
  ENTRAIN_CHECK(task.shards.empty() || static_cast<int>(task.shards.size()) == facts.workers);
  for (std::size_t i = 0; i < task.shards.size(); ++i) {
    if (!task.shards[i].empty()) continue;
    throw UsageError(fmt::format("partition = '{}': worker {} of {} has no samples",
                                 facts.partition, i, facts.workers));
  }
}

}  // namespace

std::unique_ptr<Problem> linear_problem(const LinearTask& task, const ProblemFacts& facts) {
  require_facts(facts);
  require_samples(task, facts);
  return std::make_unique<LinearProblem>(task, facts);
}

}  // namespace entrain
