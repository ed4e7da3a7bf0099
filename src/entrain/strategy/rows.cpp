#include "entrain/strategy/rows.h"

#include <ATen/ATen.h>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

// Not a view in autograd's sense: zero_grad() throws on those in libtorch 1.13.
at::Tensor alias_of(const at::Tensor& matrix, std::int64_t row, std::int64_t offset,
                    const Layout::Entry& entry) {
  at::Tensor alias = at::empty({0}, matrix.options());
  return alias.set_(matrix.storage(), row * matrix.stride(0) + offset + entry.offset, entry.sizes,
                    entry.strides);
}

}  // namespace

Rows::Rows(const std::vector<ModelTensors>& models) {
  ENTRAIN_CHECK(!models.empty());
  const std::vector<NamedTensor> trained = trained_tensors(models[0].parameters);
  const std::vector<NamedTensor> floating = floating_tensors(models[0].buffers);
  layout_ = Layout::of(trained);
  buffer_layout_ = Layout::of(floating);
  if (floating.empty()) buffer_layout_.type = layout_.type;
  if (buffer_layout_.type != layout_.type) {
    throw UsageError(fmt::format(
        "buffer '{}' is {}, the parameters are {}: they must have one type", floating[0].name,
        c10::toString(buffer_layout_.type), c10::toString(layout_.type)));
  }
  const auto workers = static_cast<std::int64_t>(models.size());
  make_matrices(workers,
                at::TensorOptions().dtype(layout_.type).device(trained[0].tensor.device()));
  for (std::int64_t row = 0; row < workers; ++row) bind(row, models[row]);
}

Rows::Rows(const NamedTensor& start, std::int64_t workers) : layout_(Layout::of({start})) {
  ENTRAIN_CHECK(workers >= 1 && start.tensor.dim() == 1);
  buffer_layout_.type = layout_.type;
  make_matrices(workers, start.tensor.options());
  parameters_.narrow(1, 0, layout_.items).copy_(start.tensor.expand({workers, layout_.items}));
}

void Rows::make_matrices(std::int64_t workers, const at::TensorOptions& options) {
  everything_ = at::zeros({workers, layout_.columns + buffer_layout_.columns}, options);
  parameters_ = everything_.narrow(1, 0, layout_.columns);
  buffers_ = everything_.narrow(1, layout_.columns, buffer_layout_.columns);
  gradients_ = at::zeros({workers, layout_.columns}, options);
}

void Rows::bind(std::int64_t row, const ModelTensors& model) {
  const std::vector<NamedTensor> trained = trained_tensors(model.parameters);
  const std::vector<NamedTensor> floating = floating_tensors(model.buffers);
  if (!(Layout::of(trained) == layout_) || floating.size() != buffer_layout_.entries.size() ||
      (!floating.empty() && !(Layout::of(floating) == buffer_layout_))) {
    throw UsageError(fmt::format(
        "the models of workers 0 and {} differ: names, shapes and types of their parameters "
        "and buffers must be the same",
        row));
  }
  for (std::size_t i = 0; i < trained.size(); ++i) {
    const Layout::Entry& entry = layout_.entries[i];
    const at::Tensor tensor = move_in(trained[i].tensor, row, 0, entry);
    tensor.mutable_grad() = alias_of(gradients_, row, 0, entry);
    aliases_.push_back({tensor, &entry, row, tensor.data_ptr(), tensor.grad().data_ptr()});
  }
  for (std::size_t i = 0; i < floating.size(); ++i) {
    const Layout::Entry& entry = buffer_layout_.entries[i];
    const at::Tensor tensor = move_in(floating[i].tensor, row, layout_.columns, entry);
    aliases_.push_back({tensor, &entry, row, tensor.data_ptr(), nullptr});
  }
}

at::Tensor Rows::move_in(at::Tensor tensor, std::int64_t row, std::int64_t offset,
                         const Layout::Entry& entry) {
  at::Tensor values = alias_of(everything_, row, offset, entry);
  values.copy_(tensor.detach());
  tensor.set_data(values);
  return tensor;
}

void Rows::verify() {
  for (Alias& alias : aliases_) {
    if (alias.tensor.data_ptr() != alias.data) {
      throw UsageError(
          fmt::format("{} '{}' of worker row {} no longer lies in its row: something gave it new "
                      "memory (module.to(), "
                      "torch::load or set_data do); make such calls before the strategy is "
                      "attached, or copy values "
                      "in place with copy_()",
                      alias.gradient ? "parameter" : "buffer", alias.entry->name, alias.row));
    }
    if (!alias.gradient) continue;
    const at::Tensor& gradient = alias.tensor.grad();
    if (!gradient.defined() || gradient.layout() != at::kStrided ||
        gradient.data_ptr() != alias.gradient) {
      rebind_gradient(alias);
    }
  }
}

bool Rows::swap(const at::Tensor& values) {
  const bool alike = values.sizes() == everything_.sizes() && values.is_contiguous() &&
                     values.dtype() == everything_.dtype() &&
                     values.device() == everything_.device() &&
                     values.storage().nbytes() == everything_.storage().nbytes();
  if (!alike) return false;
  const at::Storage own = everything_.storage(), other = values.storage();
  own.set_data_ptr(other.set_data_ptr(own.set_data_ptr({})));
  const auto moved = [&](void* data) {
    return static_cast<char*>(own.data()) +
           (static_cast<char*>(data) - static_cast<char*>(other.data()));
  };
  for (Alias& alias : aliases_) {
    if (alias.data) alias.data = moved(alias.data);  // null: a tensor without elements
  }
  return true;
}

void Rows::rebind_gradient(Alias& alias) {
  const at::Tensor moved = alias.tensor.grad();
  if (moved.defined() && moved.layout() != at::kStrided) {
    throw UsageError(
        fmt::format("parameter '{}' has a sparse gradient; entrain averages dense ones (for an "
                    "embedding: sparse = false)",
                    alias.entry->name));
  }
  at::Tensor home = alias_of(gradients_, alias.row, 0, *alias.entry);
  if (moved.defined()) {
    home.copy_(moved);
  } else {
    home.zero_();
  }
  alias.tensor.mutable_grad() = home;
}

}  // namespace entrain
