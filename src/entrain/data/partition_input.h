#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "entrain/data/dataset.h"
#include "entrain/data/linear_data.h"

namespace entrain {

/// What samples are dealt to workers by. A partition takes of it what it needs.
struct PartitionInput {
  std::int64_t samples = 0;
  at::Tensor labels = {};     ///< int64 [N], classes from 0; undefined: there are none
  std::int64_t features = 0;  ///< the columns that `feature` takes: 0 .. features-1
  std::function<double(std::int64_t sample, std::int64_t column)> feature = {};
};

/// Images: by their labels; they have no features.
PartitionInput partition_input(const Samples& samples);

/// By features and, where the labels are classes (classes_of()), by them. Keeps the tensors of
/// `data` alive.
PartitionInput partition_input(const LinearData& data);

}  // namespace entrain
