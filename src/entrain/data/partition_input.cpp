#include "entrain/data/partition_input.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/core/errors.h"
#include "entrain/data/classes.h"

namespace entrain {
namespace {

/// Undefined where the labels are no classes, as in regression.
at::Tensor classes_if_any(const at::Tensor& labels) {
  try {
    return class_labels(labels);
  } catch (const DataError&) {
    return {};
  }
}

template <class T>
double dense_feature(const at::Tensor& dense, std::int64_t sample, std::int64_t column) {
  return static_cast<double>(
      dense.data_ptr<T>()[sample * dense.stride(0) + column * dense.stride(1)]);
}

double sparse_feature(const LinearData& data, std::int64_t sample, std::int64_t column) {
  const std::int64_t* offsets = data.offsets.data_ptr<std::int64_t>();
  const std::int32_t* columns = data.columns.data_ptr<std::int32_t>();
  const std::int32_t* end = columns + offsets[sample + 1];
  const std::int32_t* found = std::lower_bound(columns + offsets[sample], end, column);
  return found == end || *found != column ? 0 : data.values.data_ptr<double>()[found - columns];
}

double feature_of(const LinearData& data, std::int64_t sample, std::int64_t column) {
  if (data.sparse()) return sparse_feature(data, sample, column);
  return data.dense.scalar_type() == at::kFloat ? dense_feature<float>(data.dense, sample, column)
                                                : dense_feature<double>(data.dense, sample, column);
}

}  // namespace

PartitionInput partition_input(const Samples& samples) {
  return {.samples = samples.labels.numel(), .labels = samples.labels};
}

PartitionInput partition_input(const LinearData& data) {
  return {data.samples, classes_if_any(data.labels), data.features,
          [data](std::int64_t sample, std::int64_t column) {
            return feature_of(data, sample, column);
          }};
}

}  // namespace entrain
