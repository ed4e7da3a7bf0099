#pragma once

#include "entrain/strategy/layout.h"

namespace entrain {

/// The tensors of one worker's model.
struct ModelTensors {
  std::vector<NamedTensor> parameters;
  std::vector<NamedTensor> buffers = {};
};

/// The workers of this process as the rows of two matrices: what they hold, [w, S + B], parameters
/// and then floating buffers (BatchNorm statistics), and their gradients, [w, S]. The tensors of
/// the models become aliases of their row, so that nothing has to be packed before an exchange.
///
/// Row i takes the values that model i has at the start. An optimizer built on the models before or
/// after stays valid: its tensors keep their identity and only point elsewhere. Where they point
/// changes when swap() does: hold tensors, not pointers.
class Rows {
 public:
  /// `models` [w]. Throws UsageError if their layouts differ.
  explicit Rows(const std::vector<ModelTensors>& models);
  /// `workers` rows without models behind them, each with the values of `start`.
  Rows(const NamedTensor& start, std::int64_t workers);
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  Rows(Rows&&) = default;

  std::int64_t workers() const { return everything_.size(0); }
  const Layout& layout() const { return layout_; }  ///< Of the parameters.
  const Layout& buffer_layout() const { return buffer_layout_; }

  const at::Tensor& everything() const { return everything_; }  ///< [w, S + B]
  const at::Tensor& parameters() const {
    return parameters_;
  }                                                           ///< [w, S], columns of everything().
  const at::Tensor& buffers() const { return buffers_; }      ///< [w, B], columns of everything().
  const at::Tensor& gradients() const { return gradients_; }  ///< [w, S]

  /// Proves that the models still are aliases of the rows. A gradient that moved (set_to_none) is
  /// copied back and bound again; one that is undefined counts as zero. Throws UsageError for a
  /// parameter or buffer that moved and for a sparse gradient. Costs a pointer comparison per
  /// tensor.
  void verify();

  /// The rows hold `values` [w, S + B] from now on, and `values` what they held: no number is
  /// copied, the memory changes hands. False, and nothing changes, unless `values` is a whole
  /// matrix of that form.
  bool swap(const at::Tensor& values);

 private:
  struct Alias {
    at::Tensor tensor;
    const Layout::Entry* entry;
    std::int64_t row;
    void* data;
    void* gradient;  // null for a buffer
  };
  void make_matrices(std::int64_t workers, const at::TensorOptions& options);
  void bind(std::int64_t row, const ModelTensors& model);
  at::Tensor move_in(at::Tensor tensor, std::int64_t row, std::int64_t offset,
                     const Layout::Entry& entry);
  void rebind_gradient(Alias& alias);

  Layout layout_, buffer_layout_;
  at::Tensor everything_, parameters_, buffers_, gradients_;
  std::vector<Alias> aliases_;
};

}  // namespace entrain
