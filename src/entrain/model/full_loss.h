#pragma once

#include <vector>

#include "entrain/model/batch_loss.h"
#include "entrain/model/newton.h"

namespace entrain {

/// lambda/2 |x|^2 + rho sum_j x_j^2 / (1 + x_j^2)
struct Penalty {
  double lambda = 0, rho = 0;

  template <class T>
  double at(const T* x, std::int64_t items) const;
  template <class T>
  void add_slope(const T* x, std::int64_t items, T* slope) const;
};

/// Samples one after another, of which each weighs the same in f.
struct WeightedRange {
  std::int64_t first, size;
  double weight;
};

/// f over all samples, in double. `losses` and `ranges` must outlive it. One thread at a time.
class FullLoss : public ConvexFunction {
 public:
  FullLoss(const BatchLoss& losses, const std::vector<WeightedRange>& ranges,
           const Penalty& penalty);

  double at(const std::vector<double>& x, std::vector<double>& gradient) override;
  /// Without the part of rho, with which f is not convex.
  void curved(const std::vector<double>& direction, std::vector<double>& result) override;

 private:
  template <class Call>
  void each_chunk(Call call);

  const BatchLoss& losses_;
  const std::vector<WeightedRange>& ranges_;
  Penalty penalty_;
  std::vector<double> curvature_;  // of each chunk [classes, count], at the last point
  BatchLoss::Space<double> space_;
};

}  // namespace entrain
