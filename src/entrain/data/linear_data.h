#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace entrain {

/// Samples for a linear model, one a row: dense, or compressed sparse rows. Immutable once made.
struct LinearData {
  std::int64_t samples = 0, features = 0;
  at::Tensor dense;    ///< [N, d], float32 or float64; undefined where the rows are sparse.
  at::Tensor offsets;  ///< int64 [N + 1]: row i has the entries offsets[i] .. offsets[i+1] - 1
  at::Tensor columns;  ///< int32 [entries], from 0, ascending within a row
  at::Tensor values;   ///< float64 [entries]
  at::Tensor labels;   ///< float64 [N], as the file or the generator has them

  bool sparse() const { return !dense.defined(); }
};

}  // namespace entrain
