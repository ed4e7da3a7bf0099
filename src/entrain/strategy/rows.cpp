#include "entrain/strategy/rows.h"

#include <ATen/ATen.h>

#include "entrain/core/errors.h"

namespace entrain {

Rows::Rows(std::vector<std::vector<NamedTensor>> models) {
  ENTRAIN_CHECK(!models.empty());
  layout_ = Layout::of(models[0]);
  const auto workers = static_cast<std::int64_t>(models.size());
  const at::Device device = models[0][trained_tensors(models[0])[0]].tensor.device();
  const auto options = at::TensorOptions().dtype(layout_.type).device(device);
  parameters_ = at::zeros({workers, layout_.columns}, options);
  gradients_ = at::zeros({workers, layout_.columns}, options);
  for (std::int64_t row = 0; row < workers; ++row) {
    if (!(Layout::of(models[row]) == layout_)) {
      throw UsageError(fmt::format(
          "the models of workers 0 and {} differ in their parameters: names, shapes and types must "
          "be the same",
          row));
    }
    const std::vector<std::size_t> trained = trained_tensors(models[row]);
    for (std::size_t i = 0; i < trained.size(); ++i) {
      at::Tensor& tensor = models[row][trained[i]].tensor;
      at::Tensor values = view(parameters_, row, layout_.entries[i]);
      values.copy_(tensor.detach());
      tensor.set_data(values);
      tensor.mutable_grad() = view(gradients_, row, layout_.entries[i]);
      aliases_.push_back({tensor, i, row, tensor.data_ptr(), tensor.grad().data_ptr()});
    }
  }
}

// Not a view in autograd's sense: zero_grad() throws on those in libtorch 1.13.
at::Tensor Rows::view(const at::Tensor& matrix, std::int64_t row,
                      const Layout::Entry& entry) const {
  at::Tensor alias = at::empty({0}, matrix.options());
  return alias.set_(matrix.storage(), row * layout_.columns + entry.offset, entry.sizes,
                    entry.strides);
}

void Rows::verify() {
  for (Alias& alias : aliases_) {
    if (alias.tensor.data_ptr() != alias.parameter) {
      throw UsageError(fmt::format(
          "parameter '{}' of worker row {} no longer lies in its row: something gave it new "
          "memory (module.to(), torch::load or set_data do); make such calls before the "
          "strategy is attached, or copy values in place with copy_()",
          layout_.entries[alias.entry].name, alias.row));
    }
    const at::Tensor& gradient = alias.tensor.grad();
    if (!gradient.defined() || gradient.is_sparse() || gradient.data_ptr() != alias.gradient) {
      rebind_gradient(alias);
    }
  }
}

void Rows::rebind_gradient(Alias& alias) {
  const Layout::Entry& entry = layout_.entries[alias.entry];
  const at::Tensor moved = alias.tensor.grad();
  if (moved.defined() && moved.layout() != at::kStrided) {
    throw UsageError(fmt::format(
        "parameter '{}' has a sparse gradient; entrain averages dense ones (for an embedding: "
        "sparse = false)",
        entry.name));
  }
  at::Tensor home = view(gradients_, alias.row, entry);
  if (moved.defined()) {
    home.copy_(moved);
  } else {
    home.zero_();
  }
  alias.tensor.mutable_grad() = home;
}

}  // namespace entrain
