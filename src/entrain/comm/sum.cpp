#include "entrain/comm/sum.h"

#include <ATen/Dispatch.h>

#include <algorithm>
#include <bit>

namespace entrain {
namespace {

constexpr std::int64_t kBlock =
    512;  // columns at a time: a level of the tree takes 4 KB of the first cache

template <class T>
void sum_block(const T* rows, std::int64_t stride, int count, std::int64_t width, double* sums) {
  if (count == 1) {
    for (std::int64_t j = 0; j < width; ++j) sums[j] = rows[j];
  } else if (count == 2) {
    const T* other = rows + stride;
    for (std::int64_t j = 0; j < width; ++j) sums[j] = static_cast<double>(rows[j]) + other[j];
  } else {
    const int left = static_cast<int>(std::bit_ceil(static_cast<unsigned>(count)) / 2);
    double right[kBlock];
    sum_block(rows, stride, left, width, sums);
    sum_block(rows + left * stride, stride, count - left, width, right);
    for (std::int64_t j = 0; j < width; ++j) sums[j] += right[j];
  }
}

}  // namespace

void tree_sum(const at::Tensor& rows, std::int64_t begin, std::int64_t end, double* sums) {
  AT_DISPATCH_FLOATING_TYPES(rows.scalar_type(), "tree_sum", [&] {
    const scalar_t* data = rows.data_ptr<scalar_t>();
    for (std::int64_t at = begin; at < end; at += kBlock) {
      sum_block(data + at, rows.stride(0), static_cast<int>(rows.size(0)),
                std::min(kBlock, end - at), sums + at);
    }
  });
}

void tree_mean(const at::Tensor& rows, std::int64_t begin, std::int64_t end, int n,
               const at::Tensor& mean) {
  double sums[kBlock];
  AT_DISPATCH_FLOATING_TYPES(mean.scalar_type(), "tree_mean", [&] {
    scalar_t* out = mean.data_ptr<scalar_t>();
    for (std::int64_t at = begin; at < end; at += kBlock) {
      const std::int64_t width = std::min(kBlock, end - at);
      tree_sum(rows, at, at + width, sums - at);
      for (std::int64_t j = 0; j < width; ++j) out[at + j] = static_cast<scalar_t>(sums[j] / n);
    }
  });
}

void weighted_sum(const std::vector<WeightedRow>& rows, std::int64_t begin, std::int64_t end,
                  const at::Tensor& out) {
  double sums[kBlock];
  AT_DISPATCH_FLOATING_TYPES(out.scalar_type(), "weighted_sum", [&] {
    scalar_t* result = out.data_ptr<scalar_t>();
    for (std::int64_t at = begin; at < end; at += kBlock) {
      const std::int64_t width = std::min(kBlock, end - at);
      std::fill_n(sums, width, 0.0);
      for (const WeightedRow& row : rows) {
        const scalar_t* values = static_cast<const scalar_t*>(row.values) + at;
        for (std::int64_t j = 0; j < width; ++j) sums[j] += row.weight * values[j];
      }
      for (std::int64_t j = 0; j < width; ++j) result[at + j] = static_cast<scalar_t>(sums[j]);
    }
  });
}

}  // namespace entrain
