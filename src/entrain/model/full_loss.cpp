#include "entrain/model/full_loss.h"

#include <algorithm>
#include <numeric>

namespace entrain {

template <class T>
double Penalty::at(const T* x, std::int64_t items) const {
  double squares = 0, bounded = 0;
  for (std::int64_t j = 0; j < items; ++j) {
    const double square = static_cast<double>(x[j]) * static_cast<double>(x[j]);
    squares += square;
    if (rho != 0) bounded += square / (1 + square);
  }
  return lambda / 2 * squares + rho * bounded;
}

template <class T>
void Penalty::add_slope(const T* __restrict x, std::int64_t items, T* __restrict slope) const {
  const T factor = static_cast<T>(lambda), bound = static_cast<T>(2 * rho);
  for (std::int64_t j = 0; j < items; ++j) slope[j] += factor * x[j];
  if (rho == 0) return;
  for (std::int64_t j = 0; j < items; ++j) {
    slope[j] += bound * x[j] / ((1 + x[j] * x[j]) * (1 + x[j] * x[j]));
  }
}

template double Penalty::at(const float*, std::int64_t) const;
template double Penalty::at(const double*, std::int64_t) const;
template void Penalty::add_slope(const float*, std::int64_t, float*) const;
template void Penalty::add_slope(const double*, std::int64_t, double*) const;

FullLoss::FullLoss(const BatchLoss& losses, const std::vector<WeightedRange>& ranges,
                   const Penalty& penalty)
    : losses_(losses),
      ranges_(ranges),
      penalty_(penalty),
      curvature_(losses.classes() * losses.samples()),
      space_(losses.space<double>()) {}

template <class Call>
void FullLoss::each_chunk(Call call) {
  std::uint32_t picked[loss_chunk];
  const std::int64_t chunk = losses_.chunk();
  for (const WeightedRange& range : ranges_) {
    for (std::int64_t at = 0; at < range.size; at += chunk) {
      const std::int64_t first = range.first + at, count = std::min(chunk, range.size - at);
      std::iota(picked, picked + count, static_cast<std::uint32_t>(first));
      call(BatchLoss::Picked(picked, count), range.weight,
           curvature_.data() + losses_.classes() * first);
    }
  }
}

double FullLoss::at(const std::vector<double>& x, std::vector<double>& gradient) {
  const auto items = static_cast<std::int64_t>(x.size());
  double sum = 0;
  losses_.start(x.data(), space_);
  each_chunk([&](BatchLoss::Picked picked, double weight, double* curvature) {
    sum += weight * losses_.add(picked, weight, space_);
    losses_.keep_curvature(picked, space_, curvature);
  });
  losses_.finish(space_, gradient.data());
  penalty_.add_slope(x.data(), items, gradient.data());
  return sum + penalty_.at(x.data(), items);
}

void FullLoss::curved(const std::vector<double>& direction, std::vector<double>& result) {
  losses_.start(direction.data(), space_);
  each_chunk([&](BatchLoss::Picked picked, double weight, const double* curvature) {
    losses_.add_curved(picked, weight, curvature, space_);
  });
  losses_.finish(space_, result.data());
  for (std::size_t j = 0; j < result.size(); ++j) result[j] += penalty_.lambda * direction[j];
}

}  // namespace entrain
