#include "entrain/model/batch_loss.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace entrain {

BatchLoss::BatchLoss(Loss loss, std::int64_t classes, const LinearData& data,
                     std::span<const std::int64_t> order, at::ScalarType type)
    : loss_(loss),
      classes_(classes),
      rows_(data, order, type),
      labels_(at::empty({rows_.samples()}, at::kDouble)) {
  const double* labels = data.labels.data_ptr<double>();
  double* ours = labels_.data_ptr<double>();
  for (const std::int64_t sample : order) *ours++ = labels[sample];
}

std::int64_t BatchLoss::chunk() const {
  constexpr std::int64_t near_cache = 24 * 1024;  // bytes
  if (rows_.sparse()) return loss_chunk;
  const auto row = rows_.width() * static_cast<std::int64_t>(c10::elementSize(type()));
  return std::clamp<std::int64_t>(near_cache / row / 4 * 4, 4, loss_chunk);
}

template <class T>
BatchLoss::Space<T> BatchLoss::space() const {
  const std::size_t size = classes_ * rows_.width(), scratch = classes_ * loss_chunk;
  return {std::vector<T>(size), std::vector<T>(size), std::vector<double>(scratch),
          std::vector<double>(scratch)};
}

template <class T>
void BatchLoss::start(const T* x, Space<T>& space) const {
  for (std::int64_t c = 0; c < classes_; ++c) {
    std::copy_n(x + c * rows_.features(), rows_.features(), space.x.data() + c * rows_.width());
  }
  std::fill(space.sums.begin(), space.sums.end(), T(0));
}

template <class T>
void BatchLoss::finish(const Space<T>& space, T* sums) const {
  for (std::int64_t c = 0; c < classes_; ++c) {
    std::copy_n(space.sums.data() + c * rows_.width(), rows_.features(),
                sums + c * rows_.features());
  }
}

template <class T>
void BatchLoss::score(Picked picked, Space<T>& space) const {
  for (std::int64_t c = 0; c < classes_; ++c) {
    rows_.dots(picked, space.x.data() + c * rows_.width(),
               space.scores.data() + c * static_cast<std::int64_t>(picked.size()));
  }
}

template <class T>
void BatchLoss::add_rows_of(Picked picked, const double* factors, Space<T>& space) const {
  for (std::int64_t c = 0; c < classes_; ++c) {
    rows_.add(picked, factors + c * static_cast<std::int64_t>(picked.size()),
              space.sums.data() + c * rows_.width());
  }
}

// Each row is met twice, the second time in the nearest cache.
template <class T>
double BatchLoss::add(Picked picked, double weight, Space<T>& space) const {
  const auto count = static_cast<std::int64_t>(picked.size());
  score(picked, space);
  double labels[loss_chunk];
  for (std::int64_t k = 0; k < count; ++k) labels[k] = labels_.data_ptr<double>()[picked[k]];
  const double sum =
      derivatives(loss_, count, classes_, space.scores.data(), labels, space.slopes.data());
  for (std::int64_t k = 0; k < classes_ * count; ++k) space.slopes[k] *= weight;
  add_rows_of(picked, space.slopes.data(), space);
  return sum;
}

void BatchLoss::keep_curvature(Picked picked, const Space<double>& space, double* curvature) const {
  curvatures(loss_, static_cast<std::int64_t>(picked.size()), classes_, space.scores.data(),
             curvature);
}

void BatchLoss::add_curved(Picked picked, double weight, const double* curvature,
                           Space<double>& space) const {
  const auto count = static_cast<std::int64_t>(picked.size());
  score(picked, space);
  curved(loss_, count, classes_, curvature, space.scores.data());
  for (std::int64_t k = 0; k < classes_ * count; ++k) space.scores[k] *= weight;
  add_rows_of(picked, space.scores.data(), space);
}

at::Tensor BatchLoss::padded(const at::Tensor& points) const {
  const std::int64_t count = points.size(0) * classes_;
  at::Tensor result = at::zeros({count, rows_.width()}, at::kDouble);
  result.narrow(1, 0, rows_.features()).copy_(points.reshape({count, rows_.features()}));
  return result;
}

void BatchLoss::add_losses(std::int64_t first, std::int64_t count, double weight,
                           const at::Tensor& points, double* values) const {
  const at::Tensor x = padded(points);
  const std::int64_t most = losses_at_once(loss_);
  for (const std::int64_t end = first + count; first < end; first += most) {
    const std::int64_t size = std::min(most, end - first);
    at::Tensor scores = at::empty({x.size(0), size}, at::kDouble);
    rows_.scores(first, size, x, scores);
    for (std::int64_t p = 0; p < points.size(0); ++p) {
      const double* own = scores.data_ptr<double>() + p * classes_ * size;
      values[p] +=
          weight * sum_of_losses(loss_, size, classes_, own, labels_.data_ptr<double>() + first);
    }
  }
}

template BatchLoss::Space<float> BatchLoss::space() const;
template BatchLoss::Space<double> BatchLoss::space() const;
template void BatchLoss::start(const float*, Space<float>&) const;
template void BatchLoss::start(const double*, Space<double>&) const;
template double BatchLoss::add(Picked, double, Space<float>&) const;
template double BatchLoss::add(Picked, double, Space<double>&) const;
template void BatchLoss::finish(const Space<float>&, float*) const;
template void BatchLoss::finish(const Space<double>&, double*) const;

}  // namespace entrain
