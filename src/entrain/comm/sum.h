#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace entrain {

/// Sums of the rows of `rows` [w, m] (float32 or float64), in double, into `sums` [m] (float64),
/// for the columns [begin, end).
///
/// The rows are added along a binary tree that splits k rows into the largest power of two below k
/// and the rest. So the tree over all n = P w workers is the tree over the sums of P processes with
/// w workers each, whenever w is a power of two: the bits of a mean do not depend on how workers
/// are spread over processes.
void tree_sum(const at::Tensor& rows, std::int64_t begin, std::int64_t end, double* sums);

/// mean[j] = sum_i rows[i][j] / n, in double along the tree of tree_sum, rounded once, for the
/// columns [begin, end). `mean` [1, m] is float32 or float64.
void tree_mean(const at::Tensor& rows, std::int64_t begin, std::int64_t end, int n,
               const at::Tensor& mean);

/// A row and what it counts in a sum.
struct WeightedRow {
  const void* values;
  double weight;
};

/// out[j] = sum_k weight_k row_k[j] for the columns [begin, end), in double in the order given,
/// rounded once. `out` [m] is float32 or float64, and the rows are of its type.
void weighted_sum(const std::vector<WeightedRow>& rows, std::int64_t begin, std::int64_t end,
                  const at::Tensor& out);

}  // namespace entrain
