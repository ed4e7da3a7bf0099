#include "entrain/model/linear_problem.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"
#include "entrain/model/newton.h"
#include "entrain/model/problem_limits.h"
#include "entrain/model/sample_rows.h"

namespace entrain {
namespace {

using Index = std::int64_t;

struct Range {
  Index first, size;
};

/// Samples in a row that weigh the same in f.
struct Weighed {
  Range range;
  double weight;
};

std::vector<Index> joined(const LinearTask& task) {
  std::vector<Index> order;
  for (const auto& shard : task.shards) order.insert(order.end(), shard.begin(), shard.end());
  if (!task.shards.empty()) return order;
  order.resize(task.data.samples);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

std::vector<Range> ranges_of(const LinearTask& task, const ProblemFacts& facts) {
  if (task.shards.empty()) return std::vector<Range>(facts.workers, {0, task.data.samples});
  ENTRAIN_CHECK(static_cast<int>(task.shards.size()) == facts.workers);
  std::vector<Range> ranges;
  Index first = 0;
  for (const auto& shard : task.shards) {
    ranges.push_back({first, static_cast<Index>(shard.size())});
    first += ranges.back().size;
  }
  return ranges;
}

// Workers weigh 1/n each, whatever the sizes of their shards.
std::vector<Weighed> weighed(const LinearTask& task, const std::vector<Range>& shards) {
  if (task.shards.empty()) {
    return {{shards[0], 1 / static_cast<double>(shards[0].size)}};
  }
  std::vector<Weighed> parts;
  for (const Range& shard : shards) {
    const double weight = 1 / static_cast<double>(shard.size) / static_cast<double>(shards.size());
    if (!parts.empty() && parts.back().weight == weight) {
      parts.back().range.size += shard.size;
    } else {
      parts.push_back({shard, weight});
    }
  }
  return parts;
}

/// lambda/2 |x|^2 + rho sum_j x_j^2 / (1 + x_j^2)
struct Penalty {
  double lambda, rho;

  template <class T>
  double at(const T* x, Index items) const {
    double squares = 0, bounded = 0;
    for (Index j = 0; j < items; ++j) {
      const double square = static_cast<double>(x[j]) * static_cast<double>(x[j]);
      squares += square;
      if (rho != 0) bounded += square / (1 + square);
    }
    return lambda / 2 * squares + rho * bounded;
  }

  template <class T>
  void add_slope(const T* __restrict x, Index items, T* __restrict slope) const {
    const T factor = static_cast<T>(lambda), bound = static_cast<T>(2 * rho);
    for (Index j = 0; j < items; ++j) slope[j] += factor * x[j];
    if (rho == 0) return;
    for (Index j = 0; j < items; ++j) {
      slope[j] += bound * x[j] / ((1 + x[j] * x[j]) * (1 + x[j] * x[j]));
    }
  }
};

class LinearProblem : public Problem {
 public:
  LinearProblem(const LinearTask& task, const ProblemFacts& facts)
      : rows_(task.data, joined(task), facts.type),
        labels_(task.data.labels.index_select(0, at::tensor(joined(task), at::kLong))),
        shards_(ranges_of(task, facts)),
        weighed_(weighed(task, shards_)),
        penalty_{task.lambda, task.rho},
        loss_(task.loss),
        classes_(task.classes),
        batch_(facts.batch),
        seed_(facts.seed),
        start_at_optimum_(task.start_at_optimum),
        known_(task.known) {}

  Index dimension() const override { return classes_ * rows_.features(); }

  at::Tensor start() const override {
    if (!start_at_optimum_) return at::zeros({dimension()}, at::kDouble);
    const std::optional<Optimum> best = optimum();
    if (best) return best->point.clone();
    throw UsageError("start = optimum: this problem has no optimum that could be computed");
  }

  void gradients(Index step, int first, const at::Tensor& x, at::Tensor gradients,
                 at::Tensor losses) const override {
    ENTRAIN_CHECK(x.scalar_type() == rows_.type() && gradients.scalar_type() == rows_.type());
    ENTRAIN_CHECK(x.size(1) == dimension() && x.stride(1) == 1 && gradients.stride(1) == 1);
    ENTRAIN_CHECK(first >= 0 && first + x.size(0) <= static_cast<Index>(shards_.size()));
    if (rows_.type() == at::kFloat) {
      all_workers<float>(step, first, x, gradients, losses);
    } else {
      all_workers<double>(step, first, x, gradients, losses);
    }
  }

  at::Tensor objective(const at::Tensor& points) const override;
  at::Tensor gradient(const at::Tensor& point) const override;
  std::optional<Optimum> optimum() const override;

 private:
  friend class FullLoss;

  /// What a call of gradients() works in.
  template <class T>
  struct Space {
    std::vector<T> x, sums;  // [classes, width]
    std::vector<std::uint32_t> picked;
    std::vector<double> scores, slopes;  // [classes, loss_chunk]
  };

  template <class T>
  void all_workers(Index step, int first, const at::Tensor& x, at::Tensor& gradients,
                   at::Tensor& losses) const {
    const std::size_t size = classes_ * rows_.width();
    Space<T> space{std::vector<T>(size), std::vector<T>(size), std::vector<std::uint32_t>(batch_),
                   std::vector<double>(classes_ * loss_chunk),
                   std::vector<double>(classes_ * loss_chunk)};
    for (Index i = 0; i < x.size(0); ++i) {
      draw(step, static_cast<int>(first + i), space.picked);
      const double loss = one_worker(x.data_ptr<T>() + i * x.stride(0),
                                     gradients.data_ptr<T>() + i * gradients.stride(0), space);
      losses.data_ptr<double>()[i * losses.stride(0)] = loss;
    }
  }

  void draw(Index step, int worker, std::vector<std::uint32_t>& picked) const {
    const Range& shard = shards_[worker];
    Stream stream(seed_, Purpose::sample, worker, step);
    for (std::uint32_t& one : picked) {
      const auto size = static_cast<std::uint64_t>(shard.size);
      one = static_cast<std::uint32_t>(shard.first + ((stream.next() * size) >> 32));
    }
  }

  template <class T>
  double one_worker(const T* x, T* gradient, Space<T>& space) const {
    const Index features = rows_.features(), width = rows_.width();
    for (Index c = 0; c < classes_; ++c) {
      std::copy_n(x + c * features, features, space.x.data() + c * width);
    }
    std::fill(space.sums.begin(), space.sums.end(), T(0));
    const double loss = mean_loss(space);
    for (Index c = 0; c < classes_; ++c) {
      std::copy_n(space.sums.data() + c * width, features, gradient + c * features);
    }
    penalty_.add_slope(x, dimension(), gradient);
    return loss + penalty_.at(x, dimension());
  }

  template <class T>
  double mean_loss(Space<T>& space) const {
    const std::span<const std::uint32_t> picked = space.picked;
    const double weight = 1 / static_cast<double>(batch_);
    double sum = 0;
    for (Index at = 0; at < batch_; at += chunk()) {
      const auto some = picked.subspan(at, std::min(chunk(), batch_ - at));
      sum += chunk_loss(some, weight, space.x.data(), space);
    }
    return sum * weight;
  }

  // Each row is met twice, the second time in the nearest cache.
  template <class T>
  double chunk_loss(std::span<const std::uint32_t> picked, double weight, const T* x,
                    Space<T>& space) const {
    const auto count = static_cast<Index>(picked.size());
    scores(picked, x, space.scores.data());
    double labels[loss_chunk];
    for (Index k = 0; k < count; ++k) labels[k] = labels_at()[picked[k]];
    const double sum =
        derivatives(loss_, count, classes_, space.scores.data(), labels, space.slopes.data());
    for (Index k = 0; k < classes_ * count; ++k) space.slopes[k] *= weight;
    add(picked, space.slopes.data(), space.sums.data());
    return sum;
  }

  template <class T>
  void scores(std::span<const std::uint32_t> picked, const T* x, double* scores) const {
    for (Index c = 0; c < classes_; ++c) {
      rows_.dots(picked, x + c * rows_.width(), scores + c * static_cast<Index>(picked.size()));
    }
  }

  template <class T>
  void add(std::span<const std::uint32_t> picked, const double* slopes, T* sums) const {
    for (Index c = 0; c < classes_; ++c) {
      rows_.add(picked, slopes + c * static_cast<Index>(picked.size()), sums + c * rows_.width());
    }
  }

  Index chunk() const {
    constexpr Index near_cache = 24 * 1024;  // bytes of rows at a time
    if (rows_.sparse()) return loss_chunk;
    const Index row = rows_.width() * static_cast<Index>(c10::elementSize(rows_.type()));
    return std::clamp<Index>(near_cache / row / 4 * 4, 4, loss_chunk);
  }

  const double* labels_at() const { return labels_.data_ptr<double>(); }

  // Points [r, dimension] as the rows have them: float64 [r classes, width].
  at::Tensor padded(const at::Tensor& points) const {
    const Index count = points.size(0) * classes_;
    at::Tensor result = at::zeros({count, rows_.width()}, at::kDouble);
    result.narrow(1, 0, rows_.features()).copy_(points.reshape({count, rows_.features()}));
    return result;
  }

  SampleRows rows_;
  at::Tensor labels_;  // float64, in the order of rows_
  std::vector<Range> shards_;
  std::vector<Weighed> weighed_;
  Penalty penalty_;
  Loss loss_;
  Index classes_, batch_;
  std::uint64_t seed_;
  bool start_at_optimum_;
  std::optional<Optimum> known_;
  mutable std::once_flag once_;
  mutable std::optional<Optimum> computed_;
};

/// f over all samples, in double.
class FullLoss : public ConvexFunction {
 public:
  explicit FullLoss(const LinearProblem& problem)
      : problem_(problem),
        size_(problem.classes_ * problem.rows_.width()),
        curvature_(problem.classes_ * problem.rows_.samples()),
        space_{std::vector<double>(size_),
               std::vector<double>(size_),
               {},
               std::vector<double>(problem.classes_ * loss_chunk),
               std::vector<double>(problem.classes_ * loss_chunk)} {}

  double at(const std::vector<double>& x, std::vector<double>& gradient) override {
    widen(x);
    double sum = 0;
    each_chunk([&](std::span<const std::uint32_t> picked, double weight, double* curvature) {
      sum += weight * problem_.chunk_loss(picked, weight, space_.x.data(), space_);
      curvatures(problem_.loss_, static_cast<Index>(picked.size()), problem_.classes_,
                 space_.scores.data(), curvature);
    });
    narrow(gradient);
    problem_.penalty_.add_slope(x.data(), static_cast<Index>(x.size()), gradient.data());
    return sum + problem_.penalty_.at(x.data(), static_cast<Index>(x.size()));
  }

  void curved(const std::vector<double>& direction, std::vector<double>& result) override {
    widen(direction);
    each_chunk([&](std::span<const std::uint32_t> picked, double weight, const double* curvature) {
      problem_.scores(picked, space_.x.data(), space_.scores.data());
      entrain::curved(problem_.loss_, static_cast<Index>(picked.size()), problem_.classes_,
                      curvature, space_.scores.data());
      for (double& score : space_.scores) score *= weight;
      problem_.add(picked, space_.scores.data(), space_.sums.data());
    });
    narrow(result);
    for (std::size_t j = 0; j < result.size(); ++j) {
      result[j] += problem_.penalty_.lambda * direction[j];
    }
  }

 private:
  template <class Call>
  void each_chunk(Call call) {
    std::fill(space_.sums.begin(), space_.sums.end(), 0);
    std::uint32_t picked[loss_chunk];
    const Index chunk = problem_.chunk();
    for (const Weighed& part : problem_.weighed_) {
      for (Index at = 0; at < part.range.size; at += chunk) {
        const Index count = std::min(chunk, part.range.size - at), first = part.range.first + at;
        std::iota(picked, picked + count, static_cast<std::uint32_t>(first));
        call(std::span<const std::uint32_t>(picked, count), part.weight,
             curvature_.data() + problem_.classes_ * first);
      }
    }
  }

  void widen(const std::vector<double>& x) {
    const Index features = problem_.rows_.features(), width = problem_.rows_.width();
    for (Index c = 0; c < problem_.classes_; ++c) {
      std::copy_n(x.data() + c * features, features, space_.x.data() + c * width);
    }
  }

  void narrow(std::vector<double>& sums) {
    const Index features = problem_.rows_.features(), width = problem_.rows_.width();
    for (Index c = 0; c < problem_.classes_; ++c) {
      std::copy_n(space_.sums.data() + c * width, features, sums.data() + c * features);
    }
  }

  const LinearProblem& problem_;
  Index size_;
  std::vector<double> curvature_;  // of each chunk [classes, count]
  LinearProblem::Space<double> space_;
};

at::Tensor LinearProblem::objective(const at::Tensor& points) const {
  const at::Tensor doubles = points.to(at::kDouble).contiguous(), x = padded(doubles);
  const Index count = points.size(0), most = losses_at_once(loss_);
  at::Tensor result = at::empty({count}, at::kDouble);
  double* values = result.data_ptr<double>();
  for (Index p = 0; p < count; ++p) {
    values[p] = penalty_.at(doubles.data_ptr<double>() + p * dimension(), dimension());
  }
  for (const Weighed& part : weighed_) {
    for (Index at = 0; at < part.range.size; at += most) {
      const Index size = std::min(most, part.range.size - at), first = part.range.first + at;
      at::Tensor scores = at::empty({count * classes_, size}, at::kDouble);
      rows_.scores(first, size, x, scores);
      for (Index p = 0; p < count; ++p) {
        values[p] += part.weight * sum_of_losses(loss_, size, classes_,
                                                 scores.data_ptr<double>() + p * classes_ * size,
                                                 labels_at() + first);
      }
    }
  }
  return result;
}

at::Tensor LinearProblem::gradient(const at::Tensor& point) const {
  const at::Tensor x = point.to(at::kDouble).contiguous();
  std::vector<double> result(dimension());
  FullLoss(*this).at({x.data_ptr<double>(), x.data_ptr<double>() + dimension()}, result);
  return at::tensor(result, at::kDouble);
}

std::optional<Optimum> LinearProblem::optimum() const {
  if (known_) return known_;
  if (penalty_.rho != 0) return std::nullopt;
  std::call_once(once_, [&] {
    FullLoss full(*this);
    const auto least = minimise(full, std::vector<double>(dimension()));
    if (least) computed_ = Optimum{at::tensor(least->point, at::kDouble), least->value};
  });
  return computed_;
}

void require_samples(const LinearTask& task, const ProblemFacts& facts) {
  if (task.data.samples < 1 || task.data.samples > std::int64_t{0xFFFFFFFF}) {
    throw UsageError(fmt::format("samples = {}: must be from 1 to 2^32 - 1", task.data.samples));
  }
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
