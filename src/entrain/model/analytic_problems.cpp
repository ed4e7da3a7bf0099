#include "entrain/model/analytic_problems.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <cmath>
#include <vector>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"
#include "entrain/model/problem_limits.h"

namespace entrain {
namespace {

using Index = std::int64_t;
using Vector = std::vector<double>;

struct Slope {
  double value, slope;  // of a function of one coordinate
};

/// f_i is a sum over the coordinates; a gradient is the true one and normal noise.
class SeparableProblem : public Problem {
 public:
  SeparableProblem(Index dimension, double noise, std::uint64_t seed)
      : dimension_(dimension),
        deviation_(noise / std::sqrt(static_cast<double>(dimension))),
        seed_(seed) {}

  Index dimension() const override { return dimension_; }

  void gradients(Index step, int first, const at::Tensor& x, at::Tensor gradients,
                 at::Tensor losses) const override {
    ENTRAIN_CHECK(x.size(1) == dimension_ && x.stride(1) == 1 && gradients.stride(1) == 1);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "gradients", [&] {
      for (Index i = 0; i < x.size(0); ++i) {
        const int worker = static_cast<int>(first + i);
        const auto* point = x.data_ptr<scalar_t>() + i * x.stride(0);
        auto* gradient = gradients.data_ptr<scalar_t>() + i * gradients.stride(0);
        Stream noise(seed_, Purpose::noise, worker, step);
        double loss = 0;
        for (Index j = 0; j < dimension_; ++j) {
          const Slope at = of_worker(worker, j, static_cast<double>(point[j]));
          const double xi = deviation_ == 0 ? 0 : deviation_ * noise.normal();
          loss += at.value;
          gradient[j] = static_cast<scalar_t>(at.slope + xi);
        }
        losses.data_ptr<double>()[i * losses.stride(0)] = loss;
      }
    });
  }

  at::Tensor objective(const at::Tensor& points) const override {
    const at::Tensor x = points.to(at::kDouble).contiguous();
    at::Tensor values = at::empty({x.size(0)}, at::kDouble);
    for (Index p = 0; p < x.size(0); ++p) {
      double sum = 0;
      for (Index j = 0; j < dimension_; ++j) {
        sum += of_mean(j, x.data_ptr<double>()[p * dimension_ + j]).value;
      }
      values.data_ptr<double>()[p] = sum;
    }
    return values;
  }

  at::Tensor gradient(const at::Tensor& point) const override {
    const at::Tensor x = point.to(at::kDouble).contiguous();
    at::Tensor result = at::empty({dimension_}, at::kDouble);
    for (Index j = 0; j < dimension_; ++j) {
      result.data_ptr<double>()[j] = of_mean(j, x.data_ptr<double>()[j]).slope;
    }
    return result;
  }

 protected:
  virtual Slope of_worker(int worker, Index j, double x) const = 0;
  virtual Slope of_mean(Index j, double x) const = 0;

 private:
  Index dimension_;
  double deviation_;  // of the noise of one coordinate
  std::uint64_t seed_;
};

class Quadratic : public SeparableProblem {
 public:
  Quadratic(const QuadraticOptions& o, const ProblemFacts& facts)
      : SeparableProblem(o.dimension, o.noise, facts.seed),
        eigenvalues_(o.dimension),
        centres_(facts.workers, Vector(o.dimension)),
        mean_(o.dimension),
        scatter_(o.dimension),
        start_(o.start / std::sqrt(static_cast<double>(o.dimension))) {
    for (Index j = 0; j < o.dimension; ++j) {
      const double last = static_cast<double>(std::max<Index>(o.dimension - 1, 1));
      eigenvalues_[j] = o.least + (o.most - o.least) * static_cast<double>(j) / last;
    }
    if (o.spread != 0) place_centres(o.spread, facts.seed);
  }

  at::Tensor start() const override { return at::tensor(mean_, at::kDouble) + start_; }

  std::optional<Optimum> optimum() const override {
    double value = 0;
    for (Index j = 0; j < dimension(); ++j) value += eigenvalues_[j] / 2 * scatter_[j];
    return Optimum{at::tensor(mean_, at::kDouble), value};
  }

 private:
  void place_centres(double spread, std::uint64_t seed) {
    const double share = 1 / static_cast<double>(centres_.size());
    for (std::size_t i = 0; i < centres_.size(); ++i) {
      Stream stream(seed, Purpose::problem, i);
      for (double& c : centres_[i]) c = spread * stream.normal();
      for (std::size_t j = 0; j < mean_.size(); ++j) mean_[j] += share * centres_[i][j];
    }
    for (const Vector& centre : centres_) {
      for (std::size_t j = 0; j < mean_.size(); ++j) {
        scatter_[j] += share * (centre[j] - mean_[j]) * (centre[j] - mean_[j]);
      }
    }
  }

  Slope of_worker(int worker, Index j, double x) const override {
    const double away = x - centres_[worker][j];
    return {eigenvalues_[j] / 2 * away * away, eigenvalues_[j] * away};
  }

  Slope of_mean(Index j, double x) const override {
    const double away = x - mean_[j];
    return {eigenvalues_[j] / 2 * (away * away + scatter_[j]), eigenvalues_[j] * away};
  }

  Vector eigenvalues_;
  std::vector<Vector> centres_;  // by worker
  Vector mean_, scatter_;        // of the centres: their mean, and mean square distance from it
  double start_;
};

class Sine : public SeparableProblem {
 public:
  Sine(const SineOptions& o, const ProblemFacts& facts)
      : SeparableProblem(o.dimension, o.noise, facts.seed), start_(o.start) {}

  at::Tensor start() const override { return at::full({dimension()}, start_, at::kDouble); }

  std::optional<Optimum> optimum() const override {
    return Optimum{at::zeros({dimension()}, at::kDouble), 0};
  }

 private:
  Slope of_worker(int, Index j, double x) const override { return of_mean(j, x); }

  Slope of_mean(Index, double x) const override {
    return {x * x + 3 * std::sin(x) * std::sin(x), 2 * x + 3 * std::sin(2 * x)};
  }

  double start_;
};

constexpr const char* no_samples = "it has no samples";

}  // namespace

MakeProblem quadratic(const QuadraticOptions& options) {
  require_counts("quadratic", {{"dimension", options.dimension}});
  require_at_least_zero("quadratic", {{"least", options.least},
                                      {"most", options.most},
                                      {"noise", options.noise},
                                      {"spread", options.spread}});
  require_finite("quadratic", "start", options.start);
  if (options.least > options.most || options.most == 0) {
    throw UsageError(fmt::format("quadratic: least = {}, most = {}: needs least <= most, most > 0",
                                 print_number(options.least), print_number(options.most)));
  }
  return [options](const ProblemFacts& facts) {
    require_facts(facts);
    require_no_partition("quadratic", facts, no_samples);
    return std::make_unique<Quadratic>(options, facts);
  };
}

MakeProblem sine(const SineOptions& options) {
  require_counts("sine", {{"dimension", options.dimension}});
  require_at_least_zero("sine", {{"noise", options.noise}});
  require_finite("sine", "start", options.start);
  return [options](const ProblemFacts& facts) {
    require_facts(facts);
    require_no_partition("sine", facts, no_samples);
    return std::make_unique<Sine>(options, facts);
  };
}

}  // namespace entrain
