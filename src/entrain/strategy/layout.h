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

/// Tensors in one order, as one piece of a row. They start on 64-byte borders; what lies between is
/// padding and stays zero.
struct Layout {
  struct Entry {
    std::string name;
    std::int64_t offset;  ///< In items, from the start of the piece.
    std::int64_t items;
    std::vector<std::int64_t> sizes, strides;
  };
  std::vector<Entry> entries;
  at::ScalarType type = at::kFloat;
  std::int64_t columns = 0;  ///< Items of the piece, padding included.
  std::int64_t items = 0;    ///< Items without padding.

  /// Throws UsageError for anything but float32 or float64, and for mixed types.
  static Layout of(const std::vector<NamedTensor>& tensors);

  bool operator==(const Layout& other) const;
};

/// The tensors of `model` that are trained, each once: frozen ones (no gradient asked for) and
/// second names of tied ones are left out. Throws UsageError if there are none.
std::vector<NamedTensor> trained_tensors(const std::vector<NamedTensor>& model);

/// The buffers that can be averaged: the floating ones, as BatchNorm's running mean and variance;
/// its count of batches is left out.
std::vector<NamedTensor> floating_tensors(const std::vector<NamedTensor>& buffers);

}  // namespace entrain
