#pragma once

#include <span>
#include <vector>

#include "entrain/model/linear_loss.h"
#include "entrain/model/sample_rows.h"

namespace entrain {

/// The losses of a linear model over samples, a few at a time, and their gradients. Its parameters
/// are [classes, features]. Immutable: what changes is in a Space, of which each thread has its
/// own.
class BatchLoss {
 public:
  /// What is at work: a point, the gradient that is being summed, and scratch for a chunk.
  template <class T>
  struct Space {
    std::vector<T> x, sums;              // [classes, width]
    std::vector<double> scores, slopes;  // [classes, samples of the chunk]
  };

  using Picked = std::span<const std::uint32_t>;

  /// Takes the samples of `data` in `order`. `type` is that of the rows of workers.
  BatchLoss(Loss loss, std::int64_t classes, const LinearData& data,
            std::span<const std::int64_t> order, at::ScalarType type);

  std::int64_t samples() const { return rows_.samples(); }
  std::int64_t classes() const { return classes_; }
  std::int64_t parameters() const { return classes_ * rows_.features(); }
  at::ScalarType type() const { return rows_.type(); }

  /// The most samples that the calls below take at once: as many as stay in the nearest cache.
  std::int64_t chunk() const;

  template <class T>
  Space<T> space() const;

  /// Moves the space to the point `x` [parameters] and its sums to zero.
  template <class T>
  void start(const T* x, Space<T>& space) const;

  /// Adds weight x the gradient of the summed loss at the point to the sums; returns the summed
  /// loss. Leaves the scores in the space.
  template <class T>
  double add(Picked picked, double weight, Space<T>& space) const;

  /// The sums [parameters].
  template <class T>
  void finish(const Space<T>& space, T* sums) const;

  /// `curvature` [classes, picked] as add_curved() needs it, from the scores that add() left.
  void keep_curvature(Picked picked, const Space<double>& space, double* curvature) const;

  /// Adds weight x the second derivative, times the point of the space, to the sums.
  void add_curved(Picked picked, double weight, const double* curvature,
                  Space<double>& space) const;

  /// values[p] += weight x the loss at point p, summed over the samples first .. first + count - 1,
  /// for points [r, parameters] in float64.
  void add_losses(std::int64_t first, std::int64_t count, double weight, const at::Tensor& points,
                  double* values) const;

 private:
  template <class T>
  void score(Picked picked, Space<T>& space) const;
  template <class T>
  void add_rows_of(Picked picked, const double* factors, Space<T>& space) const;
  at::Tensor padded(const at::Tensor& points) const;

  Loss loss_;
  std::int64_t classes_;
  SampleRows rows_;
  at::Tensor labels_;  // float64, in the order of rows_
};

}  // namespace entrain
