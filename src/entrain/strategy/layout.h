#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace entrain {

/// A tensor of a model and the name that checkpoints know it by, as in "conv1.weight".
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

/// Where each tensor of a model lies in a row. Tensors start on 64-byte borders; what lies between
/// is padding and stays zero.
struct Layout {
  struct Entry {
    std::string name;
    std::int64_t offset;  ///< In items, from the start of the row.
    std::int64_t items;
    std::vector<std::int64_t> sizes, strides;
  };
  std::vector<Entry> entries;
  at::ScalarType type = at::kFloat;
  std::int64_t columns = 0;     ///< S: items of a row, padding included.
  std::int64_t parameters = 0;  ///< P: items without padding.

  /// The tensors of `model` that are trained, each once: frozen ones (no gradient asked for) and
  /// second names of tied ones stay outside. Throws UsageError for anything but float32 or float64,
  /// for mixed types and for a model without parameters.
  static Layout of(const std::vector<NamedTensor>& model);

  bool operator==(const Layout& other) const;
};

/// The indices of the tensors of `model` that a Layout of it holds, in its order.
std::vector<std::size_t> trained_tensors(const std::vector<NamedTensor>& model);

}  // namespace entrain
