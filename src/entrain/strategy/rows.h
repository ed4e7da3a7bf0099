#pragma once

#include "entrain/strategy/layout.h"

namespace entrain {

/// The workers of this process as the rows of two matrices: parameters [w, S] and gradients [w, S].
/// The tensors of the models become aliases of their row, so that nothing has to be packed before
/// an exchange.
///
/// Row i takes the values that model i has at the start. An optimizer built on the models before or
/// after stays valid: its tensors keep their identity and only point elsewhere.
class Rows {
 public:
  /// `models` [w]: the tensors of each worker's model. Throws UsageError if their layouts differ.
  explicit Rows(std::vector<std::vector<NamedTensor>> models);

  std::int64_t workers() const { return parameters_.size(0); }
  const Layout& layout() const { return layout_; }
  const at::Tensor& parameters() const { return parameters_; }
  const at::Tensor& gradients() const { return gradients_; }

  /// Proves that the models still are aliases of the rows. A gradient that moved (set_to_none) is
  /// copied back and bound again; one that is undefined counts as zero. Throws UsageError for a
  /// parameter that moved and for a sparse gradient. Costs a pointer comparison per tensor.
  void verify();

 private:
  struct Alias {
    at::Tensor tensor;
    std::size_t entry;
    std::int64_t row;
    void* parameter;
    void* gradient;
  };
  void rebind_gradient(Alias& alias);
  at::Tensor view(const at::Tensor& matrix, std::int64_t row, const Layout::Entry& entry) const;

  Layout layout_;
  at::Tensor parameters_, gradients_;
  std::vector<Alias> aliases_;
};

}  // namespace entrain
