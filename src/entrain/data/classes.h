#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace entrain {

/// The distinct values of labels [N] (any floating type), ascending: {-1, 1}, {0, 1}, {1, 2, 3}.
/// Throws DataError for a label that is no whole number, as in regression, and for more than 1,000
/// classes.
std::vector<double> classes_of(const at::Tensor& labels);

/// Labels of two classes as float64 [N] of +1 and -1: +1 where the label is 1, whether the other
/// class is -1, 0 or 2; where neither class is 1, the larger one is +1. Throws DataError, which
/// names the classes, unless there are two.
at::Tensor binary_labels(const at::Tensor& labels);

/// Labels as int64 [N]: 0 for the least of classes_of(labels), 1 for the next one, ...
at::Tensor class_labels(const at::Tensor& labels);

}  // namespace entrain
