#pragma once

#include <cstdint>
#include <span>

#include "entrain/data/linear_data.h"

namespace entrain {

/// Samples as the kernels of linear models want them: in a given order, in the type of the rows of
/// workers, dense rows padded to whole vectors. Sparse data stay sparse where fewer than a quarter
/// of their entries are given.
class SampleRows {
 public:
  /// Row i is the sample order[i] of `data`. `type` is float32 or float64.
  SampleRows(const LinearData& data, std::span<const std::int64_t> order, at::ScalarType type);

  std::int64_t samples() const { return samples_; }
  std::int64_t features() const { return features_; }
  /// What dots() and add() need: the features and the padding.
  std::int64_t width() const { return width_; }
  bool sparse() const { return !dense_.defined(); }
  at::ScalarType type() const { return type_; }

  /// out[k] = <row picked[k], x>, x [width] with zeros behind the features. `Number` is double, or
  /// float where the rows are.
  template <class Number>
  void dots(std::span<const std::uint32_t> picked, const Number* x, double* out) const;

  /// sum [width] += factors[k] x row picked[k].
  template <class Number>
  void add(std::span<const std::uint32_t> picked, const double* factors, Number* sum) const;

  /// scores [points, count] = <row first + k, point>, for points [points, width] in float64.
  void scores(std::int64_t first, std::int64_t count, const at::Tensor& points,
              at::Tensor& scores) const;

 private:
  template <class Call>
  void with_rows(Call call) const;

  std::int64_t samples_, features_, width_;
  at::ScalarType type_;
  at::Tensor dense_;                       // [samples, width]
  at::Tensor offsets_, columns_, values_;  // as in LinearData, in the order of the rows
};

}  // namespace entrain
